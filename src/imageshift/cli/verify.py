"""imageshift verify: renders before and after, and judges every difference."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from imageshift.cli.declare import option
from imageshift.cli.exits import Exit
from imageshift.cli.options import PAGES, Common, Format, Paths, with_options
from imageshift.cli.output import (
    emit_report,
    new_page,
    put_diff,
    put_page,
    say,
    say_lines,
)
from imageshift.cli.progress import progress
from imageshift.cli.session import say_half_done
from imageshift.prove import prove_base
from imageshift.reports.lines import Page
from imageshift.reports.summary import SCHEMA, namer, registry_row
from imageshift.reports.words import counted, visible
from imageshift.run import Run
from imageshift.verify import DifferenceClass, Problem, Proof, Verdict
from imageshift.verify.rows import problem_rows, render_rows

__all__ = ["print_proof", "proof_rows", "verify"]

_LISTED = 20
_NOT_COMPARED = "not compared"


@with_options(Common, formats=PAGES, without=("strict",))
def verify(
    *,
    common: Common,
    paths: Paths,
    base: Annotated[str, option("--base", help="Git revision or folder to compare with.")] = "HEAD",
) -> None:
    """Prove by rendering that only image names differ from a base.

    Each new name must be the mapped old one. Exits with 1 if anything else differs.
    """
    run = Run.open(paths, common.run_options())
    say_half_done(run)
    with progress("verify", quiet=common.quiet):
        proof = prove_base(run, base)
    shown = namer(run.workspace.root)
    if common.format is Format.TEXT:
        print_proof(proof, common, shown)
    else:
        emit_report(_data(run, proof, shown), common.format)
    raise SystemExit(_exit_code(proof))


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
    """Prints a proof for people: what is equal, what differs and how, what wasn't compared."""
    if not common.quiet:
        page = new_page()
        _print_verdicts(page, proof.verdicts, verbose=common.verbose)
        put_page(page)
    for verdict in proof.verdicts:
        if not verdict.is_equal:
            _print_failure(verdict, shown)
    for problem in dict.fromkeys(proof.problems):
        _say_problem(problem, shown)
    if not common.quiet:
        say(_last_line(proof))


def _print_verdicts(page: Page, verdicts: Sequence[Verdict], *, verbose: bool) -> None:
    """A line for each verdict; many that are equal are counted by their kind."""
    listed = [v for v in verdicts if verbose or _is_worth_a_line(v)]
    equal = [v for v in listed if v.is_equal and v.problem is None]
    folded = equal if len(equal) > _LISTED and not verbose else []
    for kind in dict.fromkeys(verdict.key.kind for verdict in folded):
        some = [verdict for verdict in folded if verdict.key.kind is kind]
        _print_line(page, "equal", counted(len(some), kind.value), some)
    if folded:
        page.line(("--verbose lists all equal ones", "dim"))
    for verdict in listed:
        if not folded or verdict.problem is not None or not verdict.is_equal:
            _print_line(page, _result(verdict), _spelled(verdict), [verdict])


def _print_line(page: Page, result: str, what: str, verdicts: Sequence[Verdict]) -> None:
    pairs = {pair for verdict in verdicts for pair in verdict.images if pair.ok}
    moved = sum(pair.before != pair.after for pair in pairs)
    objects = sum(verdict.objects for verdict in verdicts)
    words = [counted(objects, "object"), f"{counted(moved, 'image')} moved"]
    for kind in (DifferenceClass.NOISE, DifferenceClass.DERIVED):
        number = sum(item.kind is kind for v in verdicts for item in v.differences)
        words += [f"{number} {kind.value}"] if number else []
    style = {"equal": "green", _NOT_COMPARED: "yellow"}.get(result, "red")
    counts = "" if result == _NOT_COMPARED else f": {', '.join(words)}"
    page.line((f"{result:<{len(_NOT_COMPARED)}}", style), (f"  {what}", "bold"), (counts, ""))


def _is_worth_a_line(verdict: Verdict) -> bool:
    return bool(verdict.moved or verdict.differences or verdict.problem or not verdict.is_equal)


def _spelled(verdict: Verdict) -> str:
    key = verdict.key
    name = "/".join(filter(None, (key.namespace, key.name)))
    where = "" if key.place == key.name else f" in {key.place or '.'}"
    return f"{key.kind.value} {name}{where}"


def _result(verdict: Verdict) -> str:
    if verdict.problem is not None:
        return _NOT_COMPARED
    if verdict.is_equal:
        return "equal"
    return counted(len(verdict.unexplained), "difference")


def _print_failure(verdict: Verdict, shown: Callable[[str], str]) -> None:
    from imageshift.verify.model import spell_object, spell_path  # noqa: PLC0415 failures only
    from imageshift.verify.show import spell_value  # noqa: PLC0415 as above

    page = new_page()
    page.line()
    for item in verdict.unexplained:
        place = " ".join(filter(None, (spell_object(item.object), spell_path(item.path))))
        before, after = (_short(spell_value(value)) for value in (item.before, item.after))
        reason = f"{item.reason}: " if item.reason else ""
        page.row(shown(verdict.file), f"{place}: {reason}{before} → {after}")
    put_page(page)
    for diff in verdict.diffs.values():
        put_diff(diff)


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
