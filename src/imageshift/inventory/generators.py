"""What the generators of an ApplicationSet make of the tree: the parameters of each element (E4).

List, git, matrix, merge and clusters, in Argo CD's own order. What only a cluster or a server
knows makes one element that is `unknown`: its templates stay as they are written.
"""

import fnmatch
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from imageshift.errors import SourceError
from imageshift.inventory.filling import (
    Computed,
    Filler,
    Leaf,
    filled_tree,
    templates,
    whole_documents,
)
from imageshift.inventory.readers import read_documents
from imageshift.lazy import lazy_re
from imageshift.repo.workspace import Workspace
from imageshift.sites.model import Path, below
from imageshift.source import Document, Node, Scalar, parse_embedded, to_plain
from imageshift.source import Mapping as MapNode
from imageshift.source import Sequence as SequenceNode

__all__ = ["Element", "Generators", "Tree", "Written"]

_MOST_ELEMENTS = 2000
_MOST_LEVELS = 8
_IN_CLUSTER = "https://kubernetes.default.svc"
_NO_NAME = lazy_re(r"[^a-z0-9.-]")
_REASONS = {
    "scmProvider": "only Argo CD knows the repositories that its scmProvider generator lists",
    "pullRequest": "only Argo CD knows the pull requests that its generator lists",
    "plugin": "only Argo CD knows what its plugin generator returns",
    "clusterDecisionResource": "only the cluster knows what its clusterDecisionResource contains",
}
_CLUSTERS = "only Argo CD knows its clusters; `clusters:` in .imageshift.yaml can name them"
_LABELS = "only Argo CD knows the labels and annotations of its clusters"
_TOO_MANY = f"its generators make more than {_MOST_ELEMENTS:,} elements"


class Tree(Struct, frozen=True):
    """The files that generators look at, and the clusters that the configuration names."""

    workspace: Workspace
    files: tuple[str, ...]
    clusters: tuple[str, ...] = ()

    def folders(self) -> list[str]:
        """Every folder with files in it or below it; hidden ones aren't any for Argo CD."""
        found: dict[str, None] = {}
        for file in self.files:
            parts = file.split("/")[:-1]
            if not any(part.startswith(".") for part in parts):
                found |= dict.fromkeys("/".join(parts[:n]) for n in range(1, len(parts) + 1))
        return sorted(found)

    def is_elsewhere(self, url: str) -> bool:
        """Whether a repository has another name than every remote of this one."""
        from imageshift.git import remotes  # noqa: PLC0415 not for every run

        names = {_repository_name(remote) for remote in remotes(self.workspace.root)}
        return bool(names) and _repository_name(url) not in names


class Written(Struct, frozen=True):
    """A document, and the path in it, to which what is read belongs."""

    file: str
    document: Document
    path: Path = ()

    def at(self, *keys: str | int) -> "Written":
        """The same some keys further down."""
        return replace(self, path=(*self.path, *keys))


class Element(Struct, frozen=True):
    """One set of parameters, with the texts of files that are in it by their paths there."""

    data: Mapping[str, Any] = field(default_factory=dict)
    leaves: Mapping[Path, Leaf] = field(default_factory=dict)
    unknown: str = ""

    def over(self, other: "Element", *, plain: bool) -> "Element":
        """This element's parameters over another's."""
        data = {**other.data, **self.data} if plain else _merged(other.data, self.data)
        unknown = other.unknown or self.unknown
        return Element(data, {**other.leaves, **self.leaves}, unknown)


class Generators(Struct, frozen=True):
    """The elements that generators of one ApplicationSet make."""

    tree: Tree
    filler: Filler

    def elements(self, generator: MapNode, at: Written, level: int = 0) -> list[Element]:
        """The elements of one generator, those alone that its selector takes."""
        made = {
            "list": self._list,
            "git": self._git,
            "clusters": self._clusters,
            "matrix": self._matrix,
            "merge": self._merge,
        }
        for key, make in made.items():
            spec = generator.mapping(key)
            if spec is not None and level < _MOST_LEVELS:
                found = list(itertools.islice(make(spec, at.at(key), level), _MOST_ELEMENTS + 1))
                found = self._with_values(spec, found)
                if len(found) > _MOST_ELEMENTS:
                    found = [Element(unknown=_TOO_MANY)]
                selector = generator.mapping("selector")
                return [one for one in found if self._selects(selector, one)]
        return [Element(unknown=why) for key, why in _REASONS.items() if generator.get(key)]

    @property
    def _plain(self) -> bool:
        return not self.filler.is_go

    def _list(self, spec: MapNode, at: Written, _level: int) -> Iterator[Element]:
        items = spec.items("elements")
        for number, item in enumerate(items):
            yield self._element(item, at.at("elements", number))
        text = spec.scalar("elementsYaml")
        if text is None or text.is_empty:
            return
        for document in _inside(at.document, text):
            inner = replace(at.at("elementsYaml"), document=document)
            yield from self._of_root(document.root, inner, text)

    def _of_root(
        self, root: Node | None, at: Written, text: Scalar | None = None
    ) -> Iterator[Element]:
        """The elements of a file, or of a text in one: its mapping, or those of its list."""
        items = root.items if isinstance(root, SequenceNode) else [root]
        for number, item in enumerate(items):
            if isinstance(item, MapNode):
                place = at.at(number) if isinstance(root, SequenceNode) else at
                made = self._element(item, place)
                yield replace(made, leaves={}) if isinstance(text, Computed) else made

    def _element(self, item: Node, at: Written) -> Element:
        data = to_plain(item)
        data = data if isinstance(data, dict) else {}
        leaves = dict(_leaves(item, at, ()))
        if not self._plain:
            return Element(data, leaves)
        flat = {".".join(map(str, path)): leaf for path, leaf in leaves.items()}
        return Element(dict(_flat(data)), {(name,): leaf for name, leaf in flat.items()})

    def _git(self, spec: MapNode, _at: Written, _level: int) -> Iterator[Element]:
        url = spec.text("repoURL") or ""
        if self.tree.is_elsewhere(url):
            yield Element(unknown=f"its git generator reads {url}, another repository")
            return
        prefix = spec.text("pathParamPrefix")
        for file in _chosen(spec.items("files"), self.tree.files, _takes_file):
            for document in read_documents(self.tree.workspace, file):
                for one in self._of_root(document.root, Written(file, document)):
                    yield self._at_path(file, prefix).over(one, plain=self._plain)
                break
        for folder in _chosen(spec.items("directories"), self.tree.folders(), _takes_folder):
            yield self._at_path(f"{folder}/", prefix)

    def _at_path(self, file: str, prefix: str | None) -> Element:
        """The parameters that tell where a file or folder is."""
        folder, _, name = file.rpartition("/")
        parts, base = folder.split("/"), folder.rpartition("/")[2]
        known = {"basename": base, "basenameNormalized": _normalized(base)}
        if name:
            known |= {"filename": name, "filenameNormalized": _normalized(name)}
        if not self._plain:
            inner = {"path": {**known, "path": folder, "segments": parts}}
            return Element({prefix: inner} if prefix else inner)
        head = f"{prefix}.path" if prefix else "path"
        made = {head: folder, **{f"{head}.{key}": value for key, value in known.items()}}
        return Element(made | {f"{head}[{n}]": part for n, part in enumerate(parts)})

    def _clusters(self, _spec: MapNode, _at: Written, _level: int) -> Iterator[Element]:
        if not self.tree.clusters:
            yield Element(unknown=_CLUSTERS)
        for name in self.tree.clusters:
            data = {"name": name, "nameNormalized": _normalized(name)}
            here = {"server": _IN_CLUSTER} if name == "in-cluster" else {}
            yield Element(data | here, unknown=_LABELS)

    def _matrix(self, spec: MapNode, at: Written, level: int) -> Iterator[Element]:
        """Every pair; the second generator is filled with the parameters of the first."""
        generators = _inner_generators(spec, at)
        if not generators:
            return
        firsts = self.elements(*generators[0], level + 1)
        for number, first in enumerate(firsts):
            made = [first]
            for generator, place in generators[1:]:
                seconds = self._filled_generator(generator, place, (firsts, number), level)
                made = [
                    second.over(one, plain=self._plain)
                    for one in made
                    for second in itertools.islice(seconds, _MOST_ELEMENTS)
                ]
            yield from made

    def _filled_generator(
        self, generator: MapNode, at: Written, first: tuple[list[Element], int], level: int
    ) -> list[Element]:
        wanted = templates(generator)
        if not wanted:
            return self.elements(generator, at, level + 1)
        one = first[0][first[1]]
        texts = self.filler.filled(wanted, [(one.data, not one.unknown)])[0]
        filled = filled_tree(generator, texts)
        assert isinstance(filled, MapNode)  # noqa: S101 as the generator is
        return self.elements(filled, at, level + 1)

    def _merge(self, spec: MapNode, at: Written, level: int) -> Iterator[Element]:
        """The first generator's elements, with what others say about those with the same keys."""
        keys = [item.value for item in spec.items("mergeKeys") if isinstance(item, Scalar)]
        generators = _inner_generators(spec, at)
        if not generators:
            return
        found = {_key(one, keys): one for one in self.elements(*generators[0], level + 1)}
        for generator in generators[1:]:
            for other in self.elements(*generator, level + 1):
                base = found.get(_key(other, keys))
                if base is not None:
                    found[_key(other, keys)] = other.over(base, plain=self._plain)
                elif other.unknown:
                    found = {k: replace(one, unknown=other.unknown) for k, one in found.items()}
        yield from found.values()

    def _with_values(self, spec: MapNode, found: list[Element]) -> list[Element]:
        """The elements with what the generator's `values` adds, itself filled with them."""
        values = spec.mapping("values")
        if values is None or not found:
            return found
        texts = self.filler.filled(templates(values), [(f.data, not f.unknown) for f in found])
        made = []
        for one, filled in zip(found, texts, strict=True):
            data = to_plain(filled_tree(values, filled))
            more = dict(_flat({"values": data})) if self._plain else {"values": data}
            made.append(Element(more).over(one, plain=self._plain))
        return made

    def _selects(self, selector: MapNode | None, one: Element) -> bool:
        """Whether a selector takes an element; what isn't known might be taken."""
        if selector is None or one.unknown:
            return True
        data = dict(_flat(one.data))
        labels = below(selector, "matchLabels").pairs()
        if any(data.get(k.value) != v.value for k, v in labels if isinstance(v, Scalar)):
            return False
        expressions = selector.items("matchExpressions")
        return all(_meets(data, each) for each in expressions if isinstance(each, MapNode))


def _meets(data: Mapping[str, str], expression: MapNode) -> bool:
    value = data.get(expression.text("key") or "")
    values = [item.value for item in expression.items("values") if isinstance(item, Scalar)]
    operator = expression.text("operator")
    if operator == "In":
        return value in values
    if operator == "NotIn":
        return value not in values
    return (value is not None) == (operator == "Exists")


def _inner_generators(spec: MapNode, at: Written) -> list[tuple[MapNode, Written]]:
    return [
        (item, at.at("generators", number))
        for number, item in enumerate(spec.items("generators"))
        if isinstance(item, MapNode)
    ]


def _key(one: Element, keys: list[str]) -> tuple[str, ...]:
    data = dict(_flat(one.data))
    return tuple(data.get(key, "") for key in keys)


def _inside(document: Document, text: Scalar) -> list[Document]:
    """The documents in a scalar, as the file has it or as it was filled."""
    try:
        if not isinstance(text, Computed):
            return parse_embedded(document, text)
        return list(whole_documents(text.value))
    except SourceError:
        return []


def _leaves(node: Node, at: Written, path: Path) -> Iterator[tuple[Path, Leaf]]:
    """The texts below a node, by their paths from it."""
    if isinstance(node, MapNode):
        for key, value in node.pairs():
            yield from _leaves(value, at.at(key.value), (*path, key.value))
    elif isinstance(node, SequenceNode):
        for number, item in enumerate(node.items):
            yield from _leaves(item, at.at(number), (*path, number))
    elif isinstance(node, Scalar) and node.value and not isinstance(node, Computed):
        yield path, Leaf(at.file, at.document.file.index, at.path, node, at.document)


def _chosen(
    items: list[Node], names: Iterable[str], takes: Callable[[str, str], bool]
) -> Iterator[str]:
    """The names that one of the items takes and none excludes, each once, in order."""
    maps = [item for item in items if isinstance(item, MapNode)]
    pairs = [(item.text("path") or "", item.text("exclude") == "true") for item in maps]
    for name in names if pairs else ():
        taken = {excluded for pattern, excluded in pairs if takes(name, pattern)}
        if taken == {False}:
            yield name


def _takes_file(name: str, pattern: str) -> bool:
    """As `git ls-files` matches, whose stars stand for slashes too; `**/` may be nothing."""
    pattern = pattern.removeprefix("./")
    shorter = pattern.replace("**/", "")
    return fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(name, shorter)


def _takes_folder(name: str, pattern: str) -> bool:
    parts, patterns = name.split("/"), pattern.removeprefix("./").rstrip("/").split("/")
    pairs = zip(parts, patterns, strict=False)
    return len(parts) == len(patterns) and all(fnmatch.fnmatchcase(*pair) for pair in pairs)


def _normalized(name: str) -> str:
    return _NO_NAME.sub("-", name.lower()).strip("-.")[:253]


def _repository_name(url: str) -> str:
    return url.rstrip("/").removesuffix(".git").replace(":", "/").rpartition("/")[2].lower()


def _flat(data: Any, head: str = "") -> Iterator[tuple[str, str]]:
    """Parameters as the plain form names them: `a.b`, texts all of them."""
    if isinstance(data, dict | list):
        pairs = data.items() if isinstance(data, dict) else enumerate(data)
        for key, value in pairs:
            yield from _flat(value, f"{head}.{key}" if head else str(key))
    else:
        yield head, str(data).lower() if isinstance(data, bool) else str(data)


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(base)
    for key, value in over.items():
        known = made.get(key)
        both = isinstance(known, dict) and isinstance(value, dict)
        made[key] = _merged(known, value) if both and known is not None else value
    return made
