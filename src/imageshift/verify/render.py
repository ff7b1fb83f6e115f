"""One release rendered and post-rendered as Flux does it."""

import json
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from imageshift.charts.fetch.files import ChartFiles
from imageshift.charts.fetch.locate import Locator
from imageshift.charts.model import RenderError, Values
from imageshift.charts.rendering.manifests import split_manifest, unbuildable
from imageshift.charts.rendering.render import Manifests, Renderer
from imageshift.errors import SourceError
from imageshift.verify.kustomize import Kustomize, additions, merged
from imageshift.verify.model import Plain, object_name
from imageshift.verify.objects import read_objects, read_part
from imageshift.verify.releases import FoundRelease

__all__ = ["ReleaseRenderer"]

_HOOK = "helm.sh/hook"


class ReleaseRenderer(Struct):
    """Renders releases: the chart, real Helm, and the post-renderers by real kustomize."""

    locator: Locator
    renderer: Renderer
    kustomize: Callable[[], Kustomize]

    def chart(self, found: FoundRelease) -> ChartFiles:
        """The chart of a release, with the values files that it names.

        Raises:
            ChartError: it can't be found or read.
        """
        return self.locator.find(found.release.source).for_release(found.release)

    def objects(self, found: FoundRelease, values: Values | None = None) -> list[Plain]:
        """The objects of a release with its own values or others, and the Jobs of its upgrades.

        Raises:
            ChartError: the chart can't be found or rendered.
            BuildError: kustomize refuses a post-renderer.
        """
        objects = self._objects(found, values, 1)
        known = {object_name(data) for data in objects}
        later = self.jobs(found, values) or []
        return [*objects, *(job for job in later if object_name(job) not in known)]

    def jobs(
        self, found: FoundRelease, values: Values | None = None, *, revision: int = 2
    ) -> list[Plain] | None:
        """The Jobs of an upgrade; None where they are those of the installation (X11b).

        Raises:
            ChartError: the chart can't be found or read.
            BuildError: kustomize refuses a post-renderer.
        """
        if not (found.upgrades and self.chart(found).knows_upgrades):
            return None
        # Some charts can't be upgraded without a cluster, where they look for a password.
        with suppress(RenderError):
            objects = self._objects(found, values, revision)
            return [data for data in objects if data.get("kind") == "Job"]
        return None

    def _objects(self, found: FoundRelease, values: Values | None, revision: int) -> list[Plain]:
        values = found.release.values if values is None else values
        manifests = self._manifests(found, values, revision)
        parts = [
            part for template in sorted(manifests) for part in split_manifest(manifests[template])
        ]
        try:
            self._check(parts, found)
            return self._post_rendered(parts, found)
        except SourceError as error:
            raise RenderError(f"the chart renders invalid YAML: {error}") from None

    @staticmethod
    def _check(parts: list[str], found: FoundRelease) -> None:
        """Refuses what kustomize wouldn't read; it gets the objects in another spelling."""
        why = unbuildable(parts) if found.release.post_renderers else None
        if why is not None:
            raise RenderError(f"kustomize rejects what the chart renders: {why}")

    def _manifests(self, found: FoundRelease, values: Values, revision: int) -> Manifests:
        chart, options = self.chart(found), replace(found.release.options, revision=revision)
        return self.renderer.render(chart, values, options, schemas=found.schemas)

    def _post_rendered(self, parts: list[str], found: FoundRelease) -> list[Plain]:
        objects = [data for part in parts for data in read_part(part) if data.get("kind")]
        renderers = [r for r in found.release.post_renderers if r.get("kustomize")]
        if not renderers:
            return objects
        hooks = [data for data in objects if _is_hook(data)]
        others = [data for data in objects if not _is_hook(data)]
        if found.strategy == "nohooks":
            return [*self._all(others, renderers), *hooks]
        if found.strategy == "separate":
            return [*self._all(others, renderers), *self._all(hooks, renderers)]
        return self._all(objects, renderers)

    def _all(self, objects: list[Plain], renderers: list[Values]) -> list[Plain]:
        for renderer in renderers:
            if objects:
                objects = self._one(objects, renderer["kustomize"])
        return objects

    def _one(self, objects: list[Plain], spec: Mapping[str, Any]) -> list[Plain]:
        with tempfile.TemporaryDirectory(prefix="imageshift-") as name:
            folder = Path(name).resolve()
            text = "\n---\n".join(json.dumps(data) for data in objects)
            (folder / "all.yaml").write_text(text, "utf-8")
            entry = merged({"resources": ["all.yaml"]}, additions(spec))
            (folder / "kustomization.yaml").write_text(json.dumps(entry), "utf-8")
            return read_objects(replace(self.kustomize(), root=folder).build(folder))


def _is_hook(data: Plain) -> bool:
    metadata = data.get("metadata")
    found = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    return isinstance(found, Mapping) and _HOOK in found
