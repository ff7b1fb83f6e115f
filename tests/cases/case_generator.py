"""Generated trees that mix what can follow one another.

Charts in the tree, releases with every layer of values and post-renderer, overlays of them, Flux
Kustomizations and Argo CD Applications. Each tree says which effects its builds have, so that a
run can count the pairs.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from ruamel.yaml import YAML

__all__ = ["Mixed", "mixed_trees"]

Object = dict[str, Any]

NAMES = (
    "nginx",
    "docker.io/library/nginx",
    "docker.io/bitnami/redis",
    "bitnami/redis",
    "ghcr.io/org/app",
    "ghcr.io/org/app-extra",
    "quay.io/org/tool",
    "registry.k8s.io/pause",
    "public.ecr.aws/org/agent",
    "private.example/own",
)
TAGS = ("1.25", "v2", "7")
DIGEST = "sha256:" + "0f" * 32
SOURCE = {"kind": "GitRepository", "name": "flux-system", "namespace": "flux-system"}
REPOSITORY = {
    "apiVersion": "source.toolkit.fluxcd.io/v1",
    "kind": "GitRepository",
    "metadata": {"name": "flux-system", "namespace": "flux-system"},
    "spec": {"interval": "1m", "url": "https://git.example/fleet", "ref": {"branch": "main"}},
}


@dataclass(frozen=True, slots=True)
class Mixed:
    """A tree, what is applied to each of its clusters, and the effects that its builds have."""

    tree: dict[str, bytes]
    clusters: tuple[tuple[str, ...], ...]
    effects: frozenset[str]


@dataclass(frozen=True, slots=True)
class Image:
    """An image by its parts; `tag` begins with a colon or an at sign, or is empty."""

    name: str
    tag: str

    @property
    def whole(self) -> str:
        """Return the reference."""
        return f"{self.name}{self.tag}"

    @property
    def registry(self) -> str:
        """Return the host, docker.io where none is written."""
        host, slash, _ = self.name.partition("/")
        return host if slash and "." in host else "docker.io"

    @property
    def path(self) -> str:
        """Return the name without its host."""
        host, slash, rest = self.name.partition("/")
        return rest if slash and "." in host else self.name

    @property
    def plain_tag(self) -> str:
        """Return the tag, `1.0` where there is none or a digest."""
        return self.tag.removeprefix(":") if self.tag.startswith(":") else "1.0"


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a chart spells an image: its template, and its values from an image."""

    template: str
    values: Callable[[Image], Object | str]


def _split(image: Image) -> Object:
    return {"registry": image.registry, "repository": image.path, "tag": image.plain_tag}


# KEY stands for the key of the image's values.
SPELLINGS = {
    "whole": Spelling("{{ .Values.KEY }}", lambda image: image.whole),
    "pair": Spelling(
        "{{ .Values.KEY.repository }}:{{ .Values.KEY.tag }}",
        lambda image: {"repository": image.name, "tag": image.plain_tag},
    ),
    "default-tag": Spelling(
        "{{ .Values.KEY.repository }}:{{ .Values.KEY.tag | default .Chart.AppVersion }}",
        lambda image: {"repository": image.name, "tag": ""},
    ),
    "split": Spelling(
        "{{ .Values.KEY.registry }}/{{ .Values.KEY.repository }}:{{ .Values.KEY.tag }}", _split
    ),
    "optional-registry": Spelling(
        "{{ with .Values.KEY.registry }}{{ . }}/{{ end }}{{ .Values.KEY.repository }}"
        ":{{ .Values.KEY.tag }}",
        _split,
    ),
    "global": Spelling(
        "{{ (.Values.global).imageRegistry | default .Values.KEY.registry }}"
        "/{{ .Values.KEY.repository }}:{{ .Values.KEY.tag }}",
        _split,
    ),
    "digest": Spelling(
        "{{ .Values.KEY.repository }}"
        "{{ if .Values.KEY.digest }}@{{ .Values.KEY.digest }}{{ else }}:{{ .Values.KEY.tag }}"
        "{{ end }}",
        lambda image: {
            "repository": image.name,
            "tag": image.plain_tag,
            "digest": DIGEST if "@" in image.tag else "",
        },
    ),
}


@dataclass(frozen=True, slots=True)
class ChartImage:
    """An image of a chart: the key of its values, how it is spelled, what it is.

    Those that are `switched` are only rendered where the value `on` says so.
    """

    key: str
    spelling: str
    image: Image
    switched: bool = False

    @property
    def container(self) -> str:
        """Return its container in the chart's template."""
        name = SPELLINGS[self.spelling].template.replace("KEY", self.key)
        number = int(self.key == "sidecar")
        made = f'        - name: c{number}\n          image: "{name}"\n'
        return f"{{{{ if .Values.on }}}}\n{made}{{{{ end }}}}\n" if self.switched else made


@dataclass
class Maker:
    """Makes one tree, drawing every choice."""

    draw: st.DrawFn
    tree: dict[str, bytes] = field(default_factory=dict)
    effects: set[str] = field(default_factory=set)
    charts: dict[str, list[ChartImage]] = field(default_factory=dict)
    images: list[Image] = field(default_factory=list)
    generated: list[Object] = field(default_factory=list)
    names: tuple[str, ...] = NAMES

    def __post_init__(self) -> None:
        """Take few names in most trees, so that entries, patches and values meet."""
        if not self.maybe(of=4):
            few = st.lists(st.sampled_from(NAMES), min_size=2, max_size=4, unique=True)
            self.names = tuple(self.draw(few))

    def one(self, *choices: Any) -> Any:
        """Return one of the choices."""
        return self.draw(st.sampled_from(choices))

    def maybe(self, effect: str = "", *, of: int = 2) -> bool:
        """Return whether something is there, one time in `of`, and note its effect."""
        found = bool(self.draw(st.integers(0, of - 1)) == 0)
        if found and effect:
            self.effects.add(effect)
        return found

    def write(self, name: str, *objects: Any) -> None:
        """Write a file of YAML documents."""
        self.tree[name] = self.text(*objects).encode()

    def image(self) -> Image:
        """Return a new image, or one that the tree has already."""
        if self.images and self.maybe(of=4):
            return self.one(*self.images)  # type: ignore[no-any-return]
        tag = self.one(*(f":{tag}" for tag in TAGS), *(f":{tag}" for tag in TAGS), "", f"@{DIGEST}")
        made = Image(self.one(*self.names), tag)
        self.images.append(made)
        return made

    # Charts

    def chart(self, name: str) -> None:
        """Add a chart to the tree."""
        folder = f"charts/{name}"
        found = [
            ChartImage(key, self.one(*SPELLINGS), self.image(), self.is_switched(key))
            for key in ("image", "sidecar")[: self.one(1, 1, 2)]
        ]
        self.charts[name] = found
        version = {"apiVersion": "v2", "name": name, "version": "1.0.0", "appVersion": "3.1"}
        self.write(f"{folder}/Chart.yaml", version)
        values: Object = {"replicas": 1}
        for each in found:
            values[each.key] = SPELLINGS[each.spelling].values(each.image)
        self.write(f"{folder}/values.yaml", values)
        containers = "".join(each.container for each in found)
        if self.maybe("chart-literal", of=4):
            containers += f'        - name: c2\n          image: "{self.image().whole}"\n'
        kind = self.one("Deployment", "Deployment", "Deployment", "Job")
        if kind == "Job":
            self.effects.add("chart-job")
        api = "apps/v1" if kind == "Deployment" else "batch/v1"
        self.tree[f"{folder}/templates/workload.yaml"] = (
            f"apiVersion: {api}\nkind: {kind}\n"
            "metadata:\n  name: {{ .Release.Name }}\nspec:\n  template:\n    spec:\n"
            f"      containers:\n{containers}"
        ).encode()

    def is_switched(self, key: str) -> bool:
        """Return whether a chart has an image switched off."""
        return key == "sidecar" and self.maybe("chart-switch")

    def override(self, name: str) -> Object:
        """Return values that set some of a chart's images, or parts of them, or switch them on."""
        made: Object = {}
        if any(each.switched for each in self.charts[name]) and self.maybe():
            made["on"] = True
        for each in self.charts[name]:
            whole = SPELLINGS[each.spelling].values(self.image())
            if isinstance(whole, dict):
                keys = self.one(("tag",), ("repository",), tuple(whole), tuple(whole), ())
                whole = {key: whole[key] for key in keys if key in whole}
                if not whole:
                    continue
            elif not self.maybe():
                continue
            made[each.key] = whole
        if any(each.spelling == "global" for each in self.charts[name]) and self.maybe(of=4):
            made["global"] = {"imageRegistry": self.one("ghcr.io", "quay.io", "private.example")}
        return made or {"replicas": 2}

    # Releases

    def release(self, name: str, objects: list[Object]) -> None:
        """Add a release of a chart to a folder's objects, with the layers of its values."""
        chart = self.one(*self.charts)
        spec: Object = {"interval": "30m"}
        source: Object = {"chart": f"./charts/{chart}", "sourceRef": SOURCE}
        if self.maybe("values-files", of=3):
            self.write(f"charts/{chart}/more.yaml", self.override(chart))
            own = [f"charts/{chart}/values.yaml"] if self.maybe(of=4) else []
            source["valuesFiles"] = [*own, f"charts/{chart}/more.yaml"]
        spec["chart"] = {"spec": source}
        spec |= self.values_from(name, chart, objects)
        if self.maybe("values"):
            spec["values"] = self.override(chart)
        if self.maybe("post-renderer-images", of=3):
            spec["postRenderers"] = [{"kustomize": {"images": self.entries()}}]
        if self.maybe("post-renderer-patches", of=4):
            patch = self.image_patch("Deployment", name)
            renderer = {"kustomize": {"patches": [patch]}}
            spec.setdefault("postRenderers", []).append(renderer)
        objects.append(
            {
                "apiVersion": "helm.toolkit.fluxcd.io/v2",
                "kind": "HelmRelease",
                "metadata": {"name": name, "namespace": "apps"},
                "spec": spec,
            }
        )

    def values_from(self, name: str, chart: str, objects: list[Object]) -> Object:
        """Return `valuesFrom` of a release; the ConfigMaps go to the objects."""
        found: list[Object] = []
        if self.maybe("values-from"):
            found.append(self.holder(name, self.text(self.override(chart)), objects))
        image = self.charts[chart][0]
        if self.maybe("target-path", of=5):
            path = image.key if image.spelling == "whole" else f"{image.key}.repository"
            value = self.image()
            whole = SPELLINGS[image.spelling].values(value)
            text = whole["repository"] if isinstance(whole, dict) else whole
            objects.append(_config_map(f"{name}-one", {"it": text}))
            reference = {"kind": "ConfigMap", "name": f"{name}-one", "valuesKey": "it"}
            found.append({**reference, "targetPath": path})
        return {"valuesFrom": found} if found else {}

    def holder(self, name: str, text: str, objects: list[Object]) -> Object:
        """Add what holds values as a text, and return the reference to it."""
        held = self.one("ConfigMap", "Secret", "generator")
        if held == "generator":
            self.effects.add("values-generated")
            self.tree[f"apps/base/{name}.yaml"] = text.encode()
            files = [f"values.yaml={name}.yaml"]
            self.generated.append({"name": f"{name}-values", "namespace": "apps", "files": files})
        elif held == "Secret":
            self.effects.add("values-secret")
            made = _config_map(f"{name}-values", {}) | {"kind": "Secret"}
            del made["data"]
            objects.append({**made, "stringData": {"values.yaml": text}})
        else:
            objects.append(_config_map(f"{name}-values", {"values.yaml": text}))
        kind = "Secret" if held == "Secret" else "ConfigMap"
        return {"kind": kind, "name": f"{name}-values"}

    @staticmethod
    def text(*documents: Any) -> str:
        """Return documents as YAML text."""
        stream = io.StringIO()
        yaml = YAML(typ="safe")
        yaml.default_flow_style = False
        yaml.width = 4096
        yaml.dump_all(documents, stream)
        return stream.getvalue()

    # kustomize

    def entries(self) -> list[Object]:
        """Return entries of `images:` that name images of the tree, or others."""
        made: dict[str, Object] = {}
        for _ in range(self.one(1, 1, 2)):
            name = self.one(*self.images).name if self.images else "nginx"
            entry: Object = {"name": self.one(name, name, name, *self.names)}
            change = self.one("tag", "tag", "name", "both", "digest")
            if change in {"name", "both"}:
                entry["newName"] = self.one(*self.names)
            if change in {"tag", "both"}:
                entry["newTag"] = self.one(*TAGS)
            if change == "digest":
                entry["digest"] = DIGEST
            made[entry["name"]] = entry
        return list(made.values())

    def image_patch(self, kind: str, name: str, **metadata: str) -> Object:
        """Return a patch that sets the first image of a workload."""
        image = self.image().whole
        if self.maybe():
            place = "/spec/template/spec/containers/0/image"
            text = self.text([{"op": "replace", "path": place, "value": image}])
            return {"target": {"kind": kind, "name": name}, "patch": text}
        pod = {"spec": {"containers": [{"name": "c0", "image": image}]}}
        body = {
            "apiVersion": "apps/v1",
            "kind": kind,
            "metadata": {"name": name, **metadata},
            "spec": {"template": pod},
        }
        return {"patch": self.text(body)}

    def release_patch(self, name: str, chart: str) -> Object:
        """Return a patch of a release's values, its post-renderers, or both."""
        spec: Object = {"values": self.override(chart)}
        if self.maybe("patched-values-by-operation", of=5):
            values = [
                {"op": "add", "path": f"/spec/values/{key}", "value": value}
                for key, value in spec["values"].items()
            ]
            # An operation needs the map that it adds to.
            first = {"op": "add", "path": "/spec/values", "value": {}}
            text = self.text([first, *values] if self.maybe() else values)
            return {"target": {"kind": "HelmRelease", "name": name}, "patch": text}
        if self.maybe("patched-post-renderers", of=5):
            spec["postRenderers"] = [{"kustomize": {"images": self.entries()}}]
            if self.maybe():
                del spec["values"]
        body = {
            "apiVersion": "helm.toolkit.fluxcd.io/v2",
            "kind": "HelmRelease",
            "metadata": {"name": name, "namespace": "apps"},
            "spec": spec,
        }
        return {"patch": self.text(body)}

    def patches(self, where: str, objects: list[Object]) -> list[Object]:
        """Return patches of some of the objects below."""
        made: list[Object] = []
        for one in objects:
            name = one["metadata"]["name"]
            if one["kind"] == "Deployment" and self.maybe(f"{where}-patches", of=3):
                made.append(self.image_patch("Deployment", name, namespace="apps"))
            if one["kind"] == "HelmRelease" and self.maybe(f"{where}-release-patches", of=3):
                chart = one["spec"]["chart"]["spec"]["chart"].rpartition("/")[2]
                made.append(self.release_patch(name, chart))
        return made

    def deployment(self, name: str) -> Object:
        """Return a Deployment, its image perhaps with a variable of Flux."""
        image = self.image().whole
        if self.maybe("variable", of=6):
            image = self.one("ghcr.io/org/app:${TAG}", "${REGISTRY}/org/app:1", "nginx:${TAG:=1.2}")
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": "apps"},
            "spec": {"template": {"spec": {"containers": [{"name": "c0", "image": image}]}}},
        }

    def kustomization(self, where: str, folder: str, body: Object, below: list[Object]) -> None:
        """Write a kustomization with what it may change in the objects below it."""
        if self.maybe(f"{where}-images", of=2):
            body["images"] = self.entries()
        patches = self.patches(where, below)
        if patches:
            body["patches"] = patches
        if self.maybe(f"{where}-component", of=5):
            body["components"] = [self.component(where, below)]
        self.write(f"{folder}/kustomization.yaml", body)

    def component(self, where: str, below: list[Object]) -> str:
        """Add a component with entries, patches or both; return its path from a folder of apps."""
        body: Object = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}
        patches = self.patches("component", below)
        if patches:
            body["patches"] = patches
        if not patches or self.maybe():
            body["images"] = self.entries()
        self.write(f"components/{where}/kustomization.yaml", body)
        return f"../../components/{where}"

    def apps(self) -> list[Object]:
        """Add the base: releases and Deployments."""
        objects: list[Object] = []
        for number in range(self.one(0, 1, 1, 2, 2)):
            self.release(f"release{number}", objects)
        count = self.one(0, 1, 1, 2) if objects else 1
        objects += [self.deployment(f"web{number}") for number in range(count)]
        self.write("apps/base/objects.yaml", *objects)
        body: Object = {"resources": ["objects.yaml"]}
        if self.generated:
            body["configMapGenerator"] = self.generated
            body["generatorOptions"] = {"disableNameSuffixHash": True}
        self.kustomization("base", "apps/base", body, objects)
        return objects

    # Clusters

    def flux(self, name: str, folder: str, below: list[Object]) -> str:
        """Add a cluster whose Flux Kustomization builds a folder; return its file."""
        spec: Object = {"interval": "10m", "path": f"./{folder}", "prune": True}
        spec["sourceRef"] = {"kind": "GitRepository", "name": "flux-system"}
        if self.maybe("flux-images", of=3):
            spec["images"] = self.entries()
        patches = self.patches("flux", below)
        if patches:
            spec["patches"] = patches
        if "variable" in self.effects:
            found = {"TAG": self.one(*TAGS), "REGISTRY": self.one("ghcr.io", "quay.io")}
            spec["postBuild"] = {"substitute": found}
        flux = {
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": {"name": "apps", "namespace": "flux-system"},
            "spec": spec,
        }
        file = f"clusters/{name}.yaml"
        self.write(file, REPOSITORY, flux)
        return file

    def argo(self, folder: str, below: list[Object]) -> str:
        """Add Argo CD Applications of a chart and of a folder; return their file."""
        apps = [
            self.application(f"argo-{chart}", self.helm_source(chart))
            for chart in self.charts
            if self.maybe()
        ]
        if self.maybe() or not apps:
            source: Object = {"path": folder}
            if self.maybe("argo-images"):
                entry = self.image()
                source["kustomize"] = {"images": [f"{entry.name}={self.image().whole}"]}
            patches = self.patches("argo", below)
            if patches:
                source.setdefault("kustomize", {})["patches"] = patches
            apps.append(self.application("argo-apps", source))
        self.write("argo/apps.yaml", *apps)
        return "argo/apps.yaml"

    def helm_source(self, chart: str) -> Object:
        """Return a source of a chart in the tree with its layers of values."""
        helm: Object = {}
        if self.maybe("argo-value-files"):
            self.write(f"charts/{chart}/argo.yaml", self.override(chart))
            helm["valueFiles"] = ["argo.yaml"]
        layer = self.one("none", "values", "values", "valuesObject", "valuesObject")
        if layer != "none":
            self.effects.add(f"argo-{layer}")
            found = self.override(chart)
            helm[layer] = self.text(found) if layer == "values" else found
        image = self.charts[chart][0]
        if self.maybe("argo-parameters"):
            key = image.key if image.spelling == "whole" else f"{image.key}.tag"
            value = self.image().whole if image.spelling == "whole" else self.one(*TAGS)
            helm["parameters"] = [{"name": key, "value": value, "forceString": True}]
        return {"path": f"charts/{chart}", **({"helm": helm} if helm else {})}

    def application(self, name: str, source: Object) -> Object:
        """Return an Application of a source of this repository."""
        source = {"repoURL": "https://git.example/fleet", "targetRevision": "main", **source}
        return {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": name, "namespace": "argocd"},
            "spec": {
                "project": "default",
                "destination": {"namespace": "apps", "server": "https://kubernetes.default.svc"},
                "source": source,
            },
        }


def _config_map(name: str, data: dict[str, str]) -> Object:
    metadata = {"name": name, "namespace": "apps"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


@st.composite
def mixed_trees(draw: st.DrawFn) -> Mixed:
    """Draw a tree."""
    maker = Maker(draw)
    for name in ("one", "two")[: maker.one(1, 1, 2)]:
        maker.chart(name)
    below = maker.apps()
    folders = ["apps/base"]
    if maker.maybe("overlays"):
        for name in ("prod", "staging")[: maker.one(1, 2)]:
            body: Object = {"resources": ["../base"]}
            maker.kustomization("overlay", f"apps/{name}", body, below)
            folders.append(f"apps/{name}")
        if maker.maybe(of=3) or len(folders) > 2:
            del folders[0]
    clusters = [(maker.flux(folder.rpartition("/")[2], folder, below),) for folder in folders]
    # Argo CD fills no variables, so a text with one is no image there.
    if "variable" not in maker.effects and maker.maybe("argo"):
        clusters.append((maker.argo(folders[-1], below),))
    return Mixed(maker.tree, tuple(clusters), frozenset(maker.effects))
