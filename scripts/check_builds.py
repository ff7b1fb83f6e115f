"""Build every kustomization of a tree before and after a migration, and compare the objects.

Each tree is copied; nothing in it is written. Exit 1 when a build differs in anything but images
under their mapped names, or builds no more.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from kustomize_builds import build_all, differences, images, migrate  # noqa: E402


def check(tree: Path) -> bool:
    """Print what a tree's builds do, and return whether all is well."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / tree.name
        shutil.copytree(tree, copy, symlinks=True)
        before = build_all(copy)
        migrate(copy)
        after = build_all(copy)
    wrong = list(differences(before, after))
    built = {name: found for name, found in before.items() if found.texts is not None}
    pairs = [
        pair
        for name, found in built.items()
        for pair in zip(images(found), images(after[name]), strict=False)
    ]
    moved = sum(old != new for old, new in pairs)
    print(
        f"{tree.name}: {len(built)} of {len(before)} kustomizations build, "
        f"{moved} of their {len(pairs)} images moved, {len(wrong)} differences"
    )
    for line in wrong:
        print(f"  {line}")
    return not wrong


def main() -> int:
    """Check the trees named on the command line, or every folder of one that holds trees."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tree", nargs="+", type=Path)
    trees = parser.parse_args().tree
    results = [check(tree.resolve()) for tree in trees]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
