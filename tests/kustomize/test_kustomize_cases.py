"""Each folder of fixtures/kustomize: before and after, byte for byte and built by real kustomize.

`case.toml` says what the case is about, and which sites stay (`file:line reason`).
"""

import shutil
import tomllib
from pathlib import Path

import pytest

from imageshift.base import Base, base_plans
from imageshift.plan import apply_plans
from imageshift.rewrite import Kept
from imageshift.run import Run, RunOptions
from kustomize_builds import build_all, differences, migrate

CASES = Path(__file__).resolve().parent.parent / "fixtures" / "kustomize"
NAMES = sorted(path.name for path in CASES.iterdir())


@pytest.fixture
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a copy of a case's tree."""
    shutil.copytree(CASES / request.param / "before", tmp_path / "tree")
    return tmp_path / "tree"


def contents(root: Path) -> dict[str, bytes]:
    """The files of a tree."""
    return {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def run_revert(tree: Path, base: Path) -> None:
    """Bring a tree back to its base."""
    options = RunOptions(account="123456789012", region="eu-west-2", root=tree, backward=True)
    run = Run.open([tree], options)
    plans = base_plans(run, run.plans(), Base.find(str(base), run.workspace))
    list(apply_plans(run.workspace, plans))


@pytest.mark.parametrize(("tree", "name"), [(name, name) for name in NAMES], indirect=["tree"])
def test_files_and_reasons(tree: Path, name: str) -> None:
    """Every file comes out as in `after`, and the sites that stay say why."""
    plans = migrate(tree)
    kept = sorted(
        f"{plan.file}:{result.site.place.line} {result.reason}"
        for plan in plans
        for result in plan.results
        if isinstance(result, Kept) and result.reason is not None
    )
    case = tomllib.loads((CASES / name / "case.toml").read_text())

    assert contents(tree) == contents(CASES / name / "after")
    assert kept == case.get("kept", [])


@pytest.mark.kustomize
@pytest.mark.parametrize("name", NAMES)
def test_builds(name: str) -> None:
    """Real kustomize builds the same objects from `after`, but for mapped images."""
    before = build_all(CASES / name / "before")
    after = build_all(CASES / name / "after")

    assert [folder for folder, built in before.items() if built.texts is None] == []
    assert list(differences(before, after)) == []


@pytest.mark.parametrize("tree", NAMES, indirect=True)
def test_second_run(tree: Path) -> None:
    """What was migrated once stays as it is."""
    migrate(tree)
    once = contents(tree)
    migrate(tree)

    assert contents(tree) == once


@pytest.mark.parametrize("name", NAMES)
def test_revert(name: str, tmp_path: Path) -> None:
    """`revert --all` gives the bytes back that `migrate` found, where the case says so."""
    case = tomllib.loads((CASES / name / "case.toml").read_text())
    shutil.copytree(CASES / name / "after", tmp_path / "tree")
    migrate(tmp_path / "tree", back=True)

    restored = contents(tmp_path / "tree") == contents(CASES / name / "before")
    assert restored is case.get("reverts", True)


@pytest.mark.parametrize("name", NAMES)
def test_revert_to_the_base(name: str, tmp_path: Path) -> None:
    """`revert --base` gives every byte back, and leaves lines that were written since."""
    before, tree = CASES / name / "before", tmp_path / "tree"
    shutil.copytree(CASES / name / "after", tree)
    run_revert(tree, before)
    assert contents(tree) == contents(before)

    shutil.copytree(CASES / name / "after", tree, dirs_exist_ok=True)
    changed = [file for file, text in contents(tree).items() if text != contents(before)[file]]
    for file in changed:
        (tree / file).write_bytes(b"# written since\n" + (tree / file).read_bytes())
    run_revert(tree, before)
    for file in changed:
        assert (tree / file).read_bytes() == b"# written since\n" + (before / file).read_bytes()


@pytest.mark.kustomize
@pytest.mark.parametrize("name", NAMES)
def test_builds_on_the_way_back(name: str, tmp_path: Path) -> None:
    """Real kustomize builds the same of what came back as of `after`, but for mapped images."""
    shutil.copytree(CASES / name / "after", tmp_path / "tree")
    migrate(tmp_path / "tree", back=True)
    back = build_all(tmp_path / "tree")

    assert [folder for folder, built in back.items() if built.texts is None] == []
    assert list(differences(back, build_all(CASES / name / "after"))) == []
