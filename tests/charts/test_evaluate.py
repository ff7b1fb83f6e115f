"""What may differ between two renderings of a chart, if only images have moved."""

import base64

import pytest

from imageshift.charts.solving.evaluate import Judge

IMAGE, MOVED = "quay.io/a/b:1", "registry.test/quay/a/b:1"


def encoded(text: str) -> str:
    """Return a text in base64."""
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("before", "after", "wrong"),
    [
        (f"image: {IMAGE}", f"image: {MOVED}", False),
        (f"--image={IMAGE}", f"--image={MOVED}", False),
        (f"image: {IMAGE}", f"image: {MOVED}0", True),
        *((encoded(f"{IMAGE} {'x' * n}"), encoded(f"{MOVED} {'x' * n}"), False) for n in range(3)),
        (encoded(f"{IMAGE} x"), encoded(f"{MOVED} y"), True),
    ],
)
def test_renderings_that_differ(before: str, after: str, *, wrong: bool) -> None:
    """Nothing but a moved image may differ, in base64 of any length too."""
    judge = Judge(
        lambda values: {"a.yaml": f"kind: Secret\ndata: {values['text']}\n"},
        {IMAGE: MOVED}.get,
    )

    assert judge.is_wrong({"text": before}, {"text": after}) is wrong
