"""A search that knows nothing finds no image that the account doesn't have.

It looks for the hosts of registries and for keys named `image`, line by line. IMAGESHIFT_CORPUS
names a folder of repositories, or one of them.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from imageshift.cli.app import build_app
from imageshift.repo.workspace import Workspace

HERE = Path(__file__).parents[2]
CORPUS = Path(os.environ.get("IMAGESHIFT_CORPUS", HERE.parent / "shared" / "corpus"))
OPTIONS = ("--account", "123456789012", "--region", "eu-west-2", "--charts", "off", "--quiet")

HOST = re.compile(
    r"(?<![\w./-])(?:docker\.io|ghcr\.io|quay\.io|registry\.k8s\.io|k8s\.gcr\.io|gcr\.io"
    r"|public\.ecr\.aws|mcr\.microsoft\.com|lscr\.io|registry\.gitlab\.com|nvcr\.io|cgr\.dev"
    r"|index\.docker\.io)/[\w./-]*\w"
)
KEY = re.compile(
    r"""^\s*(?:- )?["']?(?:image|imageName)["']?\s*:\s*["']?[a-z0-9][\w./-]*:[\w.@-]+"""
)
COMMENT = re.compile(r"(?:^|\s)#")
ADDRESS = re.compile(r"""(?:oci|https?|git|ssh)://|(?:repoURL|url)["']?\s*:""")
DEFINITION = re.compile(r"^kind:\s*CustomResourceDefinition\b", re.MULTILINE)
TEXTS = (".yaml", ".yml", ".json", ".env", ".tf", ".toml", ".sh", ".md", "Dockerfile", ".tpl")


def repositories() -> list[Path]:
    """Return the folders to look at."""
    if not CORPUS.is_dir():
        return []
    if (CORPUS / ".git").exists():
        return [CORPUS]
    return sorted(path for path in CORPUS.iterdir() if path.is_dir())


def named_lines(root: Path) -> Iterator[tuple[str, int, str]]:
    """Yield every line of a work tree's text files that seems to name an image."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    found = subprocess.run(command, cwd=root, check=True, capture_output=True).stdout
    workspace = Workspace(root)
    for name in found.decode().split("\0"):
        path = root / name
        if name and workspace.is_excluded(name):
            continue  # Flux doesn't apply it either
        if name.endswith(TEXTS) and path.is_file() and not path.is_symlink():
            yield from ((name, *line) for line in lines_of(path))


def lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of one file that seem to name an image; schemas' and comments don't count."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        return
    number = 0
    for document in re.split(r"^(?=---)", text, flags=re.MULTILINE):
        schema = DEFINITION.search(document) is not None or '"$schema"' in document
        for line in document.splitlines():
            number += 1
            if not schema and is_named(line):
                yield number, line.strip()


def is_named(line: str) -> bool:
    """Whether a line names an image outside of comments and addresses."""
    found = HOST.search(line) or KEY.search(line)
    before = "" if found is None else line[: found.start()]
    return found is not None and not (COMMENT.search(before) or ADDRESS.search(before))


def accounted(root: Path) -> tuple[set[tuple[str, int]], set[str]]:
    """Return the places in the report of a scan, and the files that it names as a whole."""
    arguments = ["scan", str(root), *OPTIONS, "--format", "json"]
    outcome = CliRunner().invoke(build_app(arguments), arguments)
    report = json.loads(outcome.stdout)

    def name(file: str) -> str:
        return str(Path(file).resolve().relative_to(root.resolve()))

    places = {(name(row["file"]), row["line"]) for row in report["images"]}
    for row in report["images"]:
        places |= {(name(row["file"]), part["line"]) for part in row["parts"]}
    whole = {name(skip["file"]) for skip in report["skipped"] if skip["line"] is None}
    return places, whole


@pytest.mark.corpus
@pytest.mark.skipif(not repositories(), reason="there is no corpus")
@pytest.mark.parametrize("source", repositories(), ids=lambda path: path.name)
def test_every_line_is_in_the_account(source: Path, tmp_path: Path) -> None:
    """Every line that a search finds is a row of the report, or in a file that it names."""
    root = Path(shutil.copytree(source, tmp_path / source.name, symlinks=True))
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    places, whole = accounted(root)

    missing = [
        f"{name}:{number}: {line}"
        for name, number, line in named_lines(root)
        if (name, number) not in places and name not in whole
    ]

    assert missing == []


def test_the_search_finds_a_line_that_is_left_out(tmp_path: Path) -> None:
    """A line that no report has is found: the search itself isn't blind."""
    file = tmp_path / "a.yaml"
    file.write_text("a: ghcr.io/x/y:1\n# ghcr.io/x/z:1\nb: oci://ghcr.io/x/c\nimage: redis:7\n")

    assert [line for _, line in lines_of(file)] == ["a: ghcr.io/x/y:1", "image: redis:7"]
