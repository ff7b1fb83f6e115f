"""Where a chart is that a person names."""

from pathlib import Path

from imageshift.charts.model import ChartSource, SourceKind
from imageshift.errors import ConfigError

__all__ = ["named_chart"]

_OCI = "oci://"
_HINT = "give a folder, a .tgz, an oci:// address, or a chart's name with --repo URL"


def named_chart(chart: str, *, repository: str | None, version: str | None) -> ChartSource:
    """The source of a chart: a folder, an archive, an `oci://` address, or a repository's chart.

    A version that an `oci://` address ends with counts where none is given.

    Raises:
        ConfigError: the parts don't go together, or the file doesn't exist.
    """
    if repository is not None:
        return _in_repository(chart, repository, version)
    if chart.startswith(_OCI):
        return _in_registry(chart, version)
    path = Path(chart)
    if not path.exists():
        raise ConfigError(f"no chart is at {chart}", hint=_HINT)
    if version is not None:
        raise ConfigError(f"{chart} has only one version", hint="leave out --version")
    return ChartSource(kind=SourceKind.LOCAL, name=path.resolve().name, path=path)


def _in_repository(chart: str, repository: str, version: str | None) -> ChartSource:
    if "/" in chart or not chart:
        raise ConfigError(f"{chart!r} isn't the name of a chart in a repository", hint=_HINT)
    url = repository.rstrip("/")
    if url.startswith(_OCI):
        return _in_registry(f"{url}/{chart}", version)
    return ChartSource(kind=SourceKind.HELM_HTTP, name=chart, url=url, version=version)


def _in_registry(address: str, version: str | None) -> ChartSource:
    url, at, digest = address.partition("@")
    head, slash, name = url.rpartition("/")
    name, _, tag = name.partition(":")
    if not name or head in ("", _OCI.rstrip("/"), "oci:/"):
        raise ConfigError(f"{address} names no chart in a registry", hint=_HINT)
    return ChartSource(
        kind=SourceKind.HELM_OCI,
        name=name,
        url=f"{head}{slash}{name}",
        version=version or (digest if at else tag) or None,
    )
