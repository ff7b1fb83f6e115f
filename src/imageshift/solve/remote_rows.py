"""What a report has of bases that the tree doesn't have.

Without rendering, a base is one doubtful row at the place of its address: nobody has seen its
images. With it, the images that no `images:` entry reaches (fact K5) are rows of their own.
"""

from collections.abc import Callable, Iterable, Iterator

from msgspec.structs import replace

from imageshift.inventory import Index
from imageshift.links.model import RemoteBase
from imageshift.links.remote import is_left_out, remote_bases, remote_site
from imageshift.links.texts import is_transformed
from imageshift.rewrite import Change, Kept, Mapper, Move, Status, plan_site
from imageshift.sites import ImageSite, Part, Role, SkipReason

__all__ = ["RemoteRows", "remote_rows", "remote_stay"]

_UNSEEN = "a remote base, whose images haven't been read: --render fetches and builds it"
_COMPONENT = "a remote component, which can't be built on its own, so its images aren't found"


def remote_stay(base: RemoteBase, text: str, mapper: Mapper, detail: str) -> Change | Kept:
    """What is told of an image that no entry moves; `detail` is why, where a rule would move it."""
    site = remote_site(base, text)
    found = plan_site(site.doubtful(detail), mapper)
    if not isinstance(found, Kept) or found.status is not Status.DOUBTFUL:
        return found
    return replace(found, site=site, status=Status.SKIPPED, reason=SkipReason.CONFLICT)


class RemoteRows:
    """Results for remote bases that no entry has a part in, by file; it decides nothing else."""

    def __init__(self, rows: dict[str, list[Change | Kept]]) -> None:
        self._rows = rows
        self.moves: dict[str, frozenset[Move]] = {}

    def decided(self, site: ImageSite, file: str) -> None:
        """Nothing."""

    def tails(self, _site: ImageSite, _file: str) -> tuple[str, ...]:
        """None."""
        return ()

    def extra(self, file: str) -> list[Change | Kept]:
        """The rows of a file."""
        return self._rows.get(file, [])


def remote_rows(
    index: Index,
    mapper_of: Callable[[str], Mapper],
    sites: Callable[[RemoteBase], Iterable[ImageSite]] | None = None,
) -> RemoteRows:
    """The rows of a workspace; `sites` are those of a base's objects, where bases are rendered.

    Raises:
        ToolError: as `sites`.
    """
    rows: dict[str, list[Change | Kept]] = {}
    for found in index.kustomizations.values():
        for base in remote_bases(index, found):
            made = rows.setdefault(found.file, [])
            if sites is None or base.is_component or is_left_out(base):
                made.append(_unseen(base))
            else:
                made += _unreached(base, sites(base), mapper_of(found.file))
    return RemoteRows(rows)


def _unseen(base: RemoteBase) -> Kept:
    site = remote_site(base, base.address)
    site = replace(site, parts=(Part(Role.REFERENCE, base.scalar, base.path),))
    if is_left_out(base):
        return Kept(site, Status.SKIPPED, SkipReason.IGNORED, "imageshift: ignore")
    note = _COMPONENT if base.is_component else _UNSEEN
    return Kept(site.doubtful(note), Status.DOUBTFUL, detail=note)


def _unreached(
    base: RemoteBase, sites: Iterable[ImageSite], mapper: Mapper
) -> Iterator[Change | Kept]:
    """The images of a base that no entry reaches; they stay."""
    for site in sites:
        if not is_transformed(site):
            where = f"{site.resource.kind} {site.resource.name}, {'.'.join(map(str, site.path))}"
            told = remote_site(base, site.text).doubtful(f"only a patch reaches it ({where})")
            yield plan_site(replace(told, skip=site.skip, detail=site.detail), mapper)
