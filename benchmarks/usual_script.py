"""What people write first: load every file with ruamel.yaml, walk it, replace, dump it again.

Knows the same rules as imageshift's built-in ones, for `image:` strings and for maps with
`registry`, `repository` and `tag`. Dumps into memory, as a dry run. Files that don't load
(templates) are passed over. This is the yardstick of benchmarks/speed.py, not a tool to use.
"""

import io
import sys
from pathlib import Path
from typing import Any

from environment import HOST
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

PREFIXES = {
    "docker.io": "docker-hub",
    "ghcr.io": "github",
    "registry.k8s.io": "k8s",
    "public.ecr.aws": "ecr",
    "quay.io": "quay",
}


def moved(reference: str) -> str:
    """Return the place of a reference in the cache, or the reference when no rule has it."""
    first, slash, rest = reference.partition("/")
    has_host = slash and ("." in first or ":" in first or first == "localhost")
    registry, repository = (first, rest) if has_host else ("docker.io", reference)
    if registry not in PREFIXES:
        return reference
    if registry == "docker.io" and "/" not in repository:
        repository = f"library/{repository}"
    return f"{HOST}/{PREFIXES[registry]}/{repository}"


def visit(node: Any) -> int:
    """Replace every reference below a node, return how many."""
    if isinstance(node, list):
        return sum(visit(item) for item in node)
    if not isinstance(node, dict):
        return 0
    count = 0
    for key, value in node.items():
        if key == "image" and isinstance(value, str) and moved(value) != value:
            node[key] = moved(value)
            count += 1
        elif key == "image" and isinstance(value, dict) and "repository" in value:
            count += split(value)
        else:
            count += visit(value)
    return count


def split(image: dict[str, Any]) -> int:
    """Replace a reference that is split over keys, return 1 when it changed."""
    registry, repository = image.get("registry"), image["repository"]
    if not isinstance(repository, str):
        return 0
    whole = f"{registry}/{repository}" if registry else repository
    target = moved(whole)
    if target == whole:
        return 0
    if registry:
        image["registry"] = target.removesuffix(f"/{repository}")
    else:
        image["repository"] = target
    return 1


def main(root: Path) -> None:
    """Round-trip every YAML file of a tree and print how many images would move."""
    images = files = 0
    for path in sorted(root.rglob("*")):
        if path.suffix not in {".yaml", ".yml"} or not path.is_file():
            continue
        yaml = YAML()
        yaml.preserve_quotes = True
        files += 1
        try:
            documents = list(yaml.load_all(path.read_text(encoding="utf-8")))
            images += visit(documents)
            yaml.dump_all(documents, io.StringIO())
        except (YAMLError, UnicodeDecodeError, ValueError, TypeError, AttributeError):
            continue
    print(f"{files} files, {images} images")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
