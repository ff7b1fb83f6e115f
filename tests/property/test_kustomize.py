"""Random graphs of bases and overlays: real kustomize says whether a rewrite holds.

IMAGESHIFT_GRAPHS is how many graphs a run builds (300 without it, thousands on demand).
"""

import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from imageshift.cache import Mapped
from imageshift.errors import InvalidReferenceError
from imageshift.reference import parse_reference
from kustomize_builds import HOST, RULES, Built, build, differences, migrate

PHASES = (
    Phase.explicit,
    Phase.generate,
    *([Phase.shrink] if "IMAGESHIFT_SHRINK" in os.environ else []),
)
GRAPHS = int(os.environ.get("IMAGESHIFT_GRAPHS", "300"))
PER_EXAMPLE = int(os.environ.get("IMAGESHIFT_FOREST", "6"))

NAMES = (
    "nginx",
    "docker.io/nginx",
    "docker.io/library/nginx",
    "bitnami/nginx",
    "ghcr.io/org/app",
    "ghcr.io/org/app-extra",
    "controller",
    "registry.k8s.io/pause",
    "localhost:5000/x",
    "private.example/own",
    f"{HOST}/docker-hub/library/nginx",
)
PATTERNS = (
    ".*nginx",
    "(docker.io/)?nginx",
    "ghcr.io/org/.*",
    "nginx|controller",
    r"ghcr\.io/org/app",
    "[a-z]+",
    ".*/app(-extra)?",
    "${ECR_HOST}/nginx",
)
DIGEST = "sha256:" + "0f" * 32
IDENTIFIERS = ("", ":1.0", f"@{DIGEST}", f":1.0@{DIGEST}")
KINDS = ("Deployment", "Deployment", "Deployment", "CronJob", "Job")


@dataclass(frozen=True, slots=True)
class Node:
    """One kustomization of a graph, by number; its bases and components have lower numbers."""

    component: bool
    objects: tuple[tuple[str, tuple[str, ...], bool], ...]
    bases: tuple[int, ...]
    components: tuple[int, ...]
    entries: tuple[tuple[str, str, str, str, str], ...]
    patches: tuple[str, ...]
    flow: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """What a graph is drawn from."""

    names: tuple[str, ...] = NAMES
    patterns: tuple[str, ...] = PATTERNS
    kinds: tuple[str, ...] = KINDS
    ignores: bool = True
    new_names: tuple[str, ...] = field(default=NAMES)


@st.composite
def graphs(draw: st.DrawFn, shape: Shape) -> tuple[Node, ...]:
    """A graph of one to six kustomizations."""
    names = st.sampled_from(shape.names)
    image = st.tuples(names, st.sampled_from(IDENTIFIERS)).map("".join)
    ignored = st.sampled_from([False] * 7 + [shape.ignores])
    objects = st.tuples(
        st.sampled_from(shape.kinds), st.lists(image, min_size=1, max_size=3).map(tuple), ignored
    )
    blank = st.just("")
    entry = st.tuples(
        st.sampled_from((*shape.names, *shape.names, *shape.patterns)),
        st.one_of(blank, blank, st.sampled_from(shape.new_names)),
        st.one_of(blank, st.sampled_from(["9", "2.1"])),
        st.one_of(blank, blank, blank, st.just(DIGEST.replace("0f", "ab"))),
        st.one_of(blank, blank, blank, st.just("-x")),
    ).filter(lambda e: any(e[1:]) and not (e[4] and (e[2] or e[3])))
    nodes: list[Node] = []
    for number in range(draw(st.integers(1, 6))):
        component = number > 0 and draw(st.integers(0, 4)) == 0
        plain = [i for i, node in enumerate(nodes) if not node.component]
        parts = [i for i, node in enumerate(nodes) if node.component]
        bases = draw(st.lists(st.sampled_from(plain), max_size=2, unique=True)) if plain else []
        used = draw(st.lists(st.sampled_from(parts), max_size=2, unique=True)) if parts else []
        own = draw(st.lists(objects, min_size=0 if bases else 1, max_size=2))
        nodes.append(
            Node(
                component,
                () if component else tuple(own),
                () if component else tuple(bases),
                () if component else tuple(used),
                tuple(draw(st.lists(entry, min_size=int(component), max_size=3))),
                tuple(draw(st.lists(image, max_size=1))) if own and not component else (),
                draw(st.booleans()),
            )
        )
    return tuple(nodes)


def write(root: Path, graph: tuple[Node, ...]) -> list[str]:
    """Write a graph's files, and return the folders that can be built."""
    for number, node in enumerate(graph):
        folder = root / f"n{number}"
        folder.mkdir(parents=True)
        for index, (kind, images, ignored) in enumerate(node.objects):
            text = manifest(kind, f"o{number}-{index}", images, ignored=ignored)
            (folder / f"o{index}.yaml").write_text(text)
        (folder / "kustomization.yaml").write_text(kustomization(number, node))
    return [f"n{number}" for number, node in enumerate(graph) if not node.component]


def manifest(kind: str, name: str, images: tuple[str, ...], *, ignored: bool) -> str:
    """One object with a container for each image."""
    group = "apps/v1" if kind == "Deployment" else "batch/v1"
    depth = {"CronJob": ["jobTemplate", "spec", "template", "spec"]}.get(kind, ["template", "spec"])
    lines = [f"apiVersion: {group}", f"kind: {kind}", f"metadata: {{name: {name}}}", "spec:"]
    lines += [f"{'  ' * (level + 1)}{key}:" for level, key in enumerate(depth)]
    indent = "  " * (len(depth) + 1)
    lines.append(f"{indent}containers:")
    mark = " # imageshift: ignore" if ignored else ""
    for index, image in enumerate(images):
        lines += [f"{indent}- name: c{index}", f'{indent}  image: "{image}"{mark}']
    return "\n".join(lines) + "\n"


def kustomization(number: int, node: Node) -> str:
    """The text of a node's kustomization.yaml."""
    kind, version = ("Component", "v1alpha1") if node.component else ("Kustomization", "v1beta1")
    lines = [f"apiVersion: kustomize.config.k8s.io/{version}", f"kind: {kind}"]
    if not node.component:
        lines += [f"namePrefix: n{number}-", "resources:"]
        lines += [f"- o{index}.yaml" for index in range(len(node.objects))]
        lines += [f"- ../n{base}" for base in node.bases]
    if node.components:
        lines += ["components:", *(f"- ../n{part}" for part in node.components)]
    if node.entries:
        lines.append("images:")
        lines += [item(entry, flow=node.flow) for entry in node.entries]
    for image in node.patches:
        text = manifest(node.objects[0][0], f"o{number}-0", (image,), ignored=False)
        lines += ["patches:", "- patch: |-"]
        lines += [f"    {line}" for line in text.rstrip().split("\n")]
    return "\n".join(lines) + "\n"


def item(entry: tuple[str, str, str, str, str], *, flow: bool) -> str:
    """One entry, in block or flow style."""
    keys = ("name", "newName", "newTag", "digest", "tagSuffix")
    pairs = [f"{k}: '{v}'" for k, v in zip(keys, entry, strict=True) if v]
    return f"- {{{', '.join(pairs)}}}" if flow else "- " + "\n  ".join(pairs)


def build_forest(root: Path, folders: list[str]) -> dict[str, Built]:
    """Every folder's objects, from one run of kustomize for all of them."""
    whole = root.parent / "whole"
    whole.mkdir(exist_ok=True)
    lines = ["resources:"]
    for number, folder in enumerate(folders):
        part = whole / f"p{number}"
        part.mkdir(exist_ok=True)
        text = f"namePrefix: p{number}-\nresources:\n- ../../{root.name}/{folder}\n"
        (part / "kustomization.yaml").write_text(text)
        lines.append(f"- p{number}")
    (whole / "kustomization.yaml").write_text("\n".join(lines) + "\n")
    return {"": build(whole)}


def _keep(root: Path) -> None:
    """Leave the last graphs where IMAGESHIFT_KEEP says, to look at a failure."""
    keep = os.environ.get("IMAGESHIFT_KEEP")
    if keep:
        shutil.rmtree(keep, ignore_errors=True)
        shutil.copytree(root, keep)


def explained(before: Built, after: Built) -> list[str]:
    """What differs between two builds other than mapped images."""
    assert before.texts is not None, before.message
    return list(differences({"": before}, {"": after}))


@pytest.mark.property
@pytest.mark.kustomize
@settings(
    max_examples=max(1, GRAPHS // PER_EXAMPLE),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=PHASES,
)
@given(st.lists(graphs(Shape()), min_size=PER_EXAMPLE, max_size=PER_EXAMPLE))
def test_every_build_differs_by_mapped_images_only(forest: list[tuple[Node, ...]]) -> None:
    """No build changes in anything but mapped images, in a second run neither."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary) / "tree"
        folders = [
            f"g{number}/{folder}"
            for number, graph in enumerate(forest)
            for folder in write(root / f"g{number}", graph)
        ]
        _keep(root)
        before = build_forest(root, folders)[""]
        migrate(root)
        after = build_forest(root, folders)[""]
        assert explained(before, after) == []
        migrate(root)
        assert explained(after, build_forest(root, folders)[""]) == []


PLAIN = Shape(
    names=("nginx", "bitnami/redis", "ghcr.io/org/app", "registry.k8s.io/pause", "quay.io/a/b"),
    patterns=(),
    kinds=("Deployment",),
    ignores=False,
    new_names=("docker.io/library/httpd", "ghcr.io/org/other"),
)


@pytest.mark.property
@pytest.mark.kustomize
@settings(
    max_examples=max(1, GRAPHS // PER_EXAMPLE),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=PHASES,
)
@given(st.lists(graphs(PLAIN), min_size=PER_EXAMPLE, max_size=PER_EXAMPLE))
def test_plain_graphs_move_as_a_whole(forest: list[tuple[Node, ...]]) -> None:
    """Where nothing stands in the way, all images of the roots move, once, and come back."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary) / "tree"
        folders = [
            f"g{number}/{folder}"
            for number, graph in enumerate(forest)
            for folder in write(root / f"g{number}", graph)
            if int(folder[1:]) not in {base for node in graph for base in node.bases}
        ]
        _keep(root)
        before = build_forest(root, folders)[""]
        migrate(root)
        after = build_forest(root, folders)[""]
        assert explained(before, after) == []
        assert left(after) == []
        assert [plan.file for plan in migrate(root) if plan.changes] == []
        migrate(root, back=True)
        again = build_forest(root, folders)[""]
        assert explained(again, after) == []


def left(built: Built) -> list[str]:
    """The images of a build that a rule would still move."""
    lines = [
        line.strip().removeprefix("- ") for text in built.texts or () for line in text.split("\n")
    ]
    found = [line.partition(": ")[2].strip("'\"") for line in lines if line.startswith("image: ")]
    return [text for text in found if is_movable(text)]


def is_movable(text: str) -> bool:
    """Whether a rule moves a reference."""
    try:
        return isinstance(RULES.map(parse_reference(text)), Mapped)
    except InvalidReferenceError:
        return False
