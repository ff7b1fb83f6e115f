"""Ignore files: read as the real Git reads them."""

import subprocess
from pathlib import Path

import pytest

from imageshift.repo.workspace import Workspace

pytestmark = pytest.mark.once

FILES = (
    *("a.yaml", "b.yaml", "#c.yaml", "!d.yaml", "e f.yaml", "g .yaml", "[h].yaml", "*.yaml"),
    *("ab.yaml", "a-b.yaml", "A.yaml", "é.yaml", "back\\slash.yaml", "]k.yaml", "1.yaml"),
    *("d/a.yaml", "d/b.yaml", "d/e/a.yaml", "d/e/c.yaml", "d/e/f/a.yaml", "foo/bar/x.yaml"),
    *("foo/x.yaml", "foobar/x.yaml", "foox/bar/y.yaml", "build/z.yaml", "d/build/z.yaml"),
    *("tab\t.yaml", "q.yaml ", "cr\r.yaml", "Kustomization", "d/Kustomization"),
)

TEXTS = {
    "taken back folder by folder": "*\n!*/\n!*.yaml\n",
    "taken back, whole folders": "/*\n!/d/\n",
    "one folder of all": "/*\n!/d\n/d/*\n!/d/e\n",
    "one file of all": "*\n!a.yaml\n",
    "below an excluded folder": "d/\n!d/a.yaml\n!d/e/c.yaml\n",
    "contents are not the folder": "d/*\n!d/a.yaml\n",
    "contents at any depth": "d/**\n!d/e/\n!d/e/c.yaml\n",
    "folder, then not": "build\n!build/\n",
    "folder only": "build/\n",
    "folder of the root": "/build\n",
    "name at any depth": "a.yaml\n",
    "path": "d/a.yaml\n",
    "path at any depth": "**/e/a.yaml\n",
    "stars in the middle": "d/**/a.yaml\n",
    "stars that are one": "d**/a.yaml\n",
    "stars after text": "foo**/bar\n",
    "stars after text with a path": "foo/b**\n",
    "stars before text": "**foo/x.yaml\n",
    "three stars": "***/a.yaml\n",
    "only stars": "**\n!d/\n",
    "star takes no slash": "d/*.yaml\n",
    "question mark": "?.yaml\n",
    "question mark is one byte": "??.yaml\n",
    "question mark takes no slash": "d?a.yaml\n",
    "set": "[ab].yaml\n",
    "range": "[a-b]*\n",
    "range out of order": "[b-a].yaml\n",
    "negated set": "[!a].yaml\n",
    "negated set of one out of order": "[!b-a].yaml\n",
    "caret": "[^ab].yaml\n",
    "class": "[[:digit:][:upper:]].yaml\n",
    "unknown class": "[[:odd:]].yaml\na.yaml\n",
    "class without its end": "[[:a].yaml\n",
    "set without its end": "[a.yaml\nb.yaml\n",
    "bracket in a set": "[]]k.yaml\n",
    "escape in a set": "[\\]a]*.yaml\n",
    "dash at the end of a set": "a[a-]b.yaml\n",
    "set takes no slash": "d[/]a.yaml\n",
    "escaped signs": "\\#c.yaml\n\\!d.yaml\n\\*.yaml\n\\[h].yaml\n",
    "escaped letter": "\\a.yaml\n",
    "escaped backslash": "back\\\\slash.yaml\n",
    "backslash at the end": "a.yaml\\\n",
    "comment": "#c.yaml\n",
    "spaces at the end": "a.yaml   \n",
    "escaped space at the end": "q.yaml\\ \n",
    "spaces behind an escaped one": "q.yaml\\   \n",
    "space inside": "e f.yaml\n",
    "windows line ends": "a.yaml\r\nd/\r\n",
    "carriage return inside": "cr\r.yaml\n",
    "no last line end": "a.yaml",
    "no last line end after a return": "a.yaml\r",
    "byte order mark": "\ufeffa.yaml\n",
    "nothing in particular": "\n \n!\n/\n//\n#\n",
    "two slashes": "//a.yaml\nd//a.yaml\n",
    "slash at both ends": "/d/\n",
    "letters beyond ASCII": "é.yaml\n",
    "the last one wins": "a.yaml\n!a.yaml\n*.yaml\n!b.yaml\n",
}


def git(folder: Path, *arguments: str) -> bytes:
    """Return what Git prints, whatever the machine's own configuration says."""
    settings = ["-c", "core.excludesFile=/dev/null", "-c", "core.quotePath=false"]
    command = ["git", *settings, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True).stdout


def left_by_git(folder: Path) -> list[str]:
    """Return the files that Git would add, less those that are no YAML."""
    names = git(folder, "ls-files", "-oz", "--exclude-standard").decode().split("\0")
    ours = (".yaml", "Kustomization")
    return sorted(name for name in names if name.endswith(ours))


def repository(folder: Path, texts: dict[str, bytes]) -> Path:
    """Make a repository with the files, and ignore files by their names."""
    git(folder, "init", "-q")
    for name in (*FILES, *texts):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(texts.get(name, b""))
    return folder.resolve()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("name", [".gitignore", "d/.gitignore"])
def test_as_git_reads_them(tmp_path: Path, name: str, text: str) -> None:
    """The walk finds what `git ls-files` finds, and a named file is judged as on the walk."""
    root = repository(tmp_path, {name: text.encode()})
    workspace = Workspace(root)

    found = sorted(workspace.walk())

    assert found == left_by_git(root)
    named = [file for file in FILES if file.endswith((".yaml", "Kustomization"))]
    assert sorted(file for file in named if not workspace.is_excluded(file)) == found


LEVELS = {
    "deeper adds": {".gitignore": "b.yaml\n", "d/.gitignore": "a.yaml\n!/b.yaml\n"},
    "deeper takes back": {".gitignore": "*.yaml\n", "d/e/.gitignore": "!a.yaml\n"},
    "all but what is deeper": {".gitignore": "*\n!*/\n", "d/.gitignore": "!*.yaml\n"},
    "in an excluded folder": {".gitignore": "d/\n", "d/.gitignore": "!*\n"},
    "anchored in a folder": {"d/.gitignore": "/a.yaml\n/e/*\n!/e/f/\n"},
    "no text": {".gitignore": "\xff\xfe\n", "d/.gitignore": "a.yaml\n"},
}


@pytest.mark.parametrize("texts", LEVELS.values(), ids=LEVELS)
def test_several_files(tmp_path: Path, texts: dict[str, str]) -> None:
    """Deeper files win, except below an excluded folder."""
    root = repository(tmp_path, {name: text.encode("latin-1") for name, text in texts.items()})

    assert sorted(Workspace(root).walk()) == left_by_git(root)
