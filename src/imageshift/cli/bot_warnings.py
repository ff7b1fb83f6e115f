"""Warnings of bots that don't know the cache, or would undo the move."""

from collections.abc import Iterable
from contextlib import suppress

from imageshift.advice import Code
from imageshift.bots.argocd import find_updater
from imageshift.bots.renovate import aliases_of, find_config
from imageshift.errors import SourceError
from imageshift.reports.summary import Summary
from imageshift.reports.words import counted
from imageshift.run import Run

__all__ = ["warn_of_bots"]


def warn_of_bots(run: Run, summary: Summary, updater_files: Iterable[str]) -> None:
    """Adds the warnings to those of a run; `updater_files` are those that refer to Image Updater.

    Applications are checked too, because those that name no image have no plan.
    """
    with suppress(SourceError):  # what Renovate can't read either
        config = find_config(run.workspace.root)
        missing = {} if config is None else config.missing(_aliases_in_use(run, summary))
        if config is not None and missing:
            place = f"{summary.shown(config.name)}:1:1"
            summary.advice.add(Code.RENOVATE_ALIASES, place, counted(len(missing), "path"))
    applications = (found.file for found in run.index.applications)
    files = sorted({*updater_files, *filter(run.is_written, applications)})
    for one in find_updater(run.workspace, files, run.rules_of):
        summary.advice.add(Code.UPDATER_REVERTS, summary.where(one.file, one.place), one.message)


def _aliases_in_use(run: Run, summary: Summary) -> dict[str, str]:
    return aliases_of(
        (target.rules.registry, (rule for rule in target.rules.rules if rule in summary.used))
        for target in run.targets
    )
