"""`imageshift audit`: lists of a cluster's objects, joined to a repository, in every form."""

import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cluster_objects import listing, node, pod, pods_of, waiting

from command_line import HOST, REGISTRY, Outcome, run, write_tree
from imageshift.charts.fetch.files import load_chart
from imageshift.charts.model import RenderOptions
from imageshift.charts.plain import load_plain
from imageshift.charts.rendering.manifests import split_manifest
from imageshift.charts.rendering.render import SdkRenderer

REPOSITORY: dict[str, str | bytes] = {
    "apps/web.yaml": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n"
        "spec:\n  template:\n    spec:\n      containers:\n"
        "        - name: web\n          image: nginx:1.27\n"
        f"        - name: log\n          image: {HOST}/docker-hub/library/busybox:1.37\n"
        "        - image: quay.io/org/kept:1  # imageshift: ignore\n"
    ),
    "apps/prometheus.yaml": (
        "apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\n"
        "metadata: {name: main, namespace: monitoring}\n"
        "spec:\n  image: quay.io/prometheus/prometheus:v3\n"
    ),
    "apps/queue.yaml": (
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\n"
        "metadata: {name: queue, namespace: shop}\nspec:\n  chart:\n    spec:\n"
        "      chart: charts/queue\n      sourceRef: {kind: GitRepository, name: flux-system}\n"
    ),
    "charts/queue/Chart.yaml": "apiVersion: v2\nname: queue\nversion: 1.0.0\n",
    "charts/queue/templates/all.yaml": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: queue}\nspec:\n  template:\n"
        "    metadata:\n      labels: {app.kubernetes.io/instance: queue}\n"
        "    spec:\n      containers:\n        - {name: queue, image: docker.io/valkey/valkey:8}\n"
        "        - {name: metrics, image: registry.k8s.io/metrics:1}\n---\n"
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: clean}\nspec:\n  jobTemplate:\n"
        "    spec:\n      template:\n        spec:\n          containers:\n"
        "            - {name: clean, image: ghcr.io/org/clean:1}\n"
    ),
}
RS = ("apps/v1", "ReplicaSet", "web-7d4b9c")
LABELS: dict[str, Any] = {"labels": {"pod-template-hash": "7d4b9c"}}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a repository that a cluster is run from."""
    write_tree(tmp_path, REPOSITORY)
    return tmp_path


def audit(folder: Path, *objects: Any, more: tuple[str, ...] = ()) -> Outcome:
    """Run the command over objects and the repository."""
    (folder / "pods.json").write_text(json.dumps(listing(*objects)))
    return run(folder, "audit", "pods.json", "apps", *REGISTRY, *more)


CAUSES: dict[str, tuple[Any, str, str | None, str | None]] = {
    "cache": (pod("a", f"{HOST}/quay/org/x:1"), "cache", None, None),
    "own repository": (
        pod("a", f"{HOST}/team/app:1"),
        "own-repository",
        None,
        "no rule's prefix holds team/app",
    ),
    "a wrong path": (
        pod("a", f"{HOST}/docker-hub/nginx:1"),
        "wrong-cache-path",
        None,
        None,
    ),
    "not rolled out": (
        pod("web-7d4b9c-x", "busybox:1.37", owner=RS, **LABELS),
        "not-rolled-out",
        "apps/web.yaml:11:18",
        None,
    ),
    "not rolled out, an older version": (
        pod("web-7d4b9c-x", "busybox:1.36", owner=RS, **LABELS),
        "not-rolled-out",
        "apps/web.yaml:11:18",
        "Git says :1.37",
    ),
    "this line": (
        pod("web-7d4b9c-x", "docker.io/library/nginx:1.27", owner=RS, **LABELS),
        "line",
        "apps/web.yaml:9:18",
        None,
    ),
    "this line, in an old cluster": (
        pod(
            "web-2408421650-x",
            "docker.io/library/nginx:1.27",
            owner=("extensions/v1beta1", "ReplicaSet", "web-684c9bc6d"),
            labels={"pod-template-hash": "2408421650"},
        ),
        "line",
        "apps/web.yaml:9:18",
        None,
    ),
    "nobody's, in an old cluster": (
        pod("agent-x", "quay.io/org/agent:1", owner=("extensions/v1beta1", "DaemonSet", "agent")),
        "unknown",
        None,
        None,
    ),
    "a line that stays": (
        pod("web-7d4b9c-x", "quay.io/org/kept:1", owner=RS, **LABELS),
        "unknown",
        None,
        None,
    ),
    "this chart": (
        pod(
            "queue-7d4b9c-x",
            "valkey/valkey:8",
            owner=("apps/v1", "ReplicaSet", "queue-7d4b9c"),
            labels={"pod-template-hash": "7d4b9c", "app.kubernetes.io/instance": "queue"},
        ),
        "chart-default",
        "apps/queue.yaml:3:18",
        "HelmRelease shop/queue",
    ),
    "a controller, by its owner": (
        pod(
            "p-0",
            "quay.io/prometheus/prometheus:v3",
            namespace="monitoring",
            owner=("monitoring.coreos.com/v1", "Prometheus", "main"),
        ),
        "controller",
        "apps/prometheus.yaml:5:10",
        "Prometheus monitoring/main: spec.",
    ),
    "a controller, by a label": (
        pod(
            "prometheus-main-0",
            "quay.io/prometheus/prometheus:v3",
            namespace="monitoring",
            owner=("apps/v1", "StatefulSet", "prometheus-main"),
            labels={"prometheus": "main", "app.kubernetes.io/managed-by": "prometheus-operator"},
        ),
        "controller",
        "apps/prometheus.yaml:5:10",
        "Prometheus monitoring/main: spec.",
    ),
    "a controller that isn't known": (
        pod("x", "quay.io/org/made:1", owner=("example.com/v1", "Thing", "mine")),
        "controller",
        None,
        "Thing shop/mine: its controller's own settings",
    ),
    "injected": (
        pod(
            "web",
            "docker.io/istio/proxyv2:1.24",
            names=["istio-proxy"],
            annotations={"sidecar.istio.io/status": "{}"},
        ),
        "injected",
        None,
        "Istio injects it: global.hub, or global.proxy.image of the istiod chart",
    ),
    "a name alone isn't injected": (
        pod("web", "docker.io/istio/proxyv2:1.24", names=["istio-proxy"]),
        "unknown",
        None,
        None,
    ),
    "add-on": (
        pod("kube-proxy-x", "602401143452.dkr.ecr.eu-west-2.amazonaws.com/eks/kube-proxy:v1"),
        "eks-addon",
        None,
        None,
    ),
    "add-on of another Region": (
        pod("coredns", "877085696533.dkr.ecr.af-south-1.amazonaws.com/eks/coredns:v1"),
        "eks-addon",
        None,
        None,
    ),
    "another ECR": (
        pod("a", "111122223333.dkr.ecr.us-east-1.amazonaws.com/x:1"),
        "other-ecr",
        None,
        None,
    ),
    "nobody's": (pod("debug", "docker.io/library/alpine:3"), "unknown", None, None),
    "a static pod": (
        pod("etcd-n1", "registry.k8s.io/etcd:3", owner=("v1", "Node", "n1")),
        "unknown",
        None,
        "a static pod of the node n1",
    ),
    "no reference": (pod("a", "x//y:1"), "unknown", None, "invalid reference"),
}


@pytest.mark.parametrize("name", CAUSES)
def test_causes(tree: Path, name: str) -> None:
    """Each image has the one cause that fits, with the place in the repository."""
    item, cause, place, detail = CAUSES[name]

    done = audit(tree, item, more=("--format", "json"))

    (row,) = done.report["images"]
    assert (row["cause"], row["place"]) == (cause, place)
    if detail is None or name == "no reference":
        assert (row["detail"] is None) is (detail is None)
    elif not row["detail"].startswith(detail):
        assert row["detail"] == detail
    assert row["containers"] == 1
    assert done.code == 0


def test_pods_of_a_rendered_chart(tree: Path) -> None:
    """Pods as controllers make them of a chart's objects are its defaults, each of them."""
    rendered = SdkRenderer().render(
        load_chart(tree / "charts" / "queue"), {}, RenderOptions(name="queue", namespace="shop")
    )
    parts = [part for text in rendered.values() for part in split_manifest(text)]
    objects = [made for part in parts for made in pods_of(load_plain(part, "rendered"), "shop")]

    report = audit(tree, *objects, more=("--format", "json")).report
    only_pods = [item for item in objects if item["kind"] == "Pod"]
    guessed = audit(tree, *only_pods, more=("--format", "json")).report

    found = [
        (row["image"], row["cause"], row["workload"], row["containers"]) for row in report["images"]
    ]
    assert found == [
        ("docker.io/valkey/valkey:8", "chart-default", "Deployment/shop/queue", 2),
        ("ghcr.io/org/clean:1", "chart-default", "CronJob/shop/clean", 2),
        ("registry.k8s.io/metrics:1", "chart-default", "Deployment/shop/queue", 2),
    ]
    assert guessed == report


CLUSTER = (
    pod("web-7d4b9c-1", "nginx:1.27", "busybox:1.37", owner=RS, **LABELS),
    pod("web-7d4b9c-2", "nginx:1.27", "busybox:1.37", owner=RS, **LABELS),
    pod("done", "alpine:3") | {"status": {"phase": "Succeeded"}},
    pod("cached", f"{HOST}/quay/org/x:1", namespace="other"),
    node("n1", "nginx:1.27", "registry.k8s.io/pause:3.10"),
    waiting(
        "new", f"{HOST}/docker-hub/nginx:1", "ErrImagePull", "rpc error: code = NotFound: not found"
    ),
    {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "nightly", "namespace": "shop"},
        "spec": {
            "jobTemplate": {
                "spec": {"template": {"spec": {"containers": [{"image": "ghcr.io/org/night:1"}]}}}
            }
        },
    },
    {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": "old", "namespace": "shop"},
        "spec": {
            "replicas": 0,
            "template": {"spec": {"containers": [{"image": "ghcr.io/org/old:1"}]}},
        },
    },
)
TEXT = """\
cause                              containers  share
moved in Git, not rolled out yet            2   33 %
named in a file of the repository           2   33 %
a wrong path in the cache                   1   16 %
from the cache                              1   16 %

namespace  containers  from the cache
shop                5             0 %
other               1           100 %

upstream   containers  from the cache
docker.io           5             0 %
quay.io             1           100 %

a wrong path in the cache: 1 image in 1 container
  HOST/docker-hub/nginx:1 → HOST/docker-hub/library/nginx:1
    1 container of Pod/shop/new

moved in Git, not rolled out yet: 1 image in 2 containers
  busybox:1.37 → HOST/docker-hub/library/busybox:1.37
    apps/web.yaml:11:18
    2 containers of Deployment/shop/web

named in a file of the repository: 1 image in 2 containers
  nginx:1.27 → HOST/docker-hub/library/nginx:1.27
    apps/web.yaml:9:18
    2 containers of Deployment/shop/web

not found in Git: 2 images in 0 containers
  ghcr.io/org/night:1 → HOST/github/org/night:1
    CronJob/shop/nightly uses it, but no pod runs it now
  registry.k8s.io/pause:3.10 → HOST/k8s/pause:3.10
    kept by 1 node

pulls that fail:
  shop/new (c0): ErrImagePull: HOST/docker-hub/nginx:1
    the path is wrong and should be HOST/docker-hub/library/nginx

"""


def test_text(tree: Path) -> None:
    """The whole report for people, and its last line."""
    done = audit(tree, *CLUSTER)

    assert done.stdout.replace(HOST, "HOST") == TEXT
    assert done.stderr.endswith(
        "6 containers in 5 pods: 16 % from the cache, 4 from an upstream that has a rule, "
        "1 can't be pulled\n"
    )
    assert done.code == 0


def test_markdown(tree: Path) -> None:
    """The same as tables for a ticket."""
    done = audit(tree, *CLUSTER, more=("--format", "markdown", "--quiet"))

    lines = done.stdout.replace(HOST, "HOST").splitlines()
    assert lines[:4] == [
        "# Images of the cluster",
        "",
        "6 containers in 5 pods: 16 % from the cache.",
        "",
    ]
    assert "| docker.io | 5 | 0 % |" in lines
    assert "| `nginx:1.27` | line | apps/web.yaml:9:18; Deployment/shop/web | 2 |" in lines
    assert (
        "| shop/new (c0) | `HOST/docker-hub/nginx:1` | "
        "the path is wrong and should be HOST/docker-hub/library/nginx |"
    ) in lines


@pytest.mark.parametrize(
    ("objects", "code"),
    [
        (CLUSTER, 1),
        ((CLUSTER[3],), 0),
        ((pod("a", "nvcr.io/x:1"),), 0),
        ((node("n", "nginx:1"),), 0),
    ],
)
def test_strict(tree: Path, objects: tuple[Any, ...], code: int) -> None:
    """--strict fails while a running image with a rule comes from its upstream."""
    assert audit(tree, *objects, more=("--strict",)).code == code


def test_the_report_keeps_to_its_schema(tree: Path) -> None:
    """The JSON report validates, with and without an older one."""
    schema = Path(__file__).parent.parent.parent / "docs" / "schema" / "audit.json"
    done = audit(tree, *CLUSTER, more=("--format", "json"))
    (tree / "old.txt").write_text(done.stdout)
    more = audit(tree, CLUSTER[0], more=("--format", "json", "--since", "old.txt"))

    for report in (done.report, more.report):
        jsonschema.validate(report, json.loads(schema.read_text("utf-8")))
    assert more.report["changes"]


def test_since(tree: Path) -> None:
    """An older report says what came, went, and is another way now."""
    old = audit(tree, *CLUSTER[:2], pod("gone", "alpine:3"), more=("--format", "json")).stdout
    (tree / "old.txt").write_text(old)

    done = audit(
        tree,
        pod(
            "web-7d4b9c-1",
            "nginx:1.27",
            f"{HOST}/docker-hub/library/busybox:1.37",
            owner=RS,
            **LABELS,
        ),
        more=("--since", "old.txt", "--quiet"),
    )

    assert done.stdout.partition("since then: ")[2].replace(HOST, "HOST") == (
        "3 changes\n"
        "  HOST/docker-hub/library/busybox:1.37 (Deployment/shop/web): not there → cache\n"
        "  alpine:3 (Pod/shop/gone): unknown → not there\n"
        "  busybox:1.37 (Deployment/shop/web): not-rolled-out → not there\n\n"
    )


NGINX = f"{HOST}/docker-hub/library/nginx:1"
DIGEST = f"quay.io/a@sha256:{'429f404a' * 8}"
FAILURES = {
    "not found": (
        (NGINX, "ErrImagePull", "failed to resolve reference: not found"),
        "docker.io/library/nginx:1 isn't cached and wasn't fetched",
    ),
    "no rule": (
        (f"{HOST}/quay-mirror/x:1", "ImagePullBackOff", "manifest unknown"),
        "no rule covers quay-mirror/x",
    ),
    "forbidden": (
        (f"{HOST}/docker-hub/nginx:1", "ErrImagePull", "unexpected status: 403 Forbidden"),
        f"ECR denies it: the path is wrong and should be {HOST}/docker-hub/library/nginx",
    ),
    "import": (
        (NGINX, "ErrImagePull", "not authorized to perform: ecr:BatchImportUpstreamImage on"),
        "the node's role lacks ecr:BatchImportUpstreamImage for docker-hub/library/nginx",
    ),
    "action": (
        (NGINX, "ErrImagePull", "User x is not authorized to perform: ecr:BatchGetImage on y"),
        "the node's role lacks ecr:BatchGetImage for docker-hub/library/nginx",
    ),
    "no login": ((NGINX, "ErrImagePull", "no basic auth credentials"), "the node has no login"),
    "rate limit": (
        ("redis:7", "ErrImagePull", "429 Too Many Requests - toomanyrequests: reached"),
        f"the registry's rate limit is reached, which the cache would avoid: as {HOST}/docker-hub",
    ),
    "rate limit behind the cache": (
        (NGINX, "ErrImagePull", "toomanyrequests"),
        "docker.io's rate limit is reached: give the rule docker-hub a secret of a paid account",
    ),
    "digits of a name": (
        ("quay.io/a:1.429", "ErrImagePull", 'pull "quay.io/a:1.429@sha256:a404b": 403 Forbidden'),
        "the registry denies it",
    ),
    "digits of a digest": (
        (DIGEST, "ErrImagePull", f"failed to pull {DIGEST}: dial tcp 1.2.3.4:443: i/o timeout"),
        "the registry can't be reached",
    ),
    "route": ((NGINX, "ErrImagePull", "dial tcp 1.2.3.4:443: i/o timeout"), "the registry can't"),
    "platform": (
        (NGINX, "ErrImagePull", "no match for platform in manifest"),
        "the image isn't built",
    ),
    "name": (("x//y", "InvalidImageName", "couldn't parse"), "the image's name isn't valid"),
    "never": (("redis:7", "ErrImageNeverPull", ""), "the pod may not pull"),
    "anything": (("redis:7", "ErrImagePull", "something\n new"), "something new"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_failures(tree: Path, name: str) -> None:
    """A pull that fails is explained with the rule, permission or path that fits."""
    (image, reason, message), meaning = FAILURES[name]

    report = audit(tree, waiting("new", image, reason, message), more=("--format", "json")).report

    (failure,) = report["failures"]
    assert (failure["image"], failure["reason"]) == (image, reason)
    assert failure["meaning"].startswith(meaning)


def test_a_container_that_waits_for_another_reason(tree: Path) -> None:
    """Only what has to do with images is a failed pull."""
    report = audit(
        tree, waiting("new", NGINX, "CrashLoopBackOff", "back-off"), more=("--format", "json")
    ).report

    assert report["failures"] == []


FILES: list[tuple[bytes, int, str]] = [
    (b"", 3, "imageshift: pods.json: it isn't JSON: "),
    (b"[]", 3, "imageshift: pods.json: it contains no objects: "),
    (b"{}", 3, "imageshift: pods.json: it contains no list of objects"),
    (b"x", 3, "imageshift: pods.json: it isn't JSON: "),
    (b"[" * 100_000, 3, "imageshift: pods.json: it "),
    (b'{"items": 1}', 3, "imageshift: pods.json: it contains no objects: "),
    (b'{"items": [{"kind": "Pod", "spec": 1}]}', 3, "pods.json: $.items[0]: Expected `object"),
    (b'{"items": [1, {"kind": "Pod"}]}', 3, "pods.json: $.items[0]: Expected `object"),
    (b"\xff\xfe{", 3, "imageshift: pods.json: it isn't UTF-16: "),
    (b'{"kind": "List", "items": []}', 0, "0 containers in 0 pods: - from the cache"),
    (json.dumps(listing(pod("a", "x"))).encode("utf-16"), 0, "1 container in 1 pod"),
    (b"\xef\xbb\xbf" + json.dumps(listing(pod("a", "x"))).encode(), 0, "1 container in 1 pod"),
    (json.dumps(pod("a", "x")).encode(), 0, "1 container in 1 pod"),
    (json.dumps(listing(pod("a", "x")) | {"kind": "PodList"}).encode(), 0, "1 container in 1"),
    (b'{"kind": "PodList", "items": [{"spec": {"containers": [{"image": "x"}]}}]}', 0, "1 conta"),
]


@pytest.mark.parametrize(("content", "code", "said"), FILES)
def test_foreign_files(tree: Path, content: bytes, code: int, said: str) -> None:
    """Whatever stands in a file, the answer is a message with its place; the rest is told."""
    (tree / "pods.json").write_bytes(content)

    done = run(tree, "audit", "pods.json", "apps", *REGISTRY)

    assert done.code == code
    assert said in done.stderr


def test_several_files_and_stdin(tree: Path) -> None:
    """Files come first, then paths; a dash is standard input; one list is needed."""
    (tree / "a.json").write_text(json.dumps(listing(pod("a", "nginx:1.27"))))
    inside = json.dumps(listing(pod("b", "alpine:3")))

    done = run(tree, "audit", "a.json", "-", "apps", *REGISTRY, "--quiet", stdin=inside)
    none = run(tree, "audit", "apps", *REGISTRY)
    absent = run(tree, "audit", "none.json", *REGISTRY)

    assert "nginx:1.27" in done.stdout
    assert "alpine:3" in done.stdout
    assert (none.code, absent.code) == (2, 2)
    assert none.stderr.startswith("imageshift: no list of a cluster's objects is given\n  hint: ")


SIZE = int(os.environ.get("IMAGESHIFT_AUDIT_PODS", "2000"))


def test_no_standard_input(tree: Path) -> None:
    """A closed standard input holds no list, which is said."""
    command = (sys.executable, "-c", "from imageshift.cli import main; main()", "audit", "-")
    closed = ["/bin/sh", "-c", f"{shlex.join((*command, *REGISTRY))} <&-"]

    done = subprocess.run(closed, cwd=tree, capture_output=True, text=True, check=False)

    assert done.stderr.startswith("imageshift: stdin: it isn't JSON: ")
    assert done.returncode == 3


@pytest.mark.once
def test_large_lists_are_read_fast(tmp_path: Path) -> None:
    """An audit takes less than ten times what Python's json takes to load the file."""
    filler: dict[str, Any] = {
        "managedFields": [{"fieldsV1": {f"f:{n}": {"f:x": {}} for n in range(60)}}]
    }
    pods = [
        pod(f"p{n}", f"nginx:1.{n % 50}", owner=("apps/v1", "ReplicaSet", f"d{n % 99}"), **filler)
        for n in range(SIZE)
    ]
    (tmp_path / "pods.json").write_text(json.dumps(listing(*pods), indent=2))
    (tmp_path / "apps").mkdir()
    times = []
    for code in (
        "import json; json.load(open('pods.json'))",
        "from imageshift.cli import main; main()",
    ):
        arguments = ["audit", "pods.json", "apps", "--format", "json", *REGISTRY]
        start = time.process_time(), time.monotonic()
        subprocess.run(
            [sys.executable, "-c", code, *arguments], cwd=tmp_path, check=True, capture_output=True
        )
        times.append(time.monotonic() - start[1])

    # Starting the interpreter and the command is no part of it.
    assert times[1] < 10 * times[0] + 2
