"""imageshift doctor: whether everything that a run needs is there, on one screen."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from msgspec import to_builtins
from msgspec.structs import replace

from imageshift.cli.exits import Exit
from imageshift.cli.options import Format, MapOptions, with_options
from imageshift.cli.output import emit_data, put
from imageshift.doctor import Check, State, examine
from imageshift.reports.summary import SCHEMA
from imageshift.run import Run


@dataclass(frozen=True, kw_only=True)
class DoctorOptions(MapOptions):
    """The options of the registry, and those that a look at a machine has."""

    root: Annotated[
        Path | None, typer.Option("--root", help="Root of the repository.", show_default=False)
    ] = None
    offline: Annotated[bool, typer.Option("--offline", help="Contact nothing.")] = False


@with_options(DoctorOptions, without=("quiet",))
def doctor(
    *,
    common: DoctorOptions,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="What a run would be over; `.` if left out.", show_default=False),
    ] = None,
) -> None:
    """Check programs, configuration, rules, network and AWS. Exit 1 when something is wrong."""
    options = replace(common.registry_options(), root=common.root, offline=common.offline)
    checks = []
    for check in examine(Run.open(paths or [Path()], options)):
        checks.append(check)
        if common.format is Format.TEXT:
            _print(check)
    if common.format is Format.JSON:
        emit_data({"schema": SCHEMA, "command": "doctor", "checks": to_builtins(checks)})
    is_well = all(check.state is not State.PROBLEM for check in checks)
    raise typer.Exit(Exit.DONE if is_well else Exit.FINDINGS)


def _print(check: Check) -> None:
    put(f"{check.state:<8} {check.name}: {check.detail}")
    if check.hint is not None and check.state is not State.OK:
        put(f"  hint: {check.hint}")
