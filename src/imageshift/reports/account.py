"""The account: what happened to every text that names an image, and what wasn't understood.

A *row* is one text (an anchor that three places use is one), a *use* is one place that uses it, and
a *reference* is one image by its full name, tag and digest, however often it is named.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct, field

from imageshift.errors import InvalidReferenceError
from imageshift.inventory import FileSkip
from imageshift.reference import parse_reference
from imageshift.reports.words import counted
from imageshift.rewrite import Change, Kept, Status
from imageshift.sites import SkipReason

__all__ = ["Account", "rows_of"]


def rows_of(results: Iterable[Change | Kept]) -> list[tuple[Change | Kept, int]]:
    """The results of one file, each text once, with the number of places that use it."""
    found: dict[tuple[Any, ...], tuple[Change | Kept, int]] = {}
    for result in results:
        site = result.site
        key = (site.place, site.text, site.origin, result.status, result.reason)
        first, uses = found.get(key, (result, 0))
        found[key] = (first, uses + 1)
    return list(found.values())


class Account(Struct):
    """The counts. `brought` counts rows that are in no file, such as the images of charts.

    `charts_unread` is how many releases have charts whose defaults weren't read; `formats` has the
    files and the images of formats that aren't read.
    """

    moved: int = 0
    left: Counter[str] = field(default_factory=Counter)
    unclaimed: list[Kept] = field(default_factory=list)
    brought: int = 0
    uses: int = 0
    references: set[str] = field(default_factory=set)
    formats: dict[str, list[int]] = field(default_factory=dict)
    charts_unread: int = 0

    def add(self, result: Change | Kept, uses: int) -> None:
        """Counts one row."""
        self.uses += uses
        self.references.add(_reference(result))
        if not result.site.is_written:
            self.brought += 1
        elif result.status in {Status.REWRITE, Status.CACHED}:
            self.moved += 1
        elif isinstance(result, Kept) and result.reason is SkipReason.UNCLAIMED:
            self.unclaimed.append(result)
        else:
            self.left[(result.reason or result.status).value] += 1

    def add_skip(self, skip: FileSkip) -> None:
        """Counts a file in a format that isn't read."""
        if skip.reason is SkipReason.OTHER_FORMAT:
            files_images = self.formats.setdefault(skip.format, [0, 0])
            files_images[0] += 1
            files_images[1] += skip.images

    @property
    def named(self) -> int:
        """How many texts of the tree name an image."""
        return self.moved + self.left.total() + len(self.unclaimed)

    def sentence(self) -> str:
        """The line that every summary has."""
        left, unclaimed = self.left.total(), len(self.unclaimed)
        parts = f"{self.moved} cached or moving, {left} left with a reason, {unclaimed} unclaimed"
        text = f"{counted(self.named, 'image name')} in the tree: {parts}"
        files = sum(files for files, _ in self.formats.values())
        text += f"; {counted(files, 'file')} in other formats" if files else ""
        unread = counted(self.charts_unread, "release")
        return text + (f"; charts of {unread} not read" if self.charts_unread else "")

    def lines(self) -> Iterator[str]:
        """The whole account for people."""
        yield f"{self.named:>6} image names in the tree"
        yield f"{self.moved:>6}   cached or moving"
        yield f"{self.left.total():>6}   left with a reason"
        yield from (f"{count:>6}     {reason}" for reason, count in sorted(self.left.items()))
        yield f"{len(self.unclaimed):>6}   unclaimed"
        yield f"{self.brought:>6} more from charts, post-renderers and remote bases"
        if self.charts_unread:
            yield f"{self.charts_unread:>6} releases whose charts weren't read"
        yield f"{len(self.references):>6} references, in {counted(self.uses, 'use')}"
        for name, (files, images) in sorted(self.formats.items()):
            yield (
                f"{images:>6} more in {counted(files, 'file')} that imageshift doesn't read: {name}"
            )

    def data(self) -> dict[str, Any]:
        """The account as the published JSON schema has it."""
        return {
            "named": self.named,
            "moved": self.moved,
            "left": dict(sorted(self.left.items())),
            "unclaimed": len(self.unclaimed),
            "brought": self.brought,
            "charts_unread": self.charts_unread,
            "uses": self.uses,
            "references": len(self.references),
            "other_formats": [
                {"format": name, "files": files, "images": images}
                for name, (files, images) in sorted(self.formats.items())
            ],
        }


def _reference(result: Change | Kept) -> str:
    """The full name of a result's image; its text where that is none."""
    if result.before is not None:
        return result.before.normalized
    try:
        return parse_reference(result.site.text).normalized
    except InvalidReferenceError:
        return result.site.text
