"""Trees that nobody should write: each ends soon, and what is good beside the bad is proven."""

import errno
import json
import os
import tempfile
import time
from pathlib import Path

import pytest
from verify_cases import HOST, run

from command_line import write_tree
from imageshift.verify import Snapshot

pytestmark = [pytest.mark.kustomize, pytest.mark.helm]

POD = "kind: Pod\napiVersion: v1\nmetadata: {name: a}\nspec: {containers: [{image: IMAGE}]}\n"
GOOD = {
    "good/kustomization.yaml": "resources: [pod.yaml]\n",
    "good/pod.yaml": POD.replace("IMAGE", "ghcr.io/org/app:1"),
}
MOVED = {"good/pod.yaml": POD.replace("IMAGE", f"{HOST}/github/org/app:1")}
FLUX = {
    "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
    "kind": "Kustomization",
    "metadata": {"name": "app", "namespace": "flux-system"},
}
RELEASE = {
    "apiVersion": "helm.toolkit.fluxcd.io/v2",
    "kind": "HelmRelease",
    "metadata": {"name": "app", "namespace": "web"},
}
SOURCE = {"kind": "GitRepository", "name": "flux-system"}
MANY = int(os.environ.get("IMAGESHIFT_DOCUMENTS", "4000"))
SHAPES: tuple[object, ...] = (5, "text", [], [1, [2]], {"a": {"b": []}}, True, None, [None])


def proven(tmp_path: Path, files: dict[str, str | bytes], *, alone: bool = True) -> int:
    """Compare a tree whose good part has moved, and return the exit code.

    `alone` says that nothing bad takes the good part in.
    """
    before, after = tmp_path / "before", tmp_path / "after"
    write_tree(before, {**files, **GOOD})
    write_tree(after, {**files, **GOOD, **MOVED})
    started = time.monotonic()
    done = run(after, "--base", str(before), "--format", "json")

    assert time.monotonic() - started < 60
    assert done.code in {0, 1, 4}, (done.code, done.stdout, done.stderr)
    if alone:
        rows = {row["name"]: row for row in done.report["renders"]}
        assert rows["good"]["equal"]
        assert rows["good"]["images"][0]["after"] == f"{HOST}/github/org/app:1"
    return done.code


@pytest.mark.parametrize(
    "field",
    ["spec", "spec.path", "spec.sourceRef", "spec.images", "spec.patches", "spec.components",
     "spec.postBuild", "spec.postBuild.substituteFrom", "spec.postBuild.substitute", "spec.force",
     "spec.targetNamespace", "spec.namePrefix", "spec.patchesStrategicMerge", "metadata",
     "metadata.name", "metadata.namespace"],
)  # fmt: skip
def test_flux_kustomizations_of_any_shape(field: str, tmp_path: Path) -> None:
    """A field of another shape is no matter for other builds."""
    files = {}
    for number, shape in enumerate(SHAPES):
        spec = {"path": "./app", "sourceRef": SOURCE}
        files[f"flux{number}.yaml"] = json.dumps(_with({**FLUX, "spec": spec}, field, shape))
    files["app/m.yaml"] = POD
    # Without a path, Flux builds the whole tree.
    proven(tmp_path, dict(files), alone=field not in {"spec", "spec.path"})


@pytest.mark.parametrize(
    "field",
    ["spec", "spec.chart", "spec.chart.spec", "spec.chart.spec.chart", "spec.chart.spec.version",
     "spec.chart.spec.sourceRef", "spec.chart.spec.valuesFiles", "spec.chartRef", "spec.values",
     "spec.valuesFrom", "spec.postRenderers", "spec.releaseName", "spec.targetNamespace",
     "spec.upgrade", "spec.install", "spec.postRenderStrategy", "metadata", "metadata.name"],
)  # fmt: skip
def test_releases_of_any_shape(field: str, tmp_path: Path) -> None:
    """A field of another shape is no matter for other releases."""
    files = {
        "charts/app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\n",
        "charts/app/templates/a.yaml": "kind: A\napiVersion: v1\nmetadata: {name: a}\n",
    }
    for number, shape in enumerate(SHAPES):
        spec = {"chart": {"spec": {"chart": "charts/app", "sourceRef": SOURCE}}}
        files[f"r{number}.yaml"] = json.dumps(_with({**RELEASE, "spec": spec}, field, shape))
    proven(tmp_path, dict(files))


def _with(data: dict[str, object], field: str, shape: object) -> dict[str, object]:
    copy: dict[str, object] = json.loads(json.dumps(data))
    inner, (*above, last) = copy, field.split(".")
    for key in above:
        inner = inner.setdefault(key, {})  # type: ignore[assignment]
    inner[last] = shape
    return copy


@pytest.mark.parametrize("name", ["kustomization.yaml", "app.yaml"])
@pytest.mark.parametrize("number", range(len(SHAPES)))
def test_files_of_any_shape(name: str, number: int, tmp_path: Path) -> None:
    """Nor is a file that is no object at all."""
    text = json.dumps(SHAPES[number])
    fields = ("resources", "patches", "images", "components", "configMapGenerator", "namespace")
    files = {f"x{n}/{name}": json.dumps({field: SHAPES[number]}) for n, field in enumerate(fields)}
    proven(tmp_path, {f"app/{name}": text, **files})


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: &a [*a]\n", id="a circle"),
        pytest.param("---\n" * MANY, id="empty documents"),
        pytest.param("---\nkind: A\nmetadata: {name: x}\n" * MANY, id="equal documents"),
        pytest.param(b"\xff\xfe\x00", id="bytes"),
        pytest.param(f"kind: A\nn: {'9' * 5000}\n", id="a long number"),
        pytest.param("kind: A\na: " + "{a: " * 400 + "}" * 400 + "\n", id="deep"),
    ],
)
@pytest.mark.parametrize("place", ["loose.yaml", "app/built.yaml"])
def test_files_that_are_too_much(text: str | bytes, place: str, tmp_path: Path) -> None:
    """Files without end, circles and long numbers end soon, built or not."""
    proven(tmp_path, {"app/kustomization.yaml": "resources: [built.yaml]\n", place: text})


def test_a_long_chain(tmp_path: Path) -> None:
    """A chain of kustomizations is followed to its end."""
    length = int(os.environ.get("IMAGESHIFT_CHAIN", "150"))
    files = {f"k{n}/kustomization.yaml": f"resources: [../k{n + 1}]\n" for n in range(length)} | {
        f"k{length}/kustomization.yaml": "resources: []\n"
    }
    fluxes = [
        json.dumps({**FLUX, "metadata": {"name": f"f{n}"}, "spec": {"path": f"./f{n}"}})
        for n in range(10)
    ]
    more = {f"f{n}/flux.yaml": fluxes[(n + 1) % 10] for n in range(10)}
    proven(tmp_path, {**files, **more})


def test_what_is_no_file_is_not_copied(tmp_path: Path) -> None:
    """Pipes, sockets, devices and links out of the tree are left out; links inside it stay."""
    tree = tmp_path / "tree"
    write_tree(tree, {"a/b.yaml": "x: y\n"})
    os.mkfifo(tree / "pipe.yaml")
    for name, target in {
        "zero.yaml": "/dev/zero",
        "out.yaml": "../secret",
        "folder": "..",
        "inside.yaml": "a/b.yaml",
        "absolute.yaml": str(tree / "a/b.yaml"),
        "a/up.yaml": "../../secret",
    }.items():
        (tree / name).symlink_to(target)
    (tmp_path / "secret").write_text("planted")

    with Snapshot.of_folder(tree) as made:
        found = sorted(path.relative_to(made.root).as_posix() for path in made.root.rglob("*"))
        assert found == ["a", "a/b.yaml", "inside.yaml"]
        assert made.unread == {}


def test_a_tree_with_pipes_and_devices_is_compared(tmp_path: Path) -> None:
    """A kustomization that names them is not compared, and nothing waits for them."""
    names = ["pipe.yaml", "zero.yaml"]
    for side in ("before", "after"):
        for name in names:
            write_tree(
                tmp_path / side / name[:-5], {"kustomization.yaml": f"resources: [{name}]\n"}
            )
        os.mkfifo(tmp_path / side / "pipe/pipe.yaml")
        (tmp_path / side / "zero/zero.yaml").symlink_to("/dev/zero")

    assert proven(tmp_path, {}) == 4


@pytest.mark.skipif(os.name != "posix", reason="needs long names")
def test_folders_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    """What couldn't be copied isn't proven: a line for it, and exit code 4."""
    deep = tmp_path / "before"
    write_tree(deep, dict(GOOD))
    handle = os.open(deep, os.O_RDONLY)
    for _ in range(30):
        os.mkdir("d" * 200, dir_fd=handle)
        inner = os.open("d" * 200, os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = inner
    os.close(handle)

    with Snapshot.of_folder(deep) as made:
        assert [*made.unread.values()] == ["can't be read: File name too long"]
    done = run(deep, "--base", str(deep), "--format", "json")
    assert done.code == 4
    assert done.report["problems"][0]["message"] == "can't be read: File name too long"


def test_names_of_files(tmp_path: Path) -> None:
    """Names that are no UTF-8, with line ends or with escapes are compared as others are."""
    folder = os.fsencode(tmp_path)
    for side, image in ((b"before", "ghcr.io/org/app:1"), (b"after", f"{HOST}/github/org/app:1")):
        for name in (b"\xff.yaml", b"a\nb.yaml", b"\x1b[2J.yaml"):
            path = folder + b"/" + side + b"/" + name
            os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120 bytes
            with open(path, "w") as stream:  # noqa: PTH123 bytes
                stream.write(POD.replace("IMAGE", image))

    done = run(tmp_path / "after", "--base", str(tmp_path / "before"))

    assert done.code == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert "3 compared, 1 image moved" in done.stderr


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies and scratch folders go, whether the proof succeeds, fails or can't begin."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    proven(tmp_path, {"bad/kustomization.yaml": "resources: [gone.yaml]\n"})
    assert [*scratch.iterdir()] == []

    def full(*_arguments: object, **_names: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", full)
        patch.setattr(Path, "write_bytes", full)
        done = run(tmp_path / "after", "--base", str(tmp_path / "before"))

    assert done.code == 4
    assert "the tree can't be copied: No space left on device" in done.stderr
    assert [*scratch.iterdir()] == []
