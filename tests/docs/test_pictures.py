"""The pictures of the terminal show what the commands print today."""

import re
from importlib import import_module
from pathlib import Path
from tempfile import gettempdir

import pytest
from doc_pages import pages

pytestmark = [pytest.mark.console, pytest.mark.helm]

_TEXT = re.compile(r'<text class="([\w-]+)"[^>]*? y="([\d.]+)"[^>]*>([^<]*)</text>')
_STYLE = re.compile(r"^\.([\w-]+) \{ (.*) \}$", re.MULTILINE)


def shown(svg: str) -> list[list[tuple[str, str]]]:
    """Return the lines of a picture, each as texts with their styles."""
    styles = dict(_STYLE.findall(svg))
    lines: dict[float, list[tuple[str, str]]] = {}
    for name, y, text in _TEXT.findall(svg):
        lines.setdefault(float(y), []).append((text.replace("&#160;", " "), styles[name]))
    return list(lines.values())


def test_pictures_are_what_commands_print(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command at 80 and 120 columns, light and dark: the same texts in the same colours."""
    monkeypatch.syspath_prepend(str(repository / "scripts"))
    terminal_pictures = import_module("terminal_pictures")
    drawn = dict(terminal_pictures.pictures())

    kept = {file.name: file.read_text("utf-8") for file in terminal_pictures.FOLDER.glob("*.svg")}
    assert kept.keys() == drawn.keys()
    assert {name: shown(svg) for name, svg in kept.items()} == {
        name: shown(svg) for name, svg in drawn.items()
    }
    assert all(len(shown(svg)) > 3 for svg in kept.values())
    assert not [name for name, svg in kept.items() if gettempdir() in svg or " ms" in svg]


def test_every_picture_is_on_a_page(repository: Path) -> None:
    """Whoever reads the documentation sees each of them, and none that isn't there."""
    folder = repository / "docs" / "pictures"
    found = {
        Path(name).name
        for page in pages()
        for name in re.findall(r"pictures/([\w-]+\.svg)", page.read_text("utf-8"))
    }

    assert found == {file.name for file in folder.glob("*.svg")}
