"""What a kustomization would read, found out before kustomize runs.

kustomize's own load restriction holds files to the folder of the kustomization that names them,
which is less than Flux allows, and says nothing of folders: a base may be anywhere. Here every
text of a kustomization that could be a path has to stay below the root, through links as well.
"""

import ipaddress
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct, field

from imageshift.errors import SourceError, ToolError
from imageshift.lazy import lazy_re
from imageshift.repo.read import read_file
from imageshift.source.tree import Mapping, Node, Scalar, Sequence, parse_events

__all__ = ["NAMES", "Survey", "refuse_address"]

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""What kustomize takes for a folder's kustomization."""

_LARGEST = 16 * 1024 * 1024
# In lower case: Go doesn't mind the case of a key.
_GENERATORS = {"configmapgenerator", "secretgenerator"}
_PLUGINS = {"generators", "transformers", "validators"}
# Keys of a kustomization under which nothing is a path.
# fmt: off
_NO_PATHS = frozenset((
    "apiVersion", "kind", "metadata", "namespace", "namePrefix", "nameSuffix", "commonLabels",
    "commonAnnotations", "labels", "annotations", "images", "replicas", "vars", "literals",
    "patch", "target", "targets", "source", "options", "generatorOptions", "buildMetadata",
    "sortOptions", "valuesInline", "repo",
))
# fmt: on
_TEXT_TAGS = {None, "!", "tag:yaml.org,2002:str"}
_ADDRESS = lazy_re(
    r"://|^git@|^[\w.-]+@[\w.-]+:|::|^gh:|^(?:github|gitlab|bitbucket)\.(?:com|org)[/:]"
    r"|[?&]ref=|\.git(?:[/?]|$)|^[\w-]+(?:\.[\w-]+)+[/:].*//"
)
_SCHEMES = {"https", "http", "ssh"}
_SHORT = lazy_re(r"(?:[\w.-]+@)?[A-Za-z0-9][\w.-]*[:/][^:\s]*")
_METADATA = {"metadata.google.internal", "metadata", "fd00:ec2::254", "100.100.100.200"}


class Survey(Struct):
    """Goes through all kustomizations that building a folder includes.

    Nothing may lie outside `root` and the folder itself. `is_free` says afterwards whether all
    paths are known, so that files anywhere below the root may be read; `remotes` are the
    addresses among the texts.
    """

    root: Path
    folder: Path
    is_free: bool = True
    remotes: list[str] = field(default_factory=list)
    _waiting: list[Path] = field(default_factory=list)
    _seen: set[Path] = field(default_factory=set)

    def make(self) -> None:
        """Looks at every kustomization.

        Raises:
            ToolError: a path leads outside, or a kustomization can't be read.
        """
        self.root, self.folder = self.root.resolve(), self.folder.resolve()
        self._add(self.folder)
        while self._waiting:
            folder = self._waiting.pop()
            for name in NAMES:
                if os.path.lexists(folder / name):
                    self._look_at(folder, name)

    def _add(self, folder: Path) -> None:
        if folder not in self._seen:
            self._seen.add(folder)
            self._waiting.append(folder)

    def _look_at(self, folder: Path, name: str) -> None:
        file = _File.read(self._inside(folder, name), self._shown(folder / name))
        for key, scalar in file.scalars():
            try:
                self._entry(folder, key.casefold(), scalar.value)
            except ToolError as error:
                raise ToolError(f"{file.place(scalar)}: {error}", hint=error.hint) from None

    def _entry(self, folder: Path, key: str, text: str) -> None:
        place = self._inside(folder, text)
        if key in _GENERATORS:
            for part in _behind_equals(text):
                self._inside(folder, part)
        if key in _PLUGINS:
            self.is_free = self.is_free and not self._plugin_leads_out(folder, place, text)
        if _is_dir(place):
            self._add(place)
        is_inline = "\n" in text or text.lstrip().startswith("{")
        if not is_inline and _ADDRESS.search(text) and ("://" in text or not _exists(place)):
            self.remotes.append(text)
            self.is_free = False

    def _plugin_leads_out(self, folder: Path, place: Path, text: str) -> bool:
        """Whether a plugin may read what is outside; what is built may be anything."""
        if _is_dir(place):
            return True
        if _exists(place):
            try:
                text = read_file(place, largest=_LARGEST).decode()
            except (SourceError, UnicodeDecodeError):
                return True
        return self._leads_out(folder, text)

    def _inside(self, folder: Path, text: str) -> Path:
        """Where a path leads as kustomize takes it: `..` is resolved before links are.

        Raises:
            ToolError: outside.
        """
        place = Path(os.path.normpath(folder / text))
        try:
            found, other = (Path(os.path.realpath(each)) for each in (place, folder / text))
        except (OSError, ValueError) as error:
            raise ToolError(f"not a path: {error}") from None
        for each in (place, found, other):
            if not any(each.is_relative_to(known) for known in (self.root, self.folder)):
                raise ToolError(f"{text[:200]} leads out of the root", hint=_HINT)
        return found

    def _shown(self, path: Path) -> str:
        for known in (self.root, self.folder):
            if path.is_relative_to(known):
                return path.relative_to(known).as_posix()
        return path.name

    def _leads_out(self, folder: Path, text: str) -> bool:
        """Whether a plugin's configuration may name what is outside the root."""
        try:
            found = [scalar.value for _, scalar in _File(text, "").scalars(skip=frozenset())]
            for value in found:
                for part in (value, *_behind_equals(value)):
                    self._inside(folder, part)
        except ToolError:
            return True
        return False


# No error for texts that no file can be named, unlike those of `Path`.
_is_dir, _exists = os.path.isdir, os.path.exists
_HINT = "kustomize may read only files that belong to the repository"


class _File(Struct, frozen=True):
    """A text of YAML, and how it is called."""

    text: str
    name: str

    @classmethod
    def read(cls, path: Path, name: str) -> "_File":
        try:
            return cls(read_file(path, largest=_LARGEST).decode(), name)
        except SourceError as error:
            raise ToolError(f"{name}: {error}") from None
        except UnicodeDecodeError:
            raise ToolError(f"{name}: it isn't UTF-8") from None

    def scalars(self, skip: frozenset[str] = _NO_PATHS) -> Iterator[tuple[str, Scalar]]:
        """The scalars that may be paths, each with the first key above it.

        Raises:
            ToolError: it is no YAML, or has a tag by which a text is another one.
        """
        try:
            roots = [root for root, _, _ in parse_events(self.text)]
        except SourceError as error:
            raise ToolError(f"{self.name}:{error.line or 1}:{error.column or 1}: {error}") from None
        seen: set[tuple[str, int]] = set()
        waiting: list[tuple[str, Node]] = [("", root) for root in roots if root is not None]
        while waiting:
            top, node = waiting.pop()
            if (top, id(node)) in seen:
                continue
            seen.add((top, id(node)))
            if isinstance(node, Scalar):
                if node.tag not in _TEXT_TAGS:
                    raise ToolError(f"{self.place(node)}: a tag in a kustomization: {node.tag}")
                yield top, node
            elif isinstance(node, Sequence):
                waiting += [(top, item) for item in node.items]
            elif isinstance(node, Mapping):
                waiting += list(_values(node, top, skip))

    def place(self, node: Node) -> str:
        """`file:line:column` of a node."""
        line = self.text.count("\n", 0, node.start) + 1
        column = node.start - self.text.rfind("\n", 0, node.start)
        return f"{self.name}:{line}:{column}"


def _values(node: Mapping, top: str, skip: frozenset[str]) -> Iterator[tuple[str, Node]]:
    """The values of all pairs as they are written, also those that another of the key hides."""
    for key, value in node.own:
        name = key.value if isinstance(key, Scalar) else ""
        if name not in skip:
            yield top or ("" if name == "<<" else name), value


def _behind_equals(text: str) -> Iterator[str]:
    """What follows the equals signs of a text, the path in `key=path` among it."""
    while "=" in text:
        text = text.partition("=")[2]
        yield text


def refuse_address(address: str) -> None:
    """Lets pass what Git fetches over HTTP(S) or SSH, or kustomize over HTTP(S).

    Raises:
        ToolError: it is something else, or the address of a machine's own metadata.
    """
    scheme = address.partition("://")[0].lower() if "://" in address else ""
    fits = scheme in _SCHEMES if scheme else _SHORT.fullmatch(address.partition("?")[0])
    if not fits or address.startswith("-") or "::" in address or not address.isprintable():
        raise ToolError(
            "it isn't fetched: remote bases are fetched over https, http or ssh only",
            hint="fetch it yourself into the repository",
        )
    host = _host(address if scheme else f"ssh://{address}")
    if host.startswith("-") or host in _METADATA or _is_link_local(host):
        raise ToolError(f"it isn't fetched: {host} isn't a host that may be contacted")


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return "-"


def _is_link_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_link_local
    except ValueError:
        return False
