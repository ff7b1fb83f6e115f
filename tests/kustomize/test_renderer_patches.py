"""Patches that put their own post-renderers in the place of a release's."""

from pathlib import Path

from command_line import write_tree
from imageshift.inventory import build_index
from imageshift.links.builds import Builds
from imageshift.repo.workspace import Workspace

RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: NAME}
spec:
  chart: {spec: {chart: app, sourceRef: {kind: HelmRepository, name: app}}}
"""
PATCH = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: any}
spec:
  postRenderers:
    - kustomize: {images: [{name: nginx, newTag: '1'}]}
"""


def test_one_patch_for_different_releases(tmp_path: Path) -> None:
    """A patch file is for what each kustomization that names it targets in its own build."""
    patch = "{path: ../patch.yaml, target: {name: NAME}}"
    over = f"resources: [release.yaml, other.yaml]\npatches: [{patch}]\n"
    files = {"patch.yaml": PATCH}
    for name in "ab":
        files[f"{name}/kustomization.yaml"] = over.replace("NAME", name)
        files[f"{name}/release.yaml"] = RELEASE.replace("NAME", name)
        files[f"{name}/other.yaml"] = RELEASE.replace("NAME", "b" if name == "a" else "a")
    write_tree(tmp_path, {**files})
    workspace = Workspace(tmp_path.resolve())

    found = Builds(build_index(workspace, workspace.walk())).of_releases

    assert [sorted(build.files) for build in found] == [["a/release.yaml", "b/release.yaml"]]
