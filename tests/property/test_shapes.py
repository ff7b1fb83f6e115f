"""Fields of any other shape than their kind has: a run over such a tree never ends with a bug."""

import io
import os
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from imageshift.api import plan_migration, plan_revert
from imageshift.errors import ImageshiftError
from imageshift.run import RunOptions

pytestmark = pytest.mark.property

EXAMPLES = int(os.environ.get("IMAGESHIFT_SHAPES", "40"))
FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
TREES = sorted(
    path
    for kind in ("migrate", "kustomize")
    for path in (FIXTURES / kind).iterdir()
    if path.is_dir()
)
SHAPES: list[Any] = [
    *([], {}, [[]], [{}], {"a": {}}, {"": ""}, [None], ["x"], [1], {"x": None}, [[["x"]]]),
    *(None, 0, 1.5, True, "", 10**30, "x", "../..", "a\nb: c\n", "[", "(a+)+b", "nginx:1@"),
]


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value in a document."""
    yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths_of(inner, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Return a document with another value at a path."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


def dumped(documents: list[Any]) -> str:
    """Return the documents as YAML."""
    stream = io.StringIO()
    yaml = YAML(typ="safe")
    yaml.default_flow_style = False
    yaml.dump_all(documents, stream)
    return stream.getvalue()


def read(file: Path) -> list[Any]:
    """Return the documents of a file; none of one that is no YAML."""
    try:
        return list(YAML(typ="safe").load_all(file.read_text()))
    except Exception:  # noqa: BLE001 some fixtures are meant to be none
        return []


@cache
def fields() -> list[tuple[Path, str, int, tuple[Any, ...]]]:
    """Return one place for each field of each kind in the fixtures: tree, file, document, path."""
    found: dict[tuple[str, ...], tuple[Path, str, int, tuple[Any, ...]]] = {}
    for tree in TREES:
        root = tree / "before" if (tree / "before").is_dir() else tree
        for file in sorted(root.rglob("*.y*ml")):
            for number, document in enumerate(read(file)):
                kind = str(document.get("kind")) if isinstance(document, dict) else ""
                for path in paths_of(document):
                    key = (kind, *("[]" if isinstance(step, int) else str(step) for step in path))
                    found.setdefault(key, (root, str(file.relative_to(root)), number, path))
    return list(found.values())


@given(st.data())
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_shape_ends_a_run(data: st.DataObject) -> None:
    """Planned forward and back; only errors that are meant may come, and they name a reason."""
    tree, name, number, path = data.draw(st.sampled_from(fields()))
    options = RunOptions(account="123456789012", region="eu-west-2", charts="off")
    with TemporaryDirectory() as folder:
        root = Path(folder, "tree")
        shutil.copytree(tree, root)
        (root / ".git").mkdir(exist_ok=True)
        documents = read(root / name)
        documents[number] = replaced(documents[number], path, data.draw(st.sampled_from(SHAPES)))
        (root / name).write_text(dumped(documents))
        for plan in (plan_migration, plan_revert):
            try:
                list(plan([root], options))
            except ImageshiftError as error:
                assert str(error)  # noqa: PT017 which errors may come isn't said
