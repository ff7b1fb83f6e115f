"""Charts as folders and archives."""

import io
import tarfile
from pathlib import Path

import pytest
from chart_cases import Case

from command_line import write_tree
from imageshift.charts.fetch.files import ChartFiles, load_archive, load_chart
from imageshift.charts.model import ChartError, ChartUnavailableError

META = b"apiVersion: v2\nname: c\nversion: 1.0.0\n"


def _pack(folder: str, files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, data in files.items():
            entry = tarfile.TarInfo(f"{folder}/{path}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _names(archive: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return sorted(opened.getnames())


def test_folder_and_archive_are_the_same_chart() -> None:
    """A packed chart reads as its folder does, also one packed inside another."""
    folder = Case("umbrella").chart()
    store = {p.removeprefix("charts/store/"): d for p, d in folder.files.items() if "/store/" in p}
    outer = {p: d for p, d in folder.files.items() if "/store/" not in p}
    outer["charts/store-1.2.0.tgz"] = _pack("store", store)

    packed = load_archive(_pack("umbrella", outer), "x")

    assert packed.defaults == folder.defaults
    assert {chart.name for chart in packed.subcharts} == {"gated", "store"}


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    """A folder of the repository that charts share counts, a link to a folder above doesn't."""
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_bytes(META)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "a.yaml").write_bytes(b"a")
    (chart / "templates" / "shared").symlink_to("../../shared")
    for name in ("one", "two"):
        (chart / "templates" / name).symlink_to("..")

    found = load_chart(chart, root=tmp_path)

    assert sorted(found.files) == ["Chart.yaml", "templates/shared/a.yaml"]


def test_the_archive_that_is_rendered() -> None:
    """It leaves out what can't matter, and schemas that need the network in any case."""
    files = {
        "Chart.yaml": META,
        "README.md": b"",
        "values.schema.json": b'{"$ref": "https://x/y"}',
        "charts/a/Chart.yaml": b"name: a\nversion: 1.0.0\n",
        "charts/a/values.schema.json": b'{"$id": "https://x/y", "$ref": "schemas/z.json#/z"}',
        "charts/b/Chart.yaml": b"name: b\nversion: 1.0.0\n",
        "charts/b/values.schema.json": b'{"$schema": "https://x/draft"}',
        "crds/a.yaml": b"",
        "templates/a.yaml": b"",
        "charts/crds/Chart.yaml": b"name: crds\nversion: 1.0.0\n",
        "charts/crds/values.schema.json": b'{"$schema": "http://json-schema.org/draft-07/schema#"}',
        "charts/local/Chart.yaml": b"name: local\nversion: 1.0.0\n",
        "charts/local/values.schema.json": b'{"$id": "https://x/y", "$ref": "#/definitions/z"}',
        "charts/my-crds/Chart.yaml": b"name: my-crds\nversion: 1.0.0\n",
        "charts/my-crds/crds/a.yaml": b"",
        "charts/my-crds/templates/crds/a.yaml": b"",
    }
    chart = ChartFiles(files, "c")
    kept = [
        "c/Chart.yaml",
        "c/charts/a/Chart.yaml",
        "c/charts/b/Chart.yaml",
        "c/charts/crds/Chart.yaml",
        "c/charts/local/Chart.yaml",
        "c/charts/my-crds/Chart.yaml",
        "c/charts/my-crds/templates/crds/a.yaml",
        "c/templates/a.yaml",
    ]

    assert _names(chart.archive()) == kept
    assert _names(chart.archive(schemas=True)) == sorted(
        [*kept, "c/charts/crds/values.schema.json", "c/charts/local/values.schema.json"]
    )


def test_helmignore(tmp_path: Path) -> None:
    """A folder's .helmignore is obeyed, but never for Chart.yaml."""
    (tmp_path / "Chart.yaml").write_bytes(META)
    (tmp_path / ".helmignore").write_text("*.yaml\nci/\n")
    (tmp_path / "ci").mkdir()
    (tmp_path / "ci" / "x.txt").write_text("x")
    (tmp_path / "kept.txt").write_text("x")

    assert sorted(load_chart(tmp_path).files) == [".helmignore", "Chart.yaml", "kept.txt"]


def test_hidden_files_are_no_templates(tmp_path: Path) -> None:
    """Helm passes over what is hidden right in a folder's templates/, whatever .helmignore says."""
    names = (".helmignore", ".more/a.yaml", "sub/.b.yaml", "c.yaml")
    write_tree(tmp_path, {"Chart.yaml": META.decode(), **{f"templates/{n}": "" for n in names}})

    found = load_chart(tmp_path).files

    assert sorted(found) == ["Chart.yaml", "templates/c.yaml", "templates/sub/.b.yaml"]


def test_capabilities_are_noticed() -> None:
    """A chart that asks for the cluster's version says so."""
    plain = {"Chart.yaml": META, "templates/a.yaml": b"a: 1"}

    assert not ChartFiles(plain, "c").uses_capabilities
    assert ChartFiles({**plain, "templates/a.tpl": b"{{ .Capabilities.X }}"}, "c").uses_capabilities
    assert ChartFiles({**plain, "Chart.yaml": META + b"kubeVersion: '>1'"}, "c").uses_capabilities


def test_what_is_no_chart(tmp_path: Path) -> None:
    """A missing folder, an empty one, a broken archive and a broken Chart.yaml are told apart."""
    broken = tmp_path / "broken.tgz"
    broken.write_bytes(b"nothing of the kind")

    with pytest.raises(ChartUnavailableError, match="no such chart"):
        load_chart(tmp_path / "gone")
    with pytest.raises(ChartUnavailableError, match=r"no Chart\.yaml"):
        load_chart(tmp_path)
    with pytest.raises(ChartError, match="not a chart archive"):
        load_chart(broken)
    with pytest.raises(ChartError, match="names no chart"):
        _ = ChartFiles({"Chart.yaml": b"- a\n"}, "c").name


def test_missing_values_file() -> None:
    """A values file that the chart lacks is an error."""
    with pytest.raises(ChartError, match=r"no file prod\.yaml"):
        ChartFiles({"Chart.yaml": META}, "c").with_values_files(("prod.yaml",))


def test_an_archive_that_unpacks_to_too_much() -> None:
    """A bomb is refused by what it says of its size, before anything is unpacked."""
    entry = tarfile.TarInfo("c/values.yaml")
    entry.size = 1 << 40

    with pytest.raises(ChartError, match="unpacks to more than 128 MiB"):
        load_archive(entry.tobuf(), "c")
