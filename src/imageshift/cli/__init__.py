"""The command line."""

import gc
import sys

__all__ = ["main"]


def main() -> None:
    """Runs the command line."""
    # Objects are freed by counting references; the collector would only walk modules and trees.
    gc.disable()
    from imageshift.cli.start import start  # noqa: PLC0415 loads most of the package

    start(sys.argv[1:])
