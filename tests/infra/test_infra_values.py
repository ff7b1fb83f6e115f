"""The policies inside the generated files, worked out by real tools and read as JSON."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from imageshift.aws.documents import read_documents

FIXTURES = Path(__file__).parent.parent / "fixtures" / "infra"
ARTICLE = FIXTURES / "article"
PREFIXES = ["docker-hub", "github", "k8s", "ecr", "quay"]
PARTS = {
    "data.aws_partition.current.partition": '"aws"',
    "data.aws_region.current.region": '"eu-west-2"',
    "data.aws_caller_identity.current.account_id": '"111122223333"',
}


def terraform_locals(folder: Path, *variables: str) -> dict[str, Any]:
    """Return the module's locals as the real Terraform works them out, without any provider."""
    program = shutil.which("terraform")
    if program is None:
        pytest.skip("needs terraform")
    module = ARTICLE / "terraform"
    texts = [(module / name).read_text() for name in ("versions.tf", "templates.tf")]
    blocks = [block for text in texts for block in re.findall(r"(?ms)^locals \{.*?^\}", text)]
    joined = "\n".join(blocks)
    for reference, value in PARTS.items():
        joined = joined.replace(f"${{{reference}}}", value.strip('"')).replace(reference, value)
    (folder / "locals.tf").write_text(joined)
    (folder / "variables.tf").write_text((module / "variables.tf").read_text())
    credentials = '{username="u",access_token="t"}'
    given = [f"{name}_credentials={credentials}" for name in ("docker_hub", "github")]
    names = ["cached_repository_arns", "consumer_arns", "lifecycle_policy", "repository_policy"]
    asked = ", ".join(f"{name} = local.{name}" for name in names)
    done = subprocess.run(
        [program, "console", *(f"-var={one}" for one in (*given, *variables))],
        input=f"jsonencode({{{asked}}})\n",
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(json.loads(done.stdout.strip().splitlines()[-1]))
    return found


def test_terraform_values(tmp_path: Path) -> None:
    """Permissions end at the prefixes, and without other accounts there is no policy for them."""
    found = terraform_locals(tmp_path)

    arn = "arn:aws:ecr:eu-west-2:111122223333:repository"
    assert found["cached_repository_arns"] == [f"{arn}/{prefix}/*" for prefix in PREFIXES]
    assert found["repository_policy"] is None
    assert json.loads(found["lifecycle_policy"])["rules"][0]["selection"]["countNumber"] == 90


def test_terraform_values_with_consumers(tmp_path: Path) -> None:
    """Other accounts may pull from the repositories that their pulls create."""
    found = terraform_locals(tmp_path, 'consumer_account_ids=["222233334444"]')

    [statement] = json.loads(found["repository_policy"])["Statement"]
    assert statement["Principal"] == {"AWS": ["arn:aws:iam::222233334444:root"]}
    assert "ecr:BatchGetImage" in statement["Action"]


def test_terraform_refuses_other_ids(tmp_path: Path) -> None:
    """An account id of another length is refused by the module itself."""
    with pytest.raises(AssertionError, match="twelve digits"):
        terraform_locals(tmp_path, 'consumer_account_ids=["123"]')


def test_cloudformation_policies_are_json() -> None:
    """Every policy text in the template is JSON once its variables are filled in."""
    text = (ARTICLE / "cloudformation" / "pull-through-cache.yaml").read_text()
    [template] = read_documents(text, is_json=False)
    templates = [
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::ECR::RepositoryCreationTemplate"
    ]

    lifecycles = [filled(one["LifecyclePolicy"]["Fn::Sub"]) for one in templates]
    policies = [filled(one["RepositoryPolicy"]["Fn::If"][1]["Fn::Sub"][0]) for one in templates]

    assert [one["rules"][0]["selection"]["countNumber"] for one in lifecycles] == [90] * 5
    assert [one["Statement"][0]["Principal"]["AWS"] for one in policies] == [["90"]] * 5


def test_cloudformation_secrets_are_json() -> None:
    """The secrets have exactly the two keys that ECR reads, from parameters that aren't shown."""
    text = (ARTICLE / "cloudformation" / "pull-through-cache.yaml").read_text()
    [template] = read_documents(text, is_json=False)
    secrets = [
        filled(resource["Properties"]["SecretString"]["Fn::Sub"])
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::SecretsManager::Secret"
    ]
    hidden = [name for name, one in template["Parameters"].items() if one.get("NoEcho") == "true"]

    assert secrets == [{"username": "90", "accessToken": "90"}] * 2
    assert len(hidden) == 4


def filled(text: str) -> Any:
    """Return the JSON of a text whose variables are all 90."""
    return json.loads(re.sub(r"\$\{\w+\}", "90", text))
