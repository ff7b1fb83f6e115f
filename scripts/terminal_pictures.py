"""Draw what the main commands print on a terminal, as SVG files for the documentation.

Every command runs on a copy of examples/nats at 80 and 120 columns; each picture exists for light
and dark pages. Run it after a change to the output; a test compares the files with what this draws.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "pictures"
sys.path.insert(0, str(ROOT / "tests" / "docs"))

from doc_pages import EXAMPLES, environment, make_scratch  # noqa: E402 - after the path

WIDTHS = (80, 120)
COMMANDS = {
    "scan": "imageshift scan",
    "diff": "imageshift migrate --diff apps/nats",
    "check": "imageshift check apps/nats",
    "migrate": "imageshift migrate",
    "verify": "imageshift verify",
    "explain": "imageshift explain natsio/nats-box",
}
"""The pictures and their commands, in the order of a session."""

_DARK = [(30, 30, 34), (241, 112, 112), (120, 200, 120), (229, 192, 100), (110, 165, 245),
         (200, 140, 230), (90, 200, 210), (220, 220, 220)]  # fmt: skip
_LIGHT = [(250, 250, 250), (185, 28, 28), (21, 110, 50), (146, 94, 0), (29, 78, 180),
          (126, 34, 160), (14, 110, 120), (40, 40, 40)]  # fmt: skip
THEMES = {
    "light": TerminalTheme((255, 255, 255), (36, 41, 47), _LIGHT),
    "dark": TerminalTheme((24, 24, 27), (228, 228, 231), _DARK),
}
_FORMAT = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: monospace; font-size: {char_height}px; }}
.{unique_id}-title {{ font-family: sans-serif; font-size: 18px; }}
{styles}
</style>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" class="{unique_id}-matrix">
{matrix}
</g>
</svg>
"""


def session(width: int) -> dict[str, str]:
    """Return what each command prints on a terminal of a width, by the picture's name."""
    variables = environment() | {"FORCE_COLOR": "1", "TERM": "xterm-256color"}
    variables |= {"COLUMNS": str(width), "PYTHONUNBUFFERED": "1"}
    variables = {k: v for k, v in variables.items() if k not in {"NO_COLOR", "COLORTERM"}}
    shown = {}
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder) / "nats"
        make_scratch(scratch, EXAMPLES / "nats")
        for name, command in COMMANDS.items():
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=scratch,
                env=variables,
                check=False,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            shown[name] = done.stdout
    return shown


def picture(name: str, printed: str, width: int, theme: str) -> str:
    """Return the SVG of a command with what it printed."""
    console = Console(record=True, width=width, file=StringIO(), highlight=False)
    console.print(Text.assemble(("$ ", "dim"), (COMMANDS[name], "bold")))
    for line in printed.splitlines():
        console.print(Text.from_ansi(line), soft_wrap=True)
    svg = console.export_svg(
        title=f"{COMMANDS[name].split()[1]}, {width} columns",
        theme=THEMES[theme],
        code_format=_FORMAT,
        unique_id="t",
    )
    svg = re.sub(r' clip-path="url\(#t-line-\d+\)"', "", svg)
    svg = re.sub(r"<text[^>]*>\n</text>", "", svg).replace("rgba(255,255,255,0.35)", "#8888")
    lines = (line.strip() for line in svg.replace("<text", "\n<text").splitlines())
    return "".join(f"{line}\n" for line in lines if line)


def pictures() -> Iterator[tuple[str, str]]:
    """Yield the name of every file, and the SVG that belongs into it."""
    for width in WIDTHS:
        for name, printed in session(width).items():
            for theme in THEMES:
                yield f"{name}-{width}-{theme}.svg", picture(name, printed, width, theme)


def main() -> None:
    """Write the pictures, and remove those that are no longer drawn."""
    FOLDER.mkdir(exist_ok=True)
    drawn = dict(pictures())
    for old in FOLDER.glob("*.svg"):
        if old.name not in drawn:
            old.unlink()
    for name, svg in drawn.items():
        (FOLDER / name).write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
