"""YAML and JSON that no one writes by hand: each file is read or refused, and the others are done.

All files stand in one tree and one run reads them, in a process with limits of time and memory.
"""

import json
import re
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from command_line import HOST, REGISTRY, write_tree

pytestmark = pytest.mark.once

POD = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - {name: a, image: nginx:1.27}\n"
HEAD = POD.replace("{name: a, image: nginx:1.27}", "name: a\n    image: nginx:1.27")
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\ndata:\n  values.yaml: |\n    image: "
DEEP = r"nested deeper than 150 levels"
SECONDS, BYTES = 120, 3 << 30

READ = {
    "scalar of 5 MB": HEAD + "x: '" + "a" * 5_000_000 + "'\n",
    "key of 1 MB": HEAD + "? " + "k" * 1_000_000 + "\n: v\n",
    "5,000 digits": HEAD + "x: " + "9" * 5000 + "\ny: 1e" + "9" * 5000 + "\n",
    "no date": HEAD + "x: 9999-99-99\ny: 2001-99-99t99:59:43.10-99:00\n",
    "tags": HEAD + "x: !!python/object/apply:os.system [id]\ny: !!int z\nz: !!binary '%'\n",
    "a key twice": HEAD + HEAD.partition("\n")[2],
    "anchors": HEAD + "x:\n" + "".join(f"- &a{i} v\n" for i in range(50_000)),
    "aliases": HEAD + "x:\n- &a v\n" + "- *a\n" * 100_000,
    "comments": "#" * 3_000_000 + "\n" + "#\n" * 300_000 + HEAD,
    "documents": "---\nimage: a\n" * 100_000 + "---\n" + POD,
    "documents with directives": "%YAML 1.2\n" + "---\n{}\n...\n" * 30_000 + "---\n" + POD,
    "merges in a chain": HEAD
    + "m0: &m0 {x: 1}\n"
    + "".join(f"m{i}: &m{i}\n  <<: *m{i - 1}\n  k{i}: 1\n" for i in range(1, 140)),
    "blanks between": HEAD + "x: !t\n" + "\n" * 500_000 + "  &a b\n",
    "tabs": HEAD + "x: {a:\t1, image: nginx:1.25}\n" + "y:\t'a'\n" * 1000,
    "long names": HEAD + "x: " + "k" * 10_000 + "\n" + "e" * 1000 + ": v\n",
    "comments for us": "# imageshift: ignored\n" + "# $imagepolicy\n" + HEAD + "#\n" * 100_000,
}
REFUSED: dict[str, tuple[str | bytes, str]] = {
    "lists in flow": (HEAD + "x: " + "[" * 100_000 + "]" * 100_000, DEEP),
    "lists never closed": (HEAD + "x: " + "[" * 100_000, DEEP),
    "maps in flow": (HEAD + "x: " + "{a: " * 100_000 + "}" * 100_000, DEEP),
    "lists in lines": (HEAD + "x:\n  " + "- " * 100_000 + "a\n", DEEP),
    "maps in lines": (HEAD + "x:\n" + "".join(" " * i + "a:\n" for i in range(1, 3000)), DEEP),
    "keys in keys": (HEAD + "x:\n  " + "? " * 100_000 + "a\n", DEEP),
    "by aliases": (
        HEAD + "x0: &x0 a\n" + "".join(f"x{n}: &x{n} [*x{n - 1}]\n" for n in range(1, 5000)),
        DEEP,
    ),
    "too many values": (HEAD + "x: [" + "a," * 2_000_000 + "]\n", "more than 2,000,000 values"),
    "laughs": (
        HEAD
        + "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 100)),
        "aliases repeat too much",
    ),
    "merges of merges": (
        HEAD
        + "m0: &m0 {x: 1}\n"
        + "".join(f"m{i}: &m{i}\n  <<: [*m{i - 1}, *m{i - 1}]\n" for i in range(1, 60)),
        "aliases repeat too much",
    ),
    "a merge of itself": (HEAD + "x: &x\n  <<: *x\n", "has no anchor before it"),
    "YAML 1.3": ("%YAML 1.3\n---\n" + POD, "version minor part"),
    "YAML 2.0": ("%YAML 2.0\n---\n" + POD, "incompatible|version"),
    "YAML of many digits": (f"%YAML 1.{'9' * 5000}\n---\n" + POD, "invalid YAML"),
    "a zero byte": (POD + "x: a\0b\n", "special characters|not allowed"),
    "half a character": (POD.encode() + b"x: \xed\xa0\x80\n", "isn't UTF-8"),
    "a key of 1 MB on a line": (HEAD + "k" * 1_000_000 + ": v\n", "invalid YAML"),
    "broken and long": (HEAD + "x: [\n" + "#\n" * 1_000_000, "invalid YAML"),
    "in UTF-16": (POD.encode("utf-16"), "UTF-16"),
    "in UTF-32": (POD.encode("utf-32-be"), "UTF-16 or UTF-32"),
    "properties": (HEAD + "x: " + "!a " * 100_000 + "\n", "invalid YAML"),
    "JSON": ('{"kind":"Pod","image":' + "[" * 100_000 + "]" * 100_000 + "}", DEEP),
}
INSIDE = {
    "deep YAML in a text": CONFIG_MAP + "[" * 100_000 + "]" * 100_000 + "\n",
    "texts in texts": CONFIG_MAP + "|\n" + "".join(f"{' ' * i}x: |\n" for i in range(6, 900)),
}


def file_of(name: str) -> str:
    """Return the file for a case's name."""
    return re.sub(r"\W+", "-", name) + (".json" if name == "JSON" else ".yaml")


def limited(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command in a process with limits of time and memory."""
    command = [sys.executable, "-c", "from imageshift.cli import main; main()"]
    return subprocess.run(
        [*command, arguments[0], *REGISTRY, "--charts", "off", *arguments[1:]],
        cwd=root,
        capture_output=True,
        check=False,
        timeout=SECONDS,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES)),
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the report of one run over all files, in a process with limits."""
    root = tmp_path_factory.mktemp("hostile")
    write_tree(root, {".git/HEAD": "", "good.yaml": POD})
    write_tree(root, {file_of(name): text for name, text in (READ | INSIDE).items()})
    write_tree(root, {file_of(name): text for name, (text, _) in REFUSED.items()})
    done = limited(root, "scan", "--format", "json", ".")
    assert done.returncode == 3, done.stderr.decode()
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def images(report: dict[str, Any], file: str) -> set[str]:
    """Return the images that a report has of a file, but for those of documents it refuses."""
    rows = [row for row in report["images"] if row["file"] == file]
    return {row["original"] for row in rows if row["reason"] != "unparsable"}


def test_good_file_beside_them_is_done(report: dict[str, Any]) -> None:
    """Whatever the others are."""
    assert images(report, "good.yaml") == {"nginx:1.27"}


@pytest.mark.parametrize("name", [*READ])
def test_odd_files_are_read(report: dict[str, Any], name: str) -> None:
    """What Kubernetes' readers take, however long or odd it is."""
    assert "nginx:1.27" in images(report, file_of(name))


@pytest.mark.parametrize("name", [*REFUSED])
def test_hostile_files_are_refused(report: dict[str, Any], name: str) -> None:
    """The file is named with the reason, and nothing of it is taken."""
    rows = [row for row in report["skipped"] if row["file"] == file_of(name)]

    assert [row["reason"] for row in rows] in (["unparsable"], ["not-utf8"])
    assert re.search(REFUSED[name][1], rows[0]["detail"]), rows[0]["detail"]
    assert images(report, file_of(name)) == set()


COMMANDS = [
    *(("scan", "."), ("check", "."), ("migrate", "."), ("revert", "--all", "."), ("warm", ".")),
    ("verify", ".", "--base", "."),
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_every_command_ends(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """With a documented exit code; hostile files stay as they are, and the good one is done."""
    files = {file_of(name): text for name, (text, _) in REFUSED.items()}
    small = {name: text for name, text in files.items() if len(text) < 300_000}
    write_tree(tmp_path, {".git/HEAD": "", "good.yaml": POD, **small})

    done = limited(tmp_path, *arguments)

    assert done.returncode in {0, 1, 3} | ({4} if arguments[0] == "verify" else set()), (
        done.stderr.decode()
    )
    moved = HOST.encode() in (tmp_path / "good.yaml").read_bytes()
    assert moved == (arguments[0] == "migrate")
    for name, text in small.items():
        given = text.encode() if isinstance(text, str) else text
        assert (tmp_path / name).read_bytes() == given


@pytest.mark.parametrize(
    "text", ["resources: [[a\n", "resources: " + "[" * 100_000 + "]" * 100_000]
)
def test_kustomization_that_cannot_be_read(text: str, tmp_path: Path) -> None:
    """It is reported though it names no image, since it decides what is built."""
    write_tree(tmp_path, {"a/kustomization.yaml": text, "b/pod.yaml": POD})

    done = limited(tmp_path, "scan", "--format", "json", ".")

    found = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (3, b"")
    skipped = [(row["file"], row["reason"]) for row in found["skipped"]]
    assert skipped == [("a/kustomization.yaml", "unparsable")]
    assert images(found, "b/pod.yaml") == {"nginx:1.27"}
