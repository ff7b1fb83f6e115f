"""Overrides that rot: a chart's next version, and what check, scan and migrate say and do then."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from command_line import HOST, REGISTRY, Outcome, run, write_tree

CHART = "apiVersion: v2\nname: app\nversion: {}\n"
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: web
  namespace: apps
spec:
  chart:
    spec:
      chart: app
      version: {}
      sourceRef: {{kind: HelmRepository, name: charts, namespace: apps}}
  values:
{}"""
CONFIG = "charts:\n  sources:\n    apps/web: charts/app\n"


def template(*images: str) -> str:
    """Return a template of one Deployment whose containers have these images."""
    head = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: {{ .Release.Name }}}\n"
    lines = [f"        - image: {image}\n" for image in images]
    return head + "spec:\n  template:\n    spec:\n      containers:\n" + "".join(lines)


@dataclass(frozen=True)
class Version:
    """A version of the chart: its values, and the images of its one Deployment."""

    values: str
    images: tuple[str, ...]


@dataclass
class Tree:
    """A repository with one release of a chart that lies beside it."""

    folder: Path

    def chart(self, number: str, version: Version) -> None:
        """Put a version of the chart in its place."""
        files = {
            "Chart.yaml": CHART.format(number),
            "values.yaml": version.values,
            "templates/all.yaml": template(*version.images),
        }
        write_tree(self.folder / "repo" / "charts" / "app", dict(files))

    def release(self, values: str) -> None:
        """Write the release with values of its own."""
        inner = "".join(f"    {line}\n" for line in values.splitlines()) or "    replicas: 1\n"
        text = RELEASE.format("1.0.0", inner)
        write_tree(self.folder / "repo", {".imageshift.yaml": CONFIG, "apps/web.yaml": text})

    @property
    def values(self) -> str:
        """Return the release's values as they are now."""
        lines = (self.folder / "repo" / "apps" / "web.yaml").read_text().split("  values:\n")[1]
        return "".join(line[4:] for line in lines.splitlines(keepends=True)).replace(HOST, "HOST")

    def run(self, command: str, *arguments: str) -> Outcome:
        """Run a command over the release."""
        return run(self.folder / "repo", command, "apps", *REGISTRY, *arguments)

    def check(self) -> list[str]:
        """Return the findings of `check`, hints left out."""
        lines = self.run("check").stdout.replace(HOST, "HOST").splitlines()
        return [line for line in lines if not line.startswith("  ")]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """Return a repository, and a cache of the user's that has seen nothing."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Tree(tmp_path)


REPOSITORY = ("{{ .Values.image.repository }}:{{ .Values.image.tag }}",)
SPLIT = ("{{ .Values.image.registry }}/{{ .Values.image.repository }}:{{ .Values.image.tag }}",)
WHOLE = ("{{ .Values.image }}",)
BUMPS = {
    "moved to another registry": (
        Version("image: {repository: docker.io/bitnami/kubectl, tag: '1'}", REPOSITORY),
        Version("image: {repository: registry.k8s.io/kubectl, tag: '2'}", REPOSITORY),
        (
            "15:19: override-stale: this is bitnami/kubectl: "
            "app 2.0.0 uses registry.k8s.io/kubectl:2 by default"
        ),
        "image:\n  repository: HOST/k8s/kubectl\n",
    ),
    "another organisation": (
        Version("image: {repository: docker.io/bitnami/redis, tag: '1'}", REPOSITORY),
        Version("image: {repository: docker.io/bitnamilegacy/redis, tag: '1'}", REPOSITORY),
        (
            "15:19: override-stale: this is bitnami/redis: "
            "app 2.0.0 uses docker.io/bitnamilegacy/redis:1 by default"
        ),
        "image:\n  repository: HOST/docker-hub/bitnamilegacy/redis\n",
    ),
    "another image": (
        Version("image: {repository: redis, tag: '7'}", REPOSITORY),
        Version("image: {repository: valkey/valkey, tag: '8'}", REPOSITORY),
        "15:19: override-stale: this is redis: app 2.0.0 uses valkey/valkey:8 by default",
        "image:\n  repository: HOST/docker-hub/valkey/valkey\n",
    ),
    "the registry alone is overridden": (
        Version("image: {registry: quay.io, repository: org/app, tag: '1'}", SPLIT),
        Version("image: {registry: ghcr.io, repository: org/app, tag: '2'}", SPLIT),
        (
            "15:17: override-stale: this is quay.io/org/app: "
            "app 2.0.0 uses ghcr.io/org/app:2 by default"
        ),
        "image:\n  registry: HOST/github\n",
    ),
    "registry and repository": (
        Version("image: {registry: docker.io, repository: ingress/certgen, tag: '1'}", SPLIT),
        Version("image: {registry: ghcr.io, repository: jkroepke/certgen, tag: '2'}", SPLIT),
        (
            "15:17: override-stale: this is jkroepke/certgen: "
            "app 2.0.0 uses ghcr.io/jkroepke/certgen:2 by default"
        ),
        "image:\n  registry: HOST/github\n",
    ),
    "the chart puts a registry before it": (
        Version("image: {repository: org/app, tag: '1'}", REPOSITORY),
        Version("image: {registry: quay.io, repository: org/app, tag: '2'}", SPLIT),
        (
            "15:19: override-stale: app 2.0.0 turns it into quay.io/HOST/docker-hub/org/app, "
            "and uses quay.io/org/app:2 by default"
        ),
        "image:\n  registry: HOST/quay\n  repository: org/app\n",
    ),
    "a whole reference": (
        Version("image: quay.io/org/app:1", WHOLE),
        Version("image: ghcr.io/org/app:2", WHOLE),
        (
            "14:12: override-stale: this is quay.io/org/app: "
            "app 2.0.0 uses ghcr.io/org/app:2 by default"
        ),
        "image: HOST/github/org/app:2\n",
    ),
}


@pytest.mark.parametrize("name", BUMPS)
def test_a_stale_override_is_found_and_mended(tree: Tree, name: str) -> None:
    """What was migrated on the old chart is stale on the new one, until it is migrated again."""
    old, new, finding, values = BUMPS[name]
    tree.release("replicas: 1")
    tree.chart("1.0.0", old)
    assert tree.run("migrate").code == 0
    assert tree.check() == []
    tree.chart("2.0.0", new)

    found, code = tree.check(), tree.run("check").code
    scanned = tree.run("scan", "--format", "json").report["warnings"]
    migrated = tree.run("migrate")

    assert migrated.code == 0
    assert (found, code) == ([f"apps/web.yaml:{finding}"], 1)
    codes = [row["code"] for row in scanned if row["places"]]
    assert codes == ["override-stale"]
    assert tree.values.replace("replicas: 1\n", "") == values
    assert tree.check() == []
    assert tree.run("migrate", "--format", "json").report["changed_files"] == []


@pytest.mark.parametrize("name", BUMPS)
def test_what_no_version_took_stays(tree: Tree, name: str) -> None:
    """Another machine has seen no older version: it finds the same, and changes it when asked."""
    _, new, finding, values = BUMPS[name]
    old = BUMPS[name][0]
    tree.release("replicas: 1")
    tree.chart("1.0.0", old)
    tree.run("migrate")
    tree.chart("2.0.0", new)
    before = tree.values
    for path in sorted((tree.folder / "cache").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()

    tree.run("migrate")
    kept, found = tree.values, tree.check()
    tree.run("migrate", "--mend-stale")

    assert (kept, found) == (before, [f"apps/web.yaml:{finding}"])
    assert tree.values.replace("replicas: 1\n", "") == values
    assert tree.check() == []


FORK = f"image:\n  repository: {HOST}/github/me/app{{}}\n"
APP = Version("image: {repository: quay.io/org/app, tag: '1'}", REPOSITORY)


@pytest.mark.parametrize(
    ("values", "findings"),
    [
        (FORK.format(""), 1),
        (FORK.format("  # imageshift: keep"), 0),
        (FORK.format(" # ours; imageshift: keep"), 0),
        (FORK.format("  # imageshift: ignore"), 0),
        (FORK.format("  # keep"), 1),
        (
            FORK.format("\n  # imageshift: keep").replace(
                "  repository", "  tag: '1'\n  repository"
            ),
            1,
        ),
        (FORK.format("").replace("  repo", "  # imageshift: keep\n  repo"), 0),
        (f"image:\n  repository: {HOST}/quay/org/app\n", 0),
        (f"image:\n  repository: {HOST}/quay/org/app\n  tag: v9\n", 0),
        (f"image:\n  repository: {HOST}/team/other\n", 0),
        (f"image:\n  repository: {HOST}/mirror/org/app\n", 1),
        (f"image:\n  repository: {HOST}/mirror/org/app  # imageshift: keep\n", 0),
        ("image:\n  repository: ghcr.io/me/app\n", 1),
        ("image:\n  tag: v9\n", 1),
    ],
)
def test_on_purpose(tree: Tree, values: str, findings: int) -> None:
    """A comment tells what a team has put there on purpose; nothing else is ever changed."""
    tree.release(values)
    tree.chart("1.0.0", APP)

    found = tree.check()

    assert len(found) == findings, found
    if HOST in values:
        tree.run("migrate")
        assert tree.values == values.replace(HOST, "HOST")


def test_an_image_that_the_chart_takes_elsewhere(tree: Tree) -> None:
    """It says nothing about the place where a team has put it instead of another one."""
    values = f"image:\n  repository: {HOST}/quay/org/tool\n"
    tree.release("replicas: 1")
    two = (*REPOSITORY, "quay.io/org/tool:1")
    tree.chart("1.0.0", Version("image: {repository: quay.io/org/app, tag: '1'}", two))
    assert tree.run("migrate").code == 0
    tree.release(values)

    assert tree.run("migrate").code == 0

    assert tree.values.startswith(values.replace(HOST, "HOST"))


def test_a_path_that_no_rule_makes(tree: Tree) -> None:
    """A mirror's path for the chart's own image is a phantom; the rules' path takes its place."""
    tree.release(f"image:\n  repository: {HOST}/quay-mirror/org/app\n")
    tree.chart("1.0.0", APP)

    done = tree.run("check")

    assert done.stdout.replace(HOST, "HOST") == (
        "apps/web.yaml:14:19: path-phantom: no rule covers HOST/quay-mirror/org/app: "
        "app 1.0.0 uses quay.io/org/app:1 by default\n"
        "  hint: imageshift migrate --mend-stale changes it to HOST/quay/org/app; "
        "if it is intentional, mark it: # imageshift: keep\n"
    )
    assert done.code == 1
    tree.run("migrate", "--mend-stale")
    assert tree.values == "image:\n  repository: HOST/quay/org/app\n"


def test_a_version_that_the_chart_has_left(tree: Tree) -> None:
    """A whole reference pins the version that came with the chart, until the chart has another.

    One that no version of the chart took is there on purpose.
    """
    tree.release("replicas: 1")
    tree.chart("1.0.0", Version("image: quay.io/org/app:1", WHOLE))
    tree.run("migrate")
    assert tree.values == "replicas: 1\nimage: HOST/quay/org/app:1\n"
    tree.chart("2.0.0", Version("image: quay.io/org/app:2", WHOLE))

    found = tree.check()
    tree.run("migrate")
    mended = tree.values
    tree.release(f"image: {HOST}/quay/org/app:0.9\n")

    said = "this is quay.io/org/app:1: app 2.0.0 uses quay.io/org/app:2 by default"
    assert found == [f"apps/web.yaml:14:12: override-stale: {said}"]
    assert mended == "replicas: 1\nimage: HOST/quay/org/app:2\n"
    assert tree.check() == []


TWO = Version(
    "image: {repository: quay.io/org/app, tag: '1'}\n"
    "side: {enabled: false, image: {repository: quay.io/org/side, tag: '1'}}\n"
    "any: {}\n",
    (
        *REPOSITORY,
        '"{{ if .Values.side.enabled }}{{ .Values.side.image.repository }}{{ else }}x.io/y{{end}}"',
    ),
)
DEAD = {
    "never read": (
        "metrics:\n  image:\n    repository: HOST/quay/org/m\n",
        "metrics.image.repository",
    ),
    "beside what is read": (
        "image:\n  registry: HOST/quay\n  pullPolicy: Always\n",
        "image.registry",
    ),
    "a key of another map": ("side:\n  repository: HOST/quay/org/side\n", "side.repository"),
    "switched off": ("side:\n  image:\n    repository: HOST/quay/org/side\n", None),
    "any key": ("any:\n  mine:\n    image: HOST/quay/org/mine:1\n", None),
    "no image on the cache": ("metrics:\n  image:\n    repository: x.io/org/m\n", None),
    "kept": ("metrics:\n  image: HOST/quay/org/m:1 # imageshift: keep\n", None),
}


@pytest.mark.parametrize("name", DEAD)
def test_values_that_nothing_reads(tree: Tree, name: str) -> None:
    """Only what the chart can't read is dead; it is named, and taken out with --prune alone."""
    values, path = DEAD[name]
    values = f"image:\n  tag: '1'\n{values}" if "image:\n  reg" not in values else values
    tree.release(values.replace("HOST", HOST))
    tree.chart("1.0.0", TWO)
    tree.run("migrate")
    before = tree.values

    found = [line for line in tree.check() if "override-dead" in line]
    tree.run("migrate", "--prune")

    said = [] if path is None else [f"nothing reads {path}: app 1.0.0 has no such value"]
    assert [line.partition("override-dead: ")[2] for line in found] == said
    assert (tree.values == before) is (path is None)
    assert [line for line in tree.check() if "override-dead" in line] == []


OFF = '"{{{{ if .Values.on }}}}{}{{{{ else }}}}x.io/y{{{{ end }}}}"'
READ = {
    "by a literal key": ('{{ index .Values "my-image" "repository" }}', "my-image.repository"),
    "from a map, by a literal key": ('{{ (get .Values.map "image").name }}', "map.image.name"),
    "under another name": ('{{ (dict "it" .Values.map "on" 1).it.registry }}', "map.registry"),
    "as the dot": ("{{ with .Values.map }}{{ toYaml .}}{{ end }}", "map.any"),
    "as the dot, piped": ("{{ with .Values.map }}{{ . | toYaml }}{{ end }}", "map.any"),
    "as the dot, behind a block": (
        "{{ with .Values.map }}{{ if .a }}send{{ end }}{{ toYaml . }}{{ end }}",
        "map.any",
    ),
    "as JSON": ("{{ .Values.map | toJson }}", "map.any"),
}


@pytest.mark.parametrize("name", READ)
def test_values_that_are_read_when_something_is_on(tree: Tree, name: str) -> None:
    """A value that templates take from a map in another way than by a plain path isn't dead."""
    read, path = READ[name]
    *holders, key = path.split(".")
    value = "".join(f"{'  ' * n}{each}:\n" for n, each in enumerate(holders))
    value += f"{'  ' * len(holders)}{key}: {HOST}/quay/org/m\n"
    tree.release(f"{value}other{{0}}: {HOST}/quay/org/n\n")
    tree.chart("1.0.0", Version("map: {a: 1}\non: false", (OFF.format(read),)))

    found = tree.check()

    said = "nothing reads other{0}: app 1.0.0 has no such value"
    assert [line.partition("override-dead: ")[2] for line in found] == [said]


def test_global_values_of_subcharts(tree: Tree) -> None:
    """A global value is one of every chart inside, also where no default names it."""
    values = f"global:\n  registry: {HOST}/quay\n  unknown: {HOST}/quay\n"
    tree.release(values)
    tree.chart("1.0.0", Version("sub: {on: false}", ("x.io/y",)))
    inner = {
        "Chart.yaml": CHART.format("1.0.0").replace("app", "sub"),
        "values.yaml": "on: true",
        "templates/all.yaml": template(OFF.format("{{ .Values.global.registry }}/org/m:1")),
    }
    write_tree(tree.folder / "repo" / "charts" / "app" / "charts" / "sub", dict(inner))

    found = tree.check()

    said = "nothing reads global.unknown: app 1.0.0 has no such value"
    assert [line.partition("override-dead: ")[2] for line in found] == [said]


LITERAL = Version("replicas: 1", ("ghcr.io/org/one:1", "ghcr.io/org/two:1"))
RENAMED = Version("replicas: 1", ("ghcr.io/org/one:1", "ghcr.io/org/three:1"))


def test_entries_that_match_nothing(tree: Tree) -> None:
    """A post-renderer's entry for an image that the chart doesn't have any more is dead."""
    tree.release("replicas: 1")
    tree.chart("1.0.0", LITERAL)
    tree.run("migrate")
    assert tree.check() == []
    tree.chart("2.0.0", RENAMED)

    found = tree.check()
    tree.run("migrate")
    left = tree.check()
    tree.run("migrate", "--prune")

    dead = "apps/web.yaml:17:13: override-dead: no image of app 2.0.0 is named ghcr.io/org/two"
    assert found == ["apps/web.yaml:4:9: ghcr.io/org/three:1 is not from the cache", dead]
    assert left == [dead]
    assert tree.check() == []
    text = (tree.folder / "repo" / "apps" / "web.yaml").read_text()
    assert "org/two" not in text
    assert text.count("newName") == 2


ARGS = "ghcr.io/org/one:1\n          args: [--sidecar-image={}]"


def test_patches_whose_target_is_gone(tree: Tree) -> None:
    """A patch for an object that the chart doesn't have any more is dead, with all around it."""
    tree.release("replicas: 1")
    tree.chart("1.0.0", Version("image: ghcr.io/org/one:1", (ARGS.format("ghcr.io/org/s:1"),)))
    tree.run("migrate")
    assert tree.check() == []
    plain = Version("image: ghcr.io/org/one:1", ("{{ .Values.image }}",))
    tree.chart("2.0.0", plain)
    chart = tree.folder / "repo" / "charts" / "app" / "templates" / "all.yaml"
    chart.write_text(chart.read_text().replace("kind: Deployment", "kind: DaemonSet"))

    found = [line for line in tree.check() if "override-dead" in line]
    tree.run("migrate")
    tree.run("migrate", "--prune")

    assert found[-1].endswith("override-dead: app 2.0.0 has no Deployment named web")
    assert tree.check() == []
    assert "patches" not in (tree.folder / "repo" / "apps" / "web.yaml").read_text()


FLAGS = "ghcr.io/org/one:1\n          args: [{}]"
FLAG = "--sidecar-image=ghcr.io/org/s:{}"
MOVED = {
    "another version": (FLAG.format(2), [], "args/0", 'sidecar-image=HOST/github/org/s:2"'),
    "another place": (
        f"--first, {FLAG.format(1)}",
        ["app 2.0.0 has the image of Deployment web somewhere other than /spec/template/spec/{}"],
        "args/1",
        'sidecar-image=HOST/github/org/s:1"',
    ),
    "no such place": (
        "",
        ["app 2.0.0 has nothing at /spec/template/spec/{} in Deployment web"],
        "",
        "",
    ),
}


@pytest.mark.parametrize("name", MOVED)
def test_patches_that_miss_their_image(tree: Tree, name: str) -> None:
    """A patch gets the chart's new version; one that would replace something else is dead."""
    flags, dead, place, value = MOVED[name]
    tree.release("replicas: 1")
    tree.chart("1.0.0", Version("x: 1", (FLAGS.format(FLAG.format(1)),)))
    tree.run("migrate")
    tree.chart("2.0.0", Version("x: 1", (FLAGS.format(flags),)))

    tree.run("migrate")
    found = [line.partition("override-dead: ")[2] for line in tree.check()]
    tree.run("migrate", "--prune")

    assert found == [each.format("containers/0/args/0") for each in dead]
    text = (tree.folder / "repo" / "apps" / "web.yaml").read_text().replace(HOST, "HOST")
    assert text.count("op: replace") == bool(place)
    assert (f"containers/0/{place}" in text, value in text) == (True, True) or not place
    assert tree.check() == []


PATCH = """\
  postRenderers:
  - kustomize:
      patches:
      - target: {kind: Deployment, name: web}
        patch: |
          - op: replace
            path: /spec/template/spec/containers/0/args/1
            value: VALUE
"""
OTHERS = {
    "the image, where nothing says that it is one": ("--base=HOST/github/org/s:1", []),
    "another text": (
        "--side=HOST/github/org/s:1",
        ["app 1.0.0 has the image of Deployment web somewhere other than /spec/template/spec/{}"],
    ),
    "another image whose name begins alike": ("--side=HOST/github/org/server:1", []),
}


@pytest.mark.parametrize("name", OTHERS)
def test_patches_that_somebody_wrote(tree: Tree, name: str) -> None:
    """A patch is dead if the chart has its image elsewhere alone, and another text at its place."""
    value, said = OTHERS[name]
    tree.release("replicas: 1")
    flags = f"{FLAG.format(1)}, --base=ghcr.io/org/s:1"
    tree.chart("1.0.0", Version("x: 1", (FLAGS.format(flags),)))
    file = tree.folder / "repo" / "apps" / "web.yaml"
    file.write_text(file.read_text() + PATCH.replace("VALUE", value.replace("HOST", HOST)))

    found = [line.partition("override-dead: ")[2] for line in tree.check()]

    assert [line for line in found if line] == [each.format("containers/0/args/1") for each in said]
