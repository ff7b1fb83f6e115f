"""Documents whose aliases repeat one another: what go-yaml takes, and what it refuses."""

import pytest
from source_shapes import documents

from imageshift.errors import SourceError


def layers(depth: int, width: int, opening: str = "[", closing: str = "]") -> str:
    """Return a text in which each line holds the one before it several times."""
    lines = ["a0: &a0 {image: nginx}"]
    for number in range(1, depth):
        items = ", ".join([f"*a{number - 1}"] * width)
        lines.append(f"a{number}: &a{number} {opening}{items}{closing}")
    return "\n".join(lines) + "\n"


REFUSED = {
    "lists": layers(40, 9),
    "merged mappings": layers(40, 9, "{<<: [", "]}"),
    "a few layers": layers(8, 9),
    "more than a float can hold": layers(120, 500),
    "one wide layer": "a: &a [" + "x, " * 3000 + "]\nb: [" + "*a, " * 3000 + "]\n",
}


@pytest.mark.once
@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_repeats_without_end_is_refused(text: str) -> None:
    """As the readers of Kubernetes and Helm refuse it."""
    with pytest.raises(SourceError, match="its aliases repeat too much") as error:
        documents(text)

    assert error.value.reason == "unparsable"


DEEP = {
    "lists": "".join(f"- &a{n} [*a{n - 1}]\n" for n in range(1, 5000)),
    "mappings": "".join(f"- &a{n} {{a: *a{n - 1}}}\n" for n in range(1, 5000)),
    "a few": "- &a " + "[" * 100 + "]" * 100 + "\n- " + "[" * 60 + "*a" + "]" * 60 + "\n",
}


@pytest.mark.once
@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_what_aliases_make_too_deep_is_refused(text: str) -> None:
    """However flat it is written: whoever follows the aliases would go down as far."""
    with pytest.raises(SourceError, match="nested deeper than 150 levels, by its aliases"):
        documents("- &a0 a\n" + text)


TAKEN = {
    "no aliases": layers(1, 0),
    "some layers": layers(3, 9),
    "one scalar a thousand times": "a: &a nginx\nb:\n" + "- *a\n" * 1000,
    "one image a thousand times": "a: &a {image: nginx}\nb:\n" + "- {<<: *a, tag: v1}\n" * 1000,
}


@pytest.mark.parametrize("text", TAKEN.values(), ids=TAKEN)
def test_what_people_write_is_taken(text: str) -> None:
    """A default that stands in many places is what aliases are for."""
    assert len(documents(text)) == 1
