"""What a helmfile names: files of values and of patches, its environments and what they say.

helmfile fills its files as templates before it reads them as YAML, so many are no YAML as they
stand. Of those only what they name is read, and as if every branch of theirs were taken.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache

from msgspec import Struct, field

from imageshift.errors import SourceError
from imageshift.inventory.objects import texts
from imageshift.inventory.parsed import read_parsed
from imageshift.inventory.readers import join
from imageshift.lazy import lazy_re
from imageshift.repo.workspace import Workspace
from imageshift.sites.environments import (
    HelmfileFacts,
    environment_facts,
    environment_values,
)
from imageshift.sites.helmfile import is_plain, patch_paths, values_files
from imageshift.source import Document, Mapping, Scalar, SourceText, split_documents

__all__ = [
    "HelmfileFile",
    "helmfile_documents",
    "read_helmfile",
    "templated_releases",
    "unfilled_documents",
]

_ACTION = r"\{\{(?:[^{}]|\{(?!\{)|\}(?!\}))*+\}\}"
_CONTROL = lazy_re(rf"^[ \t]*(?:{_ACTION}[ \t]*)+\r?$", re.MULTILINE)
_UNQUOTED = lazy_re(
    r"""^(?P<head>[ \t]*+(?:-[ \t]++)*+(?:[\w.-]++:[ \t]++)?+)"""
    r"""(?P<text>[^\s"'|>#&*][^\r\n]*)\r?$""",
    re.MULTILINE,
)
_NOTE = lazy_re(r"(?<![ \t])[ \t]++#")
_DOUBT = "helmfile's templates may put it where a release's patch or transformer changes it"


class HelmfileFile(Struct, kw_only=True):
    """A helmfile: `values_files` with whether their charts are prefix-free, `environment_files`."""

    facts: HelmfileFacts
    values_files: dict[str, bool] = field(default_factory=dict)
    patch_files: set[str] = field(default_factory=set)
    environment_files: tuple[str, ...] = ()


def read_helmfile(workspace: Workspace, file: str, *, patches: bool) -> HelmfileFile:
    """A helmfile with its `bases`; `patches` says that something may work behind its charts."""
    roots = [document.mapping for document in helmfile_documents(workspace, file)]
    folder = file.rpartition("/")[0]
    bases = [root for each in roots for root in _roots(workspace, folder, texts(each, "bases"))]
    items = [item for root in (*roots, *bases) for item, _ in environment_values(root)]
    paths = [item.value for item in items if isinstance(item, Scalar) and not item.is_empty]
    values = [item for item in items if isinstance(item, Mapping)]
    values += _roots(workspace, folder, paths)
    facts = HelmfileFacts(environment_facts((*roots, *bases), values), _DOUBT if patches else None)
    found = HelmfileFile(facts=facts, environment_files=tuple(_joined(workspace, folder, paths)))
    for named in (each for root in roots for each in values_files(root, facts.texts)):
        found.values_files |= dict.fromkeys(
            _joined(workspace, folder, named.paths), named.prefix_free
        )
    for root in roots:
        found.patch_files.update(_joined(workspace, folder, patch_paths(root)))
    return found


def helmfile_documents(workspace: Workspace, file: str) -> Iterator[Document]:
    """The documents of a helmfile; where a template makes one, what that says without filling.

    Nothing in such a document stands where the file has it, so no edit may rest on its places.
    """
    return (document for document, _ in _read(workspace, file))


def templated_releases(workspace: Workspace, file: str) -> Iterator[Mapping]:
    """The releases of a helmfile over which a template decides, so that nobody renders them."""
    for document, is_template in _read(workspace, file):
        for item in document.mapping.items("releases"):
            if isinstance(item, Mapping) and (is_template or not is_plain(document, item)):
                yield item


def _read(workspace: Workspace, file: str) -> Iterator[tuple[Document, bool]]:
    """The documents of a helmfile, with whether a template makes them."""
    try:
        chunks = read_parsed(file, workspace.read(file)).chunks
    except SourceError:
        return
    for chunk in chunks:
        try:
            yield from ((document, False) for document in chunk.documents())
        except SourceError as error:
            if error.reason == "template":
                yield from ((document, True) for document in unfilled_documents(chunk.text))


@lru_cache(maxsize=512)
def unfilled_documents(text: str) -> tuple[Document, ...]:
    """A template read without its control lines, and with its other actions as texts.

    Lines stay where they are, columns don't.
    """
    plain = SourceText(_UNQUOTED.sub(_quoted, _CONTROL.sub("", text)))
    with suppress(SourceError):
        return tuple(found for chunk in split_documents(plain) for found in chunk.documents())
    return ()


def _quoted(line: re.Match[str]) -> str:
    text = line["text"]
    if "{{" not in text:
        return line[0]
    note = _NOTE.search(text, max(text.rfind("{"), text.rfind("}")) + 1)
    inner = (text if note is None else text[: note.start()]).replace("'", "''")
    return f"{line['head']}'{inner}'"


def _joined(workspace: Workspace, folder: str, paths: Iterable[str]) -> Iterator[str]:
    """The files that paths below a folder name; helmfile follows links."""
    found = (join(folder, path) for path in paths)
    return (workspace.behind_link(name) for name in found if name is not None)


def _roots(workspace: Workspace, folder: str, paths: list[str]) -> Iterator[Mapping]:
    for name in _joined(workspace, folder, paths):
        yield from (document.mapping for document in helmfile_documents(workspace, name))
