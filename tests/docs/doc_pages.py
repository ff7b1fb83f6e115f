"""The runnable examples in README and docs.

A `console` block is a shell session: lines with `$` are commands, the others what they print; a
line `(exit code N)` ends the output of a command that fails. All blocks of a page run in order in
one copy of examples/cluster, a git repository of its own. A page that says
`<!-- session: FOLDER -->` has a copy of that folder instead, and with `FOLDER, account` a stand-in
for an account that has the built-in rules. `cd` holds for the commands after it.
`python tests/docs/doc_pages.py` runs them and writes what they really print into the pages, to be
read before it is committed.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CLUSTER = ROOT / "examples" / "cluster"
EXAMPLES = ROOT / "examples"
SESSION = re.compile(
    r"^<!-- session: (?P<folder>[\w/.]+)(?P<account>, account)? -->$", re.MULTILINE
)
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


def make_scratch(target: Path, source: Path = CLUSTER) -> None:
    """Copy an example and commit it, so that `--base HEAD` has something to compare."""
    if source == ROOT:  # of the checkout, only what readers are sent to
        shutil.copytree(EXAMPLES, target / EXAMPLES.name)
    else:
        shutil.copytree(source, target)
    for arguments in (
        ("init", "--quiet", "--initial-branch", "main"),
        ("add", "."),
        ("commit", "--quiet", "-m", "before"),
    ):
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


@contextmanager
def account() -> Iterator[dict[str, str]]:
    """Serve an account that has the built-in rules, and give the variables that lead to it."""
    sys.path.insert(0, str(ROOT / "tests"))
    from ecr_server import serve_ecr  # noqa: PLC0415 only now on the path
    from imageshift.cache import ARTICLE_RULES  # noqa: PLC0415 only for such pages

    with serve_ecr() as server:
        server.rules = [
            {
                "ecrRepositoryPrefix": rule.prefix,
                "upstreamRegistryUrl": rule.upstream.replace("docker.io", "registry-1.docker.io"),
                "credentialArn": "arn:aws:secretsmanager:eu-west-2:123456789012:secret:"
                f"ecr-pullthroughcache/{rule.prefix}",
            }
            for rule in ARTICLE_RULES
        ]
        keys = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}
        urls = {f"AWS_ENDPOINT_URL_{name}": server.url for name in ("ECR", "IAM")}
        yield {**keys, **urls, "AWS_EC2_METADATA_DISABLED": "true"}


class Shell:
    """Runs the commands of one page, each with what it printed as in a console block."""

    def __init__(self, root: Path, variables: dict[str, str]) -> None:
        """Start in a folder, with further variables."""
        self._root = self._folder = root
        self._environment = environment() | variables

    def run(self, command: str) -> str:
        """Return a command with what it printed."""
        if command.startswith("cd "):
            self._folder /= command.removeprefix("cd ")
            return f"$ {command}\n"
        return run(command, self._folder, self._root, self._environment)


def run(command: str, folder: Path, root: Path, variables: dict[str, str]) -> str:
    """Return a command with what it printed, as it stands in a console block."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=variables,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output = done.stdout.replace(str(root), "/repository")
    lines = [line.rstrip() for line in output.splitlines()]
    if done.returncode:
        lines.append(f"(exit code {done.returncode})")
    return "\n".join([f"$ {command}", *lines]) + "\n"


def played(text: str) -> str:
    """Return a page with every console block as it really runs."""
    found = [block for block in blocks(text) if block.language == "console"]
    if not found:
        return text
    named = SESSION.search(text)
    source = (ROOT / named["folder"]).resolve() if named else CLUSTER
    has_account = named is not None and named["account"] is not None
    served: AbstractContextManager[dict[str, str]] = account() if has_account else nullcontext({})
    with tempfile.TemporaryDirectory() as folder, served as variables:
        scratch = Path(folder) / "a clone" / source.name  # a space, as readers' folders may have
        scratch.parent.mkdir()
        make_scratch(scratch, source)
        shell = Shell(scratch, variables)
        results = ["".join(map(shell.run, commands(block.body))) for block in found]
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
