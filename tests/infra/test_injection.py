"""Nothing that a name holds gets out of its string in what is written for other tools."""

import json
import os
import re
import shlex
from pathlib import Path
from typing import Any

import hcl2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from command_line import REGISTRY, run
from imageshift.aws.documents import read_documents
from imageshift.aws.used import UsedImage, used_image
from imageshift.cache import ARTICLE_RULES, Registry, Rule, RuleSet
from imageshift.errors import ConfigError, ImageshiftError
from imageshift.infra import (
    InfraOptions,
    SecretMode,
    plan_infra,
    render_cloudformation,
    render_terraform,
)
from imageshift.reference import parse_reference
from imageshift.warm import SyncTool, WarmFormat, plan_warm, render_sync, render_warm
from imageshift.warm.render import WarmOptions

pytestmark = pytest.mark.once

EXAMPLES = settings(max_examples=int(os.environ.get("IMAGESHIFT_EXAMPLES", "60")), deadline=None)
# What ends or opens something in HCL, YAML, JSON, Markdown, a shell, and Flux's substitution.
PIECES = st.sampled_from(
    [
        *"\"'`\\$%{}()[]<>|&;#!*?~^@:=,-_./+ \n\r\t\0",
        *("${", "%{", "}", "$(", "${x}", "#{", "{{", "}}", "'''", '"""', "*/", "<<A", "\nA\n"),
        *("null", "true", "yes", "on", "1e5", "0x1", "~", "a", "b-c", "é", "\u2028", "\x1b[2J"),
    ]
)
ODD = st.lists(PIECES, min_size=1, max_size=5).map("".join)
REGISTRIES = [
    Registry.of("111122223333", "eu-west-2"),
    Registry.of(None, None, "${ECR_HOST}"),
    Registry.of(None, None, "${a\"'`$(id)b}"),
]
WORDS = ["null", "true", "yes", "on", "off", "y", "no"]


def loaded(text: str) -> list[Any]:
    """Return the documents of a YAML text, by another reader than ours."""
    return list(YAML(typ="safe", pure=True).load_all(text))


@EXAMPLES
@given(name=ODD, secret=ODD, prefix=ODD)
def test_only_plain_names_get_in(name: str, secret: str, prefix: str) -> None:
    """A name, a secret's name and a prefix are refused, or come back from HCL and YAML as given."""
    try:
        rule = Rule("docker.io", prefix)
        secret_name = f"ecr-pullthroughcache/{secret}"
        options = InfraOptions(name, SecretMode.SENSITIVE, {rule.prefix: secret_name})
        planned = plan_infra((rule,), REGISTRIES[0], options)
    except ConfigError:
        return
    check_texts(planned, options, rule.prefix, secret_name)


@pytest.mark.parametrize("name", [*WORDS, "a1", "e5", "Null"])
@pytest.mark.parametrize("prefix", [*WORDS, "123", "1e5", "0x1f", "1.5", "12_3"])
def test_names_that_yaml_takes_for_something_else(name: str, prefix: str) -> None:
    """Names and prefixes that look like a boolean, a number or null stay text."""
    rule = Rule("docker.io", prefix if len(prefix) > 1 else "yy")
    options = InfraOptions(name, SecretMode.SENSITIVE)
    planned = plan_infra((rule,), REGISTRIES[0], options)

    check_texts(planned, options, rule.prefix, f"ecr-pullthroughcache/{rule.prefix}")


def check_texts(planned: Any, options: InfraOptions, prefix: str, secret: str) -> None:
    """Compare what other readers find in the generated files with what was put in."""
    files = render_terraform(planned, options)
    blocks: dict[str, Any] = {}
    for file, text in files.items():
        if file.endswith(".tf"):
            blocks[file] = hcl2.loads(text)
    shown = json.dumps(blocks)
    assert f'\\"{prefix}\\"' in shown
    assert f'\\"{secret}\\"' in shown
    [template] = loaded(without_tags(render_cloudformation(planned, options).popitem()[1]))
    assert template["Parameters"]["Name"]["Default"] == options.name
    properties = [one["Properties"] for one in template["Resources"].values()]
    assert prefix in [one.get("EcrRepositoryPrefix") for one in properties]
    names = [one["Name"][0] for one in properties if isinstance(one.get("Name"), list)]
    assert names == [f"{secret}-${{End}}"]


def without_tags(text: str) -> str:
    """Return a template without CloudFormation's tags, for a reader that doesn't know them."""
    return re.sub(r"!(?:Condition|Ref|Sub|GetAtt|If|Not|Or|Equals|Join|Select|Split)\b", "", text)


def images(registry: Registry, texts: list[str]) -> list[UsedImage]:
    """Return the images of those texts that are references."""
    rules = RuleSet(registry, ARTICLE_RULES)
    found = []
    for text in texts:
        try:
            found.append(used_image(parse_reference(text), rules))
        except ImageshiftError:
            continue
    return found


NAMES = st.lists(
    st.tuples(
        st.sampled_from(["nginx", "quay.io/a/b", "gcr.io/a/b", "localhost:5000/x", "mcr.a.b/c"]),
        st.sampled_from([":", "@", "@sha256:", ""]),
        ODD | st.sampled_from(["1.27", "${TAG}", "a" * 64, "$(id)", "{{ x }}"]),
    ).map("".join),
    max_size=4,
)


@EXAMPLES
@given(texts=NAMES, registry=st.sampled_from(REGISTRIES))
def test_pulls(texts: list[str], registry: Registry) -> None:
    """Each pull of a script is one command with its words, each Job one document with its image."""
    plan = plan_warm(images(registry, texts))
    targets = {str(pull.target) for pull in plan.pulls}

    jobs = loaded(render_warm(plan, WarmFormat.JOB, WarmOptions("linux/amd64", "null")))
    found = {job["spec"]["template"]["spec"]["containers"][0]["image"] for job in jobs}
    assert (found, {job["metadata"]["namespace"] for job in jobs} - {"null"}) == (targets, set())
    for form, mark in (
        (WarmFormat.CRANE, ""),
        (WarmFormat.DOCKER, ""),
        (WarmFormat.SKOPEO, "docker://"),
    ):
        lines = render_warm(plan, form).splitlines()
        pulls = [shlex.split(line) for line in lines if line.startswith("try ")]
        assert all(any(f"{mark}{one}" in words for one in targets) for words in pulls)
        assert len(pulls) == len(targets)


@EXAMPLES
@given(texts=NAMES, registry=st.sampled_from(REGISTRIES))
def test_copies(texts: list[str], registry: Registry) -> None:
    """Each entry of a sync file is the image's own name."""
    found = [image.upstream for image in images(registry, texts)]

    [regsync] = loaded(render_sync(found, registry, SyncTool.REGSYNC))
    assert regsync["creds"][0]["registry"] == registry.host
    assert [
        row["source"].startswith(one.full_name)
        for row, one in zip(regsync["sync"], found, strict=True)
    ] == [True] * len(found)
    skopeo = read_documents(render_sync(found, registry, SyncTool.SKOPEO), is_json=False)
    hosts = {one.registry for one in found if ":" not in one.registry}
    assert set(skopeo[0] if skopeo else ()) == hosts


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("--platform", "linux/amd64; id"), id="platform"),
        pytest.param(("--platform", "linux"), id="no machine"),
        pytest.param(("--namespace", "a\nkind: Secret"), id="namespace"),
    ],
)
def test_options_are_words(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """What a script or a Job would hold unquoted is refused, with exit code 2."""
    (tmp_path / "pod.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: nginx\n"
    )

    done = run(tmp_path, "warm", ".", "--as", "job", *arguments, *REGISTRY)

    assert done.code == 2
    assert "isn't a" in done.stderr


@pytest.mark.parametrize(
    "end", ['"}\nresource "null" "x" {', '${file("/etc/passwd")}', "a\nb: c", "'"]
)
@pytest.mark.parametrize("kind", ["terraform", "cloudformation"])
def test_a_saved_answer_is_no_code(kind: str, end: str, tmp_path: Path) -> None:
    """What `--import` takes from a file is an ARN by its characters, or isn't written."""
    arn = f"arn:aws:secretsmanager:eu-west-2:123456789012:secret:ecr-pullthroughcache/hub{end}"
    row = {"ecrRepositoryPrefix": "docker-hub", "upstreamRegistryUrl": "registry-1.docker.io"}
    (tmp_path / "rules.json").write_text(json.dumps([row | {"credentialArn": arn}]))

    done = run(
        tmp_path, "infra", kind, "--all", "--out", "out", "--import", "rules.json", *REGISTRY
    )

    assert done.code == 0
    written = [path.read_text() for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert not any(f"hub{end}" in text for text in written)
