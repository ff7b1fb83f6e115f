"""Check the types of the examples in README.md and docs/library.md with mypy in strict mode."""

import doctest
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "README.md", ROOT / "docs" / "library.md")
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def program(page: Path) -> str:
    """Return the Python of a page as one program; prompts and what they print are left out."""
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    return "\n".join(doctest.script_from_examples(b) if ">>> " in b else b for b in blocks)


def main() -> int:
    """Return mypy's exit code."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{page.stem.lower()}_examples.py" for page in PAGES]
        for page, file in zip(PAGES, files, strict=True):
            file.write_text(program(page), encoding="utf-8")
        command = [sys.executable, "-m", "mypy", "--strict", *map(str, files)]
        return subprocess.run(command, check=False, cwd=ROOT).returncode


if __name__ == "__main__":
    raise SystemExit(main())
