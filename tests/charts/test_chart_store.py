"""The cache of charts where it can't be made, can't be written, is damaged, or isn't ours."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from imageshift.charts.fetch.files import load_chart
from imageshift.charts.fetch.helm import HelmHome
from imageshift.charts.fetch.locate import Locator
from imageshift.charts.fetch.store import Store, write_whole
from imageshift.charts.model import ChartSource, SourceKind
from web_server import page, serve

KEY = ("http://a.test", "x", "1.0.0")
CHART = Path(__file__).parent.parent / "fixtures" / "charts" / "whole" / "chart"


def _file_in_the_way(path: Path) -> None:
    path.write_text("a file")


def _link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def _link_to_nothing(path: Path) -> None:
    path.symlink_to("/proc/nothing/there")


def _open_to_all(path: Path) -> None:
    path.mkdir()
    path.chmod(0o777)


def _of_another_user(path: Path) -> None:
    path.mkdir()
    os.chown(path, 12345, 12345)


def _link_of_another_user(path: Path) -> None:
    (path.parent / "elsewhere").mkdir()
    path.symlink_to(path.parent / "elsewhere")
    os.lchown(path, 12345, 12345)


UNUSABLE = [_file_in_the_way, _link_to_itself, _link_to_nothing, _open_to_all]
FOREIGN = [_of_another_user, _link_of_another_user]


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("make", [*UNUSABLE, *FOREIGN])
def test_a_folder_that_cant_be_used(
    make: Callable[[Path], None], level: int, tmp_path: Path
) -> None:
    """A folder that can't be made, or that others may write to, is as good as none."""
    if make in FOREIGN and os.geteuid() != 0:
        pytest.skip("only root can make another user's files")
    folder = tmp_path / "imageshift" / "charts"
    (folder if level == 0 else folder.parent).parent.mkdir(exist_ok=True)
    make(folder if level == 0 else folder.parent)
    before = sorted(tmp_path.rglob("*"))

    Store(folder).keep(b"content", *KEY)

    assert Store(folder).get(*KEY) is None
    made = set(tmp_path.rglob("*")) - set(before)
    assert made <= {folder}


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: b"x" + data[1:],
        lambda _: b"garbage" * 1000,
    ],
)
def test_a_damaged_content(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """A content that isn't what was kept counts as none, and is replaced."""
    store = Store(tmp_path / "charts")
    store.keep(b"content", *KEY)
    [path] = (tmp_path / "charts").iterdir()
    path.write_bytes(damage(path.read_bytes()))

    assert store.get(*KEY) is None
    store.keep(b"content", *KEY)
    assert store.get(*KEY) == b"content"


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_a_content_that_is_no_file(make: Callable[[Path], None], tmp_path: Path) -> None:
    """A pipe or a device in the place of a content counts as none."""
    store = Store(tmp_path / "charts")
    store.keep(b"content", *KEY)
    [path] = (tmp_path / "charts").iterdir()
    path.unlink()
    make(path)

    assert store.get(*KEY) is None
    store.keep(b"content", *KEY)


def test_a_full_disk(tmp_path: Path) -> None:
    """A content that can't be written to its end leaves nothing behind."""
    code = f"""
import resource, signal, sys
from pathlib import Path
from imageshift.charts.fetch.store import Store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
store = Store(Path({str(tmp_path / "charts")!r}))
store.keep(bytes(5000), "large")
store.keep(bytes(50), "small")
print(store.get("large"), store.get("small") == bytes(50))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "None True\n"
    assert len(list((tmp_path / "charts").iterdir())) == 1


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """A file that can't be put in its place isn't left under another name."""
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "inside").touch()

    with pytest.raises(OSError, match="x"):
        write_whole(tmp_path / "x", b"data")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_chart_without_a_cache(tmp_path: Path) -> None:
    """A chart is found without a cache as with one."""
    archive = load_chart(CHART).archive()
    index = "entries: {whole: [{version: 1.0.0, urls: [whole.tgz]}]}"
    home = HelmHome.of({"HOME": str(tmp_path)})
    with serve({"/index.yaml": page(index), "/whole.tgz": page(archive)}) as web:
        source = ChartSource(kind=SourceKind.HELM_HTTP, name="whole", url=web.url)
        for folder in (None, Path("/proc/nothing/charts")):
            assert Locator(Store(folder), home).find(source).name == "whole"


SECRETS = [
    ("http://robot:planted@{host}", "entries: {whole: [{version: 1.0.0, urls: [whole.tgz]}]}"),
    (
        "http://{host}",
        "entries: {whole: [{version: 1.0.0, urls: ['whole.tgz?X-Amz-Signature=planted']}]}",
    ),
    (
        "http://{host}",
        "entries: {whole: [{version: 1.0.0, urls: ['http://robot:planted@{host}/whole.tgz']}]}",
    ),
]


@pytest.mark.parametrize(("url", "index"), SECRETS)
def test_nothing_secret_is_kept(url: str, index: str, tmp_path: Path) -> None:
    """Neither names nor contents of what is kept hold a password or a signature."""
    store = Store(tmp_path / "store")
    archive = load_chart(CHART).archive()
    with serve({"*": page(archive)}) as web:
        web.pages["/index.yaml"] = page(index.replace("{host}", web.host))
        home = HelmHome.of({"HOME": str(tmp_path)})
        source = ChartSource(
            kind=SourceKind.HELM_HTTP, name="whole", url=url.replace("{host}", web.host)
        )
        assert Locator(store, home).find(source).name == "whole"

    kept = list((tmp_path / "store").iterdir())
    assert kept
    assert not [path for path in kept if b"planted" in str(path).encode() + path.read_bytes()]
