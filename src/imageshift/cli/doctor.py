"""imageshift doctor: whether everything that a run needs is there, on one screen."""

from msgspec import to_builtins
from msgspec.structs import replace

from imageshift.cli.exits import Exit
from imageshift.cli.options import Format, MapOptions, Offline, Paths, Root, with_options
from imageshift.cli.output import emit_data, put
from imageshift.doctor import Check, State, examine
from imageshift.reports.summary import SCHEMA
from imageshift.run import Run


class DoctorOptions(MapOptions, frozen=True, kw_only=True):
    """The options of the registry, and those that a look at a machine has."""

    root: Root = None
    offline: Offline = False


@with_options(DoctorOptions, without=("quiet",))
def doctor(
    *,
    common: DoctorOptions,
    paths: Paths,
) -> None:
    """Check programs, configuration, rules, network and AWS.

    Exits with 1 if something is wrong.
    """
    options = replace(common.registry_options(), root=common.root, offline=common.offline)
    checks = []
    for check in examine(Run.open(paths, options)):
        checks.append(check)
        if common.format is Format.TEXT:
            _print(check)
    if common.format is Format.JSON:
        emit_data({"schema": SCHEMA, "command": "doctor", "checks": to_builtins(checks)})
    is_well = all(check.state is not State.PROBLEM for check in checks)
    raise SystemExit(Exit.DONE if is_well else Exit.FINDINGS)


def _print(check: Check) -> None:
    put(f"{check.state:<8} {check.name}: {check.detail}")
    if check.hint is not None and check.state is not State.OK:
        put(f"  hint: {check.hint}")
