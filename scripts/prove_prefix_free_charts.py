"""Renders every chart of `PREFIX_FREE_CHARTS` that a folder holds, and says whether it still holds.

    python scripts/prove_prefix_free_charts.py FOLDER [--helm PROGRAM]

FOLDER holds chart folders at any depth of two, with their dependencies in `charts/`. A row holds
when a whole name in each of its paths comes out whole, and when the chart's own values have no
further image repository. Exit code 1 when a row doesn't hold or no chart of the table was found.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from imageshift.data.prefix_free_charts import PREFIX_FREE_CHARTS, PrefixFreeChart

PREFIX = "123456789012.dkr.ecr.eu-west-2.amazonaws.com/docker-hub/probe-"
_BESIDE = {"digest", "imagePullPolicy", "pullPolicy", "registry", "sha", "tag"}
_FOUND = re.compile(rf"(\S*?){re.escape(PREFIX)}(\d+)-end")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rendering said of a row.

    `prefixed` are the paths that came out with something before them, `absent` those that came
    out nowhere, `unlisted` the image repositories of which the row doesn't speak.
    """

    chart: str
    version: str
    prefixed: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()
    error: str = ""

    @property
    def holds(self) -> bool:
        """Whether nothing speaks against the row."""
        return not (self.prefixed or self.absent or self.unlisted or self.error)

    def __str__(self) -> str:
        """One line for a person."""
        if self.holds:
            return f"{self.chart} {self.version}: holds"
        parts = [
            f"{word} {', '.join(paths)}"
            for word, paths in (
                ("prefixed", self.prefixed),
                ("not rendered", self.absent),
                ("not listed", self.unlisted),
            )
            if paths
        ]
        return f"{self.chart} {self.version}: {'; '.join(parts) or self.error}"


def main(arguments: list[str] | None = None) -> int:
    """Print a line for each row, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--helm", default="helm")
    options = parser.parse_args(arguments)
    verdicts = []
    for row in PREFIX_FREE_CHARTS:
        charts = list(find_charts(row, options.folder))
        if not charts:
            print(f"{row.name}: not in the folder")
        for folder in charts:
            verdicts.append(prove(row, folder, options.helm))
            print(verdicts[-1], flush=True)
    failed = sum(not verdict.holds for verdict in verdicts)
    print(f"{len(verdicts)} charts rendered, {failed} failed")
    return 1 if failed or not verdicts else 0


def find_charts(row: PrefixFreeChart, folder: Path) -> Iterator[Path]:
    """Yield the folders of a row's chart; another owner's chart of the same name is none."""
    for file in sorted([*folder.glob("*/Chart.yaml"), *folder.glob("*/*/Chart.yaml")]):
        if _read(file).get("name") == row.name and is_own(row, file):
            yield file.parent


def is_own(row: PrefixFreeChart, chart_file: Path) -> bool:
    """Whether the chart has most of the row's paths by itself, and isn't Bitnami's of that name."""
    if "github.com/bitnami/charts" in chart_file.read_text(encoding="utf-8"):
        return False
    known = set(repositories(_read(chart_file.with_name("values.yaml"))))
    return not known or 2 * len(known.intersection(row.paths)) > len(row.paths)


def prove(row: PrefixFreeChart, folder: Path, helm: str = "helm") -> Verdict:
    """Render a chart with a whole name in each path and look what became of the names."""
    version = str(_read(folder / "Chart.yaml").get("version"))
    command = [helm, "template", "probe", str(folder), "--skip-schema-validation"]
    for setting in row.enable:
        command += ["--set", setting]
    for index, path in enumerate(row.paths):
        command += ["--set-string", f"{path}={PREFIX}{index}-end"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return Verdict(row.name, version, error=done.stderr.strip().partition("\n")[0])
    seen = [(before, int(number)) for before, number in _FOUND.findall(done.stdout)]
    prefixed = {number for before, number in seen if not is_whole(before)}
    absent = set(range(len(row.paths))) - {number for _, number in seen}
    own = set(repositories(_read(folder / "values.yaml")))
    return Verdict(
        chart=row.name,
        version=version,
        prefixed=tuple(row.paths[number] for number in sorted(prefixed)),
        absent=tuple(row.paths[number] for number in sorted(absent)),
        unlisted=tuple(sorted(own - set(row.paths))),
    )


def is_whole(before: str) -> bool:
    """Whether a name begins here: at a blank, a quote, or the value of a flag."""
    return before == "" or before[-1] in "\"'=:,"


def repositories(values: Mapping[str, Any], *at: str) -> Iterator[str]:
    """The dotted paths of `repository` in what looks like an image block."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from repositories(value, *at, str(key))
        elif key == "repository" and (_BESIDE & set(values) or _is_image(at)):
            yield ".".join((*at, "repository"))


def _is_image(at: tuple[str, ...]) -> bool:
    return any("image" in step.lower() for step in at)


def _read(file: Path) -> Mapping[str, Any]:
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    loaded = YAML(typ="safe").load(text)
    return loaded if isinstance(loaded, Mapping) else {}


if __name__ == "__main__":
    sys.exit(main())
