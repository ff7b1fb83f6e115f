"""imageshift map: references to targets, one per line."""

import sys
from collections.abc import Iterator
from typing import Annotated, Any, TextIO

from imageshift.cache import Cached, Mapped, Outcome, RuleSet
from imageshift.cli.declare import argument, option
from imageshift.cli.exits import Exit
from imageshift.cli.options import Format, MapOptions, with_options
from imageshift.cli.output import emit_data, put, say, say_doubtful_accounts
from imageshift.cli.registry import open_rules
from imageshift.errors import InvalidReferenceError
from imageshift.reports.summary import SCHEMA, registry_row
from imageshift.rewrite import Backward, Forward, Mapper, Status


@with_options(MapOptions)
def map_(
    *,
    common: MapOptions,
    references: Annotated[
        list[str] | None,
        argument(metavar="[REF]…", help="References; read from stdin if none are given."),
    ] = None,
    inverse: Annotated[
        bool, option("--inverse", help="Map from the cache back to the upstream.")
    ] = False,
) -> None:
    """Print where each reference goes.

    A reference without a rule is printed unchanged.
    """
    rules, _, _ = open_rules(common)
    say_doubtful_accounts([rules.registry])
    mapper: Mapper = Backward(rules) if inverse else Forward(rules)
    texts = references or _lines(sys.stdin)
    rows = [_row(text, mapper) for text in texts]
    if common.format is Format.JSON:
        emit_data(_report(rules, rows))
    else:
        for row in rows:
            _print_row(row, quiet=common.quiet)
    if any(row["reason"] in {"not-a-reference", "conflict"} for row in rows):
        raise SystemExit(Exit.UNSAFE)


def _lines(stream: TextIO | None) -> Iterator[str]:
    """The lines of a stream that aren't blank; of one that is too long for a reference, a part."""
    while stream is not None and (line := stream.readline(_LONGEST)):
        text = line.strip()
        if not line.endswith("\n") and len(line) == _LONGEST:
            text = f"{text[:_SHOWN]}…"
            while (rest := stream.readline(_LONGEST)) and not rest.endswith("\n"):
                pass
        if text:
            yield text


_LONGEST = 4096
_SHOWN = 60


def _row(text: str, mapper: Mapper) -> dict[str, Any]:
    try:
        reference = mapper.parse(text)
    except InvalidReferenceError as error:
        found = {"status": Status.INVALID, "reason": "not-a-reference", "detail": str(error)}
        return _EMPTY | {"original": text} | found
    outcome = _outcome(text, mapper, mapper.map(reference))
    return _EMPTY | {"original": text, "normalized": reference.normalized} | outcome


_EMPTY: dict[str, Any] = dict.fromkeys(
    ("original", "normalized", "target", "status", "rule", "reason", "detail")
)


def _outcome(text: str, mapper: Mapper, outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Mapped):
        target = mapper.whole_name(outcome.target) + outcome.target.identifier
        return {"target": target, "status": Status.REWRITE, "rule": outcome.rule.prefix}
    if isinstance(outcome, Cached):
        return {"target": text, "status": Status.CACHED, "rule": outcome.rule.prefix}
    status = Status.NO_RULE if outcome.reason == "no-rule" else Status.SKIPPED
    return {"status": status, "reason": outcome.reason.value, "detail": outcome.detail}


def _print_row(row: dict[str, Any], *, quiet: bool) -> None:
    if row["status"] == Status.INVALID:
        say(f"imageshift: {row['detail']}")
        return
    if row["target"] is None and not quiet:
        say(f"imageshift: {row['original']}: {row['detail']}")
    put(row["target"] or row["original"])


def _report(rules: RuleSet, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "command": "map",
        "registries": [registry_row(rules, (".",))],
        "images": rows,
    }
