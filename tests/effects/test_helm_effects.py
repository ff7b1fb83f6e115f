"""What Helm makes of values, revisions and schemas (docs/facts.md, E3, E5, H and X11).

imageshift has no part in these tests: they say what the tool does that it has to follow.
"""

import json
from typing import Any

import pytest

from effect_probes import images_of, tree_of
from real_tools import BuildError, helm_template

pytestmark = pytest.mark.helm

HEAD = """\
-- Chart.yaml --
apiVersion: v2
name: app
version: 1.0.0
"""


def chart(values: str, *containers: str, before: str = "") -> dict[str, bytes]:
    """Return a chart of one Pod with these container images."""
    rows = "\n".join(f"    - {{name: c{i}, image: {text}}}" for i, text in enumerate(containers))
    template = f"{before}apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  containers:\n"
    return tree_of(f"{HEAD}-- values.yaml --\n{values}\n-- templates/p.yaml --\n{template}{rows}\n")


def images(made: dict[str, bytes], *values: Any, flags: tuple[str, ...] = ()) -> list[str]:
    """Return the images that Helm renders."""
    return list(images_of(helm_template(made, values, *flags)))


WHOLE = chart('i: "chart:1"', "{{ .Values.i | quote }}")
SET_FLAGS = [
    ("--set-json", 'i="json:2"', "json:2"),
    ("--set", "i=set:3", "set:3"),
    ("--set-string", "i=string:4", "string:4"),
    ("--set-literal", "i=literal:6", "literal:6"),
]


@pytest.mark.parametrize("count", range(len(SET_FLAGS) + 1))
def test_flags_have_a_rank(count: int) -> None:
    """E5: -f < set-json < set < set-string < set-literal, whatever their order on the line."""
    flags = [word for flag, text, _ in reversed(SET_FLAGS[:count]) for word in (flag, text)]
    expected = SET_FLAGS[count - 1][2] if count else "later:9"

    assert images(WHOLE, {"i": "file:1"}, {"i": "later:9"}, flags=tuple(flags)) == [expected]


def test_maps_merge_and_lists_do_not() -> None:
    """E3.3: maps of two layers are merged by key, a list replaces the list below."""
    made = chart(
        "image: {repository: chart/x, tag: '1'}\nmore: [one:1, two:2]",
        '"{{ .Values.image.repository }}:{{ .Values.image.tag }}"',
        "{{ .Values.more | join `,` | quote }}",
    )

    assert images(made, {"image": {"tag": "2"}, "more": ["three:3"]}) == ["chart/x:2", "three:3"]


def test_null_takes_a_default_away() -> None:
    """H1: a null in a release's values removes the chart's default."""
    made = chart(
        "image: {registry: quay.io}", '"{{ .Values.image.registry | default `none` }}/x:1"'
    )

    assert images(made, {"image": {"registry": None}}) == ["none/x:1"]


JOB = chart(
    "{}",
    '"a/main:1"',
    before="""\
{{- if .Release.IsInstall }}
apiVersion: batch/v1
kind: Job
metadata: {name: only-install}
spec: {template: {spec: {containers: [{name: a, image: "a/install:1"}]}}}
---
{{- end }}
apiVersion: batch/v1
kind: Job
metadata: {name: "job-{{ .Release.Revision }}"}
spec: {template: {spec: {containers: [{name: a, image: "a/revision:1"}]}}}
---
""",
)


def test_jobs_of_an_installation() -> None:
    """X11b: a Job that renders only on install is not in an upgrade."""
    assert sorted(images(JOB)) == ["a/install:1", "a/main:1", "a/revision:1"]
    assert sorted(images(JOB, flags=("--is-upgrade",))) == ["a/main:1", "a/revision:1"]


def test_a_template_is_revision_one() -> None:
    """E1, E4: `helm template` always renders revision 1, so a Job named by it keeps its name."""
    names = [
        [one["metadata"]["name"] for one in helm_template(JOB, (), *flags)]
        for flags in ((), ("--is-upgrade",))
    ]

    assert all("job-1" in each for each in names)


def test_schema() -> None:
    """X1c: a schema refuses values, unless validation is off."""
    made = {**WHOLE, "values.schema.json": json.dumps({"required": ["licence"]}).encode()}

    with pytest.raises(BuildError, match="licence"):
        images(made)
    assert images(made, flags=("--skip-schema-validation",)) == ["chart:1"]


def test_schema_refuses_a_new_key() -> None:
    """H2: a chart that knows no `registry` refuses one in its image block."""
    schema = {"properties": {"image": {"additionalProperties": False, "properties": {"repo": {}}}}}
    made = chart("image: {repo: a/x}", '"{{ .Values.image.repo }}:1"')
    made["values.schema.json"] = json.dumps(schema).encode()

    assert images(made, {"image": {"repo": "cache.example/a/x"}}) == ["cache.example/a/x:1"]
    with pytest.raises(BuildError, match="registry"):
        images(made, {"image": {"registry": "cache.example"}})


def test_a_repository_behind_a_registry() -> None:
    """H2, H8b: a full name in `repository` lands behind the chart's own registry."""
    made = chart(
        "image: {registry: docker.io, repository: a/x}",
        '"{{ .Values.image.registry }}/{{ .Values.image.repository }}:1"',
    )

    found = images(made, {"image": {"repository": "cache.example/docker-hub/a/x"}})

    assert found == ["docker.io/cache.example/docker-hub/a/x:1"]


def test_a_global_registry_wins() -> None:
    """H8c: `global.imageRegistry` beats an image's own registry where the chart says so."""
    made = chart(
        "global: {imageRegistry: ''}\nimage: {registry: docker.io, repository: a/x}",
        '"{{ .Values.global.imageRegistry | default .Values.image.registry }}/a/x:1"',
    )
    values = {"global": {"imageRegistry": "quay.io"}, "image": {"registry": "cache.example"}}

    assert images(made, values) == ["quay.io/a/x:1"]


def test_a_gate_looks_at_what_is_switched_off() -> None:
    """X11c: a chart may refuse the image of a component that isn't rendered."""
    gate = '{{ if ne .Values.m.registry "docker.io" }}{{ fail "unrecognized image" }}{{ end }}\n'
    made = chart("m: {registry: docker.io}", '"a/x:1"', before=gate)

    assert images(made) == ["a/x:1"]
    with pytest.raises(BuildError, match="unrecognized image"):
        images(made, {"m": {"registry": "cache.example"}})


def test_values_in_a_secret() -> None:
    """X11d: values that a chart hands on in a Secret are images that something pulls later."""
    template = "kind: Secret\napiVersion: v1\ndata: {v: {{ .Values | toYaml | b64enc }}}\n"
    made = tree_of(f'{HEAD}-- values.yaml --\nimage: "a/x:1"\n-- templates/s.yaml --\n{template}')

    assert helm_template(made)[0]["data"]["v"] == "aW1hZ2U6IGEveDox"


def test_two_renders_of_one_input() -> None:
    """H8d: random passwords and certificates differ between two renders of the same values."""
    texts = []
    for number in range(2):
        made = chart(f"n: {number}", '"a/x:1"')
        made["templates/s.yaml"] = b"apiVersion: v1\nkind: X\npassword: {{ randAlphaNum 20 }}\n"
        texts.append(next(one["password"] for one in helm_template(made) if "password" in one))

    assert texts[0] != texts[1]


def test_one_object_twice() -> None:
    """K13: Helm renders an object twice that kustomize refuses, so Argo CD takes such a chart."""
    made = chart("{}", '"a/x:1"')
    made["templates/q.yaml"] = made["templates/p.yaml"]

    assert images(made) == ["a/x:1", "a/x:1"]


def test_go_templates_of_an_application_set() -> None:
    """E4: Helm's engine fills an ApplicationSet's usual Go templates as Argo CD does."""
    text = "{{ .path.basename }}/{{ index .path.segments 1 }}/{{ .missing | default `none` }}"
    context = '(merge .Values.p (dict "Template" .Template))'
    body = f"kind: X\ntext: {{{{ tpl {json.dumps(text)} {context} | toJson }}}}\n"
    made = tree_of(f"{HEAD}-- templates/x.yaml --\n{body}")
    values = {"p": {"path": {"basename": "web", "segments": ["apps", "team", "web"]}}}

    assert helm_template(made, [values])[0]["text"] == "web/team/none"


def test_hooks_are_in_the_rendering() -> None:
    """X3, E3.5: hooks are part of what `helm template` prints, told by their annotation."""
    hook = "metadata: {name: p, annotations: {helm.sh/hook: pre-install}}"
    made = chart("{}", '"a/x:1"')
    made["templates/p.yaml"] = made["templates/p.yaml"].replace(
        b"metadata: {name: p}", hook.encode()
    )

    assert images(made) == ["a/x:1"]
    assert images(made, flags=("--no-hooks",)) == []
