"""Traces on disk: a release that was traced once is only proven the next time."""

from pathlib import Path

import pytest
from chart_cases import Case, case_names, describe
from msgspec.structs import replace

from imageshift.charts.override import Mapper, Overrider
from imageshift.charts.render import Renderer
from imageshift.charts.tracestore import TraceStore


@pytest.mark.parametrize("name", case_names())
def test_a_kept_trace_answers_the_same(
    name: str, mapper: Mapper, sdk: Renderer, tmp_path: Path
) -> None:
    """The second run gives the same overrides with one rendering, the proof."""
    case, store = Case(name), TraceStore(tmp_path)
    chart, release = case.chart(), case.release()
    first = Overrider(sdk, store).override(chart, release, mapper)

    second = Overrider(sdk, store).override(chart, release, mapper)

    assert describe(second) == describe(first) == case.expected()
    assert second.renders <= {"random": 3, "looked-at-later": 6}.get(name, 1)


def test_what_a_trace_depends_on(mapper: Mapper, sdk: Renderer, tmp_path: Path) -> None:
    """Other values, another name and another cluster version are other traces."""
    case, store = Case("whole"), TraceStore(tmp_path)
    releases = [
        case.release(),
        replace(case.release(), values={"image": "redis"}),
        replace(case.release(), name="other"),
        replace(case.release(), kube_version="v1.30.0"),
    ]

    for release in releases:
        Overrider(sdk, store).override(case.chart(), release, mapper)

    kept = list(tmp_path.iterdir())
    assert len(kept) == len(releases)
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}


def test_a_damaged_trace_is_none(mapper: Mapper, sdk: Renderer, tmp_path: Path) -> None:
    """What can't be read is traced anew."""
    case, store = Case("whole"), TraceStore(tmp_path)
    Overrider(sdk, store).override(case.chart(), case.release(), mapper)
    for path in tmp_path.iterdir():
        path.write_bytes(b"damaged")

    again = Overrider(sdk, store).override(case.chart(), case.release(), mapper)

    assert again.renders == 3
    assert describe(again) == case.expected()


def test_many_releases_of_one_chart(mapper: Mapper, sdk: Renderer) -> None:
    """What one release teaches about the chart spares the next its detours."""
    chart, release = Case("looked-at").chart(), Case("looked-at").release()
    overrider = Overrider(sdk)

    renders = [
        overrider.override(chart, replace(release, name=f"r{n}"), mapper).renders for n in range(3)
    ]

    assert renders == [4, 3, 3]
