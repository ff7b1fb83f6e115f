"""Print the shape of the source: lines of the middle, length of bodies, circles, floors, walkers.

    python scripts/shape.py

Needs nothing but the standard library. Lines are all lines of a file, as `wc -l` counts them.
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"
PACKAGE = "imageshift"
MIDDLE = ("inventory", "kustomize", "charts", "plan", "rewrite", "run", "mapper")
"""What the redesign replaces; parts of it that come later belong here as well."""
LATER = ("links", "solve", "repository", "entry")
WALKED = re.compile(r"""["'](resources|components|bases|images)["']""")
ROW = re.compile(r"^\| (\d+) \| (`[^|]+`) \|", re.MULTILINE)


def main() -> int:
    """Print every figure."""
    modules = {name_of(path): path for path in sorted((SOURCE / PACKAGE).rglob("*.py"))}
    print_lines(modules)
    print_bodies(modules)
    imports = {name: set(imports_of(name, path, modules)) for name, path in modules.items()}
    circles = [sorted(group) for group in circles_of(imports)]
    print(f"circles between files: {len(circles)}")
    for group in circles:
        print("  " + " ".join(group))
    against = sorted(against_floors(imports))
    print(f"imports against the floors: {len(against)}")
    for line in against:
        print(f"  {line}")
    print_walkers(modules)
    return 0


def name_of(path: Path) -> str:
    """Return the dotted name of a module."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def part_of(name: str) -> str:
    """Return the part of the package that a module belongs to."""
    return name.split(".")[1] if "." in name else ""


def print_lines(modules: dict[str, Path]) -> None:
    """Print the lines of the middle, part by part, and of everything."""
    lines: dict[str, int] = defaultdict(int)
    for name, path in modules.items():
        lines[part_of(name)] += len(path.read_text("utf-8").splitlines())
    rows = [f"{part} {lines[part]}" for part in (*MIDDLE, *LATER) if lines[part]]
    middle = sum(lines[part] for part in MIDDLE)
    later = sum(lines[part] for part in LATER)
    print(f"lines of the middle: {middle} ({', '.join(rows)}; with later parts {middle + later})")
    print(f"lines of everything: {sum(lines.values())}")


def print_bodies(modules: dict[str, Path]) -> None:
    """Print how long the bodies of functions are."""
    bodies = [
        (length, f"{name}.{node.name}")
        for name, path in modules.items()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for length in [body_length(node)]
    ]
    middle = [body for body in bodies if part_of(body[1]) in (*MIDDLE, *LATER)]
    for title, some in (("all", bodies), ("the middle", middle)):
        lengths = sorted(length for length, _ in some)
        p95 = lengths[int(len(lengths) * 0.95)]
        print(f"bodies of {title}: {len(some)}, p95 {p95}, longest {max(some)}")


def body_length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a body without its docstring."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def imports_of(name: str, path: Path, modules: dict[str, Path]) -> Iterator[str]:
    """Yield the modules that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            found = {one if one in modules else str(node.module) for one in inner}
            yield from found - {name}
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)


def circles_of(imports: dict[str, set[str]]) -> Iterator[set[str]]:
    """Yield the groups of modules each of which reaches all others, late imports included."""
    reached = {name: reach(name, imports) for name in imports}
    done: set[str] = set()
    for name in imports:
        group = {other for other in reached[name] if name in reached[other]}
        if len(group) > 1 and name not in done:
            done |= group
            yield group


def reach(name: str, imports: dict[str, set[str]]) -> set[str]:
    """Return all modules that one imports, directly or through others."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for other in imports.get(waiting.pop(), set()) - found:
            found.add(other)
            waiting.append(other)
    return found


def against_floors(imports: dict[str, set[str]]) -> Iterator[str]:
    """Yield the imports between parts that don't go to a floor below, by docs/architecture.md."""
    floors = floors_of((ROOT / "docs" / "architecture.md").read_text("utf-8"))
    for name, others in imports.items():
        for other in others:
            one, two = part_of(name), part_of(other)
            if one and two and one != two and floors.get(one, 99) <= floors.get(two, -1):
                yield f"{name} -> {other}"


def floors_of(text: str) -> dict[str, int]:
    """Return the floor of each part, from the table."""
    found = {}
    for floor, cell in ROW.findall(text):
        for part in re.findall(r"`([\w/.]+)`", cell):
            found[part.strip("/").removesuffix(".py").split("/")[0]] = int(floor)
    return found


def print_walkers(modules: dict[str, Path]) -> None:
    """Print which modules name the lists that link kustomizations to each other."""
    print("who names resources, components, bases or images of a kustomization:")
    for name, path in modules.items():
        found = WALKED.findall(path.read_text("utf-8"))
        if found and part_of(name) != "data":
            counts = {key: found.count(key) for key in dict.fromkeys(found)}
            print(f"  {name}: {', '.join(f'{key} {count}' for key, count in counts.items())}")


if __name__ == "__main__":
    sys.exit(main())
