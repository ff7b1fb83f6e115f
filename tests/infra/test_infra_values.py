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


CREDENTIALS = '{ username = "u", access_token = "t" }'
GIVEN = {
    "article": (f'credentials={{"docker-hub"={CREDENTIALS}, github={CREDENTIALS}}}',),
    "every-kind": (
        "credentials={"
        + ", ".join(
            f'"{prefix}"={CREDENTIALS}'
            for prefix in ("ROOT", "mirror/ghcr.io", "gitlab", "cg", "azure")
        )
        + "}",
    ),
}


def copy_inputs(folder: Path, case: str = "article") -> None:
    """Copy a module's variables and locals, with the values that data sources would give."""
    module = FIXTURES / case / "terraform"
    text = (module / "locals.tf").read_text()
    for reference, value in PARTS.items():
        text = text.replace(reference, value)
    (folder / "locals.tf").write_text(text)
    (folder / "variables.tf").write_text((module / "variables.tf").read_text())


def terraform_locals(folder: Path, *variables: str, case: str = "article") -> dict[str, Any]:
    """Return the module's locals as the real Terraform works them out, without any provider."""
    program = shutil.which("terraform")
    if program is None:
        pytest.skip("needs terraform")
    copy_inputs(folder, case)
    names = [
        *("cached_repository_arns", "consumer_arns", "lifecycle_policy", "repository_policy"),
        *("name", "needs_creation_role"),
        *(["other_repository_arns"] if case == "every-kind" else []),
    ]
    asked = ", ".join(f"{name} = local.{name}" for name in names)
    secrets = "" if case == "no-secrets" else ", secrets = keys(local.secrets)"
    done = subprocess.run(
        [program, "console", *(f"-var={one}" for one in (*GIVEN.get(case, ()), *variables))],
        input=f"jsonencode({{{asked}{secrets}}})\n",
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(json.loads(done.stdout.strip().splitlines()[-1]))
    return found


def test_terraform_values(tmp_path: Path) -> None:
    """Permissions end at the prefixes, names hold the Region, and nothing extra is made unasked."""
    found = terraform_locals(tmp_path)

    arn = "arn:aws:ecr:eu-west-2:111122223333:repository"
    assert found["cached_repository_arns"] == [f"{arn}/{prefix}/*" for prefix in sorted(PREFIXES)]
    assert found["repository_policy"] is None
    assert found["name"] == "imageshift-eu-west-2"
    assert found["needs_creation_role"] is False
    assert found["secrets"] == ["docker-hub", "github"]
    [rule] = json.loads(found["lifecycle_policy"])["rules"]
    assert rule["action"] == {"type": "transition", "targetStorageClass": "archive"}
    assert rule["selection"]["countType"] == "sinceImagePulled"


def test_terraform_values_of_every_kind(tmp_path: Path) -> None:
    """The whole registry is meant under ROOT, and other accounts' repositories are named."""
    found = terraform_locals(tmp_path, case="every-kind")

    assert "arn:aws:ecr:eu-west-2:111122223333:repository/*" in found["cached_repository_arns"]
    assert found["other_repository_arns"] == ["arn:aws:ecr:us-east-1:222233334444:repository/*"]


def test_terraform_values_without_secrets(tmp_path: Path) -> None:
    """Where no upstream needs credentials, nothing of the module asks for any."""
    found = terraform_locals(tmp_path, case="no-secrets")

    names = [arn.partition("repository/")[2] for arn in found["cached_repository_arns"]]
    assert names == ["k8s/*", "quay/*"]


def test_terraform_values_with_consumers(tmp_path: Path) -> None:
    """Other accounts may pull from the repositories that their pulls create."""
    found = terraform_locals(tmp_path, 'consumer_account_ids=["222233334444"]')

    [statement] = json.loads(found["repository_policy"])["Statement"]
    assert statement["Principal"] == {"AWS": ["arn:aws:iam::222233334444:root"]}
    assert "ecr:BatchGetImage" in statement["Action"]


def test_terraform_values_with_tags_and_secrets(tmp_path: Path) -> None:
    """Tags need the role for templates; a secret that exists isn't made again."""
    arn = "arn:aws:secretsmanager:eu-west-2:111122223333:secret:ecr-pullthroughcache/hub-AbCdEf"
    given = (
        f'credential_arns={{"docker-hub"="{arn}"}}',
        f"credentials={{github={CREDENTIALS}}}",
        'tags={team="a"}',
    )

    found = terraform_locals(tmp_path, *given)

    assert found["needs_creation_role"] is True
    assert found["secrets"] == ["github"]


GOOD = """
name = "a"
account_id = "111122223333"
region = "eusc-de-east-1"
credentials = { "docker-hub" = { username = "u", access_token = "t" } }
credentials_version = 2
credential_arns = {
  github = "arn:aws:secretsmanager:eu-west-2:111122223333:secret:ecr-pullthroughcache/g-AbCdEf"
}
secret_recovery_window_in_days = 0
role_names = { nodes = "eks-nodes" }
controllers = { flux = { cluster_name = "c", namespace = "n", service_account = "s" } }
consumer_account_ids = ["222233334444"]
permissions_boundary_arn = "arn:aws:iam::aws:policy/Boundary"
kms_key = { arn = "arn:aws:kms:eu-west-2:111122223333:key/a" }
tags = { team = "a" }
immutable_tag_filters = ["v*.*"]
archive_untagged_after_days = null
scan_type = "BASIC"
replication_regions = ["eu-west-1"]
"""
BAD = {
    'name = "1a"': "A letter, then",
    'account_id = "1234"': "An AWS account id has twelve digits",
    'region = "eu west"': "A Region is written like",
    "credentials_version = 0.5": "A whole number from 1",
    'credential_arns = { hub = "arn:aws:iam::111122223333:role/a" }': "Each is the ARN of a secret",
    "secret_recovery_window_in_days = 5": "0, or 7 to 30",
    'role_names = { a = "arn:aws:iam::111122223333:role/a" }': "Names of roles, not their ARNs",
    'controllers = { "A" = { cluster_name = "", namespace = "", service_account = "" } }': "keys",
    'consumer_account_ids = ["123"]': "An AWS account id has twelve digits",
    'permissions_boundary_arn = "boundary"': "The ARN of an IAM policy",
    'kms_key = { arn = "arn:aws:kms:eu-west-2:111122223333:alias/a" }': "The ARN of a KMS key",
    'tags = { "aws:a" = "b" }': "doesn't begin with aws:",
    'immutable_tag_filters = ["a*b*c*"]': "Up to five filters",
    "archive_untagged_after_days = 0": "At least 1 day",
    'scan_type = "DEEP"': "BASIC, ENHANCED or null",
    'replication_regions = ["Ireland"]': "Up to 25 Regions",
}


def plan_variables(folder: Path, given: str) -> subprocess.CompletedProcess[str]:
    """Plan the module's variables alone."""
    program = shutil.which("terraform")
    if program is None:
        pytest.skip("needs terraform")
    copy_inputs(folder)
    (folder / "terraform.tfvars").write_text(given)
    return subprocess.run(
        [program, "plan", "-input=false", "-no-color"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_terraform_takes(tmp_path: Path) -> None:
    """Every variable takes a value of its kind."""
    done = plan_variables(tmp_path, GOOD)

    assert done.returncode == 0, done.stderr


def test_terraform_refuses(tmp_path: Path) -> None:
    """The module itself refuses what AWS would refuse later, or only when a node pulls."""
    done = plan_variables(tmp_path, "\n".join(BAD))

    said = " ".join(done.stderr.split())
    for message in BAD.values():
        assert message in said


HUB = f'"docker-hub" = {CREDENTIALS}'
EXISTING = "arn:aws:secretsmanager:eu-west-2:111122223333:secret:ecr-pullthroughcache/g-AbCdEf"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param(f"credentials = {{ {HUB} }}", "A rule needs credentials", id="one missing"),
        pytest.param("", "A rule needs credentials", id="none"),
        pytest.param(
            f'credentials = {{ {HUB}, github = {{ username = "", access_token = "t" }} }}',
            "Each needs a user name",
            id="an empty one",
        ),
        pytest.param(
            f"credentials = {{ {HUB}, github = {CREDENTIALS}, quay = {CREDENTIALS} }}",
            "The keys are the prefixes of rules with a secret: docker-hub, github.",
            id="a rule without a secret",
        ),
        pytest.param(
            f'credentials = {{ {HUB} }}\ncredential_arns = {{ gh = "{EXISTING}" }}',
            "The keys are the prefixes of rules with a secret: docker-hub, github.",
            id="no rule",
        ),
        pytest.param(
            'controllers = { upstream = { cluster_name = "c", namespace = "n", '
            'service_account = "s" } }',
            "neither creation nor upstream",
            id="a role's name that is taken",
        ),
        pytest.param(
            'controllers = { a = { cluster_name = "", namespace = "n", service_account = "s" } }',
            "Each needs the names of an EKS cluster",
            id="no cluster",
        ),
    ],
)
def test_terraform_names_what_is_missing(given: str, message: str, tmp_path: Path) -> None:
    """A key that means nothing, or that is missing, is named before anything is made."""
    done = plan_variables(tmp_path, given)

    assert done.returncode == 1
    assert message in " ".join(re.sub(r"[│╷╵]", "", done.stderr).split())


@pytest.mark.parametrize("filters", ['["1", "2", "3", "4", "5", "6"]', '["a b"]', '[""]'])
def test_terraform_refuses_filters(filters: str, tmp_path: Path) -> None:
    """A filter for tags has ECR's grammar, and there are five at most."""
    done = plan_variables(tmp_path, f"immutable_tag_filters = {filters}")

    assert "Up to five filters" in done.stderr


# What a provider leaves open may be null; of its own ids Terraform knows that they aren't.
SAME_APPLY = """
resource "terraform_data" "made" {}

locals {
  open = tostring(jsondecode(terraform_data.made.id))
}

module "cache" {
  source               = "./cache"
  credentials          = { "docker-hub" = { username = "u", access_token = "t" } }
  credential_arns      = { github = local.open }
  kms_key              = { arn = local.open }
  consumer_account_ids = [local.open]
  replication_regions  = [local.open]
}
"""
COUNTS = """
resource "terraform_data" "secret" {
  for_each = local.secrets
}

resource "terraform_data" "creation" {
  count = local.needs_creation_role ? 1 : 0
}
"""


def test_inputs_of_the_same_apply(tmp_path: Path) -> None:
    """Keys, secrets and accounts may be made in the same apply: how many there are is known."""
    program = shutil.which("terraform")
    if program is None:
        pytest.skip("needs terraform")
    (tmp_path / "cache").mkdir()
    copy_inputs(tmp_path / "cache")
    registry = (ARTICLE / "terraform" / "registry.tf").read_text()
    counts = re.findall(r'^resource "\w+" "this" \{\n(  count = .*)', registry, re.MULTILINE)
    made = "".join(
        f'\nresource "terraform_data" "n{number}" {{\n{count}\n}}\n'
        for number, count in enumerate(counts)
    )
    (tmp_path / "cache" / "main.tf").write_text(COUNTS + made)
    (tmp_path / "main.tf").write_text(SAME_APPLY)
    subprocess.run([program, "init", "-input=false"], cwd=tmp_path, capture_output=True, check=True)

    done = subprocess.run(
        [program, "plan", "-input=false", "-no-color"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    # The role outside, the creation role, one secret, the registry's policy and replication.
    assert "Plan: 5 to add" in done.stdout


ROLES = """
resource "terraform_data" "role" {}

module "cache" {
  source     = "./cache"
  role_names = %s
}
"""


def plan_roles(folder: Path, kind: str, given: str) -> subprocess.CompletedProcess[str]:
    """Plan the module's attachments of a policy, as resources that need no provider."""
    program = shutil.which("terraform")
    if program is None:
        pytest.skip("needs terraform")
    module = (ARTICLE / "terraform" / "variables.tf").read_text()
    variable = re.search(r'(?ms)^variable "role_names" \{.*?^\}', module)
    iam = (ARTICLE / "terraform" / "iam.tf").read_text()
    attachment = re.search(r'(?ms)^resource "aws_iam_role_policy_attachment" "pull" \{.*?^\}', iam)
    assert variable is not None
    assert attachment is not None
    made = attachment[0].replace("aws_iam_role_policy_attachment", "terraform_data")
    made = re.sub(r"(?m)^  policy_arn .*\n", "", made).replace("role       =", "input =")
    inputs = variable[0].replace("map(string)", kind).replace("default     = {}", "")
    if kind != "map(string)":
        inputs = re.sub(r"(?ms)^  validation \{.*?^  \}\n", "", inputs)
    (folder / "cache").mkdir()
    (folder / "cache" / "main.tf").write_text(f"{inputs}\n{made}\n")
    (folder / "main.tf").write_text(ROLES % given)
    subprocess.run([program, "init", "-input=false"], cwd=folder, capture_output=True, check=True)
    return subprocess.run(
        [program, "plan", "-input=false", "-no-color"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_roles_of_the_same_apply(tmp_path: Path) -> None:
    """A role whose name the same apply makes can be given, since its key is known before."""
    done = plan_roles(tmp_path, "map(string)", "{ nodes = terraform_data.role.id }")

    assert done.returncode == 0, done.stderr
    assert 'module.cache.terraform_data.pull["nodes"] will be created' in done.stdout


def test_a_set_of_roles_would_fail(tmp_path: Path) -> None:
    """The same module with a set of names fails, which is why it takes a map."""
    done = plan_roles(tmp_path, "set(string)", "[terraform_data.role.id]")

    assert done.returncode == 1
    assert "Invalid for_each argument" in done.stderr


def test_cloudformation_policies_are_json() -> None:
    """Every policy text in the template is JSON once its variables are filled in."""
    text = (ARTICLE / "cloudformation" / "pull-through-cache.yaml").read_text()
    [template] = read_documents(text, is_json=False)
    templates = [
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::ECR::RepositoryCreationTemplate"
    ]

    lifecycles = [filled(one["LifecyclePolicy"]["Fn::If"][1]["Fn::Sub"]) for one in templates[2:]]
    policies = [filled(one["RepositoryPolicy"]["Fn::If"][1]["Fn::Sub"][0]) for one in templates]

    assert [one["rules"][0]["selection"]["countNumber"] for one in lifecycles] == [90] * 3
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
