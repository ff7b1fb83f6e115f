"""The output of `kubectl get … -o json` as types: pods, their owners, and images on nodes."""

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from imageshift.errors import SourceError
from imageshift.lazy import lazy_re

__all__ = ["Container", "Item", "Owner", "Status", "Waiting", "read_items"]


class Owner(Struct, frozen=True, gc=False, rename="camel"):
    """What an object belongs to."""

    kind: str = ""
    name: str = ""
    api_version: str = ""
    controller: bool | None = None


class Metadata(Struct, frozen=True, rename="camel"):
    """An object's metadata, as far as it shows where the object comes from."""

    name: str = ""
    namespace: str = ""
    annotations: dict[str, str] | None = None
    labels: dict[str, str] | None = None
    owner_references: list[Owner] | None = None


class Container(Struct, frozen=True, gc=False, rename="camel"):
    """A container as it is specified."""

    name: str = ""
    image: str = ""


class Waiting(Struct, frozen=True, gc=False, rename="camel"):
    """Why a container doesn't run."""

    reason: str = ""
    message: str = ""


class _State(Struct, frozen=True, rename="camel"):
    waiting: Waiting | None = None


class ContainerStatus(Struct, frozen=True, rename="camel"):
    """A container's status."""

    name: str = ""
    image: str = ""
    state: _State | None = None


class _NodeImage(Struct, frozen=True, rename="camel"):
    names: list[str] | None = None


class Status(Struct, frozen=True, rename="camel"):
    """An object's status."""

    phase: str = ""
    container_statuses: list[ContainerStatus] | None = None
    init_container_statuses: list[ContainerStatus] | None = None
    ephemeral_container_statuses: list[ContainerStatus] | None = None
    images: list[_NodeImage] | None = None
    completion_time: str | None = None


class _Template(Struct, frozen=True, rename="camel"):
    metadata: Metadata = Metadata()
    spec: "_Spec | None" = None


class _JobTemplate(Struct, frozen=True, rename="camel"):
    spec: "_Spec | None" = None


class _Spec(Struct, frozen=True, rename="camel"):
    containers: list[Container] | None = None
    init_containers: list[Container] | None = None
    ephemeral_containers: list[Container] | None = None
    template: _Template | None = None
    job_template: _JobTemplate | None = None
    replicas: int | None = None


class Item(Struct, frozen=True, rename="camel"):
    """One object of a cluster."""

    kind: str = ""
    api_version: str = ""
    metadata: Metadata = Metadata()
    spec: _Spec | None = None
    status: Status | None = None

    @property
    def containers(self) -> Iterator[Container]:
        """The containers of a pod, or of the pods that an object makes."""
        spec = self.spec
        if spec is not None and spec.job_template is not None:
            spec = spec.job_template.spec
        if spec is not None and spec.template is not None:
            spec = spec.template.spec
        if spec is not None:
            for found in (spec.containers, spec.init_containers, spec.ephemeral_containers):
                yield from found or ()

    @property
    def owner(self) -> Owner | None:
        """What controls it."""
        found = self.metadata.owner_references or []
        return next((owner for owner in found if owner.controller), found[0] if found else None)

    @property
    def waiting(self) -> Iterator[tuple[ContainerStatus, Waiting]]:
        """The containers that don't run, and why."""
        status = self.status or Status()
        for found in (
            status.init_container_statuses,
            status.container_statuses,
            status.ephemeral_container_statuses,
        ):
            for one in found or ():
                if one.state is not None and one.state.waiting is not None:
                    yield one, one.state.waiting


class _File(Item, frozen=True):
    items: list[Item] | None = None


class _Raw(Struct, frozen=True, rename="camel"):
    kind: str = ""
    items: list[msgspec.Raw] | None = None


_FILE = msgspec.json.Decoder(_File)
_RAW = msgspec.json.Decoder(_Raw)
_ITEM = msgspec.json.Decoder(Item)
_LIST = lazy_re(r"(\w+)List\Z")


def read_items(content: bytes, name: str) -> tuple[list[Item], list[str]]:
    """The objects of a file, and what is wrong with those that can't be read.

    Raises:
        SourceError: it isn't JSON, or holds no objects.
    """
    data = _utf8(content, name)
    try:
        found, problems = _FILE.decode(data), list[str]()
    except msgspec.ValidationError:
        found, problems = _one_by_one(data, name)
    except (msgspec.DecodeError, RecursionError) as error:
        raise SourceError(f"{name}: it isn't JSON: {error}", reason="unparsable") from None
    if found.items is None:
        if not found.kind:
            raise SourceError(f"{name}: it contains no list of objects", reason="unparsable")
        return [found], problems
    kind = _LIST.match(found.kind)
    if kind is not None and kind[1]:
        items = [msgspec.structs.replace(i, kind=i.kind or kind[1]) for i in found.items]
        return items, problems
    return found.items, problems


def _utf8(content: bytes, name: str) -> bytes:
    """The text as UTF-8; PowerShell's `>` writes UTF-16."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return content.decode("utf-16").encode()
        except UnicodeError as error:
            raise SourceError(f"{name}: it isn't UTF-16: {error}", reason="not-utf8") from None
    return content.removeprefix(b"\xef\xbb\xbf")


def _one_by_one(data: bytes, name: str) -> tuple[_File, list[str]]:
    """The objects that have the shape of Kubernetes' own; the others as messages."""
    try:
        raw = _RAW.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise SourceError(f"{name}: it contains no objects: {error}", reason="unparsable") from None
    if raw.items is None:
        raise SourceError(f"{name}: it contains no list of objects", reason="unparsable")
    items: list[Item] = []
    problems: list[str] = []
    for number, part in enumerate(raw.items):
        try:
            items.append(_ITEM.decode(part))
        except (msgspec.DecodeError, RecursionError) as error:
            problems.append(f"{name}: $.items[{number}]: {error}")
    return _File(kind=raw.kind, items=items), problems
