"""`scripts/find_image_fields.py`: the rows that it proposes from CRDs, in both forms."""

import contextlib
import importlib.util
import io
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

from imageshift.config_file import load_config
from imageshift.inventory.definitions import read_definitions

ROOT = Path(__file__).parents[2]
CRDS = ROOT / "tests" / "fixtures" / "crds"
FORMS = (("table.txt", ()), ("config.txt", ("--config",)))


def load_script() -> ModuleType:
    """Return the script as a module."""
    path = ROOT / "scripts" / "find_image_fields.py"
    spec = importlib.util.spec_from_file_location("find_image_fields", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT = load_script()


def proposed(*arguments: str | Path) -> tuple[int, str]:
    """Return the script's exit code and output."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        code = SCRIPT.main([str(argument) for argument in arguments])
    return code, output.getvalue()


@pytest.mark.parametrize(("expected", "options"), FORMS)
def test_every_shape_is_proposed(expected: str, options: tuple[str, ...]) -> None:
    """Each shape of a schema becomes its row; what is pushed to, or known already, becomes none."""
    assert proposed(*options, CRDS / "shapes.yaml") == (0, (CRDS / expected).read_text("utf-8"))


def test_config_takes_the_proposals(tmp_path: Path) -> None:
    """What `--config` prints is a configuration, with one entry for each path."""
    path = tmp_path / ".imageshift.yaml"
    path.write_text((CRDS / "config.txt").read_text("utf-8"), "utf-8")

    images = load_config(path).images

    assert [entry.path for entry in images][:2] == ["spec.imageName", "spec.agent_image"]
    assert len(images) == path.read_text("utf-8").count("path:")


def test_packed_chart_is_read(tmp_path: Path) -> None:
    """A chart's CRDs are found in its archive, around and among template actions."""
    text = (CRDS / "shapes.yaml").read_text("utf-8")
    chart = tmp_path / "shapes" / "templates"
    chart.mkdir(parents=True)
    packed = "{{- if .Values.crds }}\n" + text.replace(
        "metadata: {name:", "metadata: {x: {{ y }}, name:"
    )
    (chart / "shapes.yaml").write_text(packed + "{{- end }}\n", "utf-8")
    with tarfile.open(tmp_path / "shapes-1.0.0.tgz", "w:gz") as archive:
        archive.add(tmp_path / "shapes", "shapes")

    assert proposed(tmp_path / "shapes-1.0.0.tgz") == (0, (CRDS / "table.txt").read_text("utf-8"))


def test_nothing_to_propose(tmp_path: Path) -> None:
    """Without a definition the exit code is 1, also where a file is no YAML or no UTF-8."""
    (tmp_path / "broken.yaml").write_text("kind: CustomResourceDefinition\n  x: [", "utf-8")
    (tmp_path / "bytes.yaml").write_bytes(b"kind: CustomResourceDefinition \xff")

    assert proposed(tmp_path) == (1, "")
    assert read_definitions(tmp_path) == []
