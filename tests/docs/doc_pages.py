"""The runnable examples in README and docs.

A `console` block is a shell session: lines with `$` are commands, the others what they print; a
line `(exit code N)` ends the output of a command that fails. All blocks of a page run in order in
one copy of examples/cluster, a git repository of its own. `python tests/docs/doc_pages.py` runs
them and writes what they really print into the pages, to be read before it is committed.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CLUSTER = ROOT / "examples" / "cluster"
_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, its title, its text, and where the text stands in the page."""

    language: str
    title: str | None
    body: str
    start: int
    end: int


def pages() -> list[Path]:
    """Return every page that a user reads."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("**/*.md"))]


def blocks(text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page in order."""
    for found in _FENCE.finditer(text):
        language, _, rest = found["info"].strip().partition(" ")
        title = re.search(r'title="([^"]*)"', rest)
        yield Block(
            language, title and title[1], found["body"], found.start("body"), found.end("body")
        )


def commands(body: str) -> list[str]:
    """Return the commands of a console block; a backslash at the end of a line continues one."""
    return re.findall(r"^\$ ((?:.*\\\n)*.*)$", body, re.MULTILINE)


def make_scratch(target: Path) -> None:
    """Copy the example cluster and commit it, so that `--base HEAD` has something to compare."""
    shutil.copytree(CLUSTER, target)
    for arguments in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "-m", "before")):
        subprocess.run(["git", *arguments], cwd=target, check=True, env=environment())


def environment() -> dict[str, str]:
    """Return an environment in which output has no colours and one width."""
    author = {
        f"GIT_{role}_{field}": "docs@example.com"
        for role in ("AUTHOR", "COMMITTER")
        for field in ("NAME", "EMAIL")
    }
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    fixed = {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "120", "GIT_CONFIG_GLOBAL": os.devnull}
    return {**os.environ, **author, **fixed, "PATH": path}


def run(command: str, folder: Path) -> str:
    """Return a command with what it printed, as it stands in a console block."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment(),
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output = done.stdout.replace(str(folder), "/repository")
    lines = [line.rstrip() for line in output.splitlines()]
    if done.returncode:
        lines.append(f"(exit code {done.returncode})")
    return "\n".join([f"$ {command}", *lines]) + "\n"


def played(text: str) -> str:
    """Return a page with every console block as it really runs."""
    found = [block for block in blocks(text) if block.language == "console"]
    if not found:
        return text
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder) / "cluster"
        make_scratch(scratch)
        results = ["".join(run(line, scratch) for line in commands(block.body)) for block in found]
    for block, result in reversed(list(zip(found, results, strict=True))):
        text = text[: block.start] + result + text[block.end :]
    return text


def main() -> None:
    """Write what the examples print into the pages named, or into all."""
    chosen = [Path(name).resolve() for name in sys.argv[1:]] or pages()
    for page in chosen:
        before = page.read_text(encoding="utf-8")
        after = played(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            sys.stdout.write(f"rewrote {page.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
