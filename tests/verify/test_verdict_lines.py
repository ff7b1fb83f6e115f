"""A proof in text: a line for each verdict, and one for many that are equal."""

from collections.abc import Iterator

import pytest

from imageshift.charts.model import ObjectName
from imageshift.cli.options import Common
from imageshift.cli.verify import print_proof
from imageshift.verify import DifferenceClass, Problem, Proof, Verdict
from imageshift.verify.model import ImagePair, ObjectDifference, UnitKey, VerdictKind

MOVED = ImagePair("nginx:1", "cache/nginx:1", ok=True)
POD = ObjectName("v1", "Pod", "a", "p")
CHANGED = ObjectDifference(POD, ("spec", "x"), "1", "2", DifferenceClass.UNEXPLAINED)


def verdicts(equal: int) -> Iterator[Verdict]:
    """Yield so many equal releases, a build that differs, and one that couldn't be compared."""
    for number in range(equal):
        key = UnitKey(VerdictKind.RELEASE, "apps", f"r{number}", "apps")
        yield Verdict(key=key, file="r.yaml", images=(MOVED,), objects=2)
    different = UnitKey(VerdictKind.KUSTOMIZATION, "", "web", "web")
    yield Verdict(key=different, file="web.yaml", differences=(CHANGED,), objects=1)
    failed = UnitKey(VerdictKind.KUSTOMIZATION, "", "db", "db")
    yield Verdict(key=failed, file="db.yaml", problem=Problem("db.yaml", "no such chart"))


LAST = [
    "1 difference  Kustomization web: 1 object, 0 images moved",
    "not compared  Kustomization db",
    "",
    "web.yaml: Pod/a/p spec.x: 1 → 2",
]
SHOWN = {
    "few": (2, False, [f"equal         HelmRelease apps/r{n} in apps" for n in range(2)]),
    "many": (
        25,
        False,
        [
            "equal         25 HelmReleases: 50 objects, 1 image moved",
            "--verbose lists all equal ones",
        ],
    ),
    "many, in full": (
        25,
        True,
        [f"equal         HelmRelease apps/r{n} in apps" for n in range(25)],
    ),
}


@pytest.mark.parametrize("name", SHOWN)
def test_many_equal_ones_are_one_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What fails and what wasn't compared has its own line however many are equal."""
    equal, verbose, first = SHOWN[name]

    print_proof(Proof(tuple(verdicts(equal))), Common(verbose=verbose), str)

    shown = capsys.readouterr()
    lines = [line.removesuffix(": 2 objects, 1 image moved") for line in shown.out.splitlines()]
    if name == "many":
        lines[0] = shown.out.splitlines()[0]
    assert lines == [*first, *LAST]
    count = equal + 1
    assert shown.err.splitlines()[-1] == (
        f"{count} compared, 1 image moved, 1 different, 1 not compared"
    )
