"""The pages that are written from the program say what the program does."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once


def test_command_reference_is_current(repository: Path) -> None:
    """The page docs/commands.md is what scripts/command_reference.py would write now."""
    script = repository / "scripts" / "command_reference.py"

    run = subprocess.run([sys.executable, str(script), "--check"], check=False)

    assert run.returncode == 0, "run `python scripts/command_reference.py` and read the difference"
