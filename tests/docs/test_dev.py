"""scripts/dev.py, which CI runs."""

import ast
import re
import runpy
from pathlib import Path


def test_every_session_runs(repository: Path) -> None:
    """Without names, it runs what nox runs without names."""
    found = runpy.run_path(str(repository / "scripts" / "dev.py"))
    text = (repository / "noxfile.py").read_text(encoding="utf-8")
    sessions = re.search(r"nox\.options\.sessions = (\[.*?\])", text, re.DOTALL)

    assert sessions is not None
    assert [*found["BESIDE"], *found["MAIN"]] == ast.literal_eval(sessions[1])
