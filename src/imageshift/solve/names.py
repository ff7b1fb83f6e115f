"""Where names go, as the mapper says it, remembered; and one mapper for each file."""

from collections.abc import Callable

from imageshift.cache import Mapped
from imageshift.entry import split_image
from imageshift.errors import InvalidReferenceError
from imageshift.rewrite import Mapper

__all__ = ["NameMap", "NameMaps"]


class NameMap:
    """Names of images to the names that a mapper gives them."""

    def __init__(self, mapper: Mapper) -> None:
        self.mapper = mapper
        self._names: dict[str, str] = {}

    def name(self, name: str) -> str:
        """Where a name goes, a tag behind it kept (K12); the name itself when it stays."""
        found = self._names.get(name)
        if found is None:
            found = self._names[name] = self._mapped(name)
        return found

    def text(self, text: str) -> str:
        """A reference under its mapped name; the same where it stays."""
        return self.name(text)

    def full_text(self, text: str) -> str:
        """A reference under its mapped name in its full form."""
        moved = self.text(text)
        return moved if moved == text else self.normal(moved)

    def normal(self, name: str) -> str:
        """A name in its full form, a tag behind it kept; the name itself when it is none."""
        plain, tail = _split(name)
        try:
            return self.mapper.parse(plain).full_name + tail
        except InvalidReferenceError:
            return name

    def same(self, one: str, other: str) -> bool:
        """Whether two names are spellings of one."""
        return one == other or self.normal(one) == self.normal(other)

    def same_text(self, one: str, other: str) -> bool:
        """Whether two references are spellings of one."""
        names = split_image(one)[0], split_image(other)[0]
        rests = one[len(names[0]) :], other[len(names[1]) :]
        return rests[0] == rests[1] and self.same(*names)

    def _mapped(self, name: str) -> str:
        plain, tail = _split(name)
        try:
            outcome = self.mapper.map(self.mapper.parse(plain))
        except InvalidReferenceError:
            return name
        if not isinstance(outcome, Mapped):
            return name
        return self.mapper.whole_name(outcome.target) + tail


def _split(text: str) -> tuple[str, str]:
    """A name, and the tag and digest behind it."""
    name = split_image(text)[0]
    return name, text[len(name) :]


class NameMaps:
    """The name map of each file; files with one mapper share theirs."""

    def __init__(self, mapper_of: Callable[[str], Mapper]) -> None:
        self._mapper_of = mapper_of
        self._maps: dict[int, NameMap] = {}

    def of(self, file: str) -> NameMap:
        """The name map for what a file says."""
        mapper = self._mapper_of(file)
        found = self._maps.get(id(mapper))
        if found is None:
            found = self._maps[id(mapper)] = NameMap(mapper)
        return found
