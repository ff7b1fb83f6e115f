"""imageshift verify: renders before and after, and judges every difference."""

import io
from collections.abc import Callable, Iterable
from typing import Annotated, Any

import typer

from imageshift.cli.exits import Exit
from imageshift.cli.options import PAGES, Common, Format, Paths, with_options
from imageshift.cli.output import emit, emit_report, progress, say, say_lines
from imageshift.cli.session import say_half_done
from imageshift.prove import prove_base
from imageshift.reports.summary import SCHEMA, namer, registry_row
from imageshift.reports.words import counted, visible
from imageshift.run import Run
from imageshift.verify import DifferenceClass, Problem, Proof, Verdict
from imageshift.verify.rows import problem_rows, render_rows

__all__ = ["print_proof", "proof_rows", "verify"]


@with_options(Common, formats=PAGES, without=("strict",))
def verify(
    *,
    common: Common,
    paths: Paths,
    base: Annotated[
        str, typer.Option("--base", help="Git revision or folder to compare with.")
    ] = "HEAD",
) -> None:
    """Prove by rendering that only image names differ from a base.

    Each new name has to be the mapped old one. Exits with 1 when anything else differs.
    """
    run = Run.open(paths, common.run_options())
    say_half_done(run)
    with progress("renders", None, quiet=common.quiet) as advance:
        proof = prove_base(run, base, advance)
    shown = namer(run.workspace.root)
    if common.format is Format.TEXT:
        print_proof(proof, common, shown)
    else:
        emit_report(_data(run, proof, shown), common.format)
    raise typer.Exit(_exit_code(proof))


def _exit_code(proof: Proof) -> Exit:
    """What a proof comes to."""
    if not proof.is_equal:
        return Exit.FINDINGS
    return Exit.TOOL if proof.problems else Exit.DONE


def _data(run: Run, proof: Proof, shown: Callable[[str], str]) -> dict[str, Any]:
    failed = [verdict for verdict in proof.verdicts if not verdict.is_equal]
    return {
        "schema": SCHEMA,
        "command": "verify",
        "registries": [registry_row(target.rules, target.paths) for target in run.targets],
        **proof_rows(proof, shown),
        "proof": {
            "renders": len(proof.verdicts) - len(proof.problems),
            "equal": len(proof.verdicts) - len(proof.problems) - len(failed),
            "different": len(failed),
            "problems": len(proof.problems),
        },
    }


def proof_rows(proof: Proof, shown: Callable[[str], str]) -> dict[str, Any]:
    """What a proof adds to a JSON report."""
    return {"renders": render_rows(proof, shown), "problems": problem_rows(proof, shown)}


def print_proof(proof: Proof, common: Common, shown: Callable[[str], str]) -> None:
    """Prints a proof for people: the table, the diffs that fail, and what couldn't be compared."""
    listed = [v for v in proof.verdicts if common.verbose or _is_worth_a_line(v)]
    parts = [_table(listed)] if listed and not common.quiet else []
    parts += [_failure(verdict, shown) for verdict in proof.verdicts if not verdict.is_equal]
    emit("".join(parts))
    for problem in dict.fromkeys(proof.problems):
        _say_problem(problem, shown)
    if not common.quiet:
        say(_last_line(proof))


def _is_worth_a_line(verdict: Verdict) -> bool:
    return bool(verdict.moved or verdict.differences or verdict.problem or not verdict.is_equal)


def _table(verdicts: Iterable[Verdict]) -> str:
    from rich.console import Console  # noqa: PLC0415 heavy, and not for JSON
    from rich.table import Table  # noqa: PLC0415 as above

    table = Table(box=None, pad_edge=False)
    for name in ("kind", "name", "where", "objects", "moved", "noise", "derived", "result"):
        right = name in {"objects", "moved", "noise", "derived"}
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for verdict in verdicts:
        table.add_row(*_cells(verdict))
    stream = io.StringIO()
    Console(file=stream, highlight=False, color_system=None, width=160).print(table)
    return "".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines())


def _cells(verdict: Verdict) -> list[str]:
    name = "/".join(filter(None, (verdict.key.namespace, verdict.key.name)))
    counts = [
        sum(item.kind is kind for item in verdict.differences)
        for kind in (DifferenceClass.NOISE, DifferenceClass.DERIVED)
    ]
    numbers = [str(number or "") for number in (verdict.objects, verdict.moved, *counts)]
    where = "" if verdict.key.place == verdict.key.name else verdict.key.place
    texts = [verdict.key.kind.value, *(_plain(text) for text in (name, where))]
    return [*texts, *numbers, _result(verdict)]


def _plain(text: str) -> str:
    from rich.markup import escape  # noqa: PLC0415 heavy, and not for JSON

    return escape(visible(text))


def _result(verdict: Verdict) -> str:
    if verdict.problem is not None:
        return "not compared"
    if verdict.is_equal:
        return "equal"
    return counted(len(verdict.unexplained), "difference")


def _failure(verdict: Verdict, shown: Callable[[str], str]) -> str:
    from imageshift.verify.model import spell_object, spell_path  # noqa: PLC0415 failures only
    from imageshift.verify.show import spell_value  # noqa: PLC0415 as above

    lines = []
    for item in verdict.unexplained:
        place = " ".join(filter(None, (spell_object(item.object), spell_path(item.path))))
        before, after = (_short(spell_value(value)) for value in (item.before, item.after))
        reason = f"{item.reason}: " if item.reason else ""
        lines.append(f"{shown(verdict.file)}: {place}: {reason}{before} → {after}\n")
    return "\n" + "".join(lines) + "".join(verdict.diffs.values())


def _short(text: str) -> str:
    first, _, rest = text.partition("\n")
    return f"{first[:120]} …" if rest or len(first) > 120 else first  # noqa: PLR2004 a line


def _say_problem(problem: Problem, shown: Callable[[str], str]) -> None:
    message = problem.message.strip().replace("\n", "\n  ")
    say_lines(f"{visible(shown(problem.place))}: {message}")
    if problem.hint:
        say(f"  hint: {problem.hint}")


def _last_line(proof: Proof) -> str:
    pairs = {pair for verdict in proof.verdicts for pair in verdict.images if pair.ok}
    moved = sum(pair.before != pair.after for pair in pairs)
    compared = [verdict for verdict in proof.verdicts if verdict.problem is None]
    failed = sum(not verdict.is_equal for verdict in compared)
    parts = [
        f"{len(compared)} compared",
        f"{counted(moved, 'image')} moved",
        f"{failed} different",
    ]
    if proof.problems:
        parts.append(f"{len(proof.problems)} not compared")
    return ", ".join(parts)
