"""Every code has words of its own, and an anchor in the page of codes."""

import re
import subprocess
import sys
from pathlib import Path

from imageshift.advice import Code
from imageshift.reports.codes import CODES, DOUBTFUL, NOT_CACHED, PAGE, WRONG_PATH, page_of
from imageshift.sites import SkipReason


def test_every_code_has_words() -> None:
    """Findings, reasons and warnings: no code is left out, none is made up."""
    known = {NOT_CACHED, WRONG_PATH, DOUBTFUL, *SkipReason, *Code}

    assert set(CODES) == {str(code) for code in known}
    assert len({words.means for words in CODES.values()}) == len(CODES)
    for words in CODES.values():
        assert words.means.endswith(".")
        assert words.remedy.endswith(".")


def test_page_is_current(repository: Path) -> None:
    """The page docs/codes.md is what scripts/code_reference.py would write now."""
    script = repository / "scripts" / "code_reference.py"

    done = subprocess.run([sys.executable, str(script), "--check"], check=False)

    assert done.returncode == 0, "run `python scripts/code_reference.py` and read the difference"


def test_each_code_has_an_anchor(repository: Path) -> None:
    """The address in reports is that of a heading of the page."""
    text = (repository / "docs" / "codes.md").read_text(encoding="utf-8")

    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)

    assert PAGE.endswith("/docs/codes.md")
    assert [page_of(code) for code in CODES] == [f"{PAGE}#{heading}" for heading in headings]
