"""What the page of a report shows: its rows counted, grouped and in order."""

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any

from msgspec import Struct

from imageshift.advice import is_unsafe
from imageshift.errors import InvalidReferenceError
from imageshift.reference import parse_reference
from imageshift.reports.codes import CODES
from imageshift.reports.words import counted
from imageshift.sites import SkipReason

__all__ = ["page_parts"]

Row = dict[str, Any]
_NOT_SAID = "not said"
_NO_CLUSTER = "no cluster known"
_ATTENTION = ("conflict", "no-rule", "doubtful", "unclaimed")


class Share(Struct, frozen=True):
    """How many images of one part of a tree are cached, move, and stay as they are."""

    name: str
    cached: int
    moves: int
    left: int
    filter: str = ""

    @property
    def total(self) -> int:
        """All of them."""
        return self.cached + self.moves + self.left

    @property
    def pieces(self) -> Iterator[tuple[str, str, str]]:
        """The pieces of its bar: what each shows, where it starts and how wide it is."""
        start = 0
        for name in ("cached", "moves", "left"):
            number = getattr(self, name)
            if number:
                yield name, _percent(start, self.total), _percent(number, self.total)
            start += number


def page_parts(report: Row, done: str) -> Row:
    """The variables of the page's template."""
    rows = [_row(report, row) for row in report.get("images", ())]
    parts: Row = {
        "report": {"findings": [], "problems": [], "skipped": [], "warnings": []} | report,
        "done": done,
        "hosts": [registry["host"] for registry in report["registries"]],
        "whole": _share("", rows) if "images" in report else None,
        "charts": list(_charts(rows)),
        "proof": _proof(report) if "renders" in report else None,
        "left": _left([row for row in rows if row["part"] == "left"], report["command"]),
        "lists": list(_lists(rows, done)),
        "skipped": _grouped(row | {"code": row["reason"]} for row in report.get("skipped", ())),
        "account": list(_account(report["account"])) if "account" in report else [],
    }
    return parts | {"sections": list(_sections(parts))}


def _row(report: Row, row: Row) -> Row:
    """An image's row, with what else the page says about it."""
    part = {"rewrite": "moves", "cached": "cached"}.get(row["status"], "left")
    made = {
        "part": part,
        "code": row["reason"] or row["status"],
        "upstream": _upstream(report, row),
        "namespace": row["resource"]["namespace"] or _NOT_SAID,
    }
    words = (
        row["file"],
        row["detail"] or "",
        made["upstream"],
        made["namespace"],
        row["status"],
        *row["clusters"],
    )
    return row | made | {"words": " ".join(words)}


def _upstream(report: Row, row: Row) -> str:
    """The registry that an image comes from, behind the cache too."""
    for registry in report["registries"]:
        for rule in registry["rules"]:
            if row["rule"] is not None and rule["prefix"] == row["rule"]:
                return str(rule["upstream"])
    try:
        name = row["normalized"] or parse_reference(row["original"]).normalized
    except InvalidReferenceError:
        return _NOT_SAID
    return str(name.partition("/")[0])


def _charts(rows: list[Row]) -> Iterator[Row]:
    """The pictures: the same images by upstream, by cluster and by namespace."""
    known = any(row["clusters"] for row in rows)
    folder_of = _folders(rows)
    keys: list[tuple[str, Callable[[Row], list[str]]]] = [
        ("upstream", lambda row: [row["upstream"]]),
        ("cluster", lambda row: row["clusters"] or [_NO_CLUSTER])
        if known
        else ("folder", lambda row: [folder_of(row["file"])]),
        ("namespace", lambda row: [row["namespace"]]),
    ]
    for what, names_of in keys:
        found: dict[str, list[Row]] = {}
        for row in rows:
            for name in names_of(row):
                found.setdefault(name, []).append(row)
        shares = [_share(name, some) for name, some in found.items()]
        shares.sort(key=lambda share: (-share.total, share.name))
        if shares:
            yield {"title": f"By {what}", "what": what, "shares": shares}


def _folders(rows: list[Row]) -> Callable[[str], str]:
    """The function from a file to the topmost of its folders that not all files share."""
    parents = [row["file"].split("/")[:-1] for row in rows]
    shared = len(os.path.commonprefix(parents))  # noqa: RUF071 lists, which it compares by items
    return lambda file: "/".join([*file.split("/")[:-1][: shared + 1], ""]) or "./"


def _share(name: str, rows: list[Row]) -> Share:
    counts = (sum(row["part"] == part for row in rows) for part in ("cached", "moves", "left"))
    cached, moves, left = counts
    return Share(name, cached, moves, left, "" if name in {_NOT_SAID, _NO_CLUSTER} else name)


def _percent(number: int, total: int) -> str:
    return f"{100 * number / total:.2f}"


def _lists(rows: list[Row], done: str) -> Iterator[Row]:
    """The images that move and those that are cached, by file."""
    titles = {"moves": f"{done[:1].upper()}{done[1:]}", "cached": "From the cache"}
    for part, title in titles.items():
        found = [row for row in rows if row["part"] == part]
        if found:
            yield {
                "id": part,
                "title": title,
                "count": len(found),
                "caption": f"{title}, by file",
                "summary": f"{counted(len(found), 'image')} by file",
                "has_targets": part == "moves",
                "folded": part == "cached",
                "files": [
                    {"name": name, "rows": list(some)}
                    for name, some in groupby(found, key=lambda row: row["file"])
                ],
            }


def _left(rows: list[Row], command: str) -> list[Row]:
    """The images that stay, by reason; on revert those outside the cache need nothing."""
    groups = _grouped(rows)
    if command != "revert":
        return groups
    titles = {"no-rule": "Not in the cache"}
    return [
        group | {"remedy": "", "title": titles.get(group["code"], group["title"])}
        for group in groups
    ]


def _grouped(rows: Iterable[Row]) -> list[Row]:
    """Rows by the code that says why, what needs attention first."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["code"], []).append(row)
    groups = [_group(code, some) for code, some in found.items()]
    return sorted(groups, key=_order)


def _group(code: str, rows: list[Row]) -> Row:
    text = CODES[code]
    details: dict[str, list[Row]] = {}
    for row in rows:
        details.setdefault(row["detail"] or "", []).append(row)
    return {
        "code": code,
        "title": text.title,
        "remedy": text.remedy,
        "rows": rows,
        "details": [{"why": why, "rows": some} for why, some in details.items()],
    }


def _order(group: Row) -> tuple[bool, bool, int, str]:
    code = group["code"]
    unsafe = code in set(SkipReason) and is_unsafe(SkipReason(code))
    return not unsafe, code not in _ATTENTION, -len(group["rows"]), code


def _proof(report: Row) -> Row:
    """The verdicts with their counts, those that differ first."""
    made = [_render(row) for row in report["renders"]]
    made.sort(key=lambda render: render["row"]["equal"])
    pairs = {
        (pair["before"], pair["after"])
        for row in report["renders"]
        for pair in row["images"]
        if pair["ok"] and pair["before"] != pair["after"]
    }
    different = sum(not row["equal"] for row in report["renders"])
    parts = [f"{len(made)} compared", f"{counted(len(pairs), 'image')} moved"]
    parts += [f"{different} different"]
    if report["problems"]:
        parts.append(f"{len(report['problems'])} not compared")
    return {"renders": made, "sentence": ", ".join(parts), "different": different}


def _render(row: Row) -> Row:
    images = sorted(row["images"], key=lambda pair: (pair["ok"], pair["before"] == pair["after"]))
    classes = [item["class"] for item in row["other_differences"]]
    wrong = classes.count("unexplained") + sum(not pair["ok"] for pair in images)
    parts = [counted(len(images), "image")] if images else []
    parts += [counted(len(classes), "other difference")] if classes else []
    return {
        "row": row | {"images": images},
        "name": "/".join(filter(None, (row["namespace"], row["name"]))),
        "moved": sum(pair["ok"] and pair["before"] != pair["after"] for pair in images),
        "noise": classes.count("noise"),
        "derived": classes.count("derived"),
        "result": "equal" if row["equal"] else counted(wrong, "difference"),
        "summary": ", ".join(parts),
    }


def _account(account: Row) -> Iterator[tuple[int, str, int]]:
    """The lines of the account: a number, what it counts, and how deep it stands."""
    yield account["named"], "image names in the tree", 1
    yield account["moved"], "cached or moving", 2
    yield sum(account["left"].values()), "left with a reason", 2
    for reason, number in account["left"].items():
        yield number, CODES[reason].title if reason in CODES else reason, 3
    yield account["unclaimed"], "unclaimed", 2
    yield account["brought"], "more from charts, post-renderers and remote bases", 1
    if account["charts_unread"]:
        yield account["charts_unread"], "releases whose charts weren't read", 1
    yield account["references"], f"references, in {counted(account['uses'], 'use')}", 1
    for other in account["other_formats"]:
        files = counted(other["files"], "file")
        yield other["images"], f"more in {files} that imageshift doesn't read: {other['format']}", 1


def _sections(parts: Row) -> Iterator[Row]:
    """The sections that the page has, in its order, for the links at its head."""
    report, proof, whole = parts["report"], parts["proof"], parts["whole"]
    if whole is not None:
        yield {"id": "coverage", "title": "Coverage", "count": None}
    if proof is not None:
        yield {"id": "proof", "title": "Proof", "count": len(proof["renders"])}
    if report["findings"]:
        yield {"id": "findings", "title": "Findings", "count": len(report["findings"])}
    if parts["left"]:
        yield {"id": "left", "title": "Left, and why", "count": whole.left}
    for one in parts["lists"]:
        yield {"id": one["id"], "title": one["title"], "count": one["count"]}
    if parts["skipped"]:
        yield {"id": "files", "title": "Files", "count": len(report["skipped"])}
    if report["warnings"]:
        yield {"id": "warnings", "title": "Warnings", "count": len(report["warnings"])}
    if parts["account"]:
        yield {"id": "account", "title": "Image names", "count": None}
    yield {"id": "rules", "title": "Rules", "count": None}
