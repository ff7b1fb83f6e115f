"""A report as one HTML page, made from what `--format json` prints.

What comes from a repository is escaped, the page loads nothing, and its policy forbids to.
"""

import base64
import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Any

from imageshift.reports.codes import CODES, page_of
from imageshift.reports.forge import Link
from imageshift.reports.page_parts import page_parts
from imageshift.reports.words import visible

__all__ = ["render_page"]

_LONGEST = 2_000


def render_page(report: dict[str, Any], done: str, link: Link) -> str:
    """The page of a report, in ASCII.

    `done` is the word for what happens to moving images, `link` leads to lines of files.
    """
    values = page_parts(report, done) | {"link_to": link}
    page = _environment().get_template("report.html").render(values)
    return str(page).encode("ascii", "xmlcharrefreplace").decode()


@cache
def _environment() -> Any:
    import jinja2  # noqa: PLC0415 for this format only
    from markupsafe import Markup  # noqa: PLC0415 as above

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("imageshift.reports"),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"prose": _prose, "spelled": _spelled}
    environment.globals |= {"codes": CODES, "page_of": page_of}
    for name, file in (("style", "report.css"), ("script", "report.js")):
        text = files("imageshift.reports").joinpath("templates", file).read_text("ascii")
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        environment.globals[name] = Markup(text)  # noqa: S704 a file of ours
        environment.globals[f"{name}_hash"] = f"sha256-{digest}"
    return environment


def _shown(value: Any) -> Any:
    """A value as the page shows it: on one line, and with what can't be seen spelled out."""
    return visible(value) if type(value) is str else value


def _prose(text: str) -> Any:
    """A sentence whose words between backticks are code."""
    from markupsafe import Markup, escape  # noqa: PLC0415 as above

    parts = [escape(visible(part)) for part in text.split("`")]
    if len(parts) % 2 == 0:
        return text
    return Markup().join(
        Markup("<code>{}</code>").format(part) if number % 2 else part
        for number, part in enumerate(parts)
    )


def _spelled(value: Any) -> str:
    """A value of a rendered object on one line; what isn't there is null in a report."""
    if value is None:
        return "(absent)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
