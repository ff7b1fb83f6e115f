"""The pure parts: marks, the search, comparing, and post-renderer entries."""

import pytest

from imageshift.charts.model import Field, ObjectName, RenderedImage, Segment, ValuePath
from imageshift.charts.post_renderers.postrender import (
    ImageEntry,
    entry_for,
    merge_entries,
    patch_for,
)
from imageshift.charts.rendering.compare import DifferenceClass, compare
from imageshift.charts.rendering.markers import Candidate, find_candidates, mark, read_marks, strip
from imageshift.charts.solving.solve import Wish, solve

OBJECT = ObjectName("apps/v1", "Deployment", "", "web")


def _image(
    text: str, *segments: tuple[int, int, str], field: Field = Field.CONTAINER
) -> RenderedImage:
    made = tuple(Segment(start, end, (leaf,), (0, end - start)) for start, end, leaf in segments)
    return RenderedImage(text, OBJECT, ("spec", "a/b"), field, whole=text, segments=made)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("port",), "http", []),
        (("image", "pullPolicy"), "Always", []),
        (("image", "tag"), "v1.2", []),
        (("image", "format"), "2", []),
        (("home",), "https://quay.io/org/app", []),
        (("image", "repository"), "org/app", [(0, 7)]),
        (("anything",), "quay.io/org/app:1", [(0, 17)]),
        (("hub",), "org", [(0, 3)]),
        (("args", 0), "--image=quay.io/org/app:1 -v", [(8, 25)]),
        (("image",), "docker.io/{{ .Values.x }}", [(0, 10)]),
        (("image",), "{{ .Values.x }}", [(0, 0)]),
        (("extra",), "- image: nginx:1\n- image: 'redis'\n", [(9, 16), (27, 32)]),
    ],
)
def test_candidates(path: ValuePath, value: str, expected: list[tuple[int, int]]) -> None:
    """Which parts of a leaf are worth a mark."""
    values: object = value
    for part in reversed(path):
        values = [values] if isinstance(part, int) else {part: values}
    assert isinstance(values, dict)

    assert [(c.start, c.end) for c in find_candidates(values)] == expected


def test_marks_come_and_go() -> None:
    """A marked text gives back the plain one and where each mark stood."""
    candidates = {3: Candidate(("a",), 2, 5), 17: Candidate(("a",), 0, 1)}

    marked = mark(candidates, {"a": "x/quay"})[("a",)]

    assert read_marks(marked) == ("x/quay", [(0, 17), (2, 3)])
    assert strip(marked) == "x/quay"


@pytest.mark.parametrize(
    ("image", "target", "expected"),
    [
        (_image("nginx:1", (0, 5, "r")), "H/hub/library/nginx:1", {"r": "H/hub/library/nginx"}),
        (
            _image("docker.io/org/app:1", (0, 9, "g"), (10, 17, "r")),
            "H/hub/org/app:1",
            {"g": "H/hub"},
        ),
        (
            _image("docker.io/nginx:1", (0, 9, "g"), (10, 15, "r")),
            "H/hub/library/nginx:1",
            {"g": "H/hub/library"},
        ),
        (
            _image("quay.io/org/app:1", (0, 8, "g"), (8, 15, "r")),
            "H/quay/org/app:1",
            {"g": "H/quay/"},
        ),
        (
            _image("quay.io/org/app:1", (0, 7, "g"), (8, 15, "r")),
            "H/quay/app:1",
            {"g": "H/quay", "r": "app"},
        ),
        (_image("docker.io/app:1", (10, 13, "r")), "H/hub/app:1", None),
        (_image("quay.io/app:1", (0, 13, "i")), "H/quay/app:1", {"i": "H/quay/app:1"}),
    ],
    ids=["one leaf", "registry", "official", "slash", "both", "out of reach", "whole"],
)
def test_search(image: RenderedImage, target: str, expected: dict[str, str] | None) -> None:
    """One image: the fewest leaves change, the repository last."""
    solution = solve([Wish(image, target)])

    assert bool(solution.unreached) == (expected is None)
    assert {str(item.leaf[0]): text for item, text in solution.changes.items()} == (expected or {})


def test_search_over_a_shared_leaf() -> None:
    """An official image and another one agree on the registry by moving `library/`."""
    images = [
        _image("docker.io/nginx:1", (0, 9, "g"), (10, 15, "one")),
        _image("docker.io/org/app:1", (0, 9, "g"), (10, 17, "two")),
    ]

    solution = solve([Wish(images[0], "H/hub/library/nginx:1"), Wish(images[1], "H/hub/org/app:1")])

    changes = {str(item.leaf[0]): text for item, text in solution.changes.items()}
    assert changes == {"g": "H/hub", "one": "library/nginx"}


def test_search_keeps_what_must_stay() -> None:
    """A shared leaf doesn't change when one of its images must stay; a pinned one never does."""
    images = [
        _image("docker.io/org/a:1", (0, 9, "g"), (10, 15, "one")),
        _image("docker.io/org/b:1", (0, 9, "g"), (10, 15, "two")),
    ]
    stays = [Wish(images[0], "H/hub/org/a:1"), Wish(images[1], images[1].text)]
    alone = Wish(_image("nginx", (0, 5, "r")), "H/nginx")

    assert solve(stays).changes == {}
    assert [wish.image for wish in solve(stays).unreached] == [images[0]]
    assert solve([alone], {Candidate(("r",), 0, 5)}).unreached == (alone,)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("a: 1\n", "a: 1\n", []),
        ("sum: 0123456789abcdef\n", "sum: fedcba9876543210\n", [DifferenceClass.HASH]),
        ("name: a-0123456789\n", "name: a-9876543210\n", [DifferenceClass.HASH]),
        (f"sum: {'/w+a' * 10}/w8=\n", f"sum: {'+w/b' * 10}+w8=\n", [DifferenceClass.HASH]),
        (f"text: {'YWJj' * 9}\n", f"text: {'YWJk' * 9}\n", [DifferenceClass.TEXT]),
        ("type: ClusterIP\n", "type: NodePort\n", [DifferenceClass.TEXT]),
        ("word: defaced\n", "word: effaced\n", [DifferenceClass.TEXT]),
        ("image: a.io/x:1\n", "image: b.io/x:1\n", [DifferenceClass.TEXT]),
        ("a: 1\n", "a: 1\nb: 2\n", [DifferenceClass.SHAPE]),
        ("a: 'x'\n", "a: x\n", []),
        ("kind: Service\n", "sort: Service\n", [DifferenceClass.TEXT]),
    ],
    ids=[
        "same",
        "hash",
        "hash in a name",
        "base64 of a hash",
        "base64 of a text",
        "words",
        "words of hex letters",
        "image",
        "more lines",
        "quotes",
        "key",
    ],
)
def test_compare(before: str, after: str, expected: list[DifferenceClass]) -> None:
    """What a difference is; spelling alone is none."""
    assert [item.kind for item in compare({"t": before}, {"t": after})] == expected


def test_a_template_that_comes_or_goes_is_a_difference() -> None:
    """A template that only one rendering has doesn't pass."""
    assert compare({"t": "a: 1\nb: 2"}, {})[0].kind is DifferenceClass.SHAPE


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (_image("nginx:1@sha256:0"), ImageEntry("nginx", "H/nginx")),
        (_image("nginx:1@sha256:0", field=Field.EPHEMERAL), None),
        (_image("nginx:1@sha256:0", field=Field.EMBEDDED), None),
    ],
    ids=["container", "ephemeral", "argument"],
)
def test_entries(image: RenderedImage, expected: ImageEntry | None) -> None:
    """An entry matches the raw name, where kustomize reaches (K1, K5)."""
    assert entry_for(image, "H/nginx:1@sha256:0") == expected


def test_entries_merge() -> None:
    """An entry that is there for more than hooks and tests says so."""
    entries = [ImageEntry("a", "b", hook_only=True, test_only=True), ImageEntry("a", "b")]

    assert merge_entries(entries) == (ImageEntry("a", "b"),)


def test_patches() -> None:
    """A patch escapes its pointer; a text of several lines gets none."""
    found = patch_for(_image("quay.io/a:1"), "H/a:1")
    several = RenderedImage("q", OBJECT, ("data",), Field.EMBEDDED, whole="q\nr")

    assert found is not None
    assert (found.pointer, found.value) == ("/spec/a~1b", "H/a:1")
    assert patch_for(several, "H/q") is None
