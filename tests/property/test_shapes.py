"""Fields of any other shape than their kind has: a run over such a tree never ends with a bug."""

import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from imageshift.errors import ImageshiftError
from imageshift.run import RunOptions, plan_migration, plan_revert

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
    *(None, 0, 1, -1, 1.5, True, "", 10**30, "x", "a" * 5000, "${A}", "{{ x }}", "../..", "/"),
    *("://", "\n", "a\nb: c\n", "[", "(a+)+b", "nginx:1@", ".", "*", "<<", "\x85", "- a\n- b\n"),
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


def change(data: st.DataObject, files: list[Path]) -> None:
    """Put another shape into one of the files."""
    file = data.draw(st.sampled_from(files))
    try:
        documents = list(YAML(typ="safe").load_all(file.read_text()))
    except Exception:  # noqa: BLE001 a fixture that is no YAML stays as it is
        return
    if documents:
        number = data.draw(st.integers(0, len(documents) - 1))
        path = data.draw(st.sampled_from(list(paths_of(documents[number]))))
        shape = data.draw(st.sampled_from(SHAPES))
        documents[number] = replaced(documents[number], path, shape)
        file.write_text(dumped(documents))


@given(st.data())
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_shape_ends_a_run(data: st.DataObject) -> None:
    """Planned forward and back; only errors that are meant may come, and they name a reason."""
    tree = data.draw(st.sampled_from(TREES))
    options = RunOptions(account="123456789012", region="eu-west-2", charts="off")
    with TemporaryDirectory() as folder:
        root = Path(folder, "tree")
        shutil.copytree(tree / "before" if (tree / "before").is_dir() else tree, root)
        (root / ".git").mkdir(exist_ok=True)
        files = sorted(path for path in root.rglob("*.y*ml") if path.is_file())
        for _ in range(data.draw(st.integers(1, 3)) if files else 0):
            change(data, files)
        for plan in (plan_migration, plan_revert):
            try:
                list(plan([root], options))
            except ImageshiftError as error:
                assert str(error)  # noqa: PT017 which errors may come isn't said
