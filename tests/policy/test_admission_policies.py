"""Policies do what `map` does: on thousands of references, by CEL and JMESPath engines."""

import functools
import os
import random
import re
from pathlib import Path
from typing import Any

import jmespath
import pytest
import re2
from ruamel.yaml import YAML

from command_line import ACCOUNT, HOST, REGISTRY, run, write_tree
from imageshift.cache import ARTICLE_RULES, CONSOLE_RULES, Mapped, Registry, Rule, RuleSet
from imageshift.policy import Step, steps_of
from imageshift.policy.cel import moves, target
from imageshift.policy.kyverno import expression
from imageshift.reference import parse_reference

pytestmark = pytest.mark.once

NUMBER = int(os.environ.get("IMAGESHIFT_REFERENCES", "10000"))
OTHER = "210987654321.dkr.ecr.us-east-1.amazonaws.com"
RULES: dict[str, tuple[tuple[Rule, ...], dict[str, str]]] = {
    "article": (ARTICLE_RULES, {}),
    "console": (CONSOLE_RULES, {"lscr.io": "ghcr.io/linuxserver", "mirror.gcr.io": "docker.io"}),
    "prefixes": (
        (
            Rule("docker.io", "hub"),
            Rule("docker.io", "bit", "bitnami"),
            Rule("docker.io", "official", "library"),
            Rule("quay.io", "quay"),
            Rule("quay.io", "prom", "prometheus"),
            Rule("quay.io", "deep/er", "org/team"),
            Rule("ghcr.io", "quay/ghcr"),
            Rule("registry.k8s.io", "hub/taken"),
            Rule(OTHER, "other"),
        ),
        {"lscr.io": "quay.io/org"},
    ),
    "root": ((Rule("quay.io", "ROOT"), Rule("docker.io", "org"), Rule("ghcr.io", "gh")), {}),
    "no Docker Hub": ((Rule("ghcr.io", "github"), Rule("quay.io", "qq", "a/b")), {}),
}
HOSTS = (
    "", "", "", "docker.io", "index.docker.io", "registry-1.docker.io", "ghcr.io", "GHCR.io",
    "quay.io", "registry.k8s.io", "k8s.gcr.io", "public.ecr.aws", "ecr-public.aws.com", "lscr.io",
    "mirror.gcr.io", "nvcr.io", "localhost", "localhost:5000", "docker.io:443", "Docker", OTHER,
    HOST, HOST, HOST, "registry.gitlab.com", "cgr.dev",
)  # fmt: skip
PARTS = (
    "library", "bitnami", "prometheus", "org", "team", "a", "b", "quay", "ghcr", "hub", "taken",
    "docker-hub", "github", "gh", "qq", "bit", "official", "deep", "er", "prom", "linuxserver",
    "nginx", "x1", "a.b", "a__b", "a-b", "k8s", "other",
)  # fmt: skip
TAILS = ("", ":1", ":latest", ":v1.2_3-x", f"@sha256:{'0a' * 32}", f":1@sha256:{'b' * 64}")


def rule_set(name: str) -> RuleSet:
    """Return one of the sets of rules on the tests' registry."""
    rules, aliases = RULES[name]
    return RuleSet(Registry.of(ACCOUNT, "eu-west-2"), rules, aliases)


def references(seed: str) -> list[str]:
    """Return generated references, all valid."""
    chosen = random.Random(seed)  # noqa: S311 no secret
    made = []
    for _ in range(NUMBER if seed == "article" else NUMBER // 10):
        parts = chosen.choices(PARTS, k=chosen.choice((1, 1, 2, 2, 2, 3, 4)))
        name = "/".join(part for part in (chosen.choice(HOSTS), *parts) if part)
        made.append(name + chosen.choice(TAILS))
    return made


@functools.cache
def expected(name: str) -> dict[str, str]:
    """Return where `map` sends each reference; its own text where it stays."""
    rules = rule_set(name)
    found = {}
    for text in references(name):
        outcome = rules.map(parse_reference(text))
        found[text] = str(outcome.target) if isinstance(outcome, Mapped) else text
    return found


def same(wanted: dict[str, str], got: dict[str, str]) -> None:
    """Check that a policy agrees, with the references on which it doesn't."""
    assert {text: (wanted[text], got[text]) for text in wanted if wanted[text] != got[text]} == {}
    assert 0.05 < sum(text != to for text, to in wanted.items()) / len(wanted) < 0.9


@pytest.mark.property
@pytest.mark.parametrize("name", RULES)
def test_steps_do_what_map_does(name: str) -> None:
    """The first step that a reference fits says what becomes of it."""
    steps = [(re2.compile(step.pattern), step) for step in steps_of(rule_set(name))]

    def moved(text: str) -> str:
        for pattern, step in steps:
            if pattern.match(text):
                return text if step.put is None else step.put + text[len(step.strip) :]
        return text

    same(expected(name), {text: moved(text) for text in expected(name)})


@pytest.mark.property
@pytest.mark.parametrize("name", RULES)
def test_cel_does_what_map_does(name: str) -> None:
    """Both expressions, run by a CEL library: where an image goes, and whether it does."""
    cel = pytest.importorskip("cel", reason="common-expression-language runs CEL")
    steps = steps_of(rule_set(name))
    goes, does = (cel.compile(made(steps, "c.image")) for made in (target, moves))
    context = cel.Context()
    cel.stdlib.add_stdlib_to_context(context)
    got, told = {}, {}
    for text in expected(name):
        context.add_variable("c", {"image": text})
        got[text], told[text] = goes.execute(context), does.execute(context)

    same(expected(name), got)
    assert told == {text: text != to for text, to in expected(name).items()}


class Functions(jmespath.functions.Functions):  # type: ignore[misc]
    """Kyverno's function, which is Go's regular expressions: RE2."""

    @jmespath.functions.signature(
        {"types": ["string"]}, {"types": ["string"]}, {"types": ["string"]}
    )  # type: ignore[untyped-decorator]
    def _func_regex_replace_all(self, pattern: str, text: str, replacement: str) -> str:
        return str(re2.sub(pattern, replacement.replace("$1", "\\1"), text))


@pytest.mark.property
@pytest.mark.parametrize("name", RULES)
def test_kyverno_does_what_map_does(name: str) -> None:
    """Its expression is JMESPath, run by the real library with Kyverno's function."""
    compiled = jmespath.compile(expression(steps_of(rule_set(name))))
    options = jmespath.Options(custom_functions=Functions())

    got = {text: compiled.search({"element": {"image": text}}, options) for text in expected(name)}

    same(expected(name), got)


def policies(folder: Path, *arguments: str) -> list[Any]:
    """Return the documents that a policy command prints."""
    done = run(folder, "policy", *arguments)
    assert done.code == 0, done.stderr
    return list(YAML(typ="safe").load_all(done.stdout))


def test_kyverno_policy(tmp_path: Path) -> None:
    """A ClusterPolicy with a rule for containers and one for init containers."""
    (policy,) = policies(tmp_path, "kyverno", *REGISTRY, "--exclude-namespace", "a")

    rules = policy["spec"]["rules"]
    steps = steps_of(rule_set("article"))
    assert (policy["apiVersion"], policy["kind"]) == ("kyverno.io/v1", "ClusterPolicy")
    assert [rule["name"] for rule in rules] == ["containers", "init-containers"]
    for rule, field in zip(rules, ("containers", "initContainers"), strict=True):
        assert rule["exclude"] == {"any": [{"resources": {"namespaces": ["a"]}}]}
        (loop,) = rule["mutate"]["foreach"]
        assert loop["list"] == f"request.object.spec.{field}"
        (container,) = loop["patchStrategicMerge"]["spec"][field]
        assert container == {
            "name": "{{ element.name }}",
            "image": f"{{{{ {expression(steps)} }}}}",
        }


POD: dict[str, Any] = {
    "spec": {
        "containers": [{"name": "a", "image": "nginx:1"}, {"name": "b", "image": "nvcr.io/a/b:1"}],
        "initContainers": [{"name": "c", "image": f"{HOST}/quay/a/b"}, {"name": "d"}],
    }
}
NO_INIT: dict[str, Any] = {"spec": {"containers": [{"image": "quay.io/a/b"}]}}
FINE: dict[str, Any] = {"spec": {"containers": [{"image": f"{HOST}/quay/a/b:1"}]}}


def evaluated(expression: str, **variables: Any) -> Any:
    """Return what CEL makes of an expression."""
    cel = pytest.importorskip("cel", reason="common-expression-language runs CEL")
    context = cel.Context(variables)
    cel.stdlib.add_stdlib_to_context(context)
    return cel.compile(expression).execute(context)


def judged(policy: Any, pod: Any) -> list[str]:
    """Return the messages of a validating policy about a pod."""
    spec = policy["spec"]
    known = {one["name"]: evaluated(one["expression"], object=pod) for one in spec["variables"]}
    return [
        evaluated(one["messageExpression"], object=pod, variables=known)
        for one in spec["validations"]
        if not evaluated(one["expression"], object=pod, variables=known)
    ]


def test_validating_policy(tmp_path: Path) -> None:
    """It names the images that should move, and needs no init containers."""
    policy, binding = policies(tmp_path, "validating", *REGISTRY, "--action", "Warn")

    assert [judged(policy, pod) for pod in (POD, NO_INIT, FINE)] == [
        ["not from the cache: nginx:1"],
        ["not from the cache: quay.io/a/b"],
        [],
    ]
    assert policy["apiVersion"] == "admissionregistration.k8s.io/v1"
    assert binding["kind"] == f"{policy['kind']}Binding"
    assert binding["spec"] == {"policyName": "imageshift", "validationActions": ["Warn"]}


def test_only_the_cache(tmp_path: Path) -> None:
    """Images without a rule are found too, but for the exceptions that the paths need."""
    pod = "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: IMAGE}]}\n"
    files = {"a.yaml": "nvcr.io/a/b:2", "b.yaml": "docker.io/x/y:1", "c.yaml": f"{OTHER}/eks/p:1"}
    write_tree(tmp_path, {name: pod.replace("IMAGE", image) for name, image in files.items()})

    without, _ = policies(tmp_path, "validating", *REGISTRY, "--only-cache")
    arguments = ("validating", ".", *REGISTRY, "--only-cache", "--rule", "docker.io=")
    policy, _ = policies(tmp_path, *arguments)

    images = ("nvcr.io/a/b:1", "nvcr.io/a/bc", "x/y:3", "docker.io/x/y", "nginx", f"{OTHER}/eks/p")
    pods = [{"spec": {"containers": [{"image": image}]}} for image in images]
    told = "not from the cache, and no exception: "
    assert judged(without, POD)[1] == f"{told}nginx:1, nvcr.io/a/b:1"
    assert [judged(policy, one) for one in pods] == [
        [], [f"{told}nvcr.io/a/bc"], [], [], [f"{told}nginx"], [],
    ]  # fmt: skip


def test_mutating_policy(tmp_path: Path) -> None:
    """It has one mutation for each list, of the expression that was compared with `map`."""
    policy, binding = policies(tmp_path, "mutating", *REGISTRY, "--name", "cache")

    spec = policy["spec"]
    steps = steps_of(rule_set("article"))
    inner = re.sub(r"\s+", " ", target(steps, "c.image"))
    texts = [one["applyConfiguration"]["expression"] for one in spec["mutations"]]
    (condition,) = spec["matchConditions"]
    assert binding["spec"] == {"policyName": "cache"}
    for text, field in zip(texts, ("containers", "initContainers"), strict=True):
        assert inner in re.sub(r"\s+", " ", text)
        assert f"Object{{spec: Object.spec{{{field}: (has(object.spec.{field})" in text
        assert text.count("{") == text.count("}")
        assert text.count("(") - text.count(")") == 0
    found = [evaluated(condition["expression"], object=pod) for pod in (POD, NO_INIT, FINE)]
    assert found == [True, True, False]


SCHEMAS = {
    "validating": (("validating", "--only-cache"), ("1.30", "1.34", "1.37")),
    "mutating": (("mutating",), ("1.36", "1.37")),
    "mutating, beta": (("mutating", "--api-version", "v1beta1"), ("1.34", "1.35")),
}


@pytest.mark.parametrize(("arguments", "versions"), SCHEMAS.values(), ids=SCHEMAS)
def test_policies_are_valid(
    tmp_path: Path, arguments: tuple[str, ...], versions: tuple[str, ...]
) -> None:
    """By the schemas of Kubernetes, in which no unknown field may stand."""
    schemas = pytest.importorskip("kubernetes_validate", reason="it has the schemas")

    for document in policies(tmp_path, *arguments, *REGISTRY):
        for version in versions:
            assert schemas.validate(document, version, strict=True)


REFUSED = {
    "a variable for a host": (
        ("kyverno", "--registry-host", "${HOST}"),
        "can't contain the variable",
    ),
    "no registry": (("mutating",), "account"),
    "a name with a capital": (
        ("kyverno", *REGISTRY, "--name", "A"),
        "'A' isn't a valid Kubernetes name",
    ),
    "a namespace with a quote": (
        ("kyverno", *REGISTRY, "--exclude-namespace", "a'"),
        "isn't a valid Kubernetes name",
    ),
    "a format": (("kyverno", *REGISTRY, "--format", "json"), "No such option: --format"),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    """What makes no policy is a usage error."""
    done = run(tmp_path, "policy", *arguments)

    assert (done.code, done.stdout) == (2, "")
    assert message in done.stderr


def test_one_registry(tmp_path: Path) -> None:
    """Where the configuration names several, the paths say which one is meant."""
    entry = "  - {{paths: [{0}], account: '{1}', region: eu-west-2}}\n"
    config = "registries:\n" + entry.format("a", ACCOUNT) + entry.format("b", "210987654321")
    pod = "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: nginx}]}\n"
    write_tree(tmp_path, {".imageshift.yaml": config, "a/a.yaml": pod, "b/b.yaml": pod})

    every = run(tmp_path, "policy", "kyverno")
    one = run(tmp_path, "policy", "kyverno", "b")

    assert every.code == 2
    assert "a policy is for one registry, and there are 2: " in every.stderr
    assert "210987654321.dkr.ecr" in one.stdout
    assert HOST not in one.stdout


def test_steps_are_few() -> None:
    """Each is a comparison at every pod, so none is there that changes nothing."""
    host = f"{HOST}/docker-hub/"

    steps = steps_of(rule_set("article"))

    assert len(steps) == 21
    assert steps[1:3] == (
        Step(f"{host}library/", 2, host),
        Step(host, 1, f"{host}library/"),
    )
