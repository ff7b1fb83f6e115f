"""The reasons that a report gives for images that stay."""

from typing import Any

from case_judge import normal

from real_tools import Tree

__all__ = ["is_written", "reasons", "without_tag"]


def reasons(report: dict[str, Any], image: str) -> set[str]:
    """The reasons that a report gives for an image that stays."""
    name = without_tag(image)
    return {
        row["reason"] or row["status"]
        for row in report["images"]
        if row["status"] not in {"rewrite", "cached"}
        and name in {without_tag(row["original"]), without_tag(row["normalized"] or "")}
    }


def without_tag(image: str) -> str:
    """A reference's normalized name."""
    name = normal(image).partition("@")[0]
    head, _, last = name.rpartition("/")
    return f"{head}/{last.partition(':')[0]}"


def is_written(tree: Tree, image: str) -> bool:
    """Whether the tree itself names an image outside of templates."""
    repository = without_tag(image).partition("/")[2].removeprefix("library/").encode()
    return any(repository in text for name, text in tree.items() if "templates/" not in name)
