"""Rendered texts: their objects, and the images in them with the leaves that spell them."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from msgspec import Struct

from imageshift.charts.model import (
    Field,
    ObjectName,
    RenderedImage,
    RenderError,
    Segment,
    ValuePath,
)
from imageshift.charts.rendering.markers import Candidate, has_marks, read_marks
from imageshift.data.image_field import FieldShape
from imageshift.errors import InvalidReferenceError, SourceError
from imageshift.inventory import is_definition
from imageshift.lazy import lazy_re
from imageshift.reference import DOCKER_HUB, has_host, parse_reference
from imageshift.sites.rows import built_in_rows
from imageshift.sites.sync_options import remakes_jobs, sync_options
from imageshift.source import tree

__all__ = [
    "Found",
    "clash",
    "find_images",
    "kind_and_name",
    "metadata_of",
    "split_manifest",
    "unbuildable",
]

_SPLIT = lazy_re(r"^---(?=[\s#]|\Z)", re.MULTILINE)
_CONTENT = lazy_re(r"^[ \t]*[^\s#]", re.MULTILINE)
_IMAGE = lazy_re(r"[iI]mage\w{0,32}[\"']?:|\"image\"")
_WORD = lazy_re(r"[A-Za-z0-9._/:@-]")
_OPTION = lazy_re(r"--?[A-Za-z][\w.-]*=")
_LAST_WORDS = lazy_re(r"images?[_.-]?(?:name|repo|repository|ref|reference)?[^a-z0-9]*\Z")
_PLACEHOLDER = "auto"
"""What Istio's injector replaces (X12)."""

_VERSION = lazy_re(r"^apiVersion: *[\"']?([^\s\"']+)", re.MULTILINE)
_KIND = lazy_re(r"^kind: *[\"']?([^\s\"']+)", re.MULTILINE)
_METADATA = lazy_re(r"^metadata: *\n((?:#.*\n|\s*\n)*( +)\S.*\n(?:\2.*\n?|\s*\n)*)", re.MULTILINE)
_FLOW_METADATA = lazy_re(r"^metadata: *\{([^{}]*)", re.MULTILINE)
_FLOW_PAIR = lazy_re(r"(?<![\w-])([\w-]++): *+([^,{}]{1,1024}+)(?=,|\Z)")

_CONTAINERS = {
    "containers": Field.CONTAINER,
    "initContainers": Field.CONTAINER,
    "ephemeralContainers": Field.EPHEMERAL,
}
_SCALARS = frozenset({FieldShape.REFERENCE, FieldShape.NAME_WITHOUT_TAG})


class Found(Struct, frozen=True):
    """What the marked manifests hold: images, and leaves that reach something else (leaks)."""

    images: tuple[RenderedImage, ...]
    leaks: frozenset[Candidate]


def split_manifest(text: str) -> list[str]:
    """The documents of a rendered template that hold more than comments."""
    return [part for part in _SPLIT.split(text) if _CONTENT.search(part)]


def find_images(
    manifests: Mapping[str, str], candidates: Sequence[Candidate], values: Mapping[Candidate, str]
) -> Found:
    """The images in marked manifests; candidate number n carries the mark n.

    `values` are the candidates' own texts. Custom resource definitions hold no images.

    Raises:
        RenderError: a document that may hold an image is no YAML, as Helm says in a cluster.
    """
    images: list[RenderedImage] = []
    leaks: set[Candidate] = set()
    for template, text in manifests.items():
        if not has_marks(text) and not _IMAGE.search(text):
            continue
        for part in split_manifest(text):
            if _is_relevant(part):
                reader = _Reader(candidates, values, template)
                reader.read(part)
                images += reader.images
                leaks |= reader.leaks
    return Found(tuple(images), frozenset(leaks))


def _is_relevant(document: str) -> bool:
    if has_marks(document):
        return True
    return _IMAGE.search(document) is not None and not is_definition(document)


def clash(manifests: Mapping[str, str]) -> str | None:
    """Why kustomize refuses what a chart renders (K13): twins, or objects without a name."""
    seen: set[tuple[str, ...]] = set()
    for text in manifests.values():
        for part in split_manifest(text):
            found = _identity(read_marks(part)[0])
            if found is None:
                continue
            _, kind, _, name = found
            if not name:
                return f"a {kind} without a name"
            if found in seen:
                return f"two objects {kind}/{name}"
            seen.add(found)
    return None


def unbuildable(documents: Iterable[str], *, images: bool = False) -> str | None:
    """Why kustomize refuses documents that Helm takes (K13), with `images` if it has entries (K5).

    Raises:
        SourceError: one is no YAML.
    """
    for root in (root for each in documents for root, _, _ in tree.parse_events(each)):
        maps = [node for node in tree.walk(root) if isinstance(node, tree.Mapping)]
        found = next(filter(None, map(_repeated, maps)), None)
        if found is None and images and isinstance(root, tree.Mapping):
            found = _impassable(root, maps)
        if found is not None:
            return found
    return None


def _repeated(node: tree.Mapping) -> str | None:
    seen: set[str] = set()
    for name in (key.value for key, _ in node.own if isinstance(key, tree.Scalar)):
        if name in seen:
            return f"a map that has the key {name} twice"
        seen.add(name)
    return None


def _impassable(root: tree.Mapping, maps: Iterable[tree.Mapping]) -> str | None:
    """What entries of `images:` can't pass: texts where pods have containers or volumes."""
    spec = root.mapping("spec")
    template = None if spec is None else spec.mapping("template")
    pods = (spec, None if template is None else template.mapping("spec"))
    found = [(each, name) for each in maps for name in ("containers", "initContainers")]
    for holder, name in (*found, *((pod, "volumes") for pod in pods if pod is not None)):
        listed = holder.get(name)
        items = listed.items if isinstance(listed, tree.Sequence) else ()
        if any(isinstance(item, tree.Scalar) for item in items):
            return f"a {root.text('kind')} whose {name} are strings"
    return None


def kind_and_name(document: str) -> tuple[str, str]:
    """The kind and the name of a rendered object, as far as they are written plainly."""
    kind = _KIND.search(document)
    return "" if kind is None else kind[1], metadata_of(document).get("name", "")


def _identity(document: str) -> tuple[str, str, str, str] | None:
    """apiVersion, kind, namespace and name; None for a list, which is many objects."""
    version, kind = (pattern.search(document) for pattern in (_VERSION, _KIND))
    if kind is None or version is None or kind[1].endswith("List"):
        return None
    metadata = metadata_of(document)
    generated = metadata.get("generateName", "")
    return version[1], kind[1], metadata.get("namespace", ""), metadata.get("name", generated)


def metadata_of(document: str) -> dict[str, str]:
    """The plain texts right below `metadata`, by the indent of its first line; flow style too."""
    document = document.replace("\r\n", "\n")
    found = _METADATA.search(document + "\n")
    if found is None:
        flow = _FLOW_METADATA.search(document)
        pairs = _FLOW_PAIR.findall(flow[1]) if flow is not None else []
    else:
        pairs = re.findall(rf"^{found[2]}([\w-]+): *(\S+)", found[1], re.MULTILINE)
    return {key: value.strip(" ").strip("\"'") for key, value in reversed(pairs)}


class _Reader:
    """Reads the images of one document."""

    def __init__(
        self, candidates: Sequence[Candidate], values: Mapping[Candidate, str], template: str
    ) -> None:
        self.images: list[RenderedImage] = []
        self.leaks: set[Candidate] = set()
        self._candidates = candidates
        self._values = values
        self._template = template
        self._object = ObjectName("", "", "", "")
        self._hooks: tuple[str, ...] = ()
        self._remade = False

    def read(self, document: str) -> None:
        try:
            roots = [root for root, _, _ in tree.parse_events(document)]
        except SourceError as error:
            raise RenderError(f"{self._template} renders invalid YAML: {error}") from None
        for root in roots:
            for item in _objects(root):
                self._read_object(item)

    def _read_object(self, root: tree.Mapping) -> None:
        metadata = root.mapping("metadata")
        annotations = None if metadata is None else metadata.mapping("annotations")
        hooks = None if annotations is None else annotations.text("helm.sh/hook")
        self._hooks = tuple((hooks or "").replace(" ", "").split(",")) if hooks else ()
        self._remade = annotations is not None and _is_remade(annotations)
        self._object = ObjectName(
            root.text("apiVersion") or "",
            root.text("kind") or "",
            read_marks((metadata and metadata.text("namespace")) or "")[0],
            read_marks((metadata and metadata.text("name")) or "")[0],
        )
        group = self._object.api_version.partition("/")[0]
        custom = _custom_fields(group, self._object.kind)
        for place in _strings(root, (), ""):
            if custom is not None and custom.fullmatch(".".join(map(str, place.path))):
                self._read_field(place, Field.CUSTOM)
            elif place.field is not None:
                self._read_field(place, place.field)
            elif has_marks(place.text):
                self._read_marked(place)
            else:
                self._read_written(place)

    def _read_field(self, place: "_Place", field: Field) -> None:
        plain, marks = read_marks(place.text)
        if plain.strip() != _PLACEHOLDER:
            self._add(plain, (0, len(plain)), marks, place.path, field)

    def _read_marked(self, place: "_Place") -> None:
        plain, marks = read_marks(place.text)
        while marks:
            start, end = _token(plain, marks[0][0])
            inside = [mark for mark in marks if start <= mark[0] <= end]
            marks = [mark for mark in marks if mark not in inside]
            sure = any(self._candidates[number].says_image for _, number in inside)
            if _is_image(plain, start, end, place.says, sure=sure):
                self._add(plain, (start, end), inside, place.path, Field.EMBEDDED)
            else:
                self.leaks |= {self._candidates[number] for _, number in inside}

    def _read_written(self, place: "_Place") -> None:
        """The image that a template itself writes behind a flag or in a variable that says so."""
        option = _OPTION.match(place.text)
        if option is None and not place.is_option:
            return
        span = (0 if option is None else option.end()), len(place.text)
        named = has_host(place.text[span[0] :]) and _is_named(place.text, *span, place.says)
        if named and _is_image(place.text, *span, place.says, sure=False):
            self._add(place.text, span, [], place.path, Field.EMBEDDED)

    def _add(
        self,
        whole: str,
        span: tuple[int, int],
        marks: list[tuple[int, int]],
        path: ValuePath,
        field: Field,
    ) -> None:
        offset, end = span
        text = whole[offset:end]
        segments = []
        for position, number in marks:
            candidate = self._candidates[number]
            value = self._values[candidate]
            start = position - offset
            if text.startswith(value, start):
                inner = (candidate.start, candidate.end)
                segments.append(Segment(start, start + len(value), candidate.leaf, inner))
            else:
                self.leaks.add(candidate)
        self.images.append(
            RenderedImage(
                text=text,
                object=self._object,
                path=path,
                field=field,
                whole=whole,
                offset=offset,
                hook=bool(self._hooks),
                test=any(hook.startswith("test") for hook in self._hooks),
                remade=self._remade,
                segments=tuple(segments),
                template=self._template,
            )
        )


@cache
def _custom_fields(group: str, kind: str) -> re.Pattern[str] | None:
    """The paths at which a kind of custom resource keeps whole images, as dotted texts."""
    rows = built_in_rows().by_kind.get(kind, ())
    paths = [
        re.escape(row.path).replace(r"\[\]", r"\.\d+").replace(r"\*", r"[^.]+")
        for row in rows
        if row.group == group and row.shape in _SCALARS and row.certain and not row.full_only
    ]
    return re.compile("|".join(paths)) if paths else None


def _is_remade(annotations: tree.Mapping) -> bool:
    """Whether Argo CD deletes and creates an object, as a hook or by its sync options."""
    hook = annotations.text("argocd.argoproj.io/hook")
    return hook is not None or remakes_jobs(sync_options(annotations))


def _objects(root: tree.Root) -> Iterator[tree.Mapping]:
    if not isinstance(root, tree.Mapping):
        return
    if (root.text("kind") or "").endswith("List") and isinstance(root.get("items"), tree.Sequence):
        for item in root.items("items"):
            yield from _objects(item)
    else:
        yield root


class _Place(NamedTuple):
    """A string of an object; `says` names it: its key, or the flag or variable it is for."""

    path: ValuePath
    text: str
    says: str
    field: Field | None = None

    @property
    def is_option(self) -> bool:
        """Whether it is the value of a flag or of a variable."""
        return self.says.startswith("-") or (self.path[-1:] == ("value",) and self.says != "value")


def _strings(
    node: tree.Node, path: ValuePath, says: str, field: Field | None = None
) -> Iterator[_Place]:
    """Every scalar (keys too, so that a mark in one is seen) and the field it certainly is."""
    if isinstance(node, tree.Scalar):
        yield _Place(path, node.value, says, field)
    elif isinstance(node, tree.Sequence):
        flag = says
        for index, item in enumerate(node.items):
            yield from _strings(item, (*path, index), flag)
            flag = item.value if isinstance(item, tree.Scalar) and _is_flag(item.value) else says
    elif isinstance(node, tree.Mapping):
        for key, value in node.pairs():
            if has_marks(key.value):
                yield _Place((*path, key.value), key.value, "")
            below = (*path, key.value)
            word = node.text("name") if key.value == "value" else None
            yield from _strings(value, below, word or key.value, _field_of(below, value))


def _is_flag(text: str) -> bool:
    return text.startswith("-") and "=" not in text and " " not in text


def _field_of(path: ValuePath, value: tree.Node) -> Field | None:
    if not isinstance(value, tree.Scalar) or value.is_empty:
        return None
    if len(path) > 2 and path[-1] == "image" and isinstance(path[-2], int):  # noqa: PLR2004
        return _CONTAINERS.get(str(path[-3]))
    if path[-2:] == ("image", "reference") and len(path) > 3 and path[-4] == "volumes":  # noqa: PLR2004
        return Field.VOLUME
    return None


def _token(text: str, position: int) -> tuple[int, int]:
    start = end = position
    while start > 0 and _WORD.match(text[start - 1]):
        start -= 1
    while end < len(text) and _WORD.match(text[end]):
        end += 1
    while end > start and text[end - 1] in ".:/@-":
        end -= 1
    return start, end


def _is_image(text: str, start: int, end: int, says: str, *, sure: bool) -> bool:
    token = text[start:end]
    if "://" in token or not token:
        return False
    try:
        reference = parse_reference(token)
    except InvalidReferenceError:
        return False
    tagged = bool(reference.identifier)
    if "/" not in token and not tagged:
        return False
    if _is_named(text, start, end, says):
        # `IMAGE_MODEL` is named after images, but what it holds is no image.
        return tagged or has_host(token) or _is_image_name(text, start, end, says)
    if not tagged and (reference.registry == DOCKER_HUB or not sure):
        return False
    return "/" in token and (has_host(token) or tagged)


def _is_named(text: str, start: int, end: int, says: str) -> bool:
    """Whether what names the text, or stands before it in the line, says that it is an image."""
    words = _naming(text, start, end, says)
    return "image" in words and "regist" not in words.rpartition("image")[2]


def _is_image_name(text: str, start: int, end: int, says: str) -> bool:
    """Whether it says so in its last words."""
    return _LAST_WORDS.search(_naming(text, start, end, says)) is not None


def _naming(text: str, start: int, end: int, says: str) -> str:
    """What names the text, or stands before it in the line."""
    if (start, end) == (0, len(text)):
        return read_marks(says)[0].lower()
    return text[text.rfind("\n", 0, start) + 1 : start].lower()
