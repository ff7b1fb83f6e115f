"""From a release's chart source to the chart's files."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field

from imageshift.charts.fetch.files import ChartFiles, load_archive, load_chart
from imageshift.charts.fetch.helm import HelmHome
from imageshift.charts.fetch.oci import fetch_from_registry
from imageshift.charts.fetch.repository import fetch_from_repository
from imageshift.charts.fetch.store import Store
from imageshift.charts.model import ChartError, ChartSource, ChartUnavailableError, SourceKind
from imageshift.errors import NetworkError, without_secrets, without_users
from imageshift.net import Transport

__all__ = ["Locator"]

_LONGEST_VERSION = 256


class Locator(Struct):
    """Finds charts; each one is read once in a run.

    `known` is the `charts:` map of the config: a chart's URL with its name, or its name alone,
    to a folder or .tgz that is taken instead.
    """

    store: Store = field(default_factory=Store.default)
    home: HelmHome = field(default_factory=HelmHome.of)
    transport: Transport = field(default_factory=Transport)
    known: Mapping[str, Path] = field(default_factory=dict)
    _found: dict[ChartSource, ChartFiles | ChartError] = field(default_factory=dict)

    def find(self, source: ChartSource) -> ChartFiles:
        """The chart of a source.

        Raises:
            ChartUnavailableError: it can't be found.
            ChartError: it can't be read; either is found out once, and raised for each release.
        """
        if source not in self._found:
            try:
                self._found[source] = self._find(source)
            except ChartError as error:
                self._found[source] = error
            except NetworkError as error:
                self._found[source] = ChartUnavailableError(str(error), hint=error.hint)
        found = self._found[source]
        if isinstance(found, ChartError):
            raise found.with_traceback(None)
        return found

    def _find(self, source: ChartSource) -> ChartFiles:
        path = self.known_path(source)
        if path is not None:
            return load_chart(path, root=source.root if path is source.path else None)
        if len(source.version or "") > _LONGEST_VERSION:
            raise ChartUnavailableError(f"the version of the chart {source.name} is too long")
        if source.kind is SourceKind.HELM_HTTP:
            data = fetch_from_repository(
                source, store=self.store, home=self.home, transport=self.transport
            )
        elif source.kind is SourceKind.HELM_OCI:
            data = fetch_from_registry(
                source, store=self.store, home=self.home, transport=self.transport
            )
        else:
            raise ChartUnavailableError(
                f"can't tell where the chart {source.name} is",
                hint="name its folder under `charts:` in .imageshift.yaml",
            )
        return load_archive(data, without_secrets(str(source)))

    def known_path(self, source: ChartSource) -> Path | None:
        """The folder or archive that the configuration, or the tree itself, gives for a chart."""
        url = without_users(source.url).rstrip("/")
        keys = (f"{url}/{source.name}", url, source.name)
        named = next((self.known[key] for key in keys if key and key in self.known), None)
        return named or source.path
