"""Every case of tests/fixtures/charts_migrate, through the commands and through real Helm."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from migrate_cases import CASES, HOST, MigrateCase, image_lines, read_tree

from imageshift.cache import ARTICLE_RULES, Registry, RuleSet
from imageshift.charts.fetch.files import load_chart
from imageshift.charts.fetch.locate import Locator
from imageshift.charts.model import ChartError, RenderedImage, SourceKind
from imageshift.charts.post_renderers.existing import PostRenderers
from imageshift.charts.post_renderers.postrender import patch_for
from imageshift.charts.post_renderers.standing import patch_key, standing_patches
from imageshift.charts.releases.flux import ReleaseText, read_releases
from imageshift.charts.releases.sources import ChartSources
from imageshift.charts.rendering.manifests import find_images
from imageshift.charts.rendering.render import Manifests, Renderer
from imageshift.charts.solving.override import Mapper
from imageshift.links.reach import Reach
from imageshift.run import Run, RunOptions

pytestmark = pytest.mark.once

every_case = pytest.mark.parametrize("name", CASES)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep traces of the tests out of the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(autouse=True)
def _helm() -> None:
    """Need Helm's SDK, which all of these render with."""
    pytest.importorskip("helm_python", reason="needs imageshift[charts]")


@every_case
def test_files_come_out_as_they_must(name: str, tmp_path: Path) -> None:
    """Migrate gives the bytes of after/ and the exit code."""
    case = MigrateCase(name)
    tree = case.copy(tmp_path)

    done = case.run(tree, "migrate")

    assert (done.code, read_tree(tree)) == (case.facts.get("exit", 0), case.after), done.stderr


@every_case
def test_report_lists_rendered_images(name: str, tmp_path: Path) -> None:
    """Scan lists the images of case.toml, rendered ones with their origin, and writes nothing."""
    case = MigrateCase(name)
    tree = case.copy(tmp_path)

    report = case.run(tree, "scan", "--format", "json").report

    assert image_lines(report) == case.facts["images"]
    assert read_tree(tree) == case.before


@every_case
def test_second_run_changes_nothing(name: str, tmp_path: Path) -> None:
    """Migrating twice is migrating once."""
    case = MigrateCase(name)
    tree = case.copy(tmp_path)
    case.run(tree, "migrate")

    report = case.run(tree, "migrate", "--format", "json").report

    assert report["changed_files"] == []
    assert [row for row in report["images"] if row["status"] == "rewrite"] == []
    assert read_tree(tree) == case.after


@every_case
def test_several_jobs_give_the_same(name: str, tmp_path: Path) -> None:
    """Rendering in parallel changes no byte."""
    case = MigrateCase(name)
    tree = case.copy(tmp_path)

    case.run(tree, "migrate", "--jobs", "3")

    assert read_tree(tree) == case.after


@every_case
def test_revert_to_a_folder_goes_back(name: str, tmp_path: Path) -> None:
    """Against the tree of before every byte comes back, inserted keys too."""
    case = MigrateCase(name)
    tree = case.copy(tmp_path)
    case.run(tree, "migrate")

    done = case.run(tree, "revert", "--base", str(case.folder / "before"))

    assert read_tree(tree) == case.before, done.stderr


@pytest.mark.helm
@every_case
def test_only_mapped_images_differ(
    name: str, tmp_path: Path, mapper: Mapper, binary: Renderer
) -> None:
    """By real Helm, each image of before is its mapped one after, and nothing else differs."""
    case = MigrateCase(name)
    tree = case.copy(tmp_path)
    before = _rendered(tree, binary)

    case.run(tree, "migrate")
    after = _rendered(tree, binary)

    left = set(case.facts.get("left", []))
    assert before.keys() == after.keys()
    for release, (old_images, old_text) in before.items():
        images, text = after[release]
        wanted = [image if image in left else mapper(image) or image for image in old_images]
        assert images == wanted
        assert _without_host(text) == _without_host(old_text)


@pytest.mark.helm
@pytest.mark.parametrize("charts", ["auto", "off"])
@every_case
def test_revert_all_runs_upstream_images(
    name: str, charts: str, tmp_path: Path, binary: Renderer
) -> None:
    """After revert --all no rendered image comes from the cache, and all are what they were.

    Also where the charts couldn't be had at the migration, and now they can.
    """
    case = MigrateCase(name)
    tree = case.copy(tmp_path)
    before = _rendered(tree, binary)
    case.run(tree, "migrate", "--charts", charts)

    done = case.run(tree, "revert", "--all")

    after = _rendered(tree, binary)
    for release, (old_images, _) in before.items():
        images, _ = after[release]
        assert [_normal(image) for image in images] == [_normal(i) for i in old_images], done
    assert HOST not in str(after)


def _rendered(tree: Path, renderer: Renderer) -> dict[str, tuple[list[str], str]]:
    """Each release's images behind its post-renderers, and the whole text before them."""
    found = {}
    for text in _releases(tree):
        chart = text.release.source
        try:
            files = load_chart(chart.path) if chart.path else Locator().find(chart)
            manifests = renderer.render(
                files, text.release.values, text.release.options, schemas=True
            )
        except ChartError:
            continue
        key = f"{text.file} {text.release.namespace}/{text.release.name}"
        whole = "\n".join(manifests[path] for path in sorted(manifests))
        found[key] = (_images(text, manifests), whole)
    return found


def _releases(tree: Path) -> Iterator[ReleaseText]:
    run = Run.open([tree], RunOptions(account="123456789012", region="eu-west-2", root=tree))
    known = {key: tree / path for key, path in run.config.charts.sources.items()}
    reach = Reach(run.index)
    for text in read_releases(run.index, reach, ChartSources(run.index, reach, known)):
        if text.error is None and text.release.source.kind is SourceKind.LOCAL:
            yield text


def _images(text: ReleaseText, manifests: Manifests) -> list[str]:
    entries = PostRenderers.read(text.release.post_renderers)
    patches = standing_patches(text.release.post_renderers)

    def final(image: RenderedImage) -> str:
        patch = patch_for(image, image.text)
        patched = None if patch is None else patches.get(patch_key(patch))
        return entries.apply(image) if patched is None else patched

    return [final(image) for image in find_images(manifests, (), {}).images]


def _without_host(text: str) -> str:
    """The text with every name of the cache turned back."""
    for rule in ARTICLE_RULES:
        text = text.replace(f"{HOST}/{rule.prefix}/", f"{rule.upstream}/")
    return text.replace("docker.io/library/nginx", "nginx")


def _normal(image: str) -> str:
    rules = RuleSet(Registry.of("123456789012", "eu-west-2"), ARTICLE_RULES)
    return rules.parse(image).normalized
