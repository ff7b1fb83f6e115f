"""The page of a report in a real Chromium: as it looks, by keyboard, filtered, without scripts."""

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from command_line import REGISTRY, run, write_tree

pytestmark = pytest.mark.browser

SCREENS = {"desktop": (1280, 900), "phone": (390, 844)}
LONG = "registry.example.com/" + "/".join(["a-very-long-team-name"] * 6) + ":1.2.3"
HOSTILE = f"""\
apiVersion: v1
kind: Pod
metadata: {{name: "<script>document.title='x'</script>", namespace: "{"n" * 200}"}}
spec:
  containers:
    - image: {LONG}
    - image: nginx:1.25
    - image: "<img src=https://example.com/x.png onerror=document.title='x'>"
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the pages of the examples, and those of hostile and of empty trees."""
    from report_pages import write_pages  # noqa: PLC0415 needs what the session installs

    folder = tmp_path_factory.mktemp("pages")
    made = write_pages(folder)
    for name, text in (("hostile", HOSTILE), ("empty", "a: b\n")):
        write_tree(folder / name, {f"{'d' * 200}/<script>alert(1)</{'x' * 100}.yaml": text})
        done = run(folder / name, "scan", ".", *REGISTRY, "--format", "html")
        made[name] = folder / f"{name}.html"
        made[name].write_text(done.stdout)
    return made


@pytest.fixture(scope="module", params=SCREENS)
def browser(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Return a browser with a screen's size."""
    from chromium import chromium  # noqa: PLC0415 as above

    with chromium(*SCREENS[request.param]) as driver:
        yield driver


def visit(driver: Any, page: Path) -> None:
    """Open a page, and forget what was logged before."""
    for kind in ("browser", "performance"):
        driver.get_log(kind)
    driver.get(page.as_uri())


def requests(driver: Any) -> set[str]:
    """Return the addresses that the browser asked for."""
    events = [json.loads(row["message"])["message"] for row in driver.get_log("performance")]
    sent = [one["params"] for one in events if one["method"] == "Network.requestWillBeSent"]
    return {one["request"]["url"] for one in sent}


# The lowest contrast of any text with what is behind it (WCAG 2, 4.5 for text of usual size).
CONTRAST = """
const channel = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const parse = (c) => c.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const behind = (e) => {
  for (; e; e = e.parentElement) {
    const color = parse(getComputedStyle(e).backgroundColor);
    if (color.length === 3 || color[3] === 1) return color;
  }
  return [255, 255, 255];
};
let lowest = [21, ""];
for (const e of document.querySelectorAll("body *:not(script)")) {
  const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  if (!own || !e.getClientRects().length) continue;
  const pair = [light(parse(getComputedStyle(e).color)), light(behind(e))].sort((a, b) => b - a);
  const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
  if (ratio < lowest[0]) lowest = [ratio, e.outerHTML.slice(0, 200)];
}
return lowest;
"""
# The references that take more than one line.
BROKEN = """
const tops = (e) => [...e.getClientRects()].map((box) => box.top);
return [...document.querySelectorAll("code.image")]
  .filter((e) => Math.max(...tops(e)) - Math.min(...tops(e)) > 8).map((e) => e.textContent);
"""
WIDTHS = "return [document.documentElement.scrollWidth, innerWidth]"
BACKGROUND = "return getComputedStyle(document.body).backgroundColor"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_looks_right(browser: Any, pages: dict[str, Path], scheme: str) -> None:
    """It fits the screen, breaks no reference, can be read, says nothing and asks for nothing."""
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    for page in pages.values():
        visit(browser, page)

        width, room = browser.execute_script(WIDTHS)
        ratio, text = browser.execute_script(CONTRAST)
        shade = int(browser.execute_script(BACKGROUND).partition("(")[2].partition(",")[0])

        assert width <= room, page.name
        assert browser.execute_script(BROKEN) == []
        assert ratio >= 4.5, (page.name, text)
        assert (shade > 128) == (scheme == "light")
        assert browser.get_log("browser") == []
        assert requests(browser) <= {page.as_uri(), "data:,"}
        assert browser.title.startswith("imageshift ")


SEEN = """
return [...document.querySelectorAll("[data-row]")]
  .filter((row) => row.checkVisibility()).map((row) => row.textContent + row.dataset.row);
"""
HEADS = """
return [...document.querySelectorAll("h2, h3, .file")]
  .filter((e) => e.checkVisibility()).map((e) => e.textContent.trim());
"""


def press(driver: Any, *keys: str) -> None:
    """Press keys, whatever has the focus."""
    driver.switch_to.active_element.send_keys(*keys)


def test_filter(browser: Any, pages: dict[str, Path]) -> None:
    """It leaves the rows that have every word, of files, clusters and objects too."""
    from selenium.webdriver.common.keys import Keys  # noqa: PLC0415 as above

    visit(browser, pages["scan"])
    before = browser.execute_script(SEEN)
    heads = browser.execute_script(HEADS)

    press(browser, "/")
    press(browser, "NGINX shop")
    found = browser.execute_script(SEEN)
    said = browser.execute_script("return document.getElementById('found').value")
    left = browser.execute_script(HEADS)
    press(browser, Keys.ESCAPE)

    assert 0 < len(found) < len(before)
    assert all("nginx" in row.lower() and "shop" in row.lower() for row in found)
    assert said.startswith(f"{len(found)} of ")
    assert "apps/base/shop/web.yaml" in left
    assert "apps/base/jobs/report.yaml" in heads
    assert "apps/base/jobs/report.yaml" not in left
    assert browser.execute_script(SEEN) == before
    assert browser.execute_script(HEADS) == heads


def test_filter_opens_what_is_folded(browser: Any, pages: dict[str, Path]) -> None:
    """Images from the cache are found as well, and folded again afterwards."""
    from selenium.webdriver.common.keys import Keys  # noqa: PLC0415 as above

    visit(browser, pages["done"])
    before = browser.execute_script(SEEN)

    press(browser, "/")
    press(browser, "thanos")

    assert [row for row in browser.execute_script(SEEN) if "quay/thanos/thanos" in row]
    press(browser, Keys.ESCAPE)
    assert browser.execute_script(SEEN) == before


def test_name_in_a_picture_filters(browser: Any, pages: dict[str, Path]) -> None:
    """Enter on an upstream shows its images."""
    visit(browser, pages["scan"])
    script = "document.querySelector('[data-filter=\"quay.io\"] button').focus()"
    browser.execute_script(script)
    from selenium.webdriver.common.keys import Keys  # noqa: PLC0415 as above

    press(browser, Keys.ENTER)

    found = browser.execute_script(SEEN)
    assert len(found) == 7
    assert all("quay.io" in row for row in found)


FOCUS = """
const e = document.activeElement, box = e.getBoundingClientRect(), style = getComputedStyle(e);
return [e.tagName, e.id || e.textContent.trim(), style.outlineStyle, box.width > 0, box.top >= 0];
"""


def test_keyboard(browser: Any, pages: dict[str, Path]) -> None:
    """Tab leads from the skip link through the sections to the filter, and is always seen."""
    from selenium.webdriver.common.keys import Keys  # noqa: PLC0415 as above

    visit(browser, pages["scan"])
    stops: list[Any] = []
    while not stops or stops[-1][1] != "filter":
        press(browser, Keys.TAB)
        stops.append(browser.execute_script(FOCUS))
        assert len(stops) < 60
    names = [name for _, name, *_ in stops]
    sections = browser.execute_script("return document.querySelectorAll('nav a').length")

    assert names[0] == "Skip to the report"
    assert [tag for tag, *_ in stops].count("A") == sections + 1
    assert {"docker.io", "clusters/production", "monitoring"} <= {*names}
    for name, outline, wide, inside in (stop[1:] for stop in stops):
        assert (outline, wide, inside) == ("solid", True, True), name

    visit(browser, pages["scan"])
    press(browser, Keys.TAB)
    press(browser, Keys.ENTER)
    assert browser.execute_script(FOCUS)[1] == "main"


def test_what_scrolls_can_be_reached(browser: Any, pages: dict[str, Path]) -> None:
    """A table that is wider than the screen can be focused, and no other."""
    visit(browser, pages["hostile"])
    script = """
    return [...document.querySelectorAll(".scroll")].map(
      (e) => [e.scrollWidth > e.clientWidth || e.scrollHeight > e.clientHeight, e.tabIndex]);
    """

    found = browser.execute_script(script)

    assert any(scrolls for scrolls, _ in found)
    assert all(scrolls == (index == 0) for scrolls, index in found)


def test_pictures_of_the_documentation(
    pages: dict[str, Path], repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They can be taken anew, are small, and are those that the documentation shows."""
    monkeypatch.syspath_prepend(str(repository / "scripts"))
    from PIL import Image  # noqa: PLC0415 as above

    script = import_module("screenshots")
    text = (repository / "docs" / "html-report.md").read_text("utf-8")
    for name, picture in script.PICTURES.items():
        shown = script.FOLDER / f"{name}.png"
        assert f"(images/{name}.png)" in text
        assert shown.stat().st_size < 150_000
        with Image.open(shown) as image:
            assert image.size == (picture.width, picture.height)
    name = "report-proof"
    again = script.take(script.PICTURES[name], pages["verify"])
    assert 0.5 < len(again) / (script.FOLDER / f"{name}.png").stat().st_size < 2


def test_page_without_scripts(pages: dict[str, Path]) -> None:
    """Every row is there, and no filter that does nothing."""
    from chromium import chromium  # noqa: PLC0415 as above

    with chromium(*SCREENS["desktop"], scripts=False) as driver:
        visit(driver, pages["scan"])
        rows = driver.execute_script(SEEN)
        finder = driver.execute_script("return document.getElementById('finder').hidden")
        buttons = driver.execute_script("return document.querySelectorAll('button').length")

    assert len(rows) > 38
    assert finder is True
    assert buttons == 0
