"""Write docs/commands.md from the command line's own definitions.

Run it after a change of options; a test compares the page with what this would write.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer

PAGE = Path(__file__).resolve().parent.parent / "docs" / "commands.md"
HEAD = """\
# Commands

<!-- Written by scripts/command_reference.py: edit the help texts in src/imageshift/cli instead. -->

Results go to standard output; messages and progress go to standard error.
"""


def cell(text: str) -> str:
    """Return a text that fits into one cell of a Markdown table."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


def names(parameter: Any) -> str:
    """Return how an option is written on the command line."""
    negative = [*parameter.secondary_opts]
    written = ", ".join(f"`{name}`" for name in [*parameter.opts, *negative])
    if parameter.is_flag or parameter.count:
        return written
    return f"{written} {cell(value(parameter))}"


def value(parameter: Any) -> str:
    """Return what an option takes: its choices, or its metavar."""
    choices = getattr(parameter.type, "choices", None)
    if choices:
        return " \\| ".join(f"`{choice}`" for choice in map(str, choices)).replace("\\|", "or")
    kind = parameter.type.name.upper()
    return f"`{parameter.metavar or ('TEXT' if kind == 'STR' else kind)}`"


def default(parameter: Any) -> str:
    """Return a default worth telling, or nothing."""
    found = parameter.default
    if callable(found) or found in (None, False, 0, "", (), []) or not parameter.show_default:
        return ""
    return f" (default: `{getattr(found, 'value', found)}`)"


def options(command: Any) -> list[Any]:
    """Return a command's options that are shown."""
    kinds = [row for row in command.params if row.param_type_name == "option"]
    return [row for row in kinds if not row.hidden]


def panel(option: Any) -> str | None:
    """Return the name of the group of shared options that an option belongs to."""
    found = getattr(option, "rich_help_panel", None)
    return str(found) if found else None


def table(rows: Iterable[Any]) -> list[str]:
    """Return a table of options."""
    lines = [f"| {names(row)} | {cell(row.help or '')}{default(row)} |" for row in rows]
    return ["| option | does |", "|---|---|", *lines, ""] if lines else []


def shared(command: Any) -> dict[str, dict[str, Any]]:
    """Return the groups of options that commands below this one share, by group and name."""
    groups: dict[str, dict[str, Any]] = {}
    for child in (command, *getattr(command, "commands", {}).values()):
        for option in options(child):
            name = panel(option)
            if name is not None:
                groups.setdefault(name, {}).setdefault(option.name, option)
    return groups


def also(command: Any, groups: dict[str, dict[str, Any]]) -> list[str]:
    """Return the sentence that names the shared options of a command."""
    parts = []
    for name, group in groups.items():
        mine = [option for option in options(command) if panel(option) == name]
        anchor = name.lower().replace(" ", "-")
        if len(mine) == len(group):
            parts.append(f"[{name.lower()}](#{anchor})")
        else:
            parts += [names(option) for option in mine]
    return [f"Further options: {', '.join(parts)}.", ""] if parts else []


def called(parameter: Any) -> str:
    """Return how an argument is called in a usage line."""
    return str(parameter.metavar or (parameter.name or "").upper())


def usage(path: str, command: Any) -> str:
    """Return the line that shows how a command is called."""
    words = [path, "[OPTIONS]"] if command.params else [path]
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            word = called(parameter)
            word = word if parameter.nargs == 1 or word.endswith(("…", "...")) else f"{word}…"
            words.append(word if parameter.required or word.startswith("[") else f"[{word}]")
    return " ".join(words)


def paragraphs(text: str) -> str:
    """Return a help text as Markdown, its line breaks kept only between paragraphs."""
    parts = re.split(r"\n\s*\n", text.replace("\b", "").split("\f")[0].strip())
    return "\n\n".join(" ".join(part.split()) for part in parts)


def arguments(command: Any) -> list[str]:
    """Return the table of a command's arguments that have a help text."""
    lines = [
        f"| `{cell(called(parameter))}` | {cell(parameter.help)} |"
        for parameter in command.params
        if parameter.param_type_name == "argument" and getattr(parameter, "help", None)
    ]
    return ["| argument | is |", "|---|---|", *lines, ""] if lines else []


def examples(command: Any) -> list[str]:
    """Return the block of a command's examples."""
    lines = [line.strip() for line in (command.epilog or "").splitlines()[2:]]
    return ["```text", *lines, "```", ""] if lines else []


def section(path: str, command: Any, level: int, groups: dict[str, dict[str, Any]]) -> list[str]:
    """Return the page's lines for a command and those below it."""
    lines = ["", f"{'#' * level} {path}", ""] if level > 1 else [""]
    lines += ["```text", usage(path, command), "```", "", paragraphs(command.help or ""), ""]
    lines += arguments(command)
    lines += table(option for option in options(command) if panel(option) is None)
    lines += also(command, groups)
    lines += examples(command)
    for name, child in getattr(command, "commands", {}).items():
        if not child.hidden:
            lines += section(f"{path} {name}", child, level + 1, groups)
    return lines


def reference(app: typer.Typer) -> str:
    """Return the whole page for a typer application."""
    command = typer.main.get_command(app)
    groups = shared(command)
    lines = [HEAD.rstrip(), *section("imageshift", command, 1, groups)]
    for name, group in groups.items():
        lines += ["", f"## {name}", "", *table(group.values())]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


def main() -> int:
    """Write the page, or with --check only compare it: 1 when it has drifted."""
    from imageshift.cli.app import build_app  # noqa: PLC0415 - not needed to import this

    text = reference(build_app([]))
    if "--check" in sys.argv[1:]:
        return 0 if PAGE.read_text(encoding="utf-8") == text else 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
