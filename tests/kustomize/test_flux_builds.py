"""What Flux builds of a folder: its object's images and patches put into the kustomization.

Written after `kustomize/kustomize_generator.go` of github.com/fluxcd/pkg; the build itself is real.
"""

import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from kustomize_builds import Built, build, differences, images

CASES = Path(__file__).resolve().parent.parent / "fixtures" / "kustomize"


def load(path: Path) -> list[Any]:
    """The documents of a file."""
    return list(YAML(typ="base").load_all(path.read_text()))


def generated(folder: Path) -> dict[str, Any]:
    """The kustomization of a folder, or the one that Flux makes of the manifests below it."""
    file = folder / "kustomization.yaml"
    if file.exists():
        return dict(load(file)[0])
    found = sorted(path.parent for path in folder.rglob("kustomization.yaml"))
    nested = [path for path in found if not any(other in path.parents for other in found)]
    plain = [
        path
        for path in sorted(folder.rglob("*.yaml"))
        if not any(path.is_relative_to(other) for other in nested)
    ]
    return {"resources": [str(path.relative_to(folder)) for path in (*nested, *plain)]}


def merged(kustomization: dict[str, Any], spec: dict[str, Any], *, keeps_name: bool) -> None:
    """Put a Flux Kustomization's patches and images in; of one name the object's entry counts."""
    parts = [*kustomization.get("components", []), *spec.get("components", [])]
    kustomization["components"] = parts
    kustomization["patches"] = [*kustomization.get("patches", []), *spec.get("patches", [])]
    entries = [dict(entry) for entry in kustomization.get("images", [])]
    for new in spec.get("images", []):
        old = next((entry for entry in entries if entry["name"] == new["name"]), None)
        if old is None:
            entries.append(dict(new))
            continue
        name = old.get("newName") if keeps_name else None
        old.clear()
        old.update({**({"newName": name} if name else {}), **new})
    kustomization["images"] = entries


def flux_objects(place: Path) -> list[dict[str, Any]]:
    """The Flux Kustomizations of a file, or of what a folder builds."""
    found = build(place).objects if place.is_dir() else load(place)
    return [each for each in found if each["kind"] == "Kustomization"]


def flux_build(tree: Path, work: Path, case: tuple[str, str], *, keeps_name: bool) -> Built:
    """What Flux makes of a folder for the object that names it, or the first one."""
    file, path = case
    shutil.copytree(tree, work)
    objects = flux_objects(work / file)
    found = [each for each in objects if each["spec"].get("path", "").strip("./") == path]
    kustomization = generated(work / path)
    merged(kustomization, (found or objects)[0]["spec"], keeps_name=keeps_name)
    text = StringIO()
    YAML().dump(kustomization, text)
    (work / path / "kustomization.yaml").write_text(text.getvalue())
    return build(work / path)


@pytest.mark.kustomize
@pytest.mark.parametrize("keeps_name", [False, True], ids=["older Flux", "newer Flux"])
@pytest.mark.parametrize(
    ("name", "file", "path", "expected"),
    [
        ("k6-flux-images", "clusters/prod/apps.yaml", "apps/prod", ["nginx:1.29", "redis:7.2"]),
        (
            "k6-flux-without-kustomization",
            "clusters/prod/apps.yaml",
            "apps",
            ["nginx:1.29", "redis:7.2", "nginx:1.29"],
        ),
        ("artifact-copies", "clusters/prod/artifacts.yaml", "apps/production", ["nginx:1.29"]),
        ("flux-patch-over-entries", "clusters/prod/apps.yaml", "apps/prod", ["quay.io/org/a:3"]),
        ("flux-source-that-may-be-this", "clusters/prod/apps.yaml", "apps/prod", ["nginx:1.29"]),
        ("flux-object-patched", "clusters/prod", "apps/one", ["nginx:1.29"]),
        ("flux-object-patched", "clusters/prod", "apps/two", ["ghcr.io/org/two:2"]),
        ("flux-object-patched", "clusters/prod", "apps/three", ["quay.io/org/three:3"]),
        (
            "flux-post-build",
            "clusters/prod/apps.yaml",
            "apps/prod",
            ["${REG}/library/nginx:1.30", "redis:7-${TAG}", "${OTHER}/x:2"],
        ),
        (
            "flux-components",
            "clusters/prod/apps.yaml",
            "apps/prod",
            ["nginx@sha256:" + "ab" * 32],
        ),
    ],
)
def test_flux_builds(
    tmp_path: Path, name: str, file: str, path: str, expected: list[str], *, keeps_name: bool
) -> None:
    """Flux builds what it built before, but for mapped images."""
    root, case = CASES / name, (file, path)
    before = flux_build(root / "before", tmp_path / "before", case, keeps_name=keeps_name)
    after = flux_build(root / "after", tmp_path / "after", case, keeps_name=keeps_name)

    assert images(before) == expected, before.message
    assert list(differences({"": before}, {"": after})) == []
