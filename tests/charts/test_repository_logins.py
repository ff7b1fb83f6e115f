"""To whom the login of a chart repository goes: what its index names may be anywhere."""

import json
from pathlib import Path

import pytest

from imageshift.charts.fetch.files import load_chart
from imageshift.charts.fetch.helm import HelmHome
from imageshift.charts.fetch.locate import Locator
from imageshift.charts.fetch.store import Store
from imageshift.charts.model import ChartSource, ChartUnavailableError, SourceKind
from imageshift.net import Login, Transport
from web_server import page, serve

CHART = Path(__file__).parent.parent / "fixtures" / "charts" / "whole" / "chart"
BASIC = Login("robot", "planted").header["Authorization"]


def find(url: str, folder: Path, known: dict[str, object] | None = None) -> None:
    """Find the chart in a repository that Helm knows with a login."""
    home = HelmHome.of({"HOME": str(folder)})
    if known is not None:
        home.repositories.parent.mkdir(parents=True)
        row = {"name": "x", "url": url, "username": "robot", "password": "planted", **known}
        home.repositories.write_text(json.dumps({"repositories": [row]}))
    source = ChartSource(kind=SourceKind.HELM_HTTP, name="whole", url=url)
    transport = Transport(timeout=5.0, backoff=0.0)
    assert Locator(Store(None), home, transport).find(source).name == "whole"


def index(*urls: str) -> str:
    """Return an index of one chart."""
    return json.dumps({"entries": {"whole": [{"version": "1.0.0", "urls": list(urls)}]}})


def test_a_chart_at_the_repository(tmp_path: Path) -> None:
    """The login goes to the index and to archives at the same place."""
    with serve({"*": page(load_chart(CHART).archive())}) as web:
        web.pages["/charts/index.yaml"] = page(index(f"{web.url}/files/whole.tgz"))
        find(f"{web.url}/charts", tmp_path, {})

    assert web.paths == ["/charts/index.yaml", "/files/whole.tgz"]
    assert web.logins == [BASIC, BASIC]


@pytest.mark.parametrize("everywhere", [False, True])
def test_a_chart_elsewhere(everywhere: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """An archive elsewhere comes without the login; Helm's setting shares it by https alone."""
    with serve({"*": page(load_chart(CHART).archive())}) as other, serve() as web:
        web.pages["*"] = page(index(f"{other.url}/whole.tgz"))
        find(web.url, tmp_path, {"pass_credentials_all": everywhere})

    assert web.logins == [BASIC]
    assert other.logins == [None]


def test_a_login_and_a_query_in_the_address(tmp_path: Path) -> None:
    """A repository's own user and query go along to its index and archives, as in Helm."""
    with serve({"*": page(load_chart(CHART).archive())}) as web:
        web.pages["/charts/index.yaml"] = page(index("whole.tgz"))
        find(f"http://robot:planted@{web.host}/charts?key=1", tmp_path)

    assert web.paths == ["/charts/index.yaml?key=1", "/charts/whole.tgz?key=1"]
    assert web.logins == [BASIC, BASIC]


def test_a_refusal_shows_no_secret(tmp_path: Path) -> None:
    """The message about a refused index or archive shows neither the user nor the query."""
    with serve() as web:
        url = f"http://robot:planted@{web.host}/charts?key=planted"
        for text in (None, index("whole.tgz"), index("http://a:planted@127.0.0.1:1/x?planted")):
            web.pages = {} if text is None else {"/charts/index.yaml": page(text)}
            with pytest.raises(ChartUnavailableError) as caught:
                find(url, tmp_path)
            assert "planted" not in f"{caught.value}{caught.value.hint}"
