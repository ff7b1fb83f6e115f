"""The verdict on a release: rendered before and after, and what differs recomputed."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from imageshift.cache import RuleSet
from imageshift.charts.model import ObjectName, RenderError, SourceKind
from imageshift.charts.values import merge, place
from imageshift.errors import ImageshiftError
from imageshift.verify.catalog import Lookup
from imageshift.verify.compare import Comparison, compare_objects
from imageshift.verify.judge import Judge
from imageshift.verify.model import (
    MISSING,
    DifferenceClass,
    ObjectDifference,
    Plain,
    Problem,
    UnitKey,
    Verdict,
    object_name,
)
from imageshift.verify.releases import FoundRelease, read_release
from imageshift.verify.render import ReleaseRenderer
from imageshift.verify.text import TextJudge

__all__ = ["ReleaseProver", "ReleaseSide"]


class Side(Protocol):
    """A release in one of the trees: what it is, where it is written, and how it is read."""

    @property
    def data(self) -> Plain:
        """The object that it is."""

    @property
    def place(self) -> str:
        """Where it is written."""

    @property
    def file(self) -> str:
        """The file in which it is written."""

    def said(self, error: ImageshiftError) -> str:
        """What an error says, with paths as the tree has them."""

    def read(self) -> FoundRelease:
        """The release with its chart's source and merged values.

        Raises:
            ChartError: they can't be found or read.
        """


class ReleaseSide(Struct, frozen=True):
    """A HelmRelease as one of the trees builds it; `place` is its file with the line."""

    data: Plain
    catalog: Lookup
    charts: Mapping[str, Path]
    place: str

    @property
    def file(self) -> str:
        """The file in which it is written."""
        file, colon, line = self.place.rpartition(":")
        return file if colon and line.isdigit() else self.place

    def said(self, error: ImageshiftError) -> str:
        """What an error says, with paths as the tree has them."""
        return str(error).replace(f"{self.catalog.tree.root}/", "")

    def read(self) -> FoundRelease:
        """The release with its chart's source and merged values.

        Raises:
            ChartError: they can't be found or read.
        """
        return read_release(self.data, self.catalog, self.charts, self.place)


class ReleaseProver(Struct, frozen=True):
    """Renders both sides of releases and compares them."""

    renderer: ReleaseRenderer

    def prove(
        self, key: UnitKey, before: Side, after: Side, rules: RuleSet, *, jobs: bool
    ) -> Verdict:
        """The verdict on one release; what fails before is a problem, after it is a finding."""
        verdict = Verdict(key=key, file=after.file)
        try:
            old = before.read()
            rendered = self.renderer.objects(old)
        except ImageshiftError as error:
            return replace(verdict, problem=Problem(before.place, before.said(error), error.hint))
        judge = Judge(TextJudge(rules), jobs=jobs or old.is_forced)
        try:
            new = _with_old_chart(old, after.read(), judge.texts)
            found = self.compare(old, new, judge, rendered)
        except ImageshiftError as error:
            return _broken(verdict, after.data, after.said(error))
        return replace(
            verdict,
            images=tuple(found.images),
            differences=tuple(found.differences),
            diffs=found.diffs(),
            objects=len(found.pairing.pairs) + len(found.pairing.renamed),
        )

    def compare(
        self, old: FoundRelease, new: FoundRelease, judge: Judge, rendered: list[Plain]
    ) -> Comparison:
        """The comparison of two sides; `rendered` are the objects of the old one.

        Raises:
            ImageshiftError: the new one can't be rendered.
        """
        made = rendered if self._is_same(old, new) else self.renderer.objects(new)
        following = self.renderer.jobs(new, revision=3)
        renewed = _names(rendered) - _names(made if following is None else following)
        found = compare_objects(rendered, made, replace(judge, renewed=renewed))
        self._explain(found, old, new)
        late = self._late(old, new)
        if late is not None and found.is_explained:
            # The new chart has no say in what the old one makes of the new release.
            early = compare_objects(rendered, self.renderer.objects(late), found.judge)
            self._explain(early, old, late)
            if not early.is_explained:
                early.differences = [
                    replace(each, reason=each.reason or _LATE) for each in early.differences
                ]
                return early
        return found

    def _late(self, old: FoundRelease, new: FoundRelease) -> FoundRelease | None:
        """The new release with the chart that Flux has built before, where that is another one.

        It keeps a chart from Git until the chart's version changes.
        """
        source = old.release.source
        if not new.upgrades or SourceKind.LOCAL not in {source.kind, new.release.source.kind}:
            return None
        release = replace(new.release, source=source, values_texts=old.release.values_texts)
        late = replace(new, release=release)
        return None if self._is_same(late, new) else late

    def _is_same(self, old: FoundRelease, new: FoundRelease) -> bool:
        """Whether both render alike, since all that goes into it is the same."""
        same = replace(new.release, source=old.release.source, file="", line=1)
        if same != replace(old.release, file="", line=1) or old.strategy != new.strategy:
            return False
        charts = [self.renderer.chart(side) for side in (old, new)]
        return old.schemas == new.schemas and charts[0].digest == charts[1].digest

    def _explain(self, found: Comparison, old: FoundRelease, new: FoundRelease) -> None:
        """Recomputes as long as something is left to explain."""
        if not found.is_explained:
            found.explain_noise(self.renderer.objects(old))
        if not found.is_explained:
            with suppress(RenderError):  # then nothing can be recomputed, and it stays unexplained
                found.explain_hashes(self._unmapped(found.judge, old, new))

    def _unmapped(self, judge: Judge, old: FoundRelease, new: FoundRelease) -> list[Plain]:
        """What after renders to with the images of before in its values.

        Only images go back: every other change of the values stays, so that a hash which
        follows from one of those doesn't become the old one.
        """
        was, now = (
            merge(self.renderer.chart(side).defaults, side.release.values) for side in (old, new)
        )
        origins = judge.origins(was, now)
        # Helm takes null as the absence of a value.
        changes = {path: None if v is MISSING else v for path, v in origins.items()}
        values = merge(new.release.values, place(now, changes))
        return self.renderer.objects(replace(new, schemas=False), values)


_LATE = (
    "with the chart that Flux has built before, which it keeps until the chart's version changes"
)


def _names(objects: list[Plain]) -> frozenset[ObjectName]:
    return frozenset(object_name(data) for data in objects if data.get("kind") == "Job")


def _with_old_chart(old: FoundRelease, new: FoundRelease, texts: TextJudge) -> FoundRelease:
    """The release of after; a chart whose source has moved into the cache is read upstream."""
    was, now = old.release.source, new.release.source
    moved = texts.is_moved(was.url.removeprefix("oci://"), now.url.removeprefix("oci://"))
    if not moved or was.version != now.version:
        return new
    return replace(new, release=replace(new.release, source=replace(now, url=was.url)))


def _broken(verdict: Verdict, data: Plain, message: str) -> Verdict:
    item = ObjectDifference(
        object_name(data),
        (),
        "rendered",
        "can't be rendered",
        DifferenceClass.UNEXPLAINED,
        f"no longer renders: {message}",
    )
    return replace(verdict, differences=(item,))
