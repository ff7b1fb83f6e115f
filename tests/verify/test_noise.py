"""What may differ by itself: values of two renderings of before, and of one after."""

from typing import Any

import pytest
from verify_cases import HOST

from imageshift.cache import ARTICLE_RULES, Registry, RuleSet
from imageshift.verify.noise import Noise
from imageshift.verify.text import TextJudge

APP, NEW = "ghcr.io/lumen/app", f"{HOST}/github/lumen/app"
KEY = "-----BEGIN KEY-----\n{}\n-----END KEY-----\n"

NOISE = {
    "a word": ("a1b2", "c3d4", "e5f6"),
    "a number": (1, 2, 3),
    "a word beside an image that moves": (f"x1 {APP}:1", f"y2 {APP}:1", f"z3 {NEW}:1"),
    "a word beside an image that stays": (f"x1 {APP}:1", f"y2 {APP}:1", f"z3 {APP}:1"),
    "a random tag": (f"{APP}:11", f"{APP}:12", f"{NEW}:13"),
    "signs in the word": ("p=a;b", "p=ab", "p=a|b;c"),
    "a key of another length": (KEY.format("a\nb"), KEY.format("c"), KEY.format("d\ne\nf")),
    "a random number of lines": (f"x\nx\n{APP}:1", f"x\n{APP}:1", f"x\nx\nx\n{NEW}:1"),
    "a bcrypt hash": ("u:$2a$10$Ab.c/d", "u:$2a$10$Ef.g/h", "u:$2a$10$Ij.k/l"),
    "a list": (["a", "x"], ["b", "x"], ["c", "x"]),
}
NO_NOISE = {
    "the same twice": ("a", "a", "b"),
    "another type": ("a", "b", None),
    "another tag beside a word": (f"x1 {APP}:1", f"y2 {APP}:1", f"z3 {NEW}:2"),
    "another name before a random tag": (f"{APP}:11", f"{APP}:12", f"{HOST}/quay/lumen/app:13"),
    "an image for a word": ("x1", "y2", f"{NEW}:1"),
    "a line more": ("x1\na", "y2\na", "z3\na\na"),
    "another word beside a random one": ("x1 a", "y2 a", "z3 b"),
    "another image among lines": (f"x\nx\n{APP}:1", f"x\n{APP}:1", f"x\n{NEW}:2"),
    "an image less among lines": (f"x\nx\n{APP}:1", f"x\n{APP}:1", "x\nx\nx\nx"),
    "a number more in a list": (["x1"], ["y2"], ["z3", 5]),
    "another key in a list": ([{"a": "x1"}], [{"a": "y2"}], [{"b": "z3"}]),
    "another image in a list": ([f"{APP}:1"], ["a", f"{APP}:1"], ["a", "b", f"{NEW}:2"]),
}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        *(pytest.param(values, True, id=name) for name, values in NOISE.items()),
        *(pytest.param(values, False, id=name) for name, values in NO_NOISE.items()),
    ],
)
def test_noise(values: tuple[Any, Any, Any], expected: bool) -> None:  # noqa: FBT001 a row
    """Only what two renderings of before don't share may be something else, and no image."""
    rules = RuleSet(Registry.of("123456789012", "eu-west-2"), ARTICLE_RULES)

    assert Noise(TextJudge(rules)).explains(*values) is expected
