"""The cases of tests/fixtures/cases, and what imageshift makes of each: migrated, again, and back.

A case is a folder with `before/` (the tree), `remote/` (charts that the tree only names; only the
judge has them) and `case.toml`:

- `about`: one sentence on what is at stake.
- `builds`: clusters, each a list of what is applied to it: files, or folders that are built.
- `mapped`: images that must come out mapped wherever they are delivered;
  `mapped_auto` only where charts are rendered. `Kind/name IMAGE` means that object's alone.
- `stays`, `stays_auto`: images that must stay, each with the reason that the report has to give.
- `become`: texts on the own registry, each with what has to be delivered for it.
- `ignore`: objects, as Kind/name, that carry values in a form of their own.
- `no_change`: files that must stay; `checked`: files in which `check FILE` finds nothing after.
- `listed`: images that the report must have, whatever becomes of them.
- `warnings`, `warnings_off`, `warnings_auto`: codes that the report must have; `no_warnings`:
  codes that it must not have.
- `late`: the images must be mapped too while the controllers still have the chart as it was.
- `refused`: builds that the tools refuse before anything is migrated.
- `exit`: the exit codes that `migrate` may have, if not 0.
- `bytes`: `revert --all` gives the bytes back; `no_revert`: there is no way back.
- `verifies`: `imageshift verify` finds both sides equal.
- `modes`: if not both; `arguments`: further ones for `migrate`.
"""

import functools
import json
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command_line import REGISTRY, Outcome, read_tree, run, write_tree

__all__ = ["NAMES", "Case", "Runs", "load_case", "runs_of", "verified"]

FOLDER = Path(__file__).parent.parent / "fixtures" / "cases"
NAMES = sorted(path.parent.name for path in FOLDER.glob("*/case.toml"))
_WITH_CHARTS = (b"HelmRelease", b"chart:", b"helmChart", b"releases:")


@dataclass(frozen=True, slots=True)
class Case:
    """One folder: its tree, the charts from elsewhere, and what is expected."""

    name: str
    tree: Mapping[str, bytes]
    remote: Mapping[str, bytes]
    facts: Mapping[str, Any]

    @property
    def modes(self) -> list[str]:
        """Return the modes of `--charts` that make a difference here."""
        has_charts = any(word in text for text in self.tree.values() for word in _WITH_CHARTS)
        found: list[str] = self.facts.get("modes", ["off", "auto"] if has_charts else ["off"])
        return found

    def clusters(self) -> list[list[str]]:
        """Return what is applied, a list for each cluster."""
        return [entry.split() for entry in self.facts["builds"]]

    def all_of(self, key: str, mode: str) -> list[str]:
        """Return a list of the case's for a mode."""
        return [*self.facts.get(key, []), *self.facts.get(f"{key}_{mode}", [])]


@dataclass(frozen=True, slots=True)
class Runs:
    """What imageshift made of a case in one mode."""

    first: Outcome
    after: dict[str, bytes]
    again: Mapping[str, bytes]
    back: Mapping[str, bytes]
    checks: Mapping[str, Outcome]

    @property
    def report(self) -> dict[str, Any]:
        """Return the JSON report of the first run; empty when it has none."""
        try:
            return self.first.report
        except json.JSONDecodeError:
            return {"images": [], "skipped": [], "warnings": []}


@functools.cache
def load_case(name: str) -> Case:
    """Return a case from the disk."""
    folder = FOLDER / name
    remote = read_tree(folder / "remote") if (folder / "remote").is_dir() else {}
    facts = tomllib.loads((folder / "case.toml").read_text("utf-8"))
    return Case(name, read_tree(folder / "before"), remote, facts)


@functools.cache
def runs_of(name: str, mode: str) -> Runs:
    """Return what a migration, a second one and `revert --all` make of a case."""
    case = load_case(name)
    more = [*REGISTRY, "--charts", mode, "--format", "json"]
    arguments = case.facts.get("arguments", [])
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "tree")
        write_tree(root, {**case.tree})
        (root / ".git").mkdir()
        first = run(root, "migrate", ".", *more, *arguments)
        after = read_tree(root)
        run(root, "migrate", ".", *more, *arguments)
        again = read_tree(root)
        write_tree(root, {**after})
        named = case.facts.get("checked", [])
        checks = {name: run(root, "check", name, *REGISTRY) for name in named}
        run(root, "revert", "--all", ".", *more)
        return Runs(first, after, again, read_tree(root), checks)


@functools.cache
def verified(name: str, mode: str) -> Outcome:
    """Return what `imageshift verify` says of a migrated case."""
    with tempfile.TemporaryDirectory() as folder:
        for state, tree in (("before", load_case(name).tree), ("after", runs_of(name, mode).after)):
            write_tree(Path(folder, state), {**tree})
            Path(folder, state, ".git").mkdir()
        base = ["--base", str(Path(folder, "before"))]
        return run(Path(folder, "after"), "verify", ".", *base, *REGISTRY)
