"""`keep:`: what an entry holds, and how entries get into a configuration's text."""

from pathlib import Path

import pytest

from command_line import REGISTRY, run, write_tree
from imageshift.config import KeepEntry
from imageshift.errors import SourceError
from imageshift.keeping import with_keeps
from imageshift.sites.keeps import path_steps, path_text

ENTRY = KeepEntry(
    reason="a Job: it's applied", file="/a.yaml", path="spec.image", image="ghcr.io/o/a"
)
ITEM = """\
file: /a.yaml
{0}path: spec.image
{0}image: ghcr.io/o/a
{0}reason: "a Job: it's applied"
"""
BLOCK = "  - " + ITEM.format("    ")

TEXTS = [
    ("account: '1'", f"account: '1'\n@keep:\n{BLOCK}"),
    ("", f"@keep:\n{BLOCK}"),
    ("# mine\naccount: '1'\n", f"# mine\naccount: '1'\n@keep:\n{BLOCK}"),
    (
        "keep:\n- file: b\n  reason: mine\nregion: x\n",
        "keep:\n- file: b\n  reason: mine\n- " + ITEM.format("  ") + "region: x\n",
    ),
]


@pytest.mark.parametrize(("before", "after"), TEXTS)
def test_entries_are_added(before: str, after: str) -> None:
    """They go to the end of the list, in its indent, or into a new one; the rest stays."""
    note = "# Images that only rendering leaves alone; `check FILE` and the hooks leave them too.\n"

    assert with_keeps(before, [ENTRY]) == after.replace("@", note)


@pytest.mark.parametrize("text", ["{account: '1'}\n", "keep: all\n", "keep: {}\n"])
def test_no_place_for_entries(text: str) -> None:
    """A configuration in another shape isn't written."""
    with pytest.raises(SourceError, match="nowhere to put"):
        with_keeps(text, [ENTRY])


@pytest.mark.parametrize("path", [(), ("a",), ("a.b", 0, "c\\d"), ("", "x")])
def test_paths_come_back(path: tuple[str | int, ...]) -> None:
    """What is written of a path is read as the same steps."""
    assert path_steps(path_text(path)) == tuple(map(str, path))


PODS = {
    "a/pod.yaml": b"""\
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers: [{name: one, image: nginx:1}, {name: two, image: "ghcr.io/o/two:1"}]
""",
}

KEEPS = [
    ("{file: a/, reason: ours}", ["nginx", "two"]),
    ("{file: /a/pod.yaml, reason: ours}", ["nginx", "two"]),
    ("{file: pod.yaml, path: spec.containers.1, reason: ours}", ["two"]),
    ("{image: docker.io/library/nginx, reason: ours}", ["nginx"]),
    ("{file: '*.yaml', image: 'ghcr.io/o/two', reason: ours}", ["two"]),
    ("{file: b.yaml, reason: ours}", []),
    ("{path: spec.containers.0, image: ghcr.io/o/two, reason: ours}", []),
]


@pytest.mark.parametrize(("entry", "kept"), KEEPS)
def test_what_an_entry_holds(entry: str, kept: list[str], tmp_path: Path) -> None:
    """By file, by path, by image, or all of them; the reason is told, and `check` counts them."""
    write_tree(tmp_path, {**PODS, ".imageshift.yaml": f"keep: [{entry}]\n".encode()})
    (tmp_path / ".git").mkdir()
    rows = run(tmp_path, "scan", ".", *REGISTRY, "--format", "json").report["images"]
    checked = run(tmp_path, "check", "a/pod.yaml", *REGISTRY)

    left = [row for row in rows if row["reason"] == "ignored"]
    assert [name for name in ("nginx", "two") if any(name in r["original"] for r in left)] == kept
    assert checked.code == (0 if len(kept) == len(rows) else 1)
    assert ("`keep:` leaves" in checked.stderr) == bool(kept)


BAD = [
    ("{reason: x}", "an entry needs `file` or `image`"),
    ("{file: a, reason: ''}", "the reason must say why"),
    ("{file: a}", "missing required field `reason`"),
]


@pytest.mark.parametrize(("entry", "message"), BAD)
def test_bad_entries(entry: str, message: str, tmp_path: Path) -> None:
    """An entry without a reason, or for nothing in particular, is an error with its place."""
    write_tree(tmp_path, {**PODS, ".imageshift.yaml": f"keep:\n  - {entry}\n".encode()})
    (tmp_path / ".git").mkdir()
    done = run(tmp_path, "scan", ".", *REGISTRY)

    assert done.code == 2
    assert ".imageshift.yaml:2:" in done.stderr
    assert message in done.stderr
