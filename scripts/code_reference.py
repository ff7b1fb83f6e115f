"""Write docs/codes.md from the table of codes; a test compares the page with what this would write.

With --check nothing is written, and the exit code is 1 when the page has drifted.
"""

import sys
from pathlib import Path

from imageshift.reports.codes import CODES, RULE_CODES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "codes.md"
HEAD = """\
# Codes

<!-- Written by scripts/code_reference.py: edit src/imageshift/reports/codes.py instead. -->

Every finding, reason and warning has a code that doesn't change.
Those from [`missing`](#missing) on come from `rules validate` and `rules import`.
Reports link to this page; [exit codes](exit-codes.md) says which codes change the exit code.
"""


def reference() -> str:
    """Return the page."""
    parts = [
        f"\n## {code}\n\n**{words.title}.** {words.means}\n\n{words.remedy}\n"
        for code, words in {**CODES, **RULE_CODES}.items()
    ]
    return HEAD + "".join(parts)


def main() -> int:
    """Write the page, or only compare it."""
    if "--check" in sys.argv[1:]:
        return 0 if PAGE.read_text(encoding="utf-8") == reference() else 1
    PAGE.write_text(reference(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
