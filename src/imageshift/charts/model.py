"""The values that the chart modules hand to each other, and their errors."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from imageshift.errors import ToolError
from imageshift.reference import name_length

__all__ = [
    "ChartError",
    "ChartSource",
    "ChartUnavailableError",
    "Field",
    "ObjectName",
    "Release",
    "RenderError",
    "RenderLimitError",
    "RenderOptions",
    "RenderTimeoutError",
    "RenderedImage",
    "Segment",
    "SourceKind",
    "ValuePath",
    "Values",
    "Way",
]

ValuePath = tuple[str | int, ...]
"""Keys and list positions from the top of a values tree."""

Values = Mapping[str, Any]
"""A values tree: what JSON can hold."""


class ChartError(ToolError):
    """A chart can't be found, read or rendered."""


class ChartUnavailableError(ChartError):
    """The chart isn't where the release says, or can't be reached."""


class RenderError(ChartError):
    """Helm refuses the chart with these values: a template fails, or its schema does."""


class RenderLimitError(RenderError):
    """Rendering was stopped because it used too much, or ended Helm's own process."""


class RenderTimeoutError(RenderLimitError):
    """Rendering took longer than allowed."""


class SourceKind(StrEnum):
    """Where a chart comes from."""

    HELM_HTTP = "helm-http"
    HELM_OCI = "helm-oci"
    LOCAL = "local"


class ChartSource(Struct, frozen=True, kw_only=True):
    """Where the chart of a release is to be found.

    `url` is the repository's (http) or the registry path that holds the chart (oci), `version`
    an exact version or a range; None means the newest. `path` is a folder or a .tgz (local),
    `root` the root of the repository that it is in, which its links may not leave; without one
    they stay in the folder.
    """

    kind: SourceKind
    name: str
    url: str = ""
    version: str | None = None
    path: Path | None = None
    root: Path | None = None

    def __str__(self) -> str:
        version = f" {self.version}" if self.version else ""
        if self.kind is SourceKind.LOCAL:
            return f"{self.path}"
        return f"{self.name}{version} from {self.url}"


class RenderOptions(Struct, frozen=True, kw_only=True):
    """What Helm is told in addition to the values; every revision but the first is an upgrade."""

    name: str
    namespace: str = "default"
    revision: int = 1
    kube_version: str | None = None
    api_versions: tuple[str, ...] = ()


class Release(Struct, frozen=True, kw_only=True):
    """A HelmRelease as far as rendering it goes.

    `values` are merged already (`charts.values.merge_release`); `values_files` are the chart's
    own files that take the place of its values.yaml, `values_texts` texts from elsewhere that
    do so, by their names; `post_renderers` is the list of the spec. Without `schemas` Helm doesn't
    check values.
    """

    name: str
    namespace: str
    source: ChartSource
    values: Values = field(default_factory=dict)
    values_files: tuple[str, ...] = ()
    values_texts: Mapping[str, bytes] = field(default_factory=dict)
    schemas: bool = True
    post_renderers: tuple[Values, ...] = ()
    kube_version: str | None = None
    api_versions: tuple[str, ...] = ()
    file: str = ""
    line: int = 1

    @property
    def options(self) -> RenderOptions:
        """The options of rendering it."""
        return RenderOptions(
            name=self.name,
            namespace=self.namespace,
            kube_version=self.kube_version,
            api_versions=self.api_versions,
        )


class Field(StrEnum):
    """What kind of place holds an image in a rendered object.

    kustomize's images transformer reaches `container` and `volume` alone (K5).
    """

    CONTAINER = "container"
    VOLUME = "volume"
    EPHEMERAL = "ephemeral"
    CUSTOM = "custom"
    EMBEDDED = "embedded"


class ObjectName(Struct, frozen=True):
    """Which rendered object: what a kustomize patch's target needs."""

    api_version: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


class Segment(Struct, frozen=True):
    """The part of an image's text, from `start` to `end`, that the value leaf `leaf` makes.

    `inner` is the part of the leaf's own text that arrives there. An empty one is the place
    where text put before a templated value would arrive.
    """

    start: int
    end: int
    leaf: ValuePath
    inner: tuple[int, int]


class RenderedImage(Struct, frozen=True):
    """One image in one rendered object, with the value leaves that spell it.

    `path` leads to the string `whole` in the object, `offset` is where the image begins in it
    (more than 0 in arguments and files). `hook` and `test` say which Helm hook the object is,
    `remade` that Argo CD recreates it instead of changing it.
    """

    text: str
    object: ObjectName
    path: ValuePath
    field: Field
    whole: str = ""
    offset: int = 0
    hook: bool = False
    test: bool = False
    remade: bool = False
    segments: tuple[Segment, ...] = ()
    template: str = ""

    @property
    def raw_name(self) -> str:
        """Its text less tag and digest: what kustomize's `images[].name` must equal (K1)."""
        return self.text[: name_length(self.text)]


class Way(StrEnum):
    """How a rendered image gets to its target."""

    UNCHANGED = "unchanged"
    VALUES = "values"
    POST_RENDERER = "post-renderer"
    PATCH = "patch"
    LEFT = "left"
