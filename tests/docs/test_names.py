"""What pages tell readers to install or to name exists, or is a placeholder that reads as one."""

import re

import pytest
from doc_pages import ROOT, blocks, pages

_CLAIMS = {
    "a hook's revision": r"^\s*rev: (?!COMMIT$)\S+",
    "an action of ours": r"uses: (?!YOUR-ORG/imageshift@COMMIT$)\S*imageshift\S*",
    "a package of ours": r"pip install (?!git\+IMAGESHIFT-REPOSITORY@COMMIT)[^\n]*\bimageshift\b",
    "an image of ours": r"(?:docker pull|FROM|image:) \S*/imageshift\b",
    "a clone of ours": r"git clone \S*imageshift",
}


@pytest.mark.parametrize("what", _CLAIMS)
def test_nothing_is_named_that_does_not_exist(what: str) -> None:
    """Imageshift has no release, package, image or public repository: no page names one."""
    found = [
        (page.relative_to(ROOT).as_posix(), match[0])
        for page in pages()
        for block in blocks(page.read_text(encoding="utf-8"))
        for match in re.finditer(_CLAIMS[what], block.body, re.MULTILINE)
    ]

    assert found == []
