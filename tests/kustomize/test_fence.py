"""Builds read what lies below the root and nothing else, fetch nothing, and run nothing."""

import json
import os
import sys
from pathlib import Path

import pytest

from command_line import REGISTRY, run, write_tree
from imageshift.errors import ToolError
from imageshift.kustomize import program as program_module
from imageshift.kustomize.fence import Survey, refuse_address
from imageshift.kustomize.program import BuildError, Program
from imageshift.tool import Limits
from remote_server import serving

pytestmark = pytest.mark.kustomize

CANARY = "planted"
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {k: v}\n"
OUTSIDE = {
    "file": CANARY,
    "map.yaml": MAP.replace("v}", f"{CANARY}}}"),
    "env": f"a={CANARY}\n",
    "patch.yaml": MAP.replace("v}", f"{CANARY}}}"),
    "ops.yaml": f"- {{op: replace, path: /data/k, value: {CANARY}}}\n",
    "base/kustomization.yaml": "resources: [map.yaml]\n",
    "base/map.yaml": MAP.replace("name: m", "name: n").replace("v}", f"{CANARY}}}"),
    "component/kustomization.yaml": (
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
        f"commonLabels: {{a: {CANARY}}}\n"
    ),
    "transformer.yaml": (
        "apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: p}\n"
        f"prefix: {CANARY}-\nfieldSpecs: [{{path: metadata/name}}]\n"
    ),
    "replacement.yaml": "- source: {kind: ConfigMap}\n  targets: []\n",
}
"""What lies beside the root; P stands for the place of it in the tables below."""

GENERATOR = "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: g}\n"
FIELDS = {
    "resources, a file": "resources: [P/map.yaml]",
    "resources, a folder": "resources: [P/base]",
    "bases": "bases: [P/base]",
    "components": "components: [P/component]",
    "a key in another case": "Resources: [P/map.yaml]",
    "of two equal keys": "resources: [P/map.yaml]\nresources: []",
    "of two equal keys, the last": "resources: []\nresources: [P/map.yaml]",
    "through an alias": "namePrefix: &a P/map.yaml\nresources: [*a]",
    "through a merge key": "<<: {resources: [P/map.yaml]}",
    "JSON": '{"resources": ["P/map.yaml"]}',
    "escapes": 'resources: ["P\\x2fmap.yaml"]',
    "behind a name with a line end": 'resources: ["x\\n/../P/map.yaml"]',
    "behind a brace": "resources: ['{x}/../P/map.yaml']",
    "a folder's own, named as a text": "resources: ['{x}']",
    "a folder's own, named as lines": 'resources: ["x\\ny"]',
    "behind a folder that isn't there": "resources: [none/../P/map.yaml]",
    "files": "configMapGenerator: [{name: g, files: [P/file]}]",
    "files with a key": "configMapGenerator: [{name: g, files: [key=P/file]}]",
    "envs": "configMapGenerator: [{name: g, envs: [P/env]}]",
    "env": "configMapGenerator: [{name: g, env: P/env}]",
    "files of a secret": "secretGenerator: [{name: g, files: [P/file]}]",
    "envs of a secret": "secretGenerator: [{name: g, envs: [P/env]}]",
    "generator in another case": "CONFIGMAPGENERATOR: [{name: g, Files: [k=P/file]}]",
    "patches": "resources: [own.yaml]\npatches: [{path: P/patch.yaml}]",
    "patchesStrategicMerge": "resources: [own.yaml]\npatchesStrategicMerge: [P/patch.yaml]",
    "patchesJson6902": (
        "resources: [own.yaml]\npatchesJson6902:\n"
        "- {target: {version: v1, kind: ConfigMap, name: m}, path: P/ops.yaml}"
    ),
    "replacements": "resources: [own.yaml]\nreplacements: [{path: P/replacement.yaml}]",
    "configurations": "resources: [own.yaml]\nconfigurations: [P/map.yaml]",
    "crds": "resources: [own.yaml]\ncrds: [P/map.yaml]",
    "openapi": "resources: [own.yaml]\nopenapi: {path: P/map.yaml}",
    "generators": "generators: [P/map.yaml]",
    "transformers": "resources: [own.yaml]\ntransformers: [P/transformer.yaml]",
    "validators": "resources: [own.yaml]\nvalidators: [P/transformer.yaml]",
    "a generator's own files": "generators: [generator.yaml]",
    "an inline generator's files": f"generators:\n- |\n  {GENERATOR}  files: [P/file]".replace(
        "\nkind", "\n  kind"
    ).replace("\nmetadata", "\n  metadata"),
    "a built generator's files": "generators: [built]",
    "helm values": "helmCharts: [{name: c, releaseName: c, valuesFile: P/file}]",
    "helm charts": "helmGlobals: {chartHome: P}\nhelmCharts: [{name: base, releaseName: c}]",
}
PLACES = ["absolute", "above", "link to a folder", "link to each file"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a root, with what mustn't be read beside it."""
    write_tree(tmp_path / "outside", dict(OUTSIDE))
    root = tmp_path / "root"
    write_tree(root, {"app/own.yaml": MAP, "good.yaml": MAP})
    return root


def hostile(root: Path, text: str, place: str) -> str:
    """Write a kustomization whose field names what is outside, and return its text."""
    outside, app = root.parent / "outside", root / "app"
    name = {"absolute": str(outside), "above": "../../outside"}.get(place, "in")
    if place == "link to a folder":
        (app / "in").symlink_to(outside)
    elif place == "link to each file":
        for file in OUTSIDE:
            (app / "in" / file).parent.mkdir(parents=True, exist_ok=True)
            (app / "in" / file).symlink_to(outside / file)
    made = text.replace("P/", f"{name}/").replace("chartHome: P", f"chartHome: {name}")
    generator = f"{GENERATOR}files: [P/file]\n".replace("P/", f"{name}/")
    inner = "resources: [P/map.yaml]\n".replace("P", name if name[0] == "/" else f"../{name}")
    files = {
        "kustomization.yaml": f"{made}\n",
        "{x}/kustomization.yaml": inner,
        "x\ny/kustomization.yaml": inner,
        "generator.yaml": generator,
        "built/kustomization.yaml": "resources: [g.yaml]\n",
        "built/g.yaml": generator.replace("P/", f"../{name}/"),
    }
    write_tree(app, dict(files))
    return made


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("field", FIELDS)
def test_nothing_outside_the_root_is_read(field: str, place: str, tree: Path) -> None:
    """Whatever field names it, and however, the build is refused and shows nothing of it."""
    hostile(tree, FIELDS[field], place)
    found = Program.find()
    assert found is not None

    with pytest.raises(BuildError) as caught:
        found.build(tree / "app", tree)

    assert CANARY not in str(caught.value)


@pytest.mark.skipif(sys.platform != "linux", reason="Landlock is Linux'")
@pytest.mark.parametrize("field", ["resources, a folder", "files", "patches", "crds"])
def test_the_kernel_refuses_as_well(
    field: str, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the first fence wouldn't see is refused by Landlock, with kustomize's own off."""
    monkeypatch.setattr(Survey, "make", lambda _self: None)
    hostile(tree, FIELDS[field], "absolute")
    found = Program.find()
    assert found is not None
    if not program_module._is_fenced(found.command[0]):  # noqa: SLF001
        pytest.skip("the kernel has no Landlock")

    with pytest.raises(BuildError, match="permission denied"):
        found.build(tree / "app", tree)


@pytest.mark.parametrize(
    "field", ["a generator's own files", "a built generator's files", "files", "patches"]
)
def test_kustomize_refuses_as_well(field: str, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Landlock, files of unknown paths are held to the kustomization's folder."""
    monkeypatch.setattr(program_module, "_is_fenced", lambda _program: False)
    hostile(tree, FIELDS[field], "absolute")
    found = Program.find()
    assert found is not None

    with pytest.raises(BuildError):
        found.build(tree / "app", tree)


ALLOWED = {
    "a file of a folder beside": "resources: [../common/map.yaml]",
    "a patch of a folder beside": "resources: [own.yaml]\npatches: [{path: ../common/map.yaml}]",
    "files of a folder beside": "configMapGenerator: [{name: g, files: [k=../common/map.yaml]}]",
    "a base and a component": "resources: [../base]\ncomponents: [../component]",
    "a link that stays inside": "resources: [link.yaml]",
    "a generator beside": "generators: [../common/generator.yaml]",
    "texts that look like paths": (
        "resources: [own.yaml]\ncommonAnnotations: {a: /etc/passwd, b: ../../x}\n"
        "configMapGenerator: [{name: g, literals: [PATH=/usr/bin, x=../../../..]}]\n"
        "patches:\n- target: {kind: ConfigMap}\n  patch: |-\n"
        "    - {op: add, path: /data/x, value: --file=/etc/passwd}\n"
        "patchesStrategicMerge:\n- |-\n  apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: m}\n"
        "  data: {k: --config=/etc/x}\n"
        "images: [{name: ../../x, newName: https://x}]\n"
    ),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_what_lies_below_the_root_is_read(name: str, tree: Path) -> None:
    """As Flux allows, wherever it is; and texts that are no paths are left alone."""
    write_tree(
        tree,
        {
            "app/kustomization.yaml": ALLOWED[name],
            "common/map.yaml": MAP,
            "common/generator.yaml": f"{GENERATOR}files: [map=map.yaml]\n",
            "app/map.yaml": MAP,
            "base/kustomization.yaml": "resources: [../common/map.yaml]\n",
            "component/kustomization.yaml": OUTSIDE["component/kustomization.yaml"],
        },
    )
    (tree / "app/link.yaml").symlink_to("../common/map.yaml")
    found = Program.find()
    assert found is not None

    assert "kind: ConfigMap" in found.build(tree / "app", tree)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("resources: [!!binary L2V0Yy9wYXNzd2Q=]", id="a tag"),
        pytest.param("resources: [ [", id="no YAML"),
        pytest.param("resources: [own.yaml]".encode("utf-16").decode("latin-1"), id="UTF-16"),
        pytest.param("resources: ['a\0b']", id="a zero byte"),
        pytest.param(f"resources: [{'a/' * 5000}b]", id="a long path"),
    ],
)
def test_kustomizations_that_cannot_be_looked_through(text: str, tree: Path) -> None:
    """What can't be understood isn't built, and ends soon."""
    write_tree(tree, {"app/kustomization.yaml": text.encode("latin-1")})
    found = Program.find()
    assert found is not None

    with pytest.raises(BuildError):
        found.build(tree / "app", tree)


def test_verify_shows_nothing_from_outside_and_goes_on(tree: Path) -> None:
    """A hostile kustomization isn't compared, with its place; the file beside it is."""
    hostile(tree, FIELDS["files"], "absolute")
    before = tree.parent / "before"
    write_tree(before, {"good.yaml": MAP})

    done = run(tree, "verify", ".", *REGISTRY, "--base", str(tree), "--format", "json")

    assert done.code == 4
    assert CANARY not in done.stdout + done.stderr
    assert done.report["problems"][0]["message"].startswith(
        "can't be built: app/kustomization.yaml:1:40: "
    )


@pytest.mark.parametrize(
    "spec",
    [
        {"configMapGenerator": [{"name": "g", "files": ["P/file"]}]},
        {"resources": ["P/map.yaml"]},
        {"patches": [{"path": "P/patch.yaml"}]},
        {"patchesStrategicMerge": ["P/patch.yaml"]},
        {"components": ["P/component"]},
    ],
    ids=lambda spec: next(iter(spec)),
)
def test_flux_specs_lead_nowhere_else(spec: dict[str, object], tree: Path) -> None:
    """Nor does what a Flux Kustomization adds to a build."""
    text = json.dumps(spec).replace("P/", f"{tree.parent}/outside/")
    flux = {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": "app", "namespace": "flux-system"},
        "spec": {
            "path": "./app",
            "sourceRef": {"kind": "GitRepository", "name": "flux-system"},
            **json.loads(text),
        },
    }
    write_tree(tree, {"flux.yaml": json.dumps(flux), "app/kustomization.yaml": "resources: []\n"})

    done = run(tree, "verify", ".", *REGISTRY, "--base", str(tree), "--format", "json")

    assert CANARY not in done.stdout + done.stderr
    assert done.code in {0, 4}, done.stderr


ADDRESSES = {
    "https://github.com/org/repo//deploy?ref=v1": True,
    "http://127.0.0.1:8080/up/.git//base?ref=main": True,
    "ssh://git@host.example/org/repo//x": True,
    "git@github.com:org/repo.git//base": True,
    "github.com/org/repo/deploy?ref=v1": True,
    "gh:org/repo": True,
    "https://host.example/install.yaml": True,
    "ext::sh -c touch% /tmp/x": False,
    "git::https://host.example/repo": False,
    "git::file:///etc": False,
    "file:///home/user/repo": False,
    "FILE:///home/user/repo": False,
    "git://host.example/repo": False,
    "--upload-pack=touch /tmp/x": False,
    "-oProxyCommand=x": False,
    "ssh://-oProxyCommand=x/repo": False,
    "git@-oProxyCommand=x:repo.git": False,
    "/srv/repo.git": False,
    "../../repo.git": False,
    "https://host.example/x\ny.git": False,
    "http://169.254.169.254/latest/meta-data//x": False,
    "http://[fd00:ec2::254]/latest//x": False,
    "http://metadata.google.internal/x//y": False,
    "https://[": False,
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_addresses(address: str) -> None:
    """Remote bases come over https, http and ssh alone, and not from a machine's metadata."""
    try:
        refuse_address(address)
    except ToolError:
        fits = False
    else:
        fits = True

    assert fits is ADDRESSES[address]


@pytest.mark.parametrize(
    "address",
    ["ext::sh -c touch% CANARY", "git::ext::sh -c touch% CANARY", "file://SOURCE/repo.git//x",
     "SOURCE/repo.git//x", "--upload-pack=touch CANARY;.git", "host.example/../../../SOURCE//x"],
)  # fmt: skip
def test_addresses_run_and_read_nothing(address: str, tmp_path: Path) -> None:
    """Neither with --render nor without does an address run a program or clone a local folder."""
    root = tmp_path / "root"
    address = address.replace("CANARY", f"{tmp_path}/ran").replace("SOURCE", str(tmp_path))
    write_tree(root, {"app/kustomization.yaml": json.dumps({"resources": [address]})})

    for words in (["verify", "--base", "."], ["scan"], ["migrate"]):
        for more in ([], ["--render"]):
            done = run(root, words[0], ".", *REGISTRY, *words[1:], *more)
            assert done.code in {0, 4}, done.stderr
    assert not (tmp_path / "ran").exists()


def test_nothing_is_fetched_unasked(tmp_path: Path) -> None:
    """Remote bases come from verify with --render alone, which says so without."""
    (tmp_path / "served").mkdir()
    (tmp_path / "served/map.yaml").write_text(MAP)
    with serving(tmp_path / "served") as address:
        root = tmp_path / "root"
        text = json.dumps({"resources": [f"{address}/map.yaml"]})
        write_tree(root, {"app/kustomization.yaml": text})
        without = run(root, "verify", ".", *REGISTRY, "--base", ".")
        fetched = run(root, "verify", ".", *REGISTRY, "--base", ".", "--render")

    assert (without.code, fetched.code) == (4, 0), without.stderr + fetched.stderr
    assert "--render fetches remote bases" in without.stderr


@pytest.mark.parametrize(
    ("script", "limits", "said"),
    [
        pytest.param("sleep 60", Limits(seconds=0.5), "took longer than", id="hangs"),
        pytest.param("yes", Limits(output=1 << 20), "wrote more than 1 MiB", id="gigabytes"),
        pytest.param("kill -9 $$", Limits(), "failed without a message", id="is killed"),
        pytest.param(
            r"printf '\033[2J\033]0;x\007Error: no\033[31m way\n' >&2; exit 1",
            Limits(),
            "^no way$",
            id="escape sequences",
        ),
    ],
)
def test_a_kustomize_that_misbehaves(
    script: str, limits: Limits, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an error of that build, in words that no terminal obeys."""
    tool = tmp_path / "bin/kustomize"
    write_tree(tmp_path, {"bin/kustomize": f"#!/bin/sh\n{script}\n", "tree/kustomization.yaml": ""})
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")

    with pytest.raises(ToolError, match=said):
        Program((str(tool), "build"), limits).build(tmp_path / "tree", tmp_path / "tree")
