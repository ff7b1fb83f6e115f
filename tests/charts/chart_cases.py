"""The chart cases on disk: one folder each in fixtures/charts."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imageshift.charts.fetch.files import ChartFiles, load_chart
from imageshift.charts.model import ChartSource, Release, SourceKind, Way
from imageshift.charts.plain import load_plain
from imageshift.charts.solving.override import Override

HOST = "123456789012.dkr.ecr.eu-west-2.amazonaws.com"
CASES = Path(__file__).parent.parent / "fixtures" / "charts"


def case_names() -> list[str]:
    """Return the folders of fixtures/charts, one a case."""
    return sorted(path.name for path in CASES.iterdir() if path.is_dir())


@dataclass(frozen=True)
class Case:
    """A chart of our own with a release's values and what is expected of them."""

    name: str

    @property
    def folder(self) -> Path:
        """Return where it lies."""
        return CASES / self.name

    def chart(self) -> ChartFiles:
        """Return its chart."""
        return load_chart(self.folder / "chart")

    def release(self) -> Release:
        """Return its release."""
        values = load_plain((self.folder / "release.yaml").read_text(), self.name) or {}
        source = ChartSource(kind=SourceKind.LOCAL, name=self.name, path=self.folder / "chart")
        return Release(name="rel", namespace="apps", source=source, values=values)

    def expected(self) -> dict[str, Any]:
        """Return expected.json, with HOST spelled out."""
        text = (self.folder / "expected.json").read_text().replace("HOST/", f"{HOST}/")
        found: dict[str, Any] = json.loads(text)
        return found


def describe(result: Override) -> dict[str, Any]:
    """Return an override in the form of expected.json, without what is empty."""
    found: dict[str, Any] = {
        "edits": {".".join(map(str, edit.path)): edit.value for edit in result.edits},
        "entries": [
            f"{entry.name} -> {entry.new_name}"
            + (" (tests)" if entry.test_only else " (hooks)" if entry.hook_only else "")
            for entry in result.entries
        ],
        "patches": [f"{p.target} {p.pointer}: {p.value}" for p in result.patches],
        "left": [f"{o.image.text}: {o.reason}" for o in result.outcomes if o.way is Way.LEFT],
        "unchanged": [o.image.text for o in result.outcomes if o.way is Way.UNCHANGED],
    }
    return {key: value for key, value in found.items() if value}
