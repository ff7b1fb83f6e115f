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
  values: {image: nginx}
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

    reached = [sorted({file for file, _ in build.patched}) for build in found]
    assert reached == [["a/release.yaml", "b/release.yaml"]]


def test_other_releases_of_the_file_stay_out(tmp_path: Path) -> None:
    """Of a file with several releases, the patch is only behind the values of those it is for."""
    taken = "  valuesFrom: [{kind: ConfigMap, name: held}]\n"
    held = "kind: ConfigMap\nmetadata: {name: held}\ndata: {values.yaml: 'image: redis'}\n"
    other = RELEASE.replace("NAME", "b").replace("nginx", "memcached") + taken
    every = "---\n".join([RELEASE.replace("NAME", "a"), other, f"apiVersion: v1\n{held}"])
    over = "resources: [all.yaml]\npatches: [{path: patch.yaml, target: {name: a}}]\n"
    files = {"patch.yaml": PATCH, "kustomization.yaml": over, "all.yaml": every}
    write_tree(tmp_path, {**files})
    workspace = Workspace(tmp_path.resolve())

    (found,) = Builds(build_index(workspace, workspace.walk())).of_releases

    assert found.files == []
    reached = {every[at:].partition("}")[0] for _, at in found.patched}
    assert reached == {"image: nginx", "nginx"}
