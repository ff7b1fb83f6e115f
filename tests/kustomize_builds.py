"""Real kustomize as the judge: builds trees, and tells whether only mapped images differ."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

import kustomize_library
from imageshift.cache import ARTICLE_RULES, Mapped, Registry, RuleSet
from imageshift.errors import InvalidReferenceError
from imageshift.plan import FilePlan
from imageshift.reference import parse_reference
from imageshift.run import Run, RunOptions
from kustomize_library import KustomizeError

RULES = RuleSet(Registry.of("123456789012", "eu-west-2"), ARTICLE_RULES)
HOST = RULES.registry.host


@dataclass(frozen=True, slots=True)
class Built:
    """What a build made: each object's text, or None and what kustomize said."""

    texts: tuple[str, ...] | None
    message: str = ""

    @property
    def objects(self) -> list[Any]:
        """The objects, every scalar as its text."""
        return [_load(text) for text in self.texts or ()]


def migrate(root: Path, *names: str, back: bool = False) -> list[FilePlan]:
    """Rewrite a tree in place as `migrate` or `revert --all` do, and return the plans."""
    options = RunOptions(account="123456789012", region="eu-west-2", root=root, backward=back)
    return list(Run.open([root / name for name in names] or [root], options).apply())


def build(folder: Path) -> Built:
    """Build one folder with the real kustomize."""
    if kustomize_library.is_here():
        try:
            return _parts(kustomize_library.build_folder(folder))
        except KustomizeError as error:
            return Built(None, str(error))
    kubectl, kustomize = shutil.which("kubectl"), shutil.which("kustomize")
    command = [kubectl, "kustomize"] if kubectl else [str(kustomize), "build"]
    restrictor = ["--load-restrictor", "LoadRestrictionsNone"]
    run = subprocess.run(
        [*command, *restrictor, str(folder)], capture_output=True, text=True, check=False
    )
    if run.returncode:
        return Built(None, run.stderr.strip())
    return _parts(run.stdout)


def _parts(text: str) -> Built:
    return Built(tuple(filter(None, text.split("\n---\n"))))


def _load(text: str) -> Any:
    return YAML(typ="base").load(text)


def build_all(root: Path) -> dict[str, Built]:
    """Build every folder of a tree that has a kustomization (components can't be built alone)."""
    names = ("kustomization.yaml", "kustomization.yml", "Kustomization")
    folders = sorted({path.parent for name in names for path in root.rglob(name)})
    with ThreadPoolExecutor(2) as pool:
        return dict(
            zip(
                (str(folder.relative_to(root)) for folder in folders),
                pool.map(build, folders),
                strict=True,
            )
        )


def differences(
    before: dict[str, Built], after: dict[str, Built], rules: RuleSet = RULES
) -> Iterator[str]:
    """What differs between two trees' builds, other than images under their mapped names."""
    for folder, old in before.items():
        new = after[folder]
        if old.texts is None:
            continue
        if new.texts is None:
            yield f"{folder}: no longer builds: {new.message}"
        elif len(old.texts) != len(new.texts):
            yield f"{folder}: {len(old.texts)} objects before, {len(new.texts)} after"
        else:
            for one, other in zip(old.texts, new.texts, strict=True):
                if one != other:
                    found = _differences(_load(one), _load(other), "", rules)
                    yield from (f"{folder}: {text}" for text in found)


def _differences(old: Any, new: Any, path: str, rules: RuleSet) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        old, new = _joined(old), _joined(new)
        for key in old:
            yield from _differences(old[key], new[key], f"{path}.{key}", rules)
    elif path.endswith(".postRenderers[0].kustomize.images") and len(new) > len(old):
        # An entry for what the chart itself names keeps its name and gets the mapped newName.
        kept = [
            {key: value for key, value in one.items() if key != "newName" or key in other}
            for one in new
            for other in old
            if one["name"] == other["name"]
        ]
        yield from _differences(old, kept, f"{path} less those added", rules)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _differences(one, other, f"{path}[{index}]", rules)
    elif old != new and not _is_moved(str(old), str(new), rules):
        yield f"{path}: {old!r} became {new!r}"


def _joined(node: dict[str, Any]) -> dict[str, Any]:
    """A mapping with its registry and repository as one name."""
    registry, repository = node.get("registry"), node.get("repository")
    if isinstance(registry, str) and registry and isinstance(repository, str):
        return {**node, "registry": "", "repository": f"{registry.rstrip('/')}/{repository}"}
    return node


def _is_moved(old: str, new: str, rules: RuleSet) -> bool:
    """Whether a text is the same but for references in it under their mapped names."""
    moved = re.compile(re.escape(rules.registry.host) + r"/[^\s\"',;]+")
    pattern = r"([^\s\"',;]+?)".join(map(re.escape, moved.split(new)))
    found = re.fullmatch(pattern, old)
    if found is None:
        return False
    return [_target(text, rules) for text in found.groups()] == moved.findall(new)


def _target(text: str, rules: RuleSet) -> str | None:
    """Where a reference goes, whatever its tag is (a tagSuffix makes tags that none can have)."""
    name = re.sub(r"(?::[^/@]*)?(?:@.*)?\Z", "", text, count=1, flags=re.DOTALL)
    try:
        outcome = rules.map(parse_reference(name))
    except InvalidReferenceError:
        return None
    return outcome.target.normalized + text[len(name) :] if isinstance(outcome, Mapped) else None


def images(built: Built) -> list[str]:
    """The images of a build's objects, in order."""
    return [text for each in built.texts or () if "image:" in each for text in _images(_load(each))]


def _images(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "image" and isinstance(value, str):
                yield value
            elif key != "openAPIV3Schema":
                yield from _images(value)
    elif isinstance(node, list):
        for item in node:
            yield from _images(item)
