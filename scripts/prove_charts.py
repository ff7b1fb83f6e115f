"""Traces, overrides and proves every chart of a folder, and prints a table of what came out.

    python scripts/prove_charts.py FOLDER [CHART...] [--values FOLDER] [--helm PROGRAM]
                                   [--compare PROGRAM] [--kustomize PROGRAM] [--markdown]

FOLDER holds chart folders or .tgz files named MAKER__CHART. VALUES holds MAKER__CHART.yaml
files with the values that a chart requires. Every image that has a rule must come from the
cache afterwards, in a rendering that is otherwise the one before. `--compare` times plain
`helm template` processes beside it; `--kustomize` lets real kustomize apply the entries and
patches, and looks at every image of what it builds. `--markdown` prints the table of
docs/charts.md: charts that have no image with a rule are left out.
"""

import argparse
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from imageshift.cache import ARTICLE_RULES, Mapped, Registry, Rule, RuleSet
from imageshift.charts.fetch.files import ChartFiles, load_chart
from imageshift.charts.model import ChartError, ChartSource, Release, SourceKind, Way
from imageshift.charts.plain import load_plain
from imageshift.charts.post_renderers.postrender import Patch
from imageshift.charts.releases.edits import apply_edits
from imageshift.charts.rendering.manifests import find_images, split_manifest
from imageshift.charts.rendering.render import BinaryRenderer, Renderer, SdkRenderer
from imageshift.charts.solving.override import Mapper, Override, override
from imageshift.errors import InvalidReferenceError

MORE = {
    "gcr.io": "gcr",
    "reg.kyverno.io": "kyverno",
    "oci.external-secrets.io": "eso",
    "cr.fluentbit.io": "fluentbit",
    "mcr.microsoft.com": "mcr",
    "nvcr.io": "nvcr",
    "cr.l5d.io": "linkerd",
    "registry.istio.io": "istio",
    "xpkg.crossplane.io": "crossplane",
    "docker.gitea.com": "gitea",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    chart: str
    version: str
    ways: Counter[Way]
    renders: int
    seconds: float
    note: str = ""
    plain: float = 0.0

    @property
    def images(self) -> int:
        """The images that have a rule."""
        return sum(self.ways.values()) - self.ways[Way.UNCHANGED]


def main() -> int:
    """The exit code: 1 when an image with a rule is left, or a proof fails."""
    options = _parse()
    mapper = _mapper(every=options.every)
    renderer: Renderer = BinaryRenderer(options.helm) if options.helm else SdkRenderer()
    rows = []
    for path in sorted(options.folder.iterdir()):
        if not options.charts or path.name in options.charts:
            row, result = _prove(path, options, mapper, renderer)
            rows.append(row)
            if not options.markdown:
                _print_row(row)
            if options.verbose and result is not None:
                _print_details(result)
    (_print_markdown if options.markdown else _print_sum)(rows)
    return int(any(row.note.startswith("FAIL") or row.ways[Way.LEFT] for row in rows))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("charts", nargs="*")
    parser.add_argument("--values", type=Path, default=None)
    parser.add_argument("--helm", default=None, help="the helm program instead of the SDK")
    parser.add_argument("--compare", default=None, help="a helm program to time beside the SDK")
    parser.add_argument("--kustomize", default=None, help="a kubectl program that proves the rest")
    parser.add_argument("--every", action="store_true", help="rules for more upstreams")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--markdown", action="store_true", help="print the table for the docs")
    return parser.parse_args()


def _mapper(*, every: bool) -> Mapper:
    rules = ARTICLE_RULES + tuple(Rule(host, prefix) for host, prefix in MORE.items() if every)
    ruleset = RuleSet(Registry.of("123456789012", "eu-west-2"), rules)

    def target(text: str) -> str | None:
        try:
            outcome = ruleset.map(ruleset.parse(text))
        except InvalidReferenceError:
            return None
        return outcome.target.normalized if isinstance(outcome, Mapped) else None

    return target


def _prove(
    path: Path, options: argparse.Namespace, mapper: Mapper, renderer: Renderer
) -> tuple[Row, Override | None]:
    chart = load_chart(path)
    release = _release(path, options.values)
    gc.collect()
    gc.disable()
    start = time.perf_counter()
    try:
        result = override(chart, release, mapper, renderer=renderer)
    except ChartError as error:
        message = str(error).splitlines()[0][:110]
        return Row(path.name, chart.version, Counter(), 0, 0.0, f"no render: {message}"), None
    finally:
        gc.enable()
    seconds = time.perf_counter() - start
    ways = Counter(outcome.way for outcome in result.outcomes)
    note = "gate" if result.gated else ""
    if options.kustomize and (wrong := _build(chart, release, result, mapper, options.kustomize)):
        note = f"FAIL kustomize leaves {wrong}"
    plain = _time_helm(chart, release, options.compare) if options.compare else 0.0
    return Row(path.name, chart.version, ways, result.renders, seconds, note, plain), result


def _release(path: Path, values: Path | None) -> Release:
    file = None if values is None else values / f"{path.name}.yaml"
    own = load_plain(file.read_text(), str(file)) if file and file.exists() else {}
    source = ChartSource(kind=SourceKind.LOCAL, name=path.name, path=path)
    return Release(name="rel", namespace="apps", source=source, values=own)


def _time_helm(chart: ChartFiles, release: Release, program: str) -> float:
    """The median time of a plain `helm template` process for the same release."""
    renderer = BinaryRenderer(program)
    times = []
    for _ in range(4):
        start = time.perf_counter()
        try:
            renderer.render(chart, release.values, release.options)
        except ChartError:
            return 0.0
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def _build(
    chart: ChartFiles, release: Release, result: Override, mapper: Mapper, program: str
) -> list[str]:
    """The images with a rule that are in what kustomize builds, other than those listed as left."""
    values = apply_edits(release.values, result.edits)
    manifests = SdkRenderer().render(chart, values, release.options)
    documents = [part for text in manifests.values() for part in split_manifest(text)]
    kustomization = {
        "resources": ["all.yaml"],
        "images": [{"name": e.name, "newName": e.new_name} for e in result.entries],
        "patches": [_patch(patch) for patch in result.patches],
    }
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "all.yaml").write_text("\n---\n".join(_distinct(documents)))
        Path(folder, "kustomization.yaml").write_text(json.dumps(kustomization))
        command = [program, "kustomize", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:  # a chart that kustomize can't read at all
        return [done.stderr.strip()[-160:]] if kustomization["images"] else []
    left = {outcome.image.text for outcome in result.outcomes if outcome.way is Way.LEFT}
    images = find_images({"built": done.stdout}, (), {}).images
    return [image.text for image in images if mapper(image.text) and image.text not in left]


def _distinct(documents: list[str]) -> list[str]:
    """The documents without twins and broken ones, which kustomize refuses."""
    found: dict[tuple[str, ...], str] = {}
    for document in documents:
        try:
            data = load_plain(document, "rendered")
        except ChartError as error:
            print(f"    {error}", file=sys.stderr)
            continue
        if not isinstance(data, dict):
            continue
        metadata = data.get("metadata") or {}
        key = (data.get("kind"), metadata.get("namespace"), metadata.get("name"))
        found.setdefault(tuple(map(str, key)), document)
    return list(found.values())


def _patch(patch: Patch) -> dict[str, object]:
    change = [{"op": "replace", "path": patch.pointer, "value": patch.value}]
    target = {"kind": patch.target.kind, "name": patch.target.name}
    return {"target": target, "patch": json.dumps(change)}


def _print_row(row: Row) -> None:
    shown = (Way.VALUES, Way.POST_RENDERER, Way.PATCH, Way.LEFT, Way.UNCHANGED)
    counts = [str(row.ways[way]) for way in shown]
    times = [str(row.renders), f"{row.seconds:.3f}", f"{row.plain:.3f}"]
    cells = [row.chart, row.version, str(row.images), *counts, *times, row.note]
    print(f"| {' | '.join(cells)} |", flush=True)


def _print_markdown(rows: list[Row]) -> None:
    """The table of docs/charts.md, and a sentence that sums it up."""
    done = [row for row in rows if row.images]
    print("| chart | version | images | by values | by post-renderer | left | renders | seconds |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    for row in done:
        posted = row.ways[Way.POST_RENDERER] + row.ways[Way.PATCH]
        counts = [row.images, row.ways[Way.VALUES], posted, row.ways[Way.LEFT], row.renders]
        chart = row.chart.replace("__", "/") + (f" ({row.note})" if row.note else "")
        cells = [chart, row.version, *map(str, counts), f"{row.seconds:.2f}"]
        print(f"| {' | '.join(cells)} |")
    makers = len({row.chart.partition("__")[0] for row in done})
    moved, share = _share(done)
    left = sum(row.ways[Way.LEFT] for row in done)
    images = sum(row.images for row in done)
    print(
        f"\n{len(done)} charts from {makers} publishers have {images} images, {left} of them left."
    )
    print(f"Of the {moved} images in charts without a gate, {share:.1f} % move through values.")


def _share(rows: list[Row]) -> tuple[int, float]:
    """How many images with a rule are in charts without the gate, and the share by values."""
    open_rows = [row for row in rows if row.note != "gate"]
    moved = sum(row.images for row in open_rows)
    by_values = sum(row.ways[Way.VALUES] for row in open_rows)
    return moved, 100 * by_values / moved if moved else 0.0


def _print_details(result: Override) -> None:
    for edit in result.edits:
        print(f"    {'.'.join(map(str, edit.path))}: {edit.old!r} -> {edit.value!r}")
    for entry in result.entries:
        print(f"    images: {entry}")
    for outcome in result.outcomes:
        if outcome.way is not Way.VALUES:
            image = outcome.image
            print(f"    {outcome.way}: {image.text} {image.object} {image.path} {outcome.reason}")
            print(f"        {[(s.start, s.end, s.leaf) for s in image.segments]}")


def _print_sum(rows: list[Row]) -> None:
    done = [row for row in rows if row.images]
    total = sum((row.ways for row in done), Counter[Way]())
    moved, share = _share(done)
    print(f"\n{len(done)} charts with images that have a rule, {len(rows)} in all: {dict(total)}")
    print(f"by values in charts without the gate: {share:.1f} % of {moved}")
    if done:
        print(f"median {statistics.median(row.renders for row in done):.0f} renders, ", end="")
        print(f"{statistics.median(row.seconds for row in done):.3f} s")
    ratios = [row.seconds / row.plain for row in done if row.plain]
    if ratios:
        print(f"median {statistics.median(ratios):.2f} plain helm template processes")


if __name__ == "__main__":
    sys.exit(main())
