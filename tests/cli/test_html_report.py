"""`--format html`: one page that says what the JSON report says, and loads and obeys nothing."""

import base64
import hashlib
import json
import unicodedata
from pathlib import Path

import pytest

from command_line import HOST, REGISTRY, run, write_tree
from html_page import Element, parse, tables
from imageshift.reports.codes import CODES, PAGE

DIGEST = f"@sha256:{'a' * 64}"
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  containers:
    - image: nginx:1.25
    - image: nvcr.io/x/y:1
    - image: docker.io/library/redis@DIGEST
    - image: HOST/quay/a/b:1
    - image: ghcr.io/a/tool:1 # imageshift: ignore
""".replace("@DIGEST", DIGEST).replace("HOST", HOST)
FLUX = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: flux-system, namespace: flux-system}
spec: {path: ./apps, sourceRef: {kind: GitRepository, name: flux-system}}
"""
TREE = {
    "clusters/prod/sync.yaml": FLUX,
    "apps/pod.yaml": POD,
    "tools/job.yaml": POD.replace("namespace: shop", "labels: {}").replace("kind: Pod", "kind: Po"),
    "broken.yaml": "image: quay.io/a/b:1\nb: [\n",
    "Dockerfile": "FROM alpine:3\n",
}


@pytest.fixture(autouse=True)
def no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pages look alike wherever the tests run."""
    for name in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR"):
        monkeypatch.delenv(name, raising=False)


def page_of(folder: Path, *command: str) -> Element:
    """Return the page that a command prints, and check what holds for every page."""
    done = run(folder, *command, *REGISTRY, "--format", "html")
    assert done.stdout.isascii()
    page = parse(done.stdout)
    check_structure(page)
    check_policy(page)
    return page


def check_structure(page: Element) -> None:
    """Check headings, links inside the page, tables, and what has to have a name."""
    named = [one.attributes["id"] for one in page.all() if "id" in one.attributes]
    assert len(named) == len({*named})
    for link in page.all("a"):
        href = link.attributes["href"] or ""
        assert href.removeprefix("#") in named if href[0] == "#" else href.startswith(f"{PAGE}#")
    for table in page.all("table"):
        assert table.one("caption").text
        heads = table.all("th")
        assert {head.attributes.get("scope") for head in heads} <= {"col", "row", "rowgroup"}
    for section in page.all("section"):
        assert section.attributes["aria-labelledby"] in named
    assert page.one("label").attributes["for"] == page.one("input").attributes["id"]
    assert [one.text for one in page.all("h1")]
    assert page.one("html").attributes["lang"] == "en"


def check_policy(page: Element) -> None:
    """Check that the page loads nothing, and that only its own script and style count."""
    policy = page.one("meta", **{"http-equiv": "Content-Security-Policy"}).attributes["content"]
    hashes = {}
    for tag in ("style", "script"):
        [text] = page.one(tag).children
        digest = hashlib.sha256(str(text).encode()).digest()
        hashes[tag] = f"'sha256-{base64.b64encode(digest).decode()}'"
    assert policy == (
        f"default-src 'none'; img-src data:; style-src {hashes['style']}; "
        f"script-src {hashes['script']}; base-uri 'none'; form-action 'none'"
    )
    assert "//" not in str(page.one("style").children[0])
    assert "http" not in str(page.one("script").children[0])
    for element in page.all():
        found = {*element.attributes}
        assert not {"style", "src", "srcset", "action", "formaction"} & found
        assert not [name for name in found if name.startswith("on")]
    assert page.one("link").attributes == {"rel": "icon", "href": "data:,"}


WARNED = ["digest-first-pull", "first-pull-route", "unsupported-upstream", "other-format"]
WHOLE = {
    "Coverage": {
        "By upstream": [
            ["upstream", "cached", "to rewrite", "left"],
            ["docker.io", "0", "2", "2"],
            ["quay.io", "2", "0", "1"],
            ["ghcr.io", "0", "0", "2"],
            ["nvcr.io", "0", "0", "2"],
        ],
        "By cluster": [
            ["cluster", "cached", "to rewrite", "left"],
            ["no cluster known", "1", "0", "5"],
            ["clusters/prod", "1", "2", "2"],
        ],
        "By namespace": [
            ["namespace", "cached", "to rewrite", "left"],
            ["not said", "1", "0", "5"],
            ["shop", "1", "2", "2"],
        ],
    },
    "Left, and why 7": {
        CODES["unparsable"].title: [
            ["place", "image", "object"],
            ["broken.yaml:1:8", "quay.io/a/b:1", ""],
        ],
        CODES["no-rule"].title: [
            ["place", "image", "object"],
            ["apps/pod.yaml:7:14", "nvcr.io/x/y:1", "Pod shop/web"],
            ["tools/job.yaml:7:14", "nvcr.io/x/y:1", "Po web"],
        ],
        CODES["doubtful"].title: [
            ["place", "image", "object"],
            ["tools/job.yaml:6:14", "nginx:1.25", "Po web"],
            ["tools/job.yaml:8:14", f"docker.io/library/redis{DIGEST}", "Po web"],
        ],
        CODES["ignored"].title: [
            ["place", "image", "object"],
            ["apps/pod.yaml:10:14", "ghcr.io/a/tool:1", "Pod shop/web"],
            ["tools/job.yaml:10:14", "ghcr.io/a/tool:1", "Po web"],
        ],
    },
    "To rewrite 2": {
        "To rewrite, by file": [
            ["line", "image", "name in the cache", "object"],
            ["apps/pod.yaml"],
            ["6:14", "nginx:1.25", "…/docker-hub/library/nginx:1.25", "Pod shop/web"],
            [
                "8:14",
                f"docker.io/library/redis{DIGEST}",
                f"…/docker-hub/library/redis{DIGEST}",
                "Pod shop/web",
            ],
        ],
    },
    "From the cache 2": {
        "From the cache, by file": [
            ["line", "image", "object"],
            ["apps/pod.yaml"],
            ["9:14", "…/quay/a/b:1", "Pod shop/web"],
            ["tools/job.yaml"],
            ["9:14", "…/quay/a/b:1", "Po web"],
        ],
    },
    "Files skipped 1": {
        CODES["other-format"].title: [
            ["place", "detail"],
            ["Dockerfile", "Dockerfile: not read, and names 1 image"],
        ],
    },
    "Image names": {
        "Image names in the tree, and what happened to them": [
            ["number", "what happened"],
            ["11", "image names in the tree"],
            ["4", "cached or moving"],
            ["7", "left with a reason"],
            ["2", CODES["doubtful"].title],
            ["2", CODES["ignored"].title],
            ["2", CODES["no-rule"].title],
            ["1", CODES["unparsable"].title],
            ["0", "unclaimed"],
            ["0", "more from charts, post-renderers and remote bases"],
            ["6", "references, in 11 uses"],
            ["1", "more in 1 file that imageshift doesn't read: Dockerfile"],
        ],
    },
    "Rules": {
        f"Rules of {HOST}": [
            ["upstream", "cached under"],
            ["docker.io", "docker-hub"],
            ["ghcr.io", "github"],
            ["registry.k8s.io", "k8s"],
            ["public.ecr.aws", "ecr"],
            ["quay.io", "quay"],
        ],
    },
}


def test_whole_page(tmp_path: Path) -> None:
    """Every section and table of a small tree's inventory, in the order of the page."""
    write_tree(tmp_path, TREE)

    page = page_of(tmp_path, "scan", ".")

    made = {section.all("h2")[0].text: tables(section) for section in page.all("section")}
    [warnings] = made.pop("Warnings 4").values()
    assert all(code in row[0].split() for row, code in zip(warnings[1:], WARNED, strict=True))
    assert warnings[3][1] == "apps/pod.yaml:7:14 tools/job.yaml:7:14"
    assert made == WHOLE
    assert [*made] == [*WHOLE]
    names = [link.text for link in page.one("nav").all("a")]
    assert names == [
        "Coverage",
        "Left, and why 7",
        "To rewrite 2",
        "From the cache 2",
        "Files 1",
        "Warnings 4",
        "Image names",
        "Rules",
    ]


def listed(page: Element) -> list[tuple[str, str, str]]:
    """Return the place, the image and the target, if any, of each image that a page lists."""
    found = []
    for one in page.all("table"):
        kind, file = one.attributes.get("class"), ""
        for row in one.all("tr")[1:] if kind in {"images", "left"} else []:
            cells = [cell.text for cell in row.children if isinstance(cell, Element)]
            if len(cells) == 1:
                file = f"{cells[0]}:"
            else:
                image = cells[1].partition(" ")[0]
                target = cells[2] if kind == "images" and len(cells) == 4 else ""
                found.append((f"{file}{cells[0]}", image, target))
    return sorted(found)


@pytest.mark.parametrize("name", ["cluster", "nats"])
def test_page_lists_what_the_json_report_lists(name: str, repository: Path) -> None:
    """Every image of the examples once, with its file, line and column."""
    folder = repository / "examples" / name
    command = ("scan", ".", "--charts", "off")

    report = run(folder, *command, *REGISTRY, "--format", "json").report
    page = page_of(folder, *command)

    def short(text: str) -> str:
        return text.replace(f"{HOST}/", "…/")

    assert listed(page) == sorted(
        (
            f"{row['file']}:{row['line']}:{row['column']}",
            short(row["original"]),
            short(row["target"]) if row["status"] == "rewrite" else "",
        )
        for row in report["images"]
    )


SCRIPT = "<script>alert(1)</script>"
NAMES = {
    "x</script>": "x</script>",
    "quo\"te's <img src=x onerror=alert(1)>": "quo\"te's <img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}{% raw %}": "{{ 7 * 7 }}{% raw %}",
    "\u202etxt": "\\u202etxt",
    "zero\u200bwidth\ufeff": "zero\\u200bwidth\\ufeff",
    "tag\U000e0041": "tag\\U000e0041",
    "filler\u3164": "filler\\u3164",
    "byte\udcff": "byte\\udcff",
    "javascript:alert(1)": "javascript:alert(1)",
    "&lt;b&gt;": "&lt;b&gt;",
    "--><!--": "--><!--",
    "né ünd 中": "né ünd 中",
}
HOSTILE = """\
apiVersion: v1
kind: Pod
metadata: {name: NAME, namespace: NAME}
spec:
  containers:
    - image: nginx:1.25
    - image: NAME
    - image: quay.io/a/b:1 # imageshift: ignore
"""


def check_harmless(page: Element) -> None:
    """Check that nothing but our own elements is there, and no character that can't be seen."""
    assert len(page.all("script")) == len(page.all("style")) == 1
    assert not page.all("img", "iframe", "object", "embed", "form", "base", "b:1")
    texts = [page.one("body").text, *(str(v) for e in page.all() for v in e.attributes.values())]
    for text in texts:
        assert not [one for one in text if unicodedata.category(one) in {"Cf", "Cc", "Cs", "Co"}]


@pytest.mark.parametrize(("name", "shown"), NAMES.items(), ids=range(len(NAMES)))
def test_names_of_others_are_only_text(name: str, shown: str, tmp_path: Path) -> None:
    """In files, folders, objects, images and configurations."""
    escaped = (
        one if one.isascii() else f"\\U{ord(one):08x}"
        for one in json.dumps(name, ensure_ascii=False)
    )
    quoted = "".join(escaped)
    entry = "{{account: '{}', region: eu-west-2, paths: [{}]}}".format
    config = f"registries: [{entry('1', quoted)}, {entry('2', 'other')}]\n"
    write_tree(tmp_path, {f"{name}/pod.yaml": HOSTILE.replace("NAME", quoted)})

    page = page_of(tmp_path, "scan", ".")
    (tmp_path / ".imageshift.yaml").write_text(config)
    configured = parse(run(tmp_path, "scan", ".", "--format", "html").stdout)

    check_harmless(page)
    check_harmless(configured)
    assert f"{shown}/pod.yaml" in {row.text for row in page.all("th")}
    assert f"Pod {shown}/{shown}" in {row.text for row in page.all("td")}
    assert shown in {row.text for row in page.all("td", "th")}
    assert [one.text for one in configured.one("header").all("p")] == [
        f"{shown}: 1.dkr.ecr.eu-west-2.amazonaws.com",
        "other: 2.dkr.ecr.eu-west-2.amazonaws.com",
    ]


FIRST = {
    "scan": (("scan", "."), "To rewrite 2"),
    "check": (("check", "."), "To rewrite 2"),
    "a trial": (("migrate", ".", "--dry-run"), "To rewrite 2"),
    "migrate": (("migrate", "."), "Rewritten 2"),
    "revert": (("revert", ".", "--all"), "Reverted 1"),
}


@pytest.mark.parametrize(("command", "title"), FIRST.values(), ids=FIRST)
def test_every_command_that_reports(command: tuple[str, ...], title: str, tmp_path: Path) -> None:
    """Each says in its own words what became of the images that move."""
    write_tree(tmp_path, {"apps/pod.yaml": POD})

    page = page_of(tmp_path, *command)

    assert page.one("h1").text == f"imageshift {command[0]}"
    assert title in [one.text for one in page.all("h2")]


def test_way_back_has_words_of_its_own(tmp_path: Path) -> None:
    """Nothing lacks a rule there, and what isn't in the cache needs nothing."""
    write_tree(tmp_path, {"a.yaml": POD})

    page = page_of(tmp_path, "revert", ".", "--all", "--dry-run")

    left = page.one("section", id="left")
    assert left.all("h3")[0].text == "Not in the cache 3 no-rule"
    assert not [one for one in left.all("p") if one.attributes.get("class") == "remedy"]


def test_check_lists_what_a_baseline_leaves(tmp_path: Path) -> None:
    """The findings that fail are a section of their own where the other lists have more rows."""
    write_tree(tmp_path, {"a.yaml": POD})
    run(tmp_path, "check", ".", *REGISTRY, "--baseline", "known.json", "--write-baseline")
    write_tree(tmp_path, {"b.yaml": POD.partition("    - image: nvcr")[0]})

    page = page_of(tmp_path, "check", ".", "--baseline", "known.json")

    assert tables(page.one("section", id="findings")) == {
        "Findings that fail the check": [
            ["place", "finding"],
            [
                "b.yaml:6:14",
                "nginx:1.25 is not from the cache not-cached …/docker-hub/library/nginx:1.25",
            ],
        ]
    }


def test_what_to_do_about_a_finding_is_prose(tmp_path: Path) -> None:
    """A hint that is a sentence isn't shown as an image."""
    baseline = '{"schema": "imageshift-baseline/v1", "findings": []}'
    write_tree(tmp_path, {"a.yaml": POD, "known.json": baseline})

    page = page_of(tmp_path, "check", ".", "--strict", "--baseline", "known.json")

    findings = page.one("section", id="findings")
    assert CODES["no-rule"].remedy.split("`")[0] in findings.text
    images = [one.text for one in findings.all("code") if one.attributes.get("class") == "image"]
    assert "…/docker-hub/library/nginx:1.25" in images
    assert not [image for image in images if " " in image]


def test_charts_that_nobody_read_are_in_the_account(tmp_path: Path) -> None:
    """The page counts their releases, as the other formats do."""
    write_tree(tmp_path, {"helmfile.yaml": "releases: [{name: a, chart: r/c}]\n"})

    page = page_of(tmp_path, "scan", ".", "--charts", "off")

    account = tables(page.one("section", id="account"))[
        "Image names in the tree, and what happened to them"
    ]
    assert ["1", "releases whose charts weren't read"] in account


def test_tree_without_images(tmp_path: Path) -> None:
    """It has a page, with nothing to draw."""
    write_tree(tmp_path, {"a.yaml": "a: b\n"})

    page = page_of(tmp_path, "scan", ".")

    assert [one.text for one in page.all("h2")] == ["Coverage", "Image names", "Rules"]
    assert [one.text for one in page.all("dd")] == ["0", "0", "0", "0"]


FOLDERS = {
    "of the top": (["a/b/x.yaml", "c/x.yaml", "x.yaml"], ["./", "a/", "c/"]),
    "below a shared one": (["a/b/c/x.yaml", "a/d/x.yaml", "a/x.yaml"], ["a/", "a/b/", "a/d/"]),
    "a single one": (["a/b/x.yaml", "a/b/y.yaml"], ["a/b/"]),
}


@pytest.mark.parametrize(("files", "expected"), FOLDERS.values(), ids=FOLDERS)
def test_folders_where_no_cluster_is_known(
    files: list[str], expected: list[str], tmp_path: Path
) -> None:
    """Coverage is drawn by the topmost folders that tell files apart."""
    write_tree(tmp_path, dict.fromkeys(files, POD))

    page = page_of(tmp_path, "scan", ".")

    rows = tables(page.one("section", id="coverage"))["By folder"][1:]
    assert sorted(row[0] for row in rows) == expected


GITHUB = {
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "team/cluster",
    "GITHUB_SHA": "abc",
}
GITLAB = {"CI_PROJECT_URL": "https://gitlab.com/team/cluster", "CI_COMMIT_SHA": "abc"}
SYSTEMS = {
    "GitHub": (GITHUB, "GITHUB_WORKSPACE", "https://github.com/team/cluster/blob/abc"),
    "GitLab": (GITLAB, "CI_PROJECT_DIR", "https://gitlab.com/team/cluster/-/blob/abc"),
    "no commit": (GITHUB | {"GITHUB_SHA": ""}, "GITHUB_WORKSPACE", None),
    "no address": (GITLAB | {"CI_PROJECT_URL": "javascript:alert(1)//"}, "CI_PROJECT_DIR", None),
}


@pytest.mark.parametrize(("variables", "root", "base"), SYSTEMS.values(), ids=SYSTEMS)
def test_places_are_links_in_ci(
    variables: dict[str, str],
    root: str,
    base: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each leads to the line of the file in the commit; files outside of it have none."""
    name = 'a/"<b> #?é%.yaml'
    write_tree(tmp_path, {f"repo/{name}": POD, "repo/other/a.yaml": POD})
    for key, value in {**variables, root: str(tmp_path / "repo")}.items():
        monkeypatch.setenv(key, value)

    done = run(tmp_path / "repo" / "a", "scan", ".", "../other", *REGISTRY, "--format", "html")
    outside = run(tmp_path / "repo", "scan", ".", *REGISTRY, "--format", "html")

    found = {
        (link.attributes["href"] or "").removeprefix(f"{base}/")
        for page in (parse(done.stdout), parse(outside.stdout))
        for link in page.all("a")
        if not (link.attributes["href"] or "").startswith(("#", PAGE))
    }
    quoted = "a/%22%3Cb%3E%20%23%3F%C3%A9%25.yaml"
    lines = {f"{file}#L{line}" for file in (quoted, "other/a.yaml") for line in range(6, 11)}
    assert found == (lines if base else set())


def test_page_for_a_command_without_a_report(tmp_path: Path) -> None:
    """The format is refused where it means nothing."""
    done = run(tmp_path, "map", "nginx", *REGISTRY, "--format", "html")

    assert done.code == 2
    assert "'html' is not one of 'text', 'json'" in done.stderr


MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: VALUE}\n"
WRONG = '</td><img src="x"> \u202e'


@pytest.mark.kustomize
def test_proof(tmp_path: Path) -> None:
    """Each build with its counts and images, before and after, and what couldn't be compared."""
    before = {
        "apps/kustomization.yaml": "resources: [pod.yaml, map.yaml]\n",
        "apps/pod.yaml": POD,
        "apps/map.yaml": MAP.replace("VALUE", "old"),
        "bad/kustomization.yaml": "resources: [missing.yaml]\n",
    }
    moved = POD.replace("nginx:1.25", f"{HOST}/docker-hub/library/nginx:1.25")
    changed = {"apps/pod.yaml": moved, "apps/map.yaml": MAP.replace("VALUE", json.dumps(WRONG))}
    write_tree(tmp_path / "before", before)
    write_tree(tmp_path / "after", before | changed)

    page = page_of(tmp_path / "after", "verify", ".", "--base", "../before")

    check_harmless(page)
    proof = page.one("section", id="proof")
    builds, unproven = tables(proof).values()
    assert proof.all("p")[0].text == "1 compared, 1 image moved, 1 different, 1 not compared."
    assert builds[:2] == [
        ["build", "built from", "objects", "moved", "noise", "derived", "result"],
        ["Kustomization apps", "", "2", "1", "", "", "1 difference"],
    ]
    lines = [one.text for one in proof.one("ul", **{"class": "diff"}).all("div")]
    assert lines[:2] == ["before: nginx:1.25", "after: …/docker-hub/library/nginx:1.25"]
    [difference] = proof.one("ul", **{"class": "differences"}).all("li")
    assert difference.text == "unexplained ConfigMap/a data.a"
    patch = [one.text for one in proof.one("div", **{"class": "patch scroll"}).all("div")]
    assert [line for line in patch if line[:2] in {"- ", "+ "}] == [
        "- a: old",
        '+ a: "</td><img src=\\"x\\"> \\u202e"',
    ]
    assert unproven[1][0] == "bad/kustomization.yaml"
