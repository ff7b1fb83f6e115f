"""Take the documentation's pictures of the HTML report, in a real Chromium.

The pages are those that the tests look at, made from examples/cluster. Needs chromium and
chromedriver, and the packages of the dependency group `browser`.
"""

import argparse
import base64
import io
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "images"
COLOURS = 64
sys.path.insert(0, str(ROOT / "tests" / "browser"))

from chromium import chromium  # noqa: E402 only now on the path
from report_pages import write_pages  # noqa: E402 as above

__all__ = ["PICTURES", "take"]


@dataclass(frozen=True, slots=True)
class Picture:
    """What a picture shows: a page in a window of a size, scrolled to an element."""

    page: str
    width: int
    height: int
    dark: bool = False
    element: str = ""


PICTURES = {
    "report-light": Picture("scan", 1280, 900),
    "report-dark": Picture("scan", 1280, 900, dark=True, element="moves"),
    "report-proof": Picture("verify", 1280, 900, element="proof"),
    "report-phone": Picture("scan", 390, 844),
    "report-phone-dark": Picture("verify", 390, 844, dark=True),
}


def take(picture: Picture, page: Path) -> bytes:
    """Return a picture of a page, with few colours."""
    with chromium(picture.width, picture.height, dark=picture.dark) as driver:
        driver.get(f"{page.as_uri()}#{picture.element}")
        shown = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    raw = Image.open(io.BytesIO(base64.b64decode(shown["data"]))).convert("RGB")
    few = raw.quantize(COLOURS, dither=Image.Dither.NONE)
    made = io.BytesIO()
    few.save(made, "PNG", optimize=True)
    return made.getvalue()


def main() -> None:
    """Write the pictures into a folder, that of the documentation if none is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        pages = write_pages(Path(scratch))
        for name, picture in PICTURES.items():
            content = take(picture, pages[picture.page])
            (folder / f"{name}.png").write_bytes(content)
            print(f"{name}.png: {len(content) // 1000} kB")


if __name__ == "__main__":
    main()
