"""A report's page as tests read it: its elements, its text, and its tables by section."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

__all__ = ["Element", "parse", "tables"]

VOID = {"meta", "link", "input", "br", "wbr"}
BLOCKS = {"br", "details", "div", "li", "p", "summary"}


@dataclass(eq=False)
class Element:
    """An element with its attributes; children are elements and texts in their order."""

    tag: str
    attributes: dict[str, str | None] = field(default_factory=dict)
    children: list["Element | str"] = field(default_factory=list)

    def all(self, *tags: str) -> list["Element"]:
        """Return the elements below of some names, or all, in the order of the page."""
        found = []
        for child in self.children:
            if isinstance(child, Element):
                found += [child] if not tags or child.tag in tags else []
                found += child.all(*tags)
        return found

    def one(self, tag: str, **attributes: str) -> "Element":
        """Return the only element below of a name with some attributes."""
        [found] = [
            element
            for element in self.all(tag)
            if all(element.attributes.get(name) == value for name, value in attributes.items())
        ]
        return found

    @property
    def text(self) -> str:
        """Return its text with single spaces."""
        return re.sub(r"[ \n]+", " ", self.raw()).strip()

    def raw(self) -> str:
        """Return its text as it stands, with a space around each block."""
        made = ""
        for child in self.children:
            if isinstance(child, Element):
                space = " " if child.tag in BLOCKS else ""
                made += f"{space}{child.raw()}{space}"
            else:
                made += child
        return made


class Parser(HTMLParser):
    """Builds the tree, and refuses what isn't closed in order."""

    def __init__(self) -> None:
        """Start with an empty page."""
        super().__init__(convert_charrefs=True)
        self.page = Element("")
        self.open = [self.page]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Add an element."""
        assert len({name for name, _ in attrs}) == len(attrs), (tag, attrs)
        element = Element(tag, dict(attrs))
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Add an element that is closed by itself."""
        self.open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Close the element that was opened last."""
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        """Add a text."""
        self.open[-1].children.append(data)


def parse(text: str) -> Element:
    """Return a page, whose elements are all closed in order."""
    parser = Parser()
    parser.feed(text)
    parser.close()
    assert parser.open == [parser.page]
    return parser.page


def tables(section: Element) -> dict[str, list[list[str]]]:
    """Return the texts of the cells of each table by its caption; pictures have none."""
    return {
        table.one("caption").text: [
            [cell.text for cell in row.children if isinstance(cell, Element)]
            for row in table.all("tr")
            if row.attributes.get("aria-hidden") != "true"
        ]
        for table in section.all("table")
    }
