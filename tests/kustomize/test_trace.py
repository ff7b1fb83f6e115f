"""The way of an image through its builds, as `explain` tells it; real kustomize judges."""

from pathlib import Path

import pytest

from imageshift.links.trace import Tracer
from imageshift.run import Run, RunOptions
from kustomize_builds import build, images

CASES = Path(__file__).resolve().parent.parent / "fixtures" / "kustomize"
BEYOND = {
    "configured-image-field",
    "image-transformer",
    "json-6902-of-every-sort",
    "k9-replacement-at-slash",
    "k9-replacement-from-elsewhere",
    "patch-transformer",
    "pattern-over-unseen-texts",
}
"""Cases of what isn't told: further fields, transformers, replacements, and labels named image."""

NAMES = sorted(path.name for path in CASES.iterdir() if path.name not in BEYOND)


def traces(root: Path) -> dict[str, list[tuple[str, ...]]]:
    """Every way of every image of a tree, by what builds it."""
    run = Run.open([root], RunOptions(account="123456789012", region="eu-west-2", root=root))
    tracer, found = Tracer(run.builds), dict[str, list[tuple[str, ...]]]()
    for file in run.index.files:
        for site in run.planner.scan(file).sites:
            for told in tracer.trace(site, file):
                steps = (f"{file}: {site.text}", *map(str, told.steps))
                found.setdefault(told.root, []).append(steps)
    return found


@pytest.mark.kustomize
@pytest.mark.parametrize("name", NAMES)
def test_every_built_image_is_told(name: str) -> None:
    """Each image that a kustomization at the top builds is the end of some way to it."""
    root = CASES / name / "before"
    for top, ways in traces(root).items():
        if top.endswith(("kustomization.yaml", "Kustomization")):
            ends = {
                steps[-1].partition(" images entry makes it ")[2] or steps[-1] for steps in ways
            }
            ends = {end.rpartition(".yaml: ")[2] for end in ends}
            assert set(images(build((root / top).parent))) <= ends, top


FLUX = "clusters/prod/apps.yaml (Flux Kustomization flux-system/apps)"
ENTRY = "images entry makes it"


@pytest.mark.parametrize(
    ("name", "root", "steps"),
    [
        pytest.param(
            "k2-base-and-overlay",
            "prod/kustomization.yaml",
            (
                "base/app.yaml: nginx:1.25",
                "base/kustomization.yaml: nginx:1.25",
                f"prod/kustomization.yaml:6: {ENTRY} nginx:1.27",
            ),
            id="a base and its overlay",
        ),
        pytest.param(
            "k7-component",
            "prod/kustomization.yaml",
            (
                "base/app.yaml: nginx:1.25",
                "base/kustomization.yaml: nginx:1.25",
                f"component/kustomization.yaml:4: {ENTRY} nginx:1.27",
                f"prod/kustomization.yaml:8: {ENTRY} nginx@sha256:{'ab' * 32}",
            ),
            id="a component",
        ),
        pytest.param(
            "k6-flux-without-kustomization",
            FLUX,
            (
                "apps/web/app.yaml: nginx:1.25",
                f"clusters/prod/apps.yaml:12: {ENTRY} nginx:1.29",
            ),
            id="a folder that Flux gathers",
        ),
        pytest.param(
            "flux-components",
            FLUX,
            (
                "apps/prod/app.yaml: nginx:1.25",
                "apps/prod/kustomization.yaml: nginx:1.25",
                f"apps/part/kustomization.yaml:4: {ENTRY} nginx:1.29",
                f"clusters/prod/apps.yaml:12: {ENTRY} nginx@sha256:{'ab' * 32}",
            ),
            id="a component of a Flux object",
        ),
        pytest.param(
            "flux-object-patched",
            "clusters/prod/two.yaml (Flux Kustomization flux-system/two)",
            (
                "apps/two/app.yaml: ghcr.io/org/two:1",
                "apps/two/kustomization.yaml: ghcr.io/org/two:1",
                f"clusters/prod/kustomization.yaml:23: {ENTRY} ghcr.io/org/two:2",
            ),
            id="entries that a patch gives a Flux object",
        ),
        pytest.param(
            "argo-cd-images",
            "argo/app.yaml (Argo CD Application argocd/app)",
            (
                "apps/prod/app.yaml: redis:7",
                "apps/prod/kustomization.yaml: redis:7",
                f"argo/app.yaml:13: {ENTRY} ghcr.io/org/redis:7",
            ),
            id="an Argo CD Application",
        ),
    ],
)
def test_ways(name: str, root: str, steps: tuple[str, ...]) -> None:
    """A way names every file that it passes, and the entry that changes the text there."""
    assert steps in traces(CASES / name / "before")[root]
