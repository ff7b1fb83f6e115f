"""ApplicationSets over a tree: their elements, what those make, and what nobody can tell."""

import time
from pathlib import Path

import pytest

from imageshift.charts.rendering.go_templates import GoTemplates
from imageshift.charts.rendering.render import find_renderer
from imageshift.inventory import Index, build_index, scan_file
from imageshift.repo.workspace import Workspace

_HEAD = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: apps, namespace: argocd}
spec:
"""
_TREE = {
    "apps/one/config.yaml": "team: a\nimage: quay.io/x/one:1\n",
    "apps/two/config.json": '{"team": "b", "image": "quay.io/x/two:2", "nested": {"key": "n"}}',
    "apps/three/config.yaml": "- {team: c}\n- {team: d}\n",
    "apps/three/deep/config.yaml": "team: e\n",
    "envs/a.yaml": "{}",
    "envs/b.yaml": "{}",
    "clusters/eu/apps/one.yaml": "name: one\n",
    "clusters/us/apps/two.yaml": "name: two\n",
    ".hidden/apps/x.yaml": "{}",
}


def _index(root: Path, text: str, clusters: tuple[str, ...] = ()) -> Index:
    for name, content in {**_TREE, "set.yaml": _HEAD + text}.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, "utf-8")
    workspace = Workspace(root)
    return build_index(
        workspace, workspace.walk(), Index(workspace, fill=GoTemplates().fill, clusters=clusters)
    )


def _template(name: str, path: str, more: str = "") -> str:
    return (
        f"  template:\n    metadata: {{name: '{name}'}}\n    spec:\n      source:\n"
        f"        repoURL: https://git.example.com/x/y\n        path: '{path}'\n{more}"
    )


def _made(index: Index) -> list[str]:
    """Name and path of what the sets make."""
    found = []
    for application in index.applications:
        spec = application.merged.mapping("spec")
        template = None if spec is None else spec.mapping("template")
        inner = None if template is None else template.mapping("spec")
        source = None if inner is None else inner.mapping("source")
        found.append(f"{application.name} {None if source is None else source.text('path')}")
    return found


_PLAIN: dict[str, tuple[str, str, str, list[str]]] = {
    "list": (
        "  - list: {elements: [{a: x, n: 3}, {a: y, n: true}]}\n",
        "{{a}}-{{ n }}",
        "{{unknown}}/{{a}}",
        ["x-3 {{unknown}}/x", "y-true {{unknown}}/y"],
    ),
    "files": (
        (
            "  - git: {repoURL: u, files: [{path: apps/*/config.*},"
            " {path: apps/one/*, exclude: true}]}\n"
        ),
        "{{team}}-{{path.filename}}-{{path[1]}}",
        "{{path}}",
        [
            "e-config.yaml-three apps/three/deep",
            "c-config.yaml-three apps/three",
            "d-config.yaml-three apps/three",
            "b-config.json-two apps/two",
        ],
    ),
    "nested keys of a file": (
        "  - git: {repoURL: u, files: [{path: apps/two/config.json}]}\n",
        "{{nested.key}}",
        "{{path.basename}}",
        ["n two"],
    ),
    "directories": (
        "  - git: {repoURL: u, directories: [{path: apps/*}, {path: apps/two, exclude: true}]}\n",
        "{{path.basename}}",
        "{{path}}",
        ["one apps/one", "three apps/three"],
    ),
    "hidden directories are none": (
        "  - git: {repoURL: u, directories: [{path: '*'}]}\n",
        "{{path}}",
        "{{path[0]}}",
        ["apps apps", "clusters clusters", "envs envs"],
    ),
    "a prefix for the path": (
        "  - git: {repoURL: u, pathParamPrefix: own, directories: [{path: apps/one}]}\n",
        "{{own.path.basename}}",
        "{{own.path}}",
        ["one apps/one"],
    ),
    "matrix": (
        (
            "  - matrix:\n      generators:\n"
            "      - list: {elements: [{cluster: eu}, {cluster: us}]}\n"
            "      - git: {repoURL: u, files: [{path: 'clusters/{{cluster}}/apps/*.yaml'}]}\n"
        ),
        "{{cluster}}-{{name}}",
        "{{path}}",
        ["eu-one clusters/eu/apps", "us-two clusters/us/apps"],
    ),
    "merge": (
        (
            "  - merge:\n      mergeKeys: [c]\n      generators:\n"
            "      - list: {elements: [{c: eu, v: '1'}, {c: us, v: '1'}]}\n"
            "      - list: {elements: [{c: us, v: '2'}, {c: other, v: '3'}]}\n"
        ),
        "{{c}}",
        "{{v}}",
        ["eu 1", "us 2"],
    ),
    "selector": (
        (
            "  - list: {elements: [{a: x}, {a: y}, {b: z}]}\n"
            "    selector: {matchExpressions: [{key: a, operator: In, values: [y, z]}]}\n"
        ),
        "{{a}}",
        "p",
        ["y p"],
    ),
    "values": (
        (
            "  - list: {elements: [{a: x}]}\n"
            "  - git: {repoURL: u, directories: [{path: apps/one}],"
            " values: {v: 'v-{{path.basename}}'}}\n"
        ),
        "{{values.v}}",
        "p",
        ["{{values.v}} p", "v-one p"],
    ),
    "a generator's own template": (
        "  - list: {elements: [{a: x}], template: {metadata: {name: 'own-{{a}}'}}}\n",
        "n",
        "{{a}}",
        ["own-x x"],
    ),
    "nothing found": (
        "  - git: {repoURL: u, directories: [{path: none/*}]}\n",
        "n",
        "{{path}}",
        ["n {{path}}"],
    ),
    "no circle of matrices": (
        "  - &m {matrix: {generators: [{list: {elements: [{a: x}]}}, {list: {elements: []}}]}}\n",
        "n",
        "p",
        ["n p"],
    ),
}


@pytest.mark.parametrize("name", _PLAIN)
def test_plain_elements(tmp_path: Path, name: str) -> None:
    """Each generator makes the Applications that Argo CD makes, in the plain form."""
    generators, title, path, made = _PLAIN[name]
    index = _index(tmp_path, f"  generators:\n{generators}{_template(title, path)}")
    assert sorted(_made(index)) == sorted(made)


_GO: dict[str, tuple[str, str, str, list[str]]] = {
    "fields, functions and conditions": (
        "  - list: {elements: [{a: x, n: 3}, {a: y, on: true}]}\n",
        "{{ .a | upper }}-{{ default 7 .n }}",
        "{{ if .on }}on{{ else }}off{{ end }}/{{ .a }}",
        ["X-3 off/x", "Y-7 on/y"],
    ),
    "files": (
        "  - git: {repoURL: u, files: [{path: apps/two/*.json}]}\n",
        "{{ .nested.key }}-{{ index .path.segments 1 }}",
        "{{ .path.path }}/{{ .path.filename }}",
        ["n-two apps/two/config.json"],
    ),
    "matrix over a list in a text": (
        (
            "  - matrix:\n      generators:\n"
            "      - list: {elements: [{parts: [{k: p}, {k: q}]}]}\n"
            "      - list: {elementsYaml: '{{ .parts | toJson }}'}\n"
        ),
        "{{ .k }}",
        "p",
        ["p p", "q p"],
    ),
    "one element that Helm refuses": (
        "  - list: {elements: [{a: x, l: [1]}, {a: y}]}\n",
        "{{ .a }}",
        "{{ index .l 0 }}",
        ["x 1", "y {{ index .l 0 }}"],
    ),
    "functions of Argo CD's own": (
        "  - list: {elements: [{a: X}]}\n",
        "{{ normalize .a }}",
        "{{ .a }}/{{ `slugify` }}",
        ["{{ normalize .a }} X/slugify"],
    ),
    "clusters by name": (
        "  - clusters: {}\n",
        "{{ .name }}",
        "{{ .metadata.labels.env }}/{{ .nameNormalized }}",
        [
            "EU {{ .metadata.labels.env }}/{{ .nameNormalized }}",
            "in-cluster {{ .metadata.labels.env }}/{{ .nameNormalized }}",
        ],
    ),
}


@pytest.mark.helm
@pytest.mark.parametrize("name", _GO)
def test_go_elements(tmp_path: Path, name: str) -> None:
    """Go templates are filled by Helm; a text that can't be filled stays as it is written."""
    generators, title, path, made = _GO[name]
    text = f"  goTemplate: true\n  generators:\n{generators}{_template(title, path)}"
    assert sorted(_made(_index(tmp_path, text, ("EU", "in-cluster")))) == sorted(made)


@pytest.mark.helm
def test_patch_is_laid_over_the_template(tmp_path: Path) -> None:
    """A templatePatch is filled as a text and laid over the template, lists replaced."""
    patch = "  templatePatch: |\n    spec:\n      source:\n        path: {{ if .p }}p{{ end }}\n"
    elements = "  generators: [{list: {elements: [{p: yes}]}}]\n"
    index = _index(tmp_path, f"  goTemplate: true\n{elements}{_template('n', 'old')}{patch}")
    assert _made(index) == ["n p"]


_HIDDEN = {
    "scmProvider: {github: {organization: x}}": "only Argo CD knows the repositories",
    "pullRequest: {github: {owner: x}}": "only Argo CD knows the pull requests",
    "plugin: {configMapRef: {name: x}}": "only Argo CD knows what its plugin",
    "clusters: {}": "`clusters:` in .imageshift.yaml can name them",
    "git: {repoURL: 'https://git.example.com/x/other', files: [{path: 'apps/*'}]}": (
        "reads https://git.example.com/x/other, another repository"
    ),
    "list: {elements: [{b: x}]}": "Helm, which fills such templates, isn't installed or rejects",
}


@pytest.mark.helm
@pytest.mark.parametrize("generator", _HIDDEN)
def test_hidden_paths_are_named(tmp_path: Path, generator: str) -> None:
    """A path that only Argo CD can fill is named with place and reason; its pattern holds."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n", "utf-8")
    config = '[remote "origin"]\n\turl = git@git.example.com:x/y.git\n'
    (tmp_path / ".git" / "config").write_text(config, "utf-8")
    for folder in ("objects", "refs"):
        (tmp_path / ".git" / folder).mkdir()
    files = "        helm: {valueFiles: ['/envs/{{ required `it` .name }}.yaml']}\n"
    text = (
        f"  goTemplate: true\n  generators:\n  - {generator}\n{_template('n', 'apps/one', files)}"
    )
    index = _index(tmp_path, text)
    [hidden] = index.hidden
    assert _HIDDEN[generator] in hidden.why
    assert (hidden.place.line, hidden.scalar.value) == (
        14,
        "/envs/{{ required `it` .name }}.yaml",
    )
    assert sorted(index.values_files) == ["envs/a.yaml", "envs/b.yaml"]


def test_too_many_elements(tmp_path: Path) -> None:
    """Generators that multiply without end are one unknown element."""
    ten = "{list: {elements: [" + ", ".join(f"{{a: x{n}}}" for n in range(60)) + "]}}"
    text = f"  generators:\n  - matrix: {{generators: [{ten}, {ten}]}}\n{_template('n', '{{a}}')}"
    index = _index(tmp_path, text)
    assert _made(index) == ["n {{a}}"]
    assert "more than 2,000 elements" in index.hidden[0].why


_IMAGES: dict[str, tuple[str, str, dict[str, list[str]]]] = {
    "parameters": (
        "  - list: {elements: [{i: 'quay.io/x/a:1'}]}\n",
        "helm: {parameters: [{name: image, value: '{{ .i }}'}]}",
        {"set.yaml": ["likely reference=quay.io/x/a:1"]},
    ),
    "a name and a tag": (
        "  - list: {elements: [{i: quay.io/x/a, t: '1'}]}\n",
        "helm: {parameters: [{name: image, value: '{{ .i }}:{{ .t }}'}]}",
        {"set.yaml": ["likely reference=quay.io/x/a"]},
    ),
    "parts in values": (
        "  - list: {elements: [{h: quay.io, r: x/a, t: '1'}]}\n",
        (
            "helm: {values: \"image:\\n  registry: {{ .h }}\\n  repository: '{{ .r }}'\\n"
            "  tag: '{{ .t }}'\\n\"}"
        ),
        {"set.yaml": ["likely registry=quay.io repository=x/a tag=1"]},
    ),
    "a registry that the template has": (
        "  - list: {elements: [{r: x/a}]}\n",
        "helm: {valuesObject: {image: {registry: quay.io, repository: '{{ .r }}', tag: '1'}}}",
        {"set.yaml": ["doubtful repository=x/a"]},
    ),
    "a text with more before it": (
        "  - list: {elements: [{r: x/a}]}\n",
        "helm: {parameters: [{name: image, value: 'quay.io/{{ .r }}:1'}]}",
        {"set.yaml": ["doubtful reference=x/a"]},
    ),
    "a text in a patch": (
        "  - list: {elements: [{i: 'quay.io/x/a:1'}]}\n",
        (
            "kustomize: {patches: [{target: {kind: Pod}, patch: "
            "'[{op: add, path: /spec/containers/0/image, value: \"{{ .i }}\"}]'}]}"
        ),
        {"set.yaml": ["doubtful reference=quay.io/x/a:1"]},
    ),
    "kustomize": (
        "  - git: {repoURL: u, files: [{path: 'apps/*/config.*'}]}\n",
        "kustomize: {images: ['app={{ .image }}']}",
        {
            "apps/one/config.yaml": ["exact reference=quay.io/x/one:1"],
            "apps/two/config.json": ["exact reference=quay.io/x/two:2"],
        },
    ),
}


@pytest.mark.helm
@pytest.mark.parametrize("name", _IMAGES)
def test_images_of_elements(tmp_path: Path, name: str) -> None:
    """A text of an element is an image where a template puts it into one, and as its part there."""
    generators, source, expected = _IMAGES[name]
    template = _template("n", "apps/one", f"        {source}\n")
    index = _index(tmp_path, f"  goTemplate: true\n  generators:\n{generators}{template}")
    found: dict[str, list[str]] = {}
    for file in index.element_images:
        for site in _element_sites(index, file):
            found.setdefault(file, []).append(site)
    assert found == expected


def _element_sites(index: Index, file: str) -> list[str]:
    scan = scan_file(file, index.workspace.read(file), index.context(file))
    return [
        " ".join((site.confidence, *(f"{part.role}={part.text}" for part in site.parts)))
        for site in scan.sites
        if "{{" not in site.text
    ]


@pytest.mark.helm
def test_templates_without_end_are_given_up() -> None:
    """Of templates that loop only the first few are tried; then nothing more is rendered."""
    loop = "{{ range until 30000000 }}{{ range until 30000000 }}{{ end }}{{ end }}"
    templates = GoTemplates(find_renderer(timeout=0.5))
    started = time.monotonic()
    assert [templates.fill([loop], [{}]) for _ in range(50)] == [[[None]]] * 50
    assert templates.fill(["{{ .a }}"], [{"a": "x"}]) == [[None]]
    assert time.monotonic() - started < 20


@pytest.mark.helm
def test_templates_reach_no_files_and_no_cluster() -> None:
    """What a template asks for besides its parameters is empty, or it isn't filled."""
    texts = [
        "{{ .Files }}{{ .Values }}{{ .Release }}",
        '{{ env "HOME" }}',
        '{{ getHostByName "localhost" }}',
    ]
    texts += ['{{ lookup "v1" "Secret" "" "" }}']
    assert GoTemplates().fill(texts, [{"a": "x"}]) == [["", None, "", "map[]"]]
