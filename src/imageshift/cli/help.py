"""The help of a command: its own options first, those that it shares in groups behind them."""

from collections import defaultdict
from typing import Any

from typer.core import TyperCommand

__all__ = ["GroupedCommand"]


class GroupedCommand(TyperCommand):
    """A command whose help lists options by the panel that each names."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Writes the arguments, then the options of each group."""
        groups = defaultdict[str, list[tuple[str, str]]](list)
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                groups[_group(parameter)].append(record)
        for name in sorted(groups, key=[*_FIRST, *groups].index):
            with formatter.section(name):
                formatter.write_dl(groups[name])


_FIRST = ("Arguments", "Options")


def _group(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return _FIRST[0]
    return getattr(parameter, "rich_help_panel", None) or _FIRST[1]
