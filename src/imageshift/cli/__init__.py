"""The command line: one module per command."""

import inspect
import sys
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Annotated, Any

import typer

from imageshift.cli.completion import name_shell, words
from imageshift.cli.examples import epilog
from imageshift.cli.exits import ending_on_signals, reporting_errors
from imageshift.cli.help import GroupedCommand
from imageshift.cli.output import put, take_any_text, writing

__all__ = ["main"]

# Commands are imported when they are called, since pre-commit starts the tool often.
_COMMANDS = {
    "scan": ("scan", "scan"),
    "migrate": ("migrate", "migrate"),
    "check": ("check", "check"),
    "revert": ("revert", "revert"),
    "map": ("mapping", "map_"),
    "explain": ("explain", "explain"),
    "verify": ("verify", "verify"),
    "warm": ("warm", "warm"),
    "values": ("values", "values"),
    "audit": ("audit", "audit"),
    "init": ("init", "init"),
    "doctor": ("doctor", "doctor"),
}
_GROUPS = {
    "rules": (
        "List, import and check the cache's rules.",
        {"list": "list_", "import": "import_", "validate": "validate"},
    ),
    "infra": (
        "Write Terraform or CloudFormation for the rules in use.",
        {"terraform": "terraform", "cloudformation": "cloudformation"},
    ),
    "bots": (
        "Configure update bots for the cache; find what they would undo.",
        {
            "renovate": "renovate",
            "flux": "flux",
            "argocd-image-updater": "argocd_image_updater",
        },
    ),
    "policy": (
        "Write admission policies that map images as the rules do.",
        {"kyverno": "kyverno", "validating": "validating", "mutating": "mutating"},
    ),
}


def main() -> None:
    """Runs the command line."""
    take_any_text()
    with ending_on_signals():
        try:
            with reporting_errors(), writing(sys.stdout):
                name_shell(sys.argv[1:])
                build_app(words(sys.argv[1:]))()
        except typer.Exit as end:
            sys.exit(end.exit_code)


def build_app(arguments: list[str]) -> typer.Typer:
    """The application with the one command that the arguments ask for, or with all."""
    app = typer.Typer(
        name="imageshift",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    asked = arguments[:1] if arguments and {*_COMMANDS, *_GROUPS} & {arguments[0]} else None
    for name, (module, function) in _COMMANDS.items():
        if asked is None or name in asked:
            command = getattr(import_module(f"imageshift.cli.{module}"), function)
            add = app.command(
                name, cls=GroupedCommand, short_help=_summary(command), epilog=epilog(name)
            )
            add(_guarded(command))
    for name in _GROUPS:
        if asked is None or name in asked:
            app.add_typer(_group(name), name=name)
    return app


def _group(name: str) -> typer.Typer:
    text, functions = _GROUPS[name]
    group = typer.Typer(help=text, short_help=text, no_args_is_help=True)
    module = import_module(f"imageshift.cli.{name}")
    for command, function in functions.items():
        called = getattr(module, function)
        add = group.command(
            command,
            cls=GroupedCommand,
            short_help=_summary(called),
            epilog=epilog(f"{name} {command}"),
        )
        add(_guarded(called))
    return group


def _summary(command: Callable[..., Any]) -> str:
    """The first line of a command's help, which lists show uncut."""
    return (command.__doc__ or "").partition("\n")[0]


def _guarded(command: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(command)
    def run(**values: Any) -> Any:
        with reporting_errors():
            return command(**values)

    run.__signature__ = inspect.signature(command)  # type: ignore[attr-defined]
    return run


def _print_version(*, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 this option only

        put(f"imageshift {version('imageshift')}")
        raise typer.Exit


def _root(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version.",
            is_eager=True,
            callback=lambda wanted: _print_version(wanted=wanted),
        ),
    ] = False,
) -> None:
    """Move a GitOps repository onto an Amazon ECR pull-through cache."""
