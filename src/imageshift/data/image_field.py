"""What one row of the custom-resource table says: where a kind of object keeps an image."""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

__all__ = ["Definition", "FieldShape", "ImageField"]


class FieldShape(StrEnum):
    """What a path of a custom resource leads to."""

    REFERENCE = "reference"
    """One string, a whole image reference."""

    NAME_WITHOUT_TAG = "name-without-tag"
    """One string that may lack its tag: the operator appends the field `ImageField.version`."""

    POD_SPEC = "pod-spec"
    """A mapping with containers, initContainers and volumes as in a Pod's `spec`."""

    POD_TEMPLATE = "pod-template"
    """A mapping with a Pod's `metadata` and `spec`."""

    CONTAINER = "container"
    """A mapping with `image`, and perhaps args and env, as in a container."""

    TEKTON = "tekton"
    """A spec of Tekton's: a task's, a pipeline's, a run's or a step action's."""

    OBJECT = "object"
    """A whole Kubernetes object that another one carries, or a text of such objects."""

    VALUES = "values"
    """Helm values, as a mapping or as text."""

    IMAGE_MAP = "image-map"
    """A mapping of `repository` (or `repo`) with `tag` (or `version`, `versionTag`, `imageTag`),
    perhaps `registry` and `digest` (or `hash`)."""

    REPOSITORY_IMAGE_VERSION = "repository-image-version"
    """A mapping where `repository` is host and namespace, `image` the name, `version` the tag
    or digest."""

    REGISTRY_REPOSITORY_NAME = "registry-repository-name"
    """A mapping where `registry` is the host, `repository` the namespace, `name` the last part,
    and `tag` the tag; each may be absent and then has the operator's default."""

    PREFIX = "prefix"
    """One string to which the operator adds a slash and each of `ImageField.images`, and perhaps
    the tag in `ImageField.version`."""

    OPENSHIFT_SOURCE = "openshift-source"
    """OpenShift's `from`: a mapping whose `name` is an image where its `kind` is DockerImage."""


class ImageField(Struct, frozen=True):
    """One field of a kind of custom resource that names an image.

    `path` is dotted, `[]` stands for each list item and `*` for each mapping value. `version` is
    the path of the separate field with the tag, for `NAME_WITHOUT_TAG`. A row that is not
    `certain` must only be listed: its `note` says what a rewrite could break. Of one that is
    `full_only` a name without a registry or without tag and digest may be something else, such as
    a machine's image. `images` are the names behind a `PREFIX`; a row that `needs` another field is
    certain only where that is set.
    """

    kind: str
    group: str
    path: str
    shape: FieldShape
    source: str
    note: str = ""
    version: str = ""
    certain: bool = True
    full_only: bool = False
    images: tuple[str, ...] = ()
    needs: str = ""


class Definition(Struct, frozen=True):
    """An API group and the public file (`owner/repository path`) that defines its kinds.

    Each method returns one row for every pair of kind (several are split by blanks) and path.
    """

    group: str
    source: str

    def of(
        self,
        shape: FieldShape,
        kinds: str,
        *paths: str,
        note: str = "",
        version: str = "",
        certain: bool = True,
        full_only: bool = False,
    ) -> tuple[ImageField, ...]:
        """Return rows of one shape."""
        return tuple(
            ImageField(
                kind, self.group, path, shape, self.source, note, version, certain, full_only
            )
            for kind in kinds.split()
            for path in paths
        )

    def references(self, kinds: str, *paths: str, note: str = "") -> tuple[ImageField, ...]:
        """Return rows of whole references."""
        return self.of(FieldShape.REFERENCE, kinds, *paths, note=note)

    def pod_specs(self, kinds: str, *paths: str) -> tuple[ImageField, ...]:
        """Return rows of Pod specs."""
        return self.of(FieldShape.POD_SPEC, kinds, *paths)

    def pod_templates(self, kinds: str, *paths: str) -> tuple[ImageField, ...]:
        """Return rows of Pod templates."""
        return self.of(FieldShape.POD_TEMPLATE, kinds, *paths)

    def containers(self, kinds: str, *paths: str) -> tuple[ImageField, ...]:
        """Return rows of containers."""
        return self.of(FieldShape.CONTAINER, kinds, *paths)

    def tekton_specs(self, kinds: str, *paths: str) -> tuple[ImageField, ...]:
        """Return rows of specs of Tekton's."""
        return self.of(FieldShape.TEKTON, kinds, *paths)

    def objects(self, kinds: str, *paths: str) -> tuple[ImageField, ...]:
        """Return rows of whole objects."""
        return self.of(FieldShape.OBJECT, kinds, *paths)

    def values(self, kinds: str, *paths: str) -> tuple[ImageField, ...]:
        """Return rows of Helm values."""
        return self.of(FieldShape.VALUES, kinds, *paths)

    def image_maps(self, kinds: str, *paths: str, note: str = "") -> tuple[ImageField, ...]:
        """Return rows of mappings with repository and tag."""
        return self.of(FieldShape.IMAGE_MAP, kinds, *paths, note=note)

    def prefixes(
        self,
        kinds: str,
        path: str,
        images: str,
        *,
        version: str = "",
        needs: str = "",
        note: str = "",
    ) -> tuple[ImageField, ...]:
        """Return rows of a prefix to which the names of some images are added."""
        rows = self.of(FieldShape.PREFIX, kinds, path, version=version, note=note)
        return tuple(replace(row, images=tuple(images.split()), needs=needs) for row in rows)
