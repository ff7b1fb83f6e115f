"""In which order kustomize applies what (docs/facts.md, E1 and K), each row a tree that it builds.

imageshift has no part in these tests: they say what the tool does that it has to follow.
"""

import pytest

import kustomize_library
from effect_probes import Probe, built_images, pod, tree_of
from real_tools import older_kustomize

DIGEST = "sha256:" + "5" * 64

E1 = [
    Probe(
        "E1.0",
        "bases join resources, imageTags join images",
        f"""\
-- kustomization.yaml --
bases: [base]
imageTags: [{{name: a/x, newTag: "2"}}]
-- base/kustomization.yaml --
resources: [p.yaml]
-- base/p.yaml --
{pod("a/x:1")}""",
        ("a/x:2",),
    ),
    Probe(
        "E1.1",
        "a base is finished with its own steps before its overlay's",
        f"""\
-- kustomization.yaml --
resources: [base]
images: [{{name: b/x, newTag: "3"}}]
-- base/kustomization.yaml --
resources: [p.yaml]
images: [{{name: a/x, newName: b/x, newTag: "2"}}]
-- base/p.yaml --
{pod("a/x:1")}""",
        ("b/x:3",),
    ),
    Probe(
        "E1.2",
        "configurations change which fields images reaches",
        """\
-- kustomization.yaml --
resources: [c.yaml]
configurations: [fields.yaml]
images: [{name: a/x, newTag: "2"}]
-- fields.yaml --
images: [{path: spec/runtime/image, kind: Engine}]
-- c.yaml --
apiVersion: example.com/v1
kind: Engine
metadata: {name: e}
spec: {image: "a/x:1", runtime: {image: "a/x:1"}}
""",
        ("a/x:1", "a/x:2"),
    ),
    Probe(
        "E1.3",
        "a generator merges into what the resources brought",
        """\
-- kustomization.yaml --
resources: [base]
configMapGenerator: [{name: c, behavior: merge, literals: ["image=b/x:2"]}]
-- base/kustomization.yaml --
configMapGenerator: [{name: c, literals: ["image=a/x:1", "other=1"]}]
""",
        ("b/x:2",),
    ),
    Probe(
        "E1.3b",
        "components run before the parent's patches",
        f"""\
-- kustomization.yaml --
resources: [p.yaml]
components: [c]
patches:
  - target: {{kind: Pod}}
    patch: '[{{"op": "test", "path": "/spec/containers/0/image", "value": "a/x:2"}},
      {{"op": "replace", "path": "/spec/containers/0/image", "value": "b/x:3"}}]'
-- p.yaml --
{pod("a/x:1")}
-- c/kustomization.yaml --
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
images: [{{name: a/x, newTag: "2"}}]
""",
        ("b/x:3",),
    ),
    Probe(
        "E1.3b",
        "a component gets what the one before it made",
        f"""\
-- kustomization.yaml --
resources: [p.yaml]
components: [one, two]
-- p.yaml --
{pod("a/x:1")}
-- one/kustomization.yaml --
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
images: [{{name: a/x, newName: b/x}}]
-- two/kustomization.yaml --
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
images: [{{name: b/x, newTag: "2"}}]
""",
        ("b/x:2",),
    ),
    Probe(
        "E1.4a",
        "patchesStrategicMerge run before patches",
        f"""\
-- kustomization.yaml --
resources: [p.yaml]
patches:
  - target: {{kind: Pod}}
    patch: '[{{"op": "test", "path": "/spec/containers/0/image", "value": "b/x:2"}}]'
patchesStrategicMerge:
  - |
    {{apiVersion: v1, kind: Pod, metadata: {{name: p}},
     spec: {{containers: [{{name: a, image: "b/x:2"}}]}}}}
-- p.yaml --
{pod("a/x:1")}""",
        ("b/x:2",),
    ),
    Probe(
        "E1.4b",
        "patches run in list order, both kinds mixed",
        f"""\
-- kustomization.yaml --
resources: [p.yaml]
patches:
  - target: {{kind: Pod}}
    patch: '[{{"op": "replace", "path": "/spec/containers/0/image", "value": "b/x:2"}}]'
  - patch: |
      {{apiVersion: v1, kind: Pod, metadata: {{name: p}},
       spec: {{containers: [{{name: a, image: "c/x:3"}}]}}}}
  - target: {{kind: Pod}}
    patch: '[{{"op": "test", "path": "/spec/containers/0/image", "value": "c/x:3"}}]'
-- p.yaml --
{pod("a/x:1")}""",
        ("c/x:3",),
    ),
    Probe(
        "E1.4c",
        "an overlay's patch may still name an object as it was before prefix and suffix",
        f"""\
-- kustomization.yaml --
resources: [base]
patches:
  - target: {{kind: Pod, name: p}}
    patch: '[{{"op": "replace", "path": "/spec/containers/0/image", "value": "b/x:2"}}]'
-- base/kustomization.yaml --
resources: [p.yaml]
namePrefix: pre-
nameSuffix: -post
-- base/p.yaml --
{pod("a/x:1")}""",
        ("b/x:2",),
    ),
    Probe(
        "E1.4d",
        "patchesJson6902 run after patches",
        f"""\
-- kustomization.yaml --
resources: [p.yaml]
patchesJson6902:
  - target: {{version: v1, kind: Pod, name: p}}
    patch: '[{{"op": "replace", "path": "/spec/containers/0/image", "value": "c/x:3"}}]'
patches:
  - target: {{kind: Pod}}
    patch: '[{{"op": "replace", "path": "/spec/containers/0/image", "value": "b/x:2"}}]'
-- p.yaml --
{pod("a/x:1")}""",
        ("c/x:3",),
    ),
    Probe(
        "E1.4f",
        "images run after all patches, in list order over each other's results",
        f"""\
-- kustomization.yaml --
resources: [p.yaml]
images:
  - {{name: b/x, newName: c/x}}
  - {{name: c/x, newTag: "9"}}
patchesJson6902:
  - target: {{version: v1, kind: Pod, name: p}}
    patch: '[{{"op": "replace", "path": "/spec/containers/0/image", "value": "b/x:2"}}]'
-- p.yaml --
{pod("a/x:1")}""",
        ("c/x:9",),
    ),
    Probe(
        "E1.4g",
        "what a replacement writes meets no entry of its own kustomization",
        f"""\
-- kustomization.yaml --
resources: [p.yaml, c.yaml]
images: [{{name: b/x, newTag: "9"}}]
replacements:
  - source: {{kind: ConfigMap, name: c, fieldPath: data.web}}
    targets: [{{select: {{kind: Pod}}, fieldPaths: [spec.containers.0.image]}}]
-- c.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {{name: c}}
data: {{web: "b/x:2"}}
-- p.yaml --
{pod("a/x:1")}""",
        ("b/x:2",),
    ),
    Probe(
        "E1.4g",
        "what a replacement writes meets an overlay's entry",
        f"""\
-- kustomization.yaml --
resources: [base]
images: [{{name: b/x, newTag: "9"}}]
-- base/kustomization.yaml --
resources: [p.yaml, c.yaml]
replacements:
  - source: {{kind: ConfigMap, name: c, fieldPath: data.web}}
    targets: [{{select: {{kind: Pod}}, fieldPaths: [spec.containers.0.image]}}]
-- base/c.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {{name: c}}
data: {{web: "b/x:2"}}
-- base/p.yaml --
{pod("a/x:1")}""",
        ("b/x:9",),
    ),
    Probe(
        "E1.4h",
        "transformers run last, in order",
        f"""\
-- kustomization.yaml --
resources: [p.yaml]
images: [{{name: a/x, newName: b/x}}]
transformers: [t.yaml]
-- t.yaml --
apiVersion: builtin
kind: ImageTagTransformer
metadata: {{name: one}}
imageTag: {{name: b/x, newName: c/x}}
---
apiVersion: builtin
kind: ImageTagTransformer
metadata: {{name: two}}
imageTag: {{name: c/x, newTag: "9"}}
-- p.yaml --
{pod("a/x:1")}""",
        ("c/x:9",),
    ),
    Probe(
        "E1.5",
        "vars are filled in at the root, after every images",
        f"""\
-- kustomization.yaml --
resources: [base]
images: [{{name: b/x, newTag: "9"}}]
-- base/kustomization.yaml --
resources: [p.yaml, q.yaml]
vars:
  - name: IMG
    objref: {{apiVersion: v1, kind: Pod, name: q}}
    fieldref: {{fieldpath: "spec.containers[0].image"}}
configurations: [fields.yaml]
-- base/fields.yaml --
varReference: [{{path: spec/containers/image, kind: Pod}}]
-- base/p.yaml --
{pod("$(IMG)")}
-- base/q.yaml --
{pod("b/x:2", name="q")}""",
        ("b/x:9", "b/x:9"),
    ),
]

FACTS = [
    Probe(
        "K1",
        "a name matches the raw text, whatever Docker Hub makes of it",
        f"""\
-- kustomization.yaml --
resources: [p.yaml]
images: [{{name: nginx, newTag: "9"}}]
-- p.yaml --
{pod("nginx:1", "docker.io/nginx:1", "docker.io/library/nginx:1", "a/nginx:1")}""",
        ("nginx:9", "docker.io/nginx:1", "docker.io/library/nginx:1", "a/nginx:1"),
    ),
    Probe(
        "K1",
        "a name is a regular expression, anchored",
        f"""\
-- kustomization.yaml --
resources: [p.yaml]
images: [{{name: "a/.*", newTag: "9"}}]
-- p.yaml --
{pod("a/x:1", "a/y/z", "b/a/x:1")}""",
        ("a/x:9", "a/y/z:9", "b/a/x:1"),
    ),
    Probe(
        "K2",
        "an entry that no longer matches is no error",
        f"""\
-- kustomization.yaml --
resources: [p.yaml]
images: [{{name: nginx, newTag: "1.27"}}]
-- p.yaml --
{pod("cache.example/nginx:1.25")}""",
        ("cache.example/nginx:1.25",),
    ),
    Probe(
        "K3",
        "a second entry of one list meets the first one's result",
        f"""\
-- kustomization.yaml --
resources: [p.yaml]
images:
  - {{name: nginx, newName: b/x}}
  - {{name: nginx, newTag: "9"}}
-- p.yaml --
{pod("nginx:1")}""",
        ("b/x:1",),
    ),
    Probe(
        "K3",
        "the other way round both take effect",
        f"""\
-- kustomization.yaml --
resources: [p.yaml]
images:
  - {{name: nginx, newTag: "9"}}
  - {{name: nginx, newName: b/x}}
-- p.yaml --
{pod("nginx:1")}""",
        ("b/x:9",),
    ),
    Probe(
        "K4",
        "newTag alone drops a digest, digest alone drops a tag, both are written together",
        f"""\
-- kustomization.yaml --
resources: [p.yaml]
images:
  - {{name: a/x, newTag: "9"}}
  - {{name: a/y, digest: "{DIGEST}"}}
  - {{name: a/z, newTag: "9", digest: "{DIGEST}"}}
-- p.yaml --
{pod(f"a/x:1@{DIGEST}", "a/y:1", "a/z:1")}""",
        ("a/x:9", f"a/y@{DIGEST}", f"a/z:9@{DIGEST}"),
    ),
    Probe(
        "K5",
        "containers and initContainers anywhere, no ephemeral ones and no other field",
        """\
-- kustomization.yaml --
resources: [p.yaml]
images: [{name: a/x, newTag: "9"}]
-- p.yaml --
apiVersion: example.com/v1
kind: Anything
metadata: {name: e}
spec:
  image: a/x:1
  deep:
    containers: [{name: a, image: "a/x:1"}]
    initContainers: [{name: b, image: "a/x:1"}]
    ephemeralContainers: [{name: c, image: "a/x:1"}]
""",
        ("a/x:9", "a/x:1", "a/x:9", "a/x:1"),
    ),
    Probe(
        "K5",
        "an image volume of a Pod and of a pod template, of a CronJob since kustomize 5.9",
        """\
-- kustomization.yaml --
resources: [p.yaml]
images: [{name: a/x, newName: b/x}]
-- p.yaml --
apiVersion: v1
kind: Pod
metadata: {name: p}
spec: {volumes: [{name: v, image: {reference: "a/x:1"}}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec: {template: {spec: {volumes: [{name: v, image: {reference: "a/x:2"}}]}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: c}
spec: {jobTemplate: {spec: {template: {spec: {volumes: [{name: v, image: {reference: "a/x:3"}}]}}}}}
""",
        ("b/x:2", "a/x:3", "b/x:1"),
        newer=("b/x:2", "b/x:3", "b/x:1"),
    ),
    Probe(
        "K1",
        "a digest of another algorithm than sha256 matches since kustomize 5.9",
        f"""\
-- kustomization.yaml --
resources: [p.yaml]
images: [{{name: a/x, newName: b/x}}]
-- p.yaml --
{pod("a/x:1@sha512:01", "a/x@sha256:02")}""",
        ("a/x:1@sha512:01", "b/x@sha256:02"),
        newer=("b/x:1@sha512:01", "b/x@sha256:02"),
    ),
    Probe(
        "K9",
        "a test of a JSON patch fails the build once the text is another",
        f"""\
-- kustomization.yaml --
resources: [p.yaml]
patches:
  - target: {{kind: Pod}}
    patch: '[{{"op": "test", "path": "/spec/containers/0/image", "value": "a/x:1"}}]'
-- p.yaml --
{pod("cache.example/a/x:1")}""",
        refused="test",
    ),
    Probe(
        "K9",
        "a replacement with a delimiter counts the parts of the new name",
        f"""\
-- kustomization.yaml --
resources: [p.yaml, c.yaml]
replacements:
  - source: {{kind: ConfigMap, name: c, fieldPath: data.org}}
    targets:
      - select: {{kind: Pod}}
        fieldPaths: [spec.containers.0.image]
        options: {{delimiter: "/", index: 1}}
-- c.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {{name: c}}
data: {{org: neworg}}
-- p.yaml --
{pod("cache.example/github/org/app:1")}""",
        ("cache.example/neworg/org/app:1",),
    ),
    Probe(
        "K9",
        "a variable in a name is a regular expression that matches nothing",
        f"""\
-- kustomization.yaml --
resources: [p.yaml]
images:
  - {{name: "${{HOST}}/a/x", newTag: "9"}}
  - {{name: "\\\\$\\\\{{HOST\\\\}}/a/y", newTag: "9"}}
-- p.yaml --
{pod("${HOST}/a/x:1", "${HOST}/a/y:1")}""",
        ("${HOST}/a/x:1", "${HOST}/a/y:9"),
    ),
    Probe(
        "K10",
        "of a placeholder only newName counts",
        f"""\
-- kustomization.yaml --
resources: [p.yaml]
images: [{{name: controller, newName: ghcr.io/org/ctrl}}]
-- p.yaml --
{pod("controller:latest")}""",
        ("ghcr.io/org/ctrl:latest",),
    ),
    Probe(
        "K11",
        "an entry meets the text that a patch has just written",
        f"""\
-- kustomization.yaml --
resources: [p.yaml]
images: [{{name: b/x, newTag: "9"}}]
patches:
  - target: {{kind: Pod}}
    patch: '[{{"op": "replace", "path": "/spec/containers/0/image", "value": "b/x:2"}}]'
-- p.yaml --
{pod("a/x:1")}""",
        ("b/x:9",),
    ),
    Probe(
        "K12",
        "newName may carry a tag, and a name with a tag matches",
        f"""\
-- kustomization.yaml --
resources: [p.yaml]
images:
  - {{name: a/x, newName: "b/x:2"}}
  - {{name: "a/y:1", newTag: "9"}}
-- p.yaml --
{pod("a/x", "a/y:1")}""",
        ("b/x:2", "a/y:9"),
    ),
    Probe(
        "K5",
        "texts where pods have volumes are refused",
        """\
-- kustomization.yaml --
resources: [p.yaml]
images: [{name: a/x, newName: b/x}]
-- p.yaml --
apiVersion: policy/v1beta1
kind: PodSecurityPolicy
metadata: {name: a}
spec: {volumes: [secret]}
""",
        refused="expected sequence or mapping node",
    ),
    Probe(
        "K13",
        "two objects of one name are refused",
        f"""\
-- kustomization.yaml --
resources: [p.yaml]
-- p.yaml --
{pod("a/x:1")}---
{pod("a/x:1")}""",
        refused="already registered id",
    ),
    Probe(
        "K13",
        "an object without a name is refused",
        """\
-- kustomization.yaml --
resources: [p.yaml]
-- p.yaml --
apiVersion: v1
kind: Pod
metadata: {}
spec: {containers: [{name: a, image: "a/x:1"}]}
""",
        refused="missing metadata.name",
    ),
    Probe(
        "K13",
        "a key that stands twice is refused",
        f"""\
-- kustomization.yaml --
resources: [p.yaml]
-- p.yaml --
{pod("a/x:1")}kind: Pod
""",
        refused="already defined",
    ),
    Probe(
        "K14",
        "a tagSuffix is put behind a container's tag twice, and a digest goes",
        f"""\
-- kustomization.yaml --
resources: [p.yaml]
images: [{{name: a/x, tagSuffix: -s}}]
-- p.yaml --
{pod("a/x:1", f"a/x:1@{DIGEST}")}""",
        ("a/x:1-s-s", "a/x:1-s-s"),
    ),
    Probe(
        "K14",
        "once where no list of fields has the place",
        """\
-- kustomization.yaml --
resources: [p.yaml]
images: [{name: a/x, tagSuffix: -s}]
-- p.yaml --
apiVersion: example.com/v1
kind: Anything
metadata: {name: e}
deep: {containers: [{name: a, image: "a/x:1"}]}
""",
        ("a/x:1-s",),
    ),
    Probe(
        "E2.5",
        "an entry meets the text before Flux substitutes in it",
        f"""\
-- kustomization.yaml --
resources: [p.yaml]
images: [{{name: quay.io/a/x, newTag: "9"}}]
-- p.yaml --
{pod("${HOST}/a/x:1")}""",
        ("${HOST}/a/x:1",),
    ),
    Probe(
        "E2.3",
        "a component that is added to a kustomization has an entry for its resources",
        f"""\
-- kustomization.yaml --
resources: [p.yaml]
components: [c]
images: [{{name: b/x, newTag: "9"}}]
-- c/kustomization.yaml --
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
images: [{{name: a/x, newName: b/x}}]
-- p.yaml --
{pod("a/x:1")}""",
        ("b/x:9",),
    ),
]

CHART = """\
-- charts/app/Chart.yaml --
apiVersion: v2
name: app
version: 1.0.0
-- charts/app/values.yaml --
one: {image: "chart/one:1"}
two: {image: "chart/two:1"}
three: {image: "chart/three:1"}
-- charts/app/templates/p.yaml --
apiVersion: v1
kind: Pod
metadata: {name: "p-{{ .Release.Revision }}-{{ .Release.IsInstall }}"}
spec:
  containers:
    - {name: a, image: "{{ .Values.one.image }}"}
    - {name: b, image: "{{ .Values.two.image }}"}
    - {name: c, image: "{{ .Values.three.image }}"}
-- file.yaml --
one: {image: "file/one:2"}
two: {image: "file/two:2"}
-- more.yaml --
two: {image: "more/two:4"}
"""

HELM = [
    Probe(
        "E1.helmCharts",
        f"valuesInline over valuesFile with valuesMerge {merge}",
        f"""\
-- kustomization.yaml --
helmGlobals: {{chartHome: charts}}
helmCharts:
  - name: app
    releaseName: app
    valuesFile: file.yaml
    valuesMerge: {merge}
    valuesInline: {{one: {{image: "inline/one:3"}}}}
{CHART}""",
        images,
    )
    for merge, images in (
        ("override", ("inline/one:3", "file/two:2", "chart/three:1")),
        ("merge", ("file/one:2", "file/two:2", "chart/three:1")),
        ("replace", ("inline/one:3", "chart/two:1", "chart/three:1")),
    )
] + [
    Probe(
        "E1.helmCharts",
        "additionalValuesFiles beat both",
        f"""\
-- kustomization.yaml --
helmGlobals: {{chartHome: charts}}
helmCharts:
  - name: app
    releaseName: app
    valuesFile: file.yaml
    additionalValuesFiles: [more.yaml]
    valuesInline: {{two: {{image: "inline/two:3"}}}}
{CHART}""",
        ("file/one:2", "more/two:4", "chart/three:1"),
    ),
    Probe(
        "E1.helmCharts",
        "patches and images of the kustomization reach what Helm rendered",
        f"""\
-- kustomization.yaml --
helmGlobals: {{chartHome: charts}}
helmCharts: [{{name: app, releaseName: app}}]
patches:
  - target: {{kind: Pod, name: p-1-true}}
    patch: '[{{"op": "replace", "path": "/spec/containers/0/image", "value": "b/x:2"}}]'
images:
  - {{name: b/x, newTag: "9"}}
  - {{name: chart/two, newTag: "8"}}
{CHART}""",
        ("b/x:9", "chart/two:8", "chart/three:1"),
    ),
]


def check(probe: Probe, built: tuple[str, ...] | str, images: tuple[str, ...]) -> None:
    """Fail unless a build made some images, or was refused as the probe says."""
    if probe.refused:
        assert isinstance(built, str)
        assert probe.refused in built
    else:
        assert built == images


@pytest.mark.kustomize
@pytest.mark.parametrize("probe", [*E1, *FACTS], ids=str)
def test_kustomize(probe: Probe) -> None:
    """Real kustomize builds what the fact says, kubectl's and a newer one."""
    with older_kustomize():
        check(probe, built_images(tree_of(probe.tree)), probe.images)
    if kustomize_library.is_here():
        newer = probe.images if probe.newer is None else probe.newer
        check(probe, built_images(tree_of(probe.tree)), newer)


@pytest.mark.kustomize
@pytest.mark.helm3
@pytest.mark.parametrize("probe", HELM, ids=str)
def test_helm_charts(probe: Probe) -> None:
    """Real kustomize with Helm 3 builds what the fact says."""
    check(probe, built_images(tree_of(probe.tree), helm=True), probe.images)
