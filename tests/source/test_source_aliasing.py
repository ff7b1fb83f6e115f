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
    "one wide layer": "a: &a [" + "x, " * 3000 + "]\nb: [" + "*a, " * 3000 + "]\n",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_repeats_without_end_is_refused(text: str) -> None:
    """As the readers of Kubernetes and Helm refuse it."""
    with pytest.raises(SourceError, match="its aliases repeat too much") as error:
        documents(text)

    assert error.value.reason == "unparsable"


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
