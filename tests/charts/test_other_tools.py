"""Releases that something other than Flux installs, as they are read."""

from pathlib import Path

import pytest

from command_line import write_tree
from imageshift.charts.releases.others import read_other_releases
from imageshift.inventory import build_index
from imageshift.links.builds import Builds
from imageshift.repo.workspace import Workspace

APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: app}
spec:
  source: {chart: app, repoURL: https://charts.example, helm: {releaseName: web}}
  destination: {namespace: shop}
"""
LIST = "apiVersion: v1\nkind: List\nitems:\n- " + APPLICATION.replace("\n", "\n  ").rstrip() + "\n"


@pytest.mark.parametrize("text", [APPLICATION, LIST], ids=["alone", "in a List"])
def test_application(tmp_path: Path, text: str) -> None:
    """An Application's release has its name and the namespace that it goes to."""
    write_tree(tmp_path, {"app.yaml": text})
    workspace = Workspace(tmp_path.resolve())
    index = build_index(workspace, workspace.walk())

    found = [each.release for each in read_other_releases(index, Builds(index))]

    assert [(each.namespace, each.name) for each in found] == [("shop", "web")]
