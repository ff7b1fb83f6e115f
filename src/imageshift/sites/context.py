"""What a finder is told about the rest of the repository."""

from collections.abc import Callable
from collections.abc import Mapping as MappingType
from enum import Enum, auto

from msgspec import Struct, field

from imageshift.data.image_field import ImageField
from imageshift.sites.copied import Copied
from imageshift.sites.elements import ElementImage
from imageshift.sites.environments import HelmfileFacts
from imageshift.sites.keeps import Keep
from imageshift.sites.model import Resource
from imageshift.sites.rows import Rows
from imageshift.sites.tekton_values import TektonImages
from imageshift.sites.workflow_values import WorkflowImages

__all__ = ["FileRole", "FinderContext"]


class FileRole(Enum):
    """What another file makes of one that says nothing about itself."""

    OBJECTS = auto()
    KUSTOMIZATION = auto()
    VALUES = auto()
    PATCH = auto()
    ARGOCD_SOURCE = auto()
    TEMPLATE = auto()
    LITERAL_TEMPLATE = auto()
    CONFIG_DATA = auto()


def _unknown_source(_kind: str, _namespace: str, _name: str) -> str | None:
    return None


def _undefined(_resource: Resource) -> tuple[ImageField, ...]:
    return ()


class FinderContext(Struct, frozen=True):
    """Facts that one document can't hold, all optional.

    `source_url` gives the address of a Flux source by its kind, namespace and name;
    `values_maps` gives, by name, the keys of ConfigMaps that are Helm values, and whether their
    chart is prefix-free, `values_secrets` those of Secrets; `copied_keys` are names with keys of
    those whose text goes elsewhere, with what it becomes there and why; `rows` are the
    user's own image paths, and `defined` gives those that a CRD in the tree shows of a kind. With
    `move_unknown` a whole reference in a kind that nothing knows is likely, not doubtful.
    `helmfile` is what is known of the helmfile that it is, or whose values it holds, and `keeps`
    what the user says stays in the file; `elements` are images that an ApplicationSet's template
    takes from here, `data_key` is the ConfigMap and the key that a generator makes of the file;
    `tekton` and `workflows` have the parameters that are images of Tekton's tasks and pipelines,
    and of Argo's workflow templates. `unproven` says, by their offsets, which images stay since
    their move would deliver another one.
    """

    role: FileRole = FileRole.OBJECTS
    prefix_free: bool = False
    source_url: Callable[[str, str, str], str | None] = _unknown_source
    values_maps: MappingType[str, MappingType[str, bool]] = field(default_factory=dict)
    values_secrets: MappingType[str, MappingType[str, bool]] = field(default_factory=dict)
    copied_keys: MappingType[tuple[str, str], Copied] = field(default_factory=dict)
    rows: Rows = Rows()
    defined: Callable[[Resource], tuple[ImageField, ...]] = _undefined
    move_unknown: bool = False
    chart_sources: bool = False
    data_key: tuple[str, str] = ("", "")
    helmfile: HelmfileFacts = HelmfileFacts()
    keeps: tuple[Keep, ...] = ()
    elements: tuple[ElementImage, ...] = ()
    tekton: TektonImages = field(default_factory=dict)
    workflows: WorkflowImages = field(default_factory=dict)
    unproven: MappingType[int, str] = field(default_factory=dict)

    def copied(self, name: str, key: str, text: str) -> Copied | None:
        """What happens to a ConfigMap's or Secret's text; None where that is no image."""
        found = self.copied_keys.get((name, key))
        return found if found is not None and found.is_image(key, text) else None
