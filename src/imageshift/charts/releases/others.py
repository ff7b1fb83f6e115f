"""Charts that something else than a HelmRelease installs: Argo CD, helmfile, kustomize.

Each is a release with its values in layers, in the order of the tool (E1, E4, E5).
"""

from imageshift.charts.releases.argo import read_applications
from imageshift.charts.releases.flux import ReleaseText
from imageshift.charts.releases.helmfile import read_helmfiles
from imageshift.charts.releases.inflated import read_inflations
from imageshift.inventory import Index
from imageshift.links.builds import Builds

__all__ = ["read_other_releases"]


def read_other_releases(index: Index, builds: Builds) -> list[ReleaseText]:
    """The releases of every Argo CD Application, helmfile and kustomization with helmCharts."""
    return [*read_applications(index), *read_helmfiles(index), *read_inflations(index, builds)]
