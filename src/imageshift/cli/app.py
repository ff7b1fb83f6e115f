"""The command line as Typer reads it: one module per command."""

import inspect
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import wraps
from importlib import import_module
from typing import Annotated, Any, get_args, get_type_hints

import typer

from imageshift.cli.declare import Declared
from imageshift.cli.examples import epilog
from imageshift.cli.exits import reporting_errors
from imageshift.cli.help import GroupedCommand
from imageshift.cli.options import Command
from imageshift.cli.output import put

__all__ = ["build_app"]

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
    """A command as Typer takes it: with all of its parameters in its signature."""

    @wraps(command)
    def run(**values: Any) -> Any:
        with reporting_errors():
            return command.call(values) if isinstance(command, Command) else command(**values)

    run.__signature__ = inspect.Signature(list(_parameters(command)))  # type: ignore[attr-defined]
    run.__annotations__ = {}
    return run


def _parameters(command: Callable[..., Any]) -> Iterator[inspect.Parameter]:
    function = command.function if isinstance(command, Command) else command
    hints = get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        if name != "common":
            yield _parameter(name, hints[name], parameter.default)
    if isinstance(command, Command):
        yield from _shared_parameters(command)


def _shared_parameters(command: Command) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(command.shared, include_extras=True)
    for name, default in command.defaults().items():
        if name == "format" and command.has_report_format:
            # Typer takes the choices from an enumeration, so each command has its own.
            own = StrEnum("Format", {one.name: one.value for one in command.formats})  # type: ignore[misc]
            declared = get_args(hints[name])[1]
            yield _parameter(name, Annotated[own, declared], own("text"))
        else:
            yield _parameter(name, hints[name], default)


def _parameter(name: str, hint: Any, default: Any) -> inspect.Parameter:
    kind, *more = get_args(hint)
    parts: Any = (kind, *(_typers(each) if isinstance(each, Declared) else each for each in more))
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[parts]
    )


def _typers(declared: Declared) -> Any:
    make = typer.Option if declared.is_option else typer.Argument
    return make(*declared.names, **declared.more)


def _print_version(*, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 this option only

        put(f"imageshift {version('imageshift')}")
        raise SystemExit


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
