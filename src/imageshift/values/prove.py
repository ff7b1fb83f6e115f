"""The proof of values: the chart rendered without and with them, by what `verify` compares with."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from imageshift.cache import RuleSet
from imageshift.charts.fetch.locate import Locator
from imageshift.charts.model import Release
from imageshift.charts.rendering.render import Renderer
from imageshift.charts.values import merge
from imageshift.values.find import ChartValues
from imageshift.verify.compare import Comparison
from imageshift.verify.judge import Judge
from imageshift.verify.kustomize import Kustomize
from imageshift.verify.prove_release import ReleaseProver
from imageshift.verify.releases import FoundRelease
from imageshift.verify.render import ReleaseRenderer
from imageshift.verify.text import TextJudge

__all__ = ["prove_values"]


def prove_values(
    found: ChartValues,
    rules: RuleSet,
    *,
    renderer: Renderer,
    locator: Locator,
    post_rendered: bool = False,
) -> Comparison:
    """What differs once the values are in force, with the post-renderers too where they're asked.

    Nothing is installed yet, so that Jobs may change.

    Raises:
        ImageshiftError: the chart can't be rendered, before or after.
    """
    own = merge(found.release.values, found.values)
    behind = found.renderers if post_rendered else ()
    old = _side(found.release)
    new = _side(replace(found.release, values=own, post_renderers=behind))
    render = ReleaseRenderer(locator, renderer, Kustomize.find)
    judge = Judge(TextJudge(rules), jobs=True)
    return ReleaseProver(render).compare(old, new, judge, render.objects(old))


def _side(release: Release) -> FoundRelease:
    data: Mapping[str, Any] = {}
    return FoundRelease(data, release, schemas=True, strategy="combined", is_forced=True)
