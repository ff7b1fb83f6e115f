"""The commands of the ECR side from end to end, against a fake account on loopback."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from ruamel.yaml import YAML

import command_line
from command_line import Outcome
from ecr_server import PLANTED, EcrError, EcrServer

pytestmark = pytest.mark.once

pytest_plugins = ("ecr_fixtures",)

FIXTURES = Path(__file__).parent.parent / "fixtures" / "aws"
ALONE = tempfile.TemporaryDirectory()
# Inside this repository, all of it would be read each time.
CLUSTER = Path(shutil.copytree(FIXTURES / "cluster", Path(ALONE.name) / "cluster"))
HOST = "111122223333.dkr.ecr.eu-west-2.amazonaws.com"
WHERE = ("--account", "111122223333", "--region", "eu-west-2")
PINNED = "sha256:" + "1" * 64
ARN = "arn:aws:secretsmanager:eu-west-2:111122223333:secret:ecr-pullthroughcache"
RULES = [
    {"ecrRepositoryPrefix": "quay", "upstreamRegistryUrl": "quay.io"},
    {"ecrRepositoryPrefix": "k8s", "upstreamRegistryUrl": "registry.k8s.io"},
    {
        "ecrRepositoryPrefix": "docker-hub",
        "upstreamRegistryUrl": "registry-1.docker.io",
        "credentialArn": f"{ARN}/docker-hub-AbCdEf",
    },
]


def run(*arguments: object, where: tuple[str, ...] = WHERE) -> Outcome:
    """Run a command, and look for the planted secret in what it prints."""
    done = command_line.run(Path.cwd(), *map(str, arguments), *where)
    assert PLANTED not in done.stdout + done.stderr
    return done


def test_list() -> None:
    """`rules list` tells the rules in force, their use, and what ECR can't cache."""
    ran = run("rules", "list", CLUSTER, "--charts", "off")

    assert ran.code == 0
    assert f"docker.io → {HOST}/docker-hub (built-in, needs a secret, 1 image)" in ran.stdout
    assert f"ghcr.io → {HOST}/github (built-in, needs a secret, 0 images)" in ran.stdout
    assert "warning unsupported-upstream: ECR can't cache gcr.io" in ran.stderr
    assert "app.yaml:16:18" in ran.stderr


def test_import_of_the_account(ecr_server: EcrServer) -> None:
    """`rules import aws` prints configuration, and on standard error what differs."""
    ecr_server.rules = [*RULES, {"ecrRepositoryPrefix": "gl", "upstreamRegistryUrl": "cgr.dev"}]

    ran = run("rules", "import", "aws", CLUSTER, "--charts", "off")

    assert ran.code == 0
    assert YAML(typ="safe", pure=True).load(ran.stdout) == {
        "rules": [
            {"upstream": "quay.io", "prefix": "quay"},
            {"upstream": "registry.k8s.io", "prefix": "k8s"},
            {"upstream": "docker.io", "prefix": "docker-hub"},
            {"upstream": "cgr.dev", "prefix": "gl"},
        ]
    }
    assert "missing: ghcr.io → github isn't there" in ran.stderr
    assert "aws:eu-west-2: extra: cgr.dev → gl is there" in ran.stderr


def test_import_with_problems() -> None:
    """Rules that can't be read make exit code 3; the others are printed."""
    source = FIXTURES / "rules" / "terraform-unknown" / "main.tf"

    ran = run("rules", "import", source, "--format", "json")

    assert ran.code == 3
    assert [row["prefix"] for row in ran.report["rules"]] == ["k8s"]
    assert len(ran.report["problems"]) == 5


def test_rules_from_the_account_drive_the_mapping(ecr_server: EcrServer, tmp_path: Path) -> None:
    """With `--rules-from aws` references go where the account's own rules have them."""
    ecr_server.rules = [
        {"ecrRepositoryPrefix": "hub", "upstreamRegistryUrl": "registry-1.docker.io"}
    ]
    (tmp_path / "pod.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: nginx:1.27\n"
    )

    ran = run("migrate", tmp_path, "--rules-from", "aws", "--charts", "off")

    assert ran.code == 0
    assert f"image: {HOST}/hub/library/nginx:1.27" in (tmp_path / "pod.yaml").read_text()
    assert ecr_server.calls[0][1] == {"registryId": "111122223333"}


def test_validate_clean(ecr_server: EcrServer) -> None:
    """Rules in use that exist and work exit 0, with a table and notes."""
    ecr_server.rules = RULES

    ran = run("rules", "validate", CLUSTER, "--charts", "off")

    assert ran.code == 0
    assert "docker.io → docker-hub" in ran.stdout
    assert "ghcr.io" not in ran.stdout
    assert "3 of 50 rules exist" in ran.stderr


def test_validate_findings(ecr_server: EcrServer) -> None:
    """Findings exit 1 and are told with a hint; JSON has the same."""
    ecr_server.rules = RULES[1:]
    ecr_server.failures["docker-hub"] = "the credentials were refused"

    text = run("rules", "validate", CLUSTER, "--charts", "off")
    data = run("rules", "validate", CLUSTER, "--charts", "off", "--format", "json")

    assert (text.code, data.code) == (1, 1)
    assert "docker-hub: not-valid: ECR says: the credentials were refused\n  hint: " in text.stdout
    assert "quay: missing: the account has no such rule\n  hint: " in text.stdout
    rows = data.report["validations"][0]["rules"]
    assert {row["prefix"]: [one["code"] for one in row["findings"]] for row in rows} == {
        "docker-hub": ["not-valid"],
        "k8s": [],
        "quay": ["missing"],
    }


def test_validate_role(ecr_server: EcrServer) -> None:
    """`--role` names what the nodes' role may not do, according to IAM's policy simulator."""
    ecr_server.rules = RULES
    arn = "arn:aws:iam::111122223333:role/path/nodes"

    allowed = run("rules", "validate", CLUSTER, "--charts", "off", "--role", arn)
    ecr_server.denied = {"ecr:CreateRepository"}
    denied = run("rules", "validate", CLUSTER, "--charts", "off", "--role", "nodes")

    assert (allowed.code, denied.code) == (0, 1)
    assert (
        f"{HOST}: role-denied: nodes may not ecr:CreateRepository on "
        "arn:aws:ecr:eu-west-2:111122223333:repository/quay/*\n"
    ) in denied.stdout
    asked = {body["role"] for call, body in ecr_server.calls if call.startswith("Simulate")}
    assert asked == {arn, "arn:aws:iam::111122223333:role/nodes"}


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1"])
def test_regions_without_a_cache(region: str) -> None:
    """A region that has no pull through cache is refused before anything is asked."""
    ran = run("rules", "validate", where=("--account", "111122223333", "--region", region))

    assert ran.code == 2
    assert f"ECR has no pull through cache in {region}\n  hint: " in ran.stderr


def test_undocumented_regions(ecr_server: EcrServer) -> None:
    """Where AWS doesn't say whether there is a pull through cache, a note says so."""
    ecr_server.rules = RULES
    where = ("--account", "111122223333", "--region", "eusc-de-east-1")

    ran = run("rules", "validate", CLUSTER, "--charts", "off", where=where)

    assert "AWS doesn't document whether eusc-de-east-1 has pull through cache" in ran.stderr


def test_list_as_json() -> None:
    """`rules list --format json` has a row for each rule, and the warnings."""
    ran = run("rules", "list", CLUSTER, "--charts", "off", "--format", "json")

    counts = {row["prefix"]: row["images"] for row in ran.report["rules"]}
    assert counts == {"docker-hub": 1, "github": 0, "k8s": 1, "ecr": 0, "quay": 2}
    assert [row["code"] for row in ran.report["warnings"]] == ["unsupported-upstream"]


def test_import_to_a_file(tmp_path: Path) -> None:
    """`--output` takes the result; problems stay on standard error with their places."""
    source = FIXTURES / "rules" / "terraform-unknown" / "main.tf"
    target = tmp_path / "rules.yaml"

    ran = run("rules", "import", source, "--quiet", "--output", target)

    assert (ran.code, ran.stdout) == (3, "")
    assert "main.tf:3:1: the rule can't be read from the source" in ran.stderr
    assert target.read_text().startswith("rules:\n  - upstream: ")


def test_warm_plan_as_json() -> None:
    """`warm --format json` has the pulls with their digests, and what no tag can warm."""
    ran = run("warm", CLUSTER, "--charts", "off", "--format", "json")

    [plan] = ran.report["plans"]
    assert [row["digests"] for row in plan["pulls"]] == [[], [], [PINNED]]
    assert [row["places"] for row in plan["untagged"]] != []
    assert plan["variable"] == []


def test_pull_needs_a_real_host() -> None:
    """A registry whose host is a variable can be listed but not asked."""
    where = ("--registry-host", "${ECR_HOST}")

    listed = run("warm", CLUSTER, "--charts", "off", where=where)
    asked = run("warm", CLUSTER, "--charts", "off", "--pull", where=where)

    assert (listed.code, asked.code) == (0, 2)
    assert "${ECR_HOST}/quay/org/app:v1" in listed.stdout
    assert "${ECR_HOST} is a variable" in asked.stderr


def test_account_of_a_host(ecr_server: EcrServer) -> None:
    """A host alone tells account and region, dual-stack ones too."""
    ecr_server.rules = RULES
    where = ("--registry-host", "111122223333.dkr-ecr.eu-west-2.on.aws")

    ran = run("rules", "validate", CLUSTER, "--charts", "off", where=where)

    assert ran.code == 0
    assert ecr_server.calls[0][1] == {"registryId": "111122223333"}


def test_validate_denied(ecr_server: EcrServer) -> None:
    """AWS's refusal exits 4, in plain words and with a hint."""
    ecr_server.refusals["DescribePullThroughCacheRules"] = [EcrError("AccessDeniedException", "no")]

    ran = run("rules", "validate", CLUSTER, "--charts", "off")

    assert ran.code == 4
    assert "AWS denies ecr:DescribePullThroughCacheRules in eu-west-2: no\n  hint: " in ran.stderr


@pytest.mark.usefixtures("aws_env")
def test_infra_terraform(tmp_path: Path) -> None:
    """`infra terraform` writes a module for the rules in use; again, it writes nothing."""
    out = tmp_path / "cache"

    first = run("infra", "terraform", CLUSTER, "--charts", "off", "--out", out)
    second = run("infra", "terraform", CLUSTER, "--charts", "off", "--out", out)
    back = run("rules", "import", out, "--format", "json")

    assert (first.code, second.code) == (0, 0)
    written = {path for path in out.rglob("*") if path.is_file()}
    assert {Path(line) for line in first.stdout.splitlines()} == written
    assert second.stdout == ""
    assert [row["prefix"] for row in back.report["rules"]] == ["docker-hub", "k8s", "quay"]


def test_infra_drops_what_is_no_longer_used(tmp_path: Path) -> None:
    """A later run for fewer rules removes its own file that is no longer part of the module."""
    out = tmp_path / "cache"
    out.mkdir()
    (out / "mine.tf").write_text("# mine\n")
    run("infra", "terraform", "--all", "--out", out)
    had_secrets = (out / "secrets.tf").exists()

    ran = run(
        "infra", "terraform", "--all", "--out", out, "--rule", "docker.io=", "--rule", "ghcr.io="
    )

    assert had_secrets
    assert ran.code == 0
    assert not (out / "secrets.tf").exists()
    assert (out / "mine.tf").exists()


def test_infra_cloudformation() -> None:
    """`infra cloudformation` prints the template, with names of one's own."""
    named = "docker-hub=ecr-pullthroughcache/team/hub"

    ran = run("infra", "cloudformation", CLUSTER, "--charts", "off", "--secret", named)

    assert ran.code == 0
    assert '- "ecr-pullthroughcache/team/hub-${End}"' in ran.stdout
    assert ran.stdout.count("AWS::ECR::PullThroughCacheRule") == 3


def test_infra_takes_over_what_exists(ecr_server: EcrServer, tmp_path: Path) -> None:
    """`--import` writes import blocks for the account's rules, and names their secrets."""
    arn = "arn:aws:secretsmanager:eu-west-2:111122223333:secret:ecr-pullthroughcache/hub-AbCdEf"
    ecr_server.rules = [
        {
            "ecrRepositoryPrefix": "docker-hub",
            "upstreamRegistryUrl": "registry-1.docker.io",
            "credentialArn": arn,
            "registryId": "111122223333",
        }
    ]

    ran = run("infra", "terraform", "--all", "--out", tmp_path, "--import", "aws")

    example = tmp_path / "examples" / "complete"
    assert ran.code == 0
    assert 'this["docker-hub"]' in (example / "imports.tf").read_text()
    assert (example / "imports.tf").read_text().count("import {") == 1
    assert f'"docker-hub" = "{arn}"' in (example / "main.tf").read_text()


def test_infra_refuses_another_upstream(ecr_server: EcrServer, tmp_path: Path) -> None:
    """A prefix that the account uses for another upstream ends it, before a file is written."""
    ecr_server.rules = [{"ecrRepositoryPrefix": "docker-hub", "upstreamRegistryUrl": "quay.io"}]

    ran = run("infra", "terraform", "--all", "--out", tmp_path / "out", "--import", "aws")

    assert ran.code == 2
    assert "the account has quay.io → docker-hub" in ran.stderr
    assert not (tmp_path / "out").exists()


def test_infra_without_boto3(tmp_path: Path) -> None:
    """Writing infrastructure needs no boto3, nor anything else that asks AWS."""
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['boto3', 'botocore', 'hcl2'])); "
        "from imageshift.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "infra", "terraform", "--all", "--out", tmp_path,
         *WHERE],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "rules.tf").exists()


def test_infra_refuses_other_secrets() -> None:
    """A secret whose name ECR wouldn't take is a usage error."""
    ran = run("infra", "cloudformation", "--secret", "docker-hub=hub")

    assert ran.code == 2
    assert "ECR doesn't accept a secret named 'hub'\n  hint: " in ran.stderr


def test_warm_list() -> None:
    """`warm` lists each image once by its tag, and tells apart what no tag can warm."""
    ran = run("warm", CLUSTER, "--charts", "off")

    assert ran.code == 0
    assert ran.stdout == (
        f"{HOST}/docker-hub/library/nginx:1.27\n{HOST}/k8s/pause:3.10\n{HOST}/quay/org/app:v1\n"
    )
    assert "pinned without a tag" in ran.stderr
    assert "reportedly fails" in ran.stderr


def test_warm_check(ecr_server: EcrServer) -> None:
    """`warm --check` exits 1 while a pinned digest isn't in the cache, and 0 afterwards."""
    before = run("warm", CLUSTER, "--charts", "off", "--check")
    tool = "sha256:" + "2" * 64
    ecr_server.images = {("quay/org/app", PINNED), ("quay/org/tool", tool)}
    after = run("warm", CLUSTER, "--charts", "off", "--check", "--format", "json")

    assert (before.code, after.code) == (1, 0)
    assert (
        f"warning digest-not-cached: {HOST}/quay/org/app@{PINNED} isn't in the cache"
        in before.stderr
    )
    assert f"crane copy quay.io/org/app@{PINNED} {HOST}/quay/org/app@{PINNED}" in before.stderr
    assert [row["is_cached"] for row in after.report["pins"]] == [True, True]
    assert {call for call, _ in ecr_server.calls} == {"DescribeImages"}


def test_warm_options_exclude_each_other() -> None:
    """`--pull` and `--check` together are a usage error."""
    ran = run("warm", CLUSTER, "--pull", "--check")

    assert ran.code == 2


def test_sync_file(tmp_path: Path) -> None:
    """`--sync-file` writes what copies the images that ECR can't cache."""
    path = tmp_path / "sync.yml"

    ran = run("warm", CLUSTER, "--charts", "off", "--sync-file", path)

    assert ran.code == 0
    data = YAML(typ="safe", pure=True).load(path.read_text())
    assert [row["source"] for row in data["sync"]] == ["gcr.io/project/app:1"]


CONFIG = """\
registries:
  - paths: [eu/]
    account: "111122223333"
    region: eu-west-2
  - paths: [us/]
    account: "222233334444"
    region: us-east-1
    rules:
      - upstream: quay.io
        prefix: mirror/quay
"""


@pytest.fixture
def two_clusters(tmp_path: Path) -> Path:
    """Lay out a repository whose clusters pull from two accounts."""
    (tmp_path / ".imageshift.yaml").write_text(CONFIG)
    for name in ("eu", "us"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "app.yaml").write_bytes((CLUSTER / "app.yaml").read_bytes())
    return tmp_path


def test_two_registries(two_clusters: Path, tmp_path: Path) -> None:
    """Each registry of the configuration gets its own pulls and its own module."""
    other = "222233334444.dkr.ecr.us-east-1.amazonaws.com"
    out = tmp_path / "out"

    pulls = run("warm", two_clusters, "--charts", "off", where=())
    module = run("infra", "terraform", two_clusters, "--charts", "off", "--out", out, where=())

    assert (pulls.code, module.code) == (0, 0)
    assert pulls.stdout.splitlines() == [
        f"{HOST}/docker-hub/library/nginx:1.27",
        f"{HOST}/k8s/pause:3.10",
        f"{HOST}/quay/org/app:v1",
        f"{other}/mirror/quay/org/app:v1",
    ]
    assert {path.name for path in out.iterdir()} == {HOST, other}
    assert '"mirror/quay" = {' in (out / other / "locals.tf").read_text()


def test_each_account_is_asked(ecr_server: EcrServer, two_clusters: Path) -> None:
    """Validation asks every registry's own account."""
    ecr_server.rules = RULES

    ran = run("rules", "validate", two_clusters, "--charts", "off", where=())

    listed = [body for call, body in ecr_server.calls if call == "DescribePullThroughCacheRules"]
    assert {body["registryId"] for body in listed} == {"111122223333", "222233334444"}
    assert ran.code == 1
    assert "the prefix of quay.io there is quay" in ran.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("warm",),
        ("warm", "--forecast"),
        ("warm", "--format", "json"),
        ("rules", "list"),
        ("rules", "list", "--format", "json"),
        ("infra", "cloudformation"),
    ],
    ids=" ".join,
)
def test_files_that_cannot_be_read(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """They are named, the others are done, and the exit code is 3 as that of `scan` is."""
    good = (CLUSTER / "app.yaml").read_text()
    bad: dict[str, str | bytes] = {"b.yaml": f"{good}a: [", "c.yaml": good.encode("utf-16")}
    command_line.write_tree(tmp_path, {"a.yaml": good, **bad})

    ran = run(*arguments, tmp_path, "--charts", "off")

    assert ran.code == run("scan", tmp_path, "--charts", "off").code == 3
    assert "docker" in ran.stdout
    assert "b.yaml:" in ran.stderr
    assert "c.yaml:" in ran.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("rules", "list", CLUSTER),
        ("warm", CLUSTER),
        ("infra", "cloudformation", CLUSTER),
        ("rules", "import", FIXTURES / "rules" / "cli-output", CLUSTER),
    ],
    ids=["list", "warm", "infra", "import"],
)
def test_a_short_account_is_said_once(arguments: tuple[object, ...]) -> None:
    """An account id of four digits is one warning, and a Region that isn't there is an error."""
    short = run(*arguments, "--charts", "off", where=("--account", "1234", "--region", "eu-west-2"))
    nowhere = run(*arguments, where=("--account", "111122223333", "--region", "eu-west-9"))

    assert short.code in {0, 3}
    assert short.stderr.count("account-id") == 1
    assert nowhere.code == 2
    assert nowhere.stderr.count("eu-west-9") == 1
