"""Chart folders, archives and values of an attacker's: refused in bounded time and memory."""

import bz2
import gzip
import io
import json
import lzma
import os
import tarfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from command_line import HOST, REGISTRY, run
from imageshift.cache import ARTICLE_RULES, Registry, RuleSet
from imageshift.charts.fetch.archive import Budget, read_archive
from imageshift.charts.fetch.files import ChartFiles, load_archive, load_chart
from imageshift.charts.fetch.schemas import is_self_contained
from imageshift.charts.model import ChartError, ChartSource, Release, RenderOptions, SourceKind
from imageshift.charts.rendering.render import SdkRenderer
from imageshift.charts.solving.override import Overrider
from imageshift.errors import ImageshiftError

pytestmark = pytest.mark.once

META = b"apiVersion: v2\nname: c\nversion: 1.0.0\n"
MIB = 1 << 20
EXAMPLES = int(os.environ.get("IMAGESHIFT_SHAPES", "40"))


def _header(name: bytes, size: int | bytes = 0, kind: bytes = b"0") -> bytes:
    """Return a header of a tar file, whatever it says."""
    block = bytearray(512)
    block[: len(name)] = name
    block[124:136] = size if isinstance(size, bytes) else b"%011o\0" % size
    block[156:157] = kind
    block[257:265] = b"ustar\x0000"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def _entry(name: bytes, content: bytes, kind: bytes = b"0") -> bytes:
    return _header(name, len(content), kind) + content + bytes(-len(content) % 512)


def _pax(**said: str) -> bytes:
    text = b""
    for key, value in said.items():
        record = f" {key}={value}\n".encode()
        length = len(record) + len(str(len(record)))
        text += str(length + (len(str(length)) > len(str(len(record))))).encode() + record
    return _entry(b"c/header", text, b"x")


def _tgz(*parts: bytes) -> bytes:
    return gzip.compress(_entry(b"c/Chart.yaml", META) + b"".join(parts) + bytes(1024), 1)


def _nested(levels: int) -> bytes:
    data = _tgz()
    for _ in range(levels):
        data = _tgz(_entry(b"c/charts/c.tgz", data))
    return data


def _bomb_of_bombs() -> bytes:
    inner = _tgz(_entry(b"c/files/a", bytes(50 * MIB)))
    return _tgz(*(_entry(b"c/charts/c%d.tgz" % number, inner) for number in range(50)))


ARCHIVES: dict[str, Callable[[], bytes]] = {
    "200 MB of zeros": lambda: _tgz(_entry(b"c/values.yaml", bytes(200 * MIB))),
    "the same in bzip2": lambda: bz2.compress(_entry(b"c/Chart.yaml", bytes(200 * MIB)), 1),
    "the same in xz": lambda: lzma.compress(_entry(b"c/Chart.yaml", bytes(200 * MIB)), preset=0),
    "archives in archives": lambda: _nested(30),
    "50 archives of 50 MB": _bomb_of_bombs,
    "300,000 entries": lambda: _tgz(*([_header(b"c/a")] * 300_000)),
    "300,000 folders": lambda: _tgz(*([_header(b"c/a/", kind=b"5")] * 300_000)),
    "a header of 100 MB": lambda: _tgz(_entry(b"c/a", bytes(100 * MIB), b"x")),
    "a header for all of 100 MB": lambda: _tgz(_entry(b"c/a", bytes(100 * MIB), b"g")),
    "a name of 100 MB": lambda: _tgz(_entry(b"c/a", b"a" * 100 * MIB, b"L")),
    "a negative size": lambda: _tgz(_header(b"c/a", b"\xff" * 12)),
    "a negative size in a header": lambda: _tgz(_pax(size="-1"), _header(b"c/a")),
    "a size of many digits": lambda: _tgz(_pax(size="9" * 5000), _header(b"c/a")),
    "a size of 2^88": lambda: _tgz(_header(b"c/a", b"\x80" + b"\xff" * 11)),
    "a size that is no number": lambda: _tgz(_header(b"c/a", b"x" * 12)),
    "a sparse file": lambda: _tgz(_pax(**{"GNU.sparse.map": "0,9"}), _header(b"c/a")),
    "an old sparse file": lambda: _tgz(_header(b"c/a", kind=b"S")),
    "an absolute path": lambda: _tgz(_entry(b"/etc/passwd", b"")),
    "a path out of it": lambda: _tgz(_entry(b"c/../../a", b"")),
    "a path out of it in a header": lambda: _tgz(_pax(path="c/../../a"), _header(b"c/a")),
    "a path of a drive": lambda: _tgz(_entry(b"C:\\a\\b", b"")),
    "a name with a zero byte": lambda: _tgz(_pax(path="c/a\0b"), _header(b"c/a")),
    "a damaged header": lambda: _tgz(b"x" * 512),
    "a damaged extended header": lambda: _tgz(_entry(b"c/a", b"99 path=a\n", b"x")),
    "the end cut off": lambda: _tgz(os.urandom(9000))[:200],
    "a file cut off": lambda: gzip.compress(_entry(b"c/Chart.yaml", META) + _header(b"c/a", 999)),
    "zeros": lambda: bytes(4096),
    "nothing": lambda: b"",
    "random bytes": lambda: os.urandom(4096),
    "gzip and then random bytes": lambda: b"\x1f\x8b\x08\x10" + b"a" * MIB,
}
"""What is no chart, by what is wrong with it."""


@pytest.mark.parametrize("kind", ARCHIVES)
def test_a_hostile_archive_is_refused(kind: str) -> None:
    """Its chart is an error that names it, found out in a few seconds."""
    data = ARCHIVES[kind]()
    start = time.monotonic()

    with pytest.raises(ChartError, match=r"^origin"):
        load_archive(data, "origin")

    assert time.monotonic() - start < 10


def test_an_archive_as_others_make_it() -> None:
    """Long names, links and twice the same name: files alone count, and the last of a name."""
    buffer = io.BytesIO()
    long = "c/" + "long/" * 60 + "a.yaml"
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.GNU_FORMAT) as archive:
        for name, content in (("c/Chart.yaml", META), (long, b"1"), ("c/a", b"1"), ("c/a", b"2")):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        link = tarfile.TarInfo("c/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)

    found = load_archive(buffer.getvalue(), "c").files

    assert found == {"Chart.yaml": META, long.removeprefix("c/"): b"1", "a": b"2"}


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("name", ["a.yaml", "ü/ß.yaml", "x" * 90 + "/" + "y" * 90, "z" * 100])
def test_archives_read_as_python_reads_them(form: int, name: str) -> None:
    """Every form of tar gives the files that tarfile finds in it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=form) as archive:
        for path in ("c/Chart.yaml", f"c/{name}"):
            try:
                entry = tarfile.TarInfo(path)
                entry.size = 3
                archive.addfile(entry, io.BytesIO(b"abc"))
            except ValueError:
                pytest.skip("this form has no room for the name")

    found = read_archive(buffer.getvalue(), "c", Budget(MIB))

    assert found == {"Chart.yaml": b"abc", name: b"abc"}


def _outside_file(chart: Path) -> None:
    (chart / "files").mkdir()
    (chart / "files" / "secret").symlink_to("../../../secret")


def _outside_folder(chart: Path) -> None:
    (chart / "files").symlink_to("../../outside")


def _outside_archive(chart: Path) -> None:
    (chart / "charts").mkdir()
    (chart / "charts" / "a.tgz").symlink_to("/etc/passwd")


def _through_a_link(chart: Path) -> None:
    (chart / "one").symlink_to("two")
    (chart / "two").symlink_to("../../secret")


def _device(chart: Path) -> None:
    (chart / "device").symlink_to("/dev/zero")


def _fifo(chart: Path) -> None:
    os.mkfifo(chart / "pipe")


def _ignore_file(chart: Path) -> None:
    (chart / ".helmignore").symlink_to("/dev/zero")


def _huge(chart: Path) -> None:
    with (chart / "big").open("wb") as file:
        file.truncate(1 << 40)


def _many(chart: Path) -> None:
    for number in range(20_001):
        (chart / str(number)).touch()


def _deep(chart: Path) -> None:
    (chart / "/".join("a" * 100)).mkdir(parents=True)


def _fan(chart: Path) -> None:
    for level in range(30):
        (chart / f"l{level}").mkdir()
        for name in "ab":
            (chart / f"l{level}" / name).symlink_to(f"../l{level + 1}")
    (chart / "l30").mkdir()


FOLDERS: dict[str, Callable[[Path], None]] = {
    "a link to a file outside": _outside_file,
    "a link to a folder outside": _outside_folder,
    "a link to an archive outside": _outside_archive,
    "a link to a link to a file outside": _through_a_link,
    "a link to a device": _device,
    "a pipe": _fifo,
    "an ignore file that is a device": _ignore_file,
    "a file of a terabyte": _huge,
    "20,001 files": _many,
    "folders 100 levels deep": _deep,
    "links that double at each level": _fan,
    "a link to nothing": lambda chart: (chart / "a").symlink_to("nothing"),
    "a link to itself": lambda chart: (chart / "a").symlink_to("a"),
}


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """Make a tree with a chart in it, and things outside."""
    folder = tmp_path / "tree" / "chart"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_bytes(META)
    (tmp_path / "outside").mkdir()
    for path in (tmp_path / "secret", tmp_path / "outside" / "secret"):
        path.write_text("hunter2")
    return folder


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_hostile_folder_is_refused(kind: str, chart: Path) -> None:
    """Its chart is an error that names the file, found out in a few seconds."""
    FOLDERS[kind](chart)
    start = time.monotonic()

    with pytest.raises(ChartError, match="chart"):
        load_chart(chart, root=chart.parent)

    assert time.monotonic() - start < 10


def test_a_chart_outside_the_root(chart: Path, tmp_path: Path) -> None:
    """A chart's folder that is a link out of the tree isn't read."""
    (chart.parent / "link").symlink_to(tmp_path / "outside")
    (tmp_path / "outside" / "Chart.yaml").write_bytes(META)

    with pytest.raises(ChartError, match="leads out of the root"):
        load_chart(chart.parent / "link", root=chart.parent)


def test_without_a_root_links_stay_in_the_folder(chart: Path) -> None:
    """A chart that the configuration names may be anywhere, but only its own files count."""
    (chart.parent / "beside").write_text("a: 1")
    (chart / "inside.yaml").symlink_to("Chart.yaml")
    assert sorted(load_chart(chart).files) == ["Chart.yaml", "inside.yaml"]

    (chart / "values.yaml").symlink_to("../beside")
    with pytest.raises(ChartError, match=r"values\.yaml: .*leads out of the root"):
        load_chart(chart)


def test_names_that_are_no_utf_8(chart: Path) -> None:
    """Such files count, under names that can be printed, in folders and archives."""
    (chart / "templates" / os.fsdecode(b"\xff.yaml")).write_text("a: {{ .Release.Name }}")

    files = load_chart(chart).files
    packed = load_archive(_tgz(_entry(b"c/templates/\xff.yaml", b"a: 1")), "c").files

    assert sorted(files) == sorted(packed) == ["Chart.yaml", "templates/%FF.yaml"]


GROWING = b"a0: &a0 [x, x]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (number, number, b", ".join([b"*a%d" % (number - 1)] * 9))
    for number in range(1, 12)
)
CHARTS: dict[str, dict[str, bytes]] = {
    "no mapping": {"Chart.yaml": b"- a\n"},
    "a name that is a list": {"Chart.yaml": b"name: [c]\n"},
    "a name with a path": {"Chart.yaml": b"name: ../../c\n"},
    "a name of a megabyte": {"Chart.yaml": b"name: " + b"c" * MIB},
    "dependencies that are a text": {"Chart.yaml": META + b"dependencies: abc\n"},
    "dependencies that are texts": {"Chart.yaml": META + b"dependencies: [abc]\n"},
    "dependencies without names": {"Chart.yaml": META + b"dependencies: [{alias: a}]\n"},
    "a dependency named by a list": {"Chart.yaml": META + b"dependencies: [{name: [a]}]\n"},
    "tags that are a number": {"Chart.yaml": META + b"dependencies: [{name: a, tags: 1}]\n"},
    "requirements that are a list": {"Chart.yaml": META, "requirements.yaml": b"- a\n"},
    "values that are a list": {"Chart.yaml": META, "values.yaml": b"- a\n"},
    "values that are no YAML": {"Chart.yaml": META, "values.yaml": b"a: [\n"},
    "values that are binary": {"Chart.yaml": META, "values.yaml": bytes(range(256))},
    "values nested 100,000 deep": {"Chart.yaml": META, "values.yaml": b"a: " + b"[" * 100_000},
    "values nested 400 deep": {"Chart.yaml": META, "values.yaml": b"[" * 400 + b"]" * 400},
    "values that grow": {"Chart.yaml": META, "values.yaml": GROWING},
    "values that are not a number": {"Chart.yaml": META, "values.yaml": b"a: .nan\n"},
    "values that hold themselves": {"Chart.yaml": META, "values.yaml": b"a: &a {b: *a}\n"},
}  # fmt: skip


@pytest.mark.parametrize("kind", CHARTS)
def test_a_chart_of_another_shape_is_refused(kind: str, sdk: SdkRenderer) -> None:
    """Its release is an error, found out in a few seconds."""
    start = time.monotonic()

    with pytest.raises(ImageshiftError):
        _override(CHARTS[kind], {}, sdk)

    assert time.monotonic() - start < 10


def _override(files: dict[str, bytes], values: dict[str, Any], sdk: SdkRenderer) -> object:
    source = ChartSource(kind=SourceKind.LOCAL, name="c")
    release = Release(name="rel", namespace="apps", source=source, values=values)
    rules = RuleSet(Registry.of("123456789012", "eu-west-2"), ARTICLE_RULES)

    def mapper(text: str) -> str | None:
        try:
            return str(getattr(rules.map(rules.parse(text)), "target", text))
        except ImageshiftError:
            return None

    return Overrider(sdk).override(ChartFiles(files, "origin"), release, mapper)


NUMBERS = {
    "5,000 digits": (b"9" * 5000, "9" * 5000),
    "more than 64 bits": (b"99999999999999999999", 1e20),
    "more than a float": (b"1e999", "1e999"),
    "a word that Python reads as a number": (b"infinity", "infinity"),
    "nan": (b"nan", "nan"),
    "underscores": (b"1_0.5", "1_0.5"),
    "a number": (b"12", 12),
    "a fraction": (b"1.50", 1.5),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_of_any_length(kind: str, sdk: SdkRenderer) -> None:
    """A number that Go can't hold is a text, as for Helm, and the release renders."""
    text, value = NUMBERS[kind]
    files = {
        "Chart.yaml": META,
        "values.yaml": b"n: " + text,
        "templates/a.yaml": b"n: {{ .Values.n | quote }}",
    }
    chart = ChartFiles(files, "c")

    assert chart.defaults == {"n": value}
    assert sdk.render(chart, chart.defaults, RenderOptions(name="rel"))


SCHEMAS = {
    '{"$ref": "#/definitions/a", "$schema": "http://json-schema.org/draft-07/schema#"}': True,
    '{"properties": {"$ref": {"type": "string"}}}': True,
    '{"$ref": "https://x/y"}': False,
    '{"\\u0024ref": "https://x/y"}': False,
    '{"$ref": "#/a", "$ref": "file:///etc/passwd"}': False,
    '{"$ref": "file:///etc/passwd", "$ref": "#/a"}': False,
    '{"allOf": [{"$dynamicRef": "other.json"}]}': False,
    '{"$schema": "https://json-schema.org/other"}': False,
    '{"$schema": "https://json-schema.org.example.com/draft-07/schema"}': False,
    '{"a": ' + "[" * 100_000: False,
    "{": False,
}


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema[:50])
def test_no_schema_reads_anything_else(schema: str) -> None:
    """A schema that would make Helm fetch another document isn't given to it."""
    assert is_self_contained(schema.encode()) is SCHEMAS[schema]


SHAPES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["quay.io/a/b:1", '{{ fail "x" }}', "\x00", "9" * 5000, "c", "global"]),
    lambda below: st.lists(below, max_size=3)
    | st.dictionaries(
        st.sampled_from(["name", "version", "dependencies", "alias", "condition", "tags", "image",
                         "repository", "registry", "tag", "global", "type", "a", "1", ""]),
        below, max_size=4,
    ),
    max_leaves=8,
)  # fmt: skip
NAMES = ["Chart.yaml", "values.yaml", "requirements.yaml", "values.schema.json", "release"]


def _dump(data: Any) -> bytes:
    stream = io.BytesIO()
    YAML(typ="safe").dump(data, stream)
    return stream.getvalue()


@pytest.mark.property
@settings(max_examples=EXAMPLES, deadline=None)
@given(name=st.sampled_from(NAMES), shape=SHAPES)
def test_no_shape_of_a_file_is_a_bug(name: str, shape: Any) -> None:
    """Any data in any of a chart's files, or as a release's values, renders or is an error."""
    meta = {"apiVersion": "v2", "name": "c", "version": "1.0.0"}
    made: dict[str, Any] = {
        "Chart.yaml": {**meta, **shape} if isinstance(shape, dict) else shape,
        "values.yaml": shape,
        "requirements.yaml": {"dependencies": shape},
        "values.schema.json": shape,
        "release": shape if isinstance(shape, dict) else {"a": shape},
    }
    files = {
        "Chart.yaml": META,
        "values.yaml": b"image: quay.io/org/app:1\n",
        "charts/d/Chart.yaml": b"name: d\nversion: 1.0.0\napiVersion: v2\n",
        "templates/a.yaml": b"kind: Pod\nspec: {containers: [{image: {{ .Values.image }}}]}\n"
        b"---\n{{ toYaml .Values }}",
    }
    if name == "values.schema.json":
        files[name] = json.dumps(made[name]).encode()
    elif name != "release":
        files[name] = _dump(made[name])
    with suppress(ImageshiftError):
        _override(files, made["release"] if name == "release" else {}, SdkRenderer())


@pytest.mark.property
@settings(max_examples=EXAMPLES, deadline=None)
@given(shape=SHAPES)
def test_no_shape_of_what_is_rendered_is_a_bug(shape: Any) -> None:
    """Any data that a template renders is read, or is an error."""
    text = json.dumps({"kind": "Pod", "image": "a", "spec": shape}).encode()
    again = json.dumps({"kind": shape, "metadata": shape, "image": "quay.io/a/b:1"}).encode()
    files = {"Chart.yaml": META, "templates/a.yaml": text, "templates/b.yaml": again}
    with suppress(ImageshiftError):
        _override(files, {}, SdkRenderer())


RENDERED = {
    "no YAML": "kind: Pod\nspec: [{image: \n",
    "a list": "- image: quay.io/a/b:1\n",
    "a text": "image: \n",
    "binary": "image: \u0001\n",
    "400 levels deep": "image: " + "[" * 400 + "]" * 400,
    "tabs": "kind: Pod\nspec:\n\timage: a\n",
    "a number of 5,000 digits": "image: " + "9" * 5000,
    "an anchor without end": "image: &a {b: *a}\n",
}


@pytest.mark.parametrize("kind", RENDERED)
def test_what_is_rendered_is_read_or_refused(kind: str, sdk: SdkRenderer) -> None:
    """Whatever a template renders, its release ends with images or an error."""
    template = RENDERED[kind].encode()
    files = {"Chart.yaml": META, "templates/a.yaml": template}
    with suppress(ImageshiftError):
        _override(files, {}, sdk)


def test_what_is_rendered_must_be_yaml(sdk: SdkRenderer) -> None:
    """A document that may hold an image but is no YAML is an error, as it is in a cluster."""
    files = {"Chart.yaml": META, "templates/a.yaml": b"kind: Pod\nspec: [{image: \n"}

    with pytest.raises(ChartError, match=r"c/templates/a\.yaml renders invalid YAML"):
        _override(files, {}, sdk)


RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: {name}
  namespace: apps
spec:
  chart:
    spec:
      chart: ./charts/{name}
      sourceRef: {{kind: GitRepository, name: flux-system}}
"""


def _pod(folder: Path) -> None:
    text = "kind: Pod\nspec:\n  containers:\n    - image: {{ .Values.image }}\n"
    text += '{{ .Files.Get "files/secret" }}\n'
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(f"apiVersion: v2\nname: {folder.name}\nversion: 1.0.0\n")
    (folder / "values.yaml").write_text("image: quay.io/org/app:1\n")
    (folder / "templates" / "a.yaml").write_text(text)


@pytest.mark.parametrize(
    ("command", "code"), [("scan", 4), ("migrate", 4), ("check", 1), ("verify", 4)]
)
def test_the_good_release_beside_them(
    command: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command does the good release, and names the others with their places."""
    pytest.importorskip("helm_python", reason="needs imageshift[charts]")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "tree"
    (root / "apps").mkdir(parents=True)
    (root / ".git").mkdir()
    (tmp_path / "secret").write_text("hunter2")
    (root / "apps" / "good.yaml").write_text(RELEASE.format(name="good"))
    _pod(root / "charts" / "good")
    bad = {f"bad-{n}": make for n, make in enumerate(FOLDERS.values()) if make is not _many}
    for name, make in bad.items():
        (root / "apps" / f"{name}.yaml").write_text(RELEASE.format(name=name))
        folder = root / "charts" / name
        _pod(folder)
        make(folder)
    numbers = RELEASE.format(name="good") + f"  values: {{n: {'9' * 5000}}}\n"
    (root / "apps" / "numbers.yaml").write_text(numbers.replace("name: good\n", "name: n\n", 1))
    options = ["--base", str(root)] if command == "verify" else ["--charts", "require"]

    done = run(root, command, "apps", *REGISTRY, *options)

    said = done.stdout + done.stderr
    assert done.code == code
    assert "hunter2" not in said
    # verify renders a copy of the tree, which holds no devices and no links to what is outside.
    left_out = {_outside_archive, _device, _fifo, _ignore_file} if command == "verify" else set()
    for name, make in bad.items():
        assert make in left_out or f"apps/{name}.yaml:" in said, name
    if command == "migrate":
        assert HOST in (root / "apps" / "good.yaml").read_text()
