"""Moves of which one file can't be made: none of it is written, everything else is.

Real kustomize says what is delivered, so a move that was made in part shows as another image.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from case_cluster import Cluster, Profile
from case_judge import Text, compare, is_same

from command_line import read_tree, write_tree
from effect_probes import tree_of
from imageshift.plan import apply_plans
from imageshift.run import Run, RunOptions

pytestmark = pytest.mark.kustomize

OTHER = """\
-- other/pod.yaml --
apiVersion: v1
kind: Pod
metadata: {name: other}
spec: {containers: [{name: other, image: "quay.io/lumen/other:1"}]}
"""


@dataclass(frozen=True, slots=True)
class Move:
    """A tree in which the images of some files move together, and what is applied of it."""

    name: str
    files: tuple[str, ...]
    builds: tuple[str, ...]
    text: str

    @property
    def tree(self) -> dict[str, bytes]:
        """Return its files, and a Pod that has nothing to do with the move."""
        return tree_of(self.text + OTHER)


def pod(*images: str) -> str:
    """Return a Pod's YAML."""
    rows = "".join(f"    - {{name: c{i}, image: {image}}}\n" for i, image in enumerate(images))
    head = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n"
    return f"{head}spec:\n  containers:\n{rows}"


MOVES = [
    Move(
        "base and entry",
        ("base/pod.yaml", "prod/kustomization.yaml"),
        ("prod",),
        f"""\
-- base/kustomization.yaml --
resources: [pod.yaml]
-- base/pod.yaml --
{pod("httpd:2.4")}-- prod/kustomization.yaml --
resources: [../base]
images: [{{name: httpd, newTag: "2.5"}}]
""",
    ),
    Move(
        "base and entries of two overlays",
        ("base/pod.yaml", "prod/kustomization.yaml", "test/kustomization.yaml"),
        ("prod", "test"),
        f"""\
-- base/kustomization.yaml --
resources: [pod.yaml]
-- base/pod.yaml --
{pod("httpd:2.4")}-- prod/kustomization.yaml --
resources: [../base]
images: [{{name: httpd, newTag: "2.5"}}]
-- test/kustomization.yaml --
resources: [../base]
images: [{{name: httpd, newTag: "2.6"}}]
""",
    ),
    Move(
        "patch and entry",
        ("prod/patch.yaml", "prod/kustomization.yaml"),
        ("prod",),
        f"""\
-- prod/kustomization.yaml --
resources: [pod.yaml]
patches: [{{path: patch.yaml}}]
images: [{{name: ghcr.io/lumen/web, newTag: "2"}}]
-- prod/pod.yaml --
{pod("docker.io/lumen/web:1")}-- prod/patch.yaml --
{pod("ghcr.io/lumen/web:1")}""",
    ),
    Move(
        "text and tested text",
        ("prod/pod.yaml", "prod/patch.yaml"),
        ("prod",),
        f"""\
-- prod/kustomization.yaml --
resources: [pod.yaml]
patches: [{{path: patch.yaml, target: {{kind: Pod}}}}]
-- prod/pod.yaml --
{pod("ghcr.io/lumen/web:1")}-- prod/patch.yaml --
- {{op: test, path: /spec/containers/0/image, value: ghcr.io/lumen/web:1}}
- {{op: add, path: /metadata/labels, value: {{patched: "yes"}}}}
""",
    ),
    Move(
        "base and entry of a Flux Kustomization",
        ("apps/pod.yaml", "clusters/apps.yaml"),
        ("clusters/apps.yaml",),
        f"""\
-- clusters/apps.yaml --
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: apps, namespace: flux-system}}
spec:
  path: ./apps
  sourceRef: {{kind: GitRepository, name: flux-system}}
  images: [{{name: httpd, newTag: "2.5"}}]
-- apps/pod.yaml --
{pod("httpd:2.4")}""",
    ),
    Move(
        "an entry over another one's newName",
        ("base/kustomization.yaml", "prod/kustomization.yaml"),
        ("prod",),
        f"""\
-- base/kustomization.yaml --
resources: [pod.yaml]
images: [{{name: httpd, newName: quay.io/lumen/httpd}}]
-- base/pod.yaml --
{pod("httpd:2.4")}-- prod/kustomization.yaml --
resources: [../base]
images: [{{name: quay.io/lumen/httpd, newTag: "2.5"}}]
""",
    ),
    Move(
        "entries of one name that Flux merges",
        ("apps/pod.yaml", "apps/kustomization.yaml", "clusters/apps.yaml"),
        ("clusters/apps.yaml",),
        f"""\
-- clusters/apps.yaml --
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: apps, namespace: flux-system}}
spec:
  path: ./apps
  sourceRef: {{kind: GitRepository, name: flux-system}}
  images: [{{name: httpd, newTag: "2.5"}}]
-- apps/kustomization.yaml --
resources: [pod.yaml]
images: [{{name: httpd, newTag: "2.6"}}]
-- apps/pod.yaml --
{pod("httpd:2.4")}""",
    ),
]


def add_a_line(path: Path) -> None:
    """Change a file as somebody else's editor would."""
    path.write_bytes(path.read_bytes() + b"# theirs\n")


def make_a_link(path: Path) -> None:
    """Make a file one that can be read, but isn't written through."""
    hidden = path.rename(path.with_suffix(".hidden"))
    path.symlink_to(hidden.name)


def hindered(
    folder: Path, tree: dict[str, bytes], file: str, hinder: Callable[[Path], None]
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return a tree before and after a run for which one file turned out to be unfit."""
    write_tree(folder, {**tree})
    options = RunOptions(account="123456789012", region="eu-west-2", root=folder)
    run = Run.open([folder], options)
    plans = list(run.plans())
    hinder(folder / file)
    before = read_tree(folder)
    for _ in apply_plans(run.workspace, plans):
        pass
    return before, read_tree(folder)


def delivered(move: Move, before: dict[str, bytes], after: dict[str, bytes]) -> list[Text]:
    """Return what is delivered before and after, paired; fail where it can't be paired."""
    found: list[Text] = []
    for place in (*move.builds, "other/pod.yaml"):
        old, new = (Cluster(tree, {}, Profile("now")) for tree in (before, after))
        old.apply([place])
        new.apply([place])
        pairs, problems = compare(old, new)
        assert problems == []
        found += [pair for pair in pairs if pair.is_image]
    return found


def is_right(pair: Text) -> bool:
    """Whether what is delivered is the mapped image or the old one."""
    return pair.moved or is_same(pair.old, pair.new)


def rows() -> Iterator[Any]:
    """Every file of every move, hindered in every way."""
    for move in MOVES:
        for file in move.files:
            for hinder in (add_a_line, make_a_link):
                yield pytest.param(move, file, hinder, id=f"{move.name}-{file}-{hinder.__name__}")


@pytest.mark.parametrize(("move", "file", "hinder"), list(rows()))
def test_one_file_is_unfit(
    move: Move, file: str, hinder: Callable[[Path], None], tmp_path: Path
) -> None:
    """Nothing of the move is written, whichever file it is; the Pod beside it moves."""
    before, after = hindered(tmp_path, move.tree, file, hinder)

    pairs = delivered(move, before, after)
    assert [pair for pair in pairs if not is_right(pair)] == []
    assert {name: after[name] for name in move.files} == {n: before[n] for n in move.files}
    assert [pair.moved for pair in pairs if "other" in pair.old] == [True]


@pytest.mark.parametrize("move", MOVES, ids=lambda move: move.name)
def test_every_file_is_fit(move: Move, tmp_path: Path) -> None:
    """Undisturbed, every image of the trees moves, in all the files that are said to."""
    before, after = hindered(tmp_path, move.tree, "other/pod.yaml", lambda _path: None)

    assert [pair for pair in delivered(move, before, after) if not pair.moved] == []
    assert [name for name in move.files if after[name] == before[name]] == []


NEIGHBOUR = Move(
    "an image beside those of a move",
    ("prod/kustomization.yaml",),
    ("prod",),
    MOVES[0].text.replace(pod("httpd:2.4"), pod("httpd:2.4", "quay.io/lumen/other-side:1")),
)


def test_an_image_in_the_same_file_moves(tmp_path: Path) -> None:
    """Only what belongs to the move stays, not everything in its files."""
    tree = NEIGHBOUR.tree
    before, after = hindered(tmp_path, tree, "prod/kustomization.yaml", add_a_line)

    found = {pair.old: pair.moved for pair in delivered(NEIGHBOUR, before, after)}
    assert found == {
        "httpd:2.5": False,
        "quay.io/lumen/other-side:1": True,
        "quay.io/lumen/other:1": True,
    }


ANCHORED = [
    pytest.param(
        f"""\
-- base/kustomization.yaml --
resources: [pod.yaml]
-- base/pod.yaml --
{pod("httpd:2.4")}-- prod/kustomization.yaml --
resources: [../base]
images: [{{name: &n httpd, newTag: "2.5"}}]
commonAnnotations: {{runs: *n}}
""",
        id="an entry's name",
    ),
    pytest.param(
        f"""\
-- base/kustomization.yaml --
resources: [pod.yaml]
-- base/pod.yaml --
{pod("&i httpd:2.4").replace("web}", "web, labels: {image: kept}}")}-- prod/kustomization.yaml --
resources: [../base]
images: [{{name: httpd, newTag: "2.5"}}]
""",
        id="a text that nothing repeats",
    ),
    pytest.param(
        """\
-- base/kustomization.yaml --
resources: [pod.yaml]
-- base/pod.yaml --
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
    - {name: a, image: &i "httpd:2.4", env: [{name: SAID, value: *i}]}
-- prod/kustomization.yaml --
resources: [../base]
images: [{name: httpd, newTag: "2.5"}]
""",
        id="a text that is no image elsewhere",
    ),
    pytest.param(
        f"""\
-- base/kustomization.yaml --
resources: [pod.yaml]
-- base/pod.yaml --
{pod("httpd:2.4")}-- prod/kustomization.yaml --
resources: [../base]
images: [{{name: httpd, newName: &n quay.io/lumen/httpd}}]
commonAnnotations: {{runs: *n}}
""",
        id="an entry's newName",
    ),
]


@pytest.mark.parametrize("text", ANCHORED)
def test_anchored(text: str, tmp_path: Path) -> None:
    """What an anchor shares with something else stays with all of its move."""
    assert [pair for pair in anchored(text, tmp_path) if not is_right(pair)] == []


@pytest.mark.parametrize("text", ANCHORED)
def test_beside_anchored(text: str, tmp_path: Path) -> None:
    """The Pod that has nothing to do with the move moves."""
    assert [pair.moved for pair in anchored(text, tmp_path) if "other" in pair.old] == [True]


def anchored(text: str, folder: Path) -> list[Text]:
    """Return what is delivered of a tree before and after an undisturbed run."""
    move = Move("anchored", (), ("prod",), text)
    before, after = hindered(folder, move.tree, "other/pod.yaml", lambda _path: None)
    return delivered(move, before, after)


SHARED = [
    Move(
        "two moves over one file",
        ("all/pods.yaml", "one/kustomization.yaml", "two/kustomization.yaml"),
        ("one", "two"),
        f"""\
-- all/kustomization.yaml --
resources: [pods.yaml]
-- all/pods.yaml --
{pod("httpd:2.4")}---
{pod("ghcr.io/lumen/web:1").replace("web}", "two}")}-- one/kustomization.yaml --
resources: [../all]
images: [{{name: httpd, newTag: "2.5"}}]
-- two/kustomization.yaml --
resources: [../all]
images: [{{name: ghcr.io/lumen/web, newTag: "2"}}]
""",
    ),
    Move(
        "entries of one list over two texts",
        ("base/one.yaml", "base/two.yaml", "prod/kustomization.yaml"),
        ("prod",),
        f"""\
-- base/kustomization.yaml --
resources: [one.yaml, two.yaml]
-- base/one.yaml --
{pod("httpd:2.4")}-- base/two.yaml --
{pod("ghcr.io/lumen/web:1").replace("web}", "two}")}-- prod/kustomization.yaml --
resources: [../base]
images:
  - {{name: httpd, newTag: "2.5"}}
  - {{name: ghcr.io/lumen/web, newTag: "2"}}
""",
    ),
]


@pytest.mark.parametrize("hinder", [add_a_line, make_a_link])
@pytest.mark.parametrize(("move", "file"), [(move, file) for move in SHARED for file in move.files])
def test_two_moves_over_one_file(
    move: Move, file: str, hinder: Callable[[Path], None], tmp_path: Path
) -> None:
    """A file that two moves share takes neither of them along when the other can't be made."""
    before, after = hindered(tmp_path, move.tree, file, hinder)

    pairs = delivered(move, before, after)
    assert [pair for pair in pairs if not is_right(pair)] == []
    assert after[file] == before[file]
    moved = {pair.old.partition(":")[0] for pair in pairs if pair.moved}
    shared = file in {"all/pods.yaml", "prod/kustomization.yaml"}
    assert len(moved - {"quay.io/lumen/other"}) == (0 if shared else 1)
