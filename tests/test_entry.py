"""What an `images:` entry matches and makes, by hand and by real kustomize."""

import time
from itertools import product
from pathlib import Path

import pytest

from imageshift.entry import Entry, literal_name, selects, spell_name, split_image
from kustomize_builds import build

DIGEST = "sha256:" + "0f" * 32
OTHER = "sha256:" + "ab" * 32

NAMES = [
    "nginx",
    "docker.io/nginx",
    "docker.io/library/nginx",
    "ghcr.io/org/app",
    r"ghcr\.io/org/app",
    "ghcrxio/org/app",
    "(docker.io/)?nginx",
    "(?:docker.io/)?(library/)?nginx",
    "nginx|redis",
    "ghcr.io/.*",
    "ghcr.io/[a-z0-9._-]+/app",
    "[^/]+",
    "[a-z/]*",
    "ng.nx",
    "ngin{1}x",
    "n.*?x",
    "^nginx$",
    "nginx$",
    "localhost:5000/app",
    "localhost:[0-9]+/app",
    r"\w+",
    r"\D+",
    "${ECR_HOST}/app",
    r"\$\{ECR_HOST\}/app",
    "app",
    "[[:alpha:]]+",
    r"\pL+",
    "(?i)NGINX",
    "(?P<a>nginx)",
    "a{,3}",
    r"\bnginx",
    "[a&&b]+.*",
    r"\Qnginx\E",
    "(a+)+b",
    "(?U)ng.*",
    r"(?s)n.*\z",
]
TEXTS = [
    "nginx",
    "nginx:1.25",
    f"nginx@{DIGEST}",
    f"nginx:1.25@{DIGEST}",
    "docker.io/nginx:1",
    "docker.io/library/nginx:1",
    "redis:7",
    "redis-cluster:7",
    f"ghcr.io/org/app:v1@{DIGEST}",
    "ghcr.io/org/app/sub:v1",
    "ghcrxio/org/app:v1",
    "localhost:5000/app",
    "localhost:5000/app:1",
    "${ECR_HOST}/app:1",
    "app:${TAG}",
    "app:{STABLE_TAG}",
    "123:4",
    "é:1",
]
MAKES = [
    {"newTag": "9"},
    {"digest": OTHER},
    {"newTag": "9", "digest": OTHER},
    {"newName": "quay.io/new/name"},
    {"newName": "quay.io/new/name", "newTag": "9"},
    {"newName": "quay.io/new/name", "digest": OTHER},
    {"newTag": "9", "tagSuffix": "-fips"},
]


def entry(name: str, make: dict[str, str]) -> Entry:
    """The entry of a name and what it makes."""
    fields = ("newName", "newTag", "digest", "tagSuffix")
    return Entry(name, *(make.get(field, "") for field in fields))


def write_table(root: Path) -> list[tuple[str, dict[str, str]]]:
    """One kustomization for each pair of a name and what it makes, all over the same texts."""
    lines = ["apiVersion: v1", "kind: Pod", "metadata: {name: pod}", "spec:", "  containers:"]
    for number, text in enumerate(TEXTS):
        lines += [f"  - name: c{number}", f'    image: "{text}"']
    (root / "pod.yaml").write_text("\n".join(lines) + "\n")
    rows = list(product(NAMES, MAKES))
    for number, (name, make) in enumerate(rows):
        folder = root / f"e{number}"
        folder.mkdir()
        pairs = {"name": name, **make}
        item = "\n  ".join(f"{key}: '{value}'" for key, value in pairs.items())
        text = f"namePrefix: e{number}-\nresources: [../pod.yaml]\nimages:\n- {item}\n"
        (folder / "kustomization.yaml").write_text(text)
    parts = "\n".join(f"- e{number}" for number in range(len(rows)))
    (root / "kustomization.yaml").write_text(f"resources:\n{parts}\n")
    return rows


@pytest.mark.kustomize
def test_every_entry_as_kustomize_has_it(tmp_path: Path) -> None:
    """The whole table of names, texts and fields comes out as real kustomize builds it."""
    rows = write_table(tmp_path)
    built = build(tmp_path)
    assert built.texts is not None, built.message
    by_name = {each["metadata"]["name"]: each["spec"]["containers"] for each in built.objects}

    for number, (name, make) in enumerate(rows):
        made = [container["image"] for container in by_name[f"e{number}-pod"]]
        assert (name, make, [entry(name, make).apply(text) for text in TEXTS]) == (name, make, made)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("(?=n)nginx", id="look-ahead, Python only"),
        pytest.param("nginx*+", id="possessive, Python only"),
        pytest.param(r"(n)\1", id="back reference, Python only"),
        pytest.param(r"nginx\Z", id="end of text as Python has it"),
        pytest.param(r"ngin\C", id="one byte, which RE2 has and Go hasn't"),
        pytest.param("[", id="no pattern at all"),
        pytest.param("(nginx", id="open group"),
        pytest.param("((a{1000}){1000}){1000}", id="more repeats than Go allows"),
        pytest.param("[\ud800]", id="half a surrogate pair"),
        pytest.param("(a|b)" * 1000, id="longer than any name"),
    ],
)
def test_names_that_are_no_pattern(name: str) -> None:
    """A name that kustomize's engine refuses, or would take long to read, matches nothing."""
    refused = Entry(name, new_tag="1")

    assert "isn't a pattern" in (refused.problem or "")
    assert len(refused.problem or "") < 300
    assert not refused.matches("nginx")


SLOW = {
    "repeats of repeats": "(a+)+b",
    "choices of the same": "(a|aa)+b",
    "many stars": "a*" * 1000 + "b",
    "many options": "a?" * 300 + "a" * 300,
    "counted": "(a{0,30}){0,30}b",
    "not anchored": "x|" + ".*" * 500 + "b",
    "dots": "." * 4000,
}


@pytest.mark.parametrize("name", SLOW.values(), ids=SLOW)
def test_names_take_bounded_time(name: str) -> None:
    """As in kustomize, whose engine never goes back; far longer texts are no images."""
    started = time.process_time()
    for length in (30, 4000, 1_000_000):
        Entry(name).matches("a" * length)
    assert time.process_time() - started < 3


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("web", "web", True),
        ("web", "web-1", False),
        ("web-.*", "web-1", True),
        ("a|web", "web", True),
        ("w.b", "web", True),
        ("(a+)+b", "a" * 4000, False),
        ("(", "(", False),
    ],
)
def test_selectors(pattern: str, text: str, expected: bool) -> None:  # noqa: FBT001 a table
    """A patch's target takes objects whose whole name fits its pattern, in bounded time."""
    assert selects(pattern, text) is expected


def test_suffix_drops_the_digest() -> None:
    """A tagSuffix alone stands behind the tag, and no digest stays (kustomize's updater.go).

    kustomize 5.7.1 puts it there twice (K14), so the table above can't say it.
    """
    suffixed = Entry("nginx", tag_suffix="-fips")

    assert suffixed.apply(f"nginx:1@{DIGEST}") == "nginx:1-fips"


def test_text_with_line_break_is_no_match() -> None:
    """Python's `$` would match before a last line break, Go's doesn't."""
    assert not Entry("nginx$").matches("nginx\n")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("nginx", ("nginx", "", "")),
        ("nginx:1", ("nginx", "1", "")),
        (f"nginx@{DIGEST}", ("nginx", "", DIGEST)),
        (f"h:5/a:1@{DIGEST}", ("h:5/a", "1", DIGEST)),
        ("h:5/a", ("h:5/a", "", "")),
    ],
)
def test_split_image(given: str, expected: tuple[str, str, str]) -> None:
    """Name, tag and digest come apart as kustomize cuts them."""
    assert split_image(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("nginx", "nginx"),
        ("ghcr.io/a/b", "ghcr.io/a/b"),
        (r"ghcr\.io/a/b", "ghcr.io/a/b"),
        (r"\$\{HOST\}/a", "${HOST}/a"),
        ("nginx.*", None),
        ("(a|b)", None),
        ("", None),
    ],
)
def test_literal_name(given: str, expected: str | None) -> None:
    """A pattern that means one name is told from one that means several."""
    assert literal_name(given) == expected


@pytest.mark.parametrize(
    ("name", "like", "expected"),
    [
        ("ghcr.io/a", "nginx", "ghcr.io/a"),
        ("ghcr.io/a", r"quay\.io/a", r"ghcr\.io/a"),
        ("${HOST}/a", "", r"\$\{HOST\}/a"),
    ],
)
def test_spelled_names_match_themselves(name: str, like: str, expected: str) -> None:
    """The pattern for a name is written like the old one, and matches the name."""
    pattern = spell_name(name, like)

    assert pattern == expected
    assert Entry(pattern).matches(f"{name}:1")
