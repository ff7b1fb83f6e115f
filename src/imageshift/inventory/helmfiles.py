"""What a helmfile names: files of values and of patches, its environments and what they say."""

from collections.abc import Iterator

from msgspec import Struct, field

from imageshift.inventory.objects import texts
from imageshift.inventory.readers import join, read_documents
from imageshift.repo.workspace import Workspace
from imageshift.sites.environments import (
    HelmfileFacts,
    environment_facts,
    environment_values,
)
from imageshift.sites.helmfile import patch_paths, values_files
from imageshift.source import Mapping, Scalar

__all__ = ["HelmfileFile", "read_helmfile"]

_DOUBT = "helmfile's templates may put it where a patch or transformer of a release meets it"


class HelmfileFile(Struct, kw_only=True):
    """A helmfile: `values_files` with whether their charts are prefix-free, `environment_files`."""

    facts: HelmfileFacts
    values_files: dict[str, bool] = field(default_factory=dict)
    patch_files: set[str] = field(default_factory=set)
    environment_files: tuple[str, ...] = ()


def read_helmfile(workspace: Workspace, file: str, *, patches: bool) -> HelmfileFile:
    """A helmfile with its `bases`; `patches` says that something may work behind its charts."""
    roots = [document.mapping for document in read_documents(workspace, file)]
    folder = file.rpartition("/")[0]
    bases = [root for each in roots for root in _roots(workspace, folder, texts(each, "bases"))]
    items = [item for root in (*roots, *bases) for item, _ in environment_values(root)]
    paths = [item.value for item in items if isinstance(item, Scalar) and not item.is_empty]
    values = [item for item in items if isinstance(item, Mapping)]
    values += _roots(workspace, folder, paths)
    facts = HelmfileFacts(environment_facts((*roots, *bases), values), _DOUBT if patches else None)
    found = HelmfileFile(facts=facts, environment_files=tuple(_joined(folder, paths)))
    for named in (each for root in roots for each in values_files(root, facts.texts)):
        found.values_files |= dict.fromkeys(_joined(folder, named.paths), named.prefix_free)
    for root in roots:
        found.patch_files.update(_joined(folder, patch_paths(root)))
    return found


def _joined(folder: str, paths: Iterator[str] | list[str] | tuple[str, ...]) -> Iterator[str]:
    return (name for path in paths if (name := join(folder, path)) is not None)


def _roots(workspace: Workspace, folder: str, paths: list[str]) -> Iterator[Mapping]:
    for name in _joined(folder, paths):
        yield from (document.mapping for document in read_documents(workspace, name))
