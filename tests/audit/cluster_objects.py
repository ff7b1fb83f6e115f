"""Objects of a cluster as its controllers make them: pods with owners, labels and statuses."""

from collections.abc import Iterable
from typing import Any

__all__ = ["listing", "node", "pod", "pods_of", "waiting"]

Object = dict[str, Any]


def listing(*objects: Object) -> Object:
    """Return what `kubectl get … -o json` prints of objects."""
    return {"apiVersion": "v1", "kind": "List", "items": list(objects), "metadata": {}}


def pod(
    name: str,
    *images: str,
    namespace: str = "shop",
    owner: tuple[str, str, str] | None = None,
    names: Iterable[str] = (),
    **metadata: Any,
) -> Object:
    """Return a running pod; `owner` is apiVersion, kind and name, `names` its containers'."""
    called = [*names, *(f"c{number}" for number in range(len(images)))]
    containers = [{"name": n, "image": i} for n, i in zip(called, images, strict=False)]
    owned = {} if owner is None else {"ownerReferences": [_owner(*owner)]}
    states = [
        {**c, "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}} for c in containers
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, **owned, **metadata},
        "spec": {"containers": containers, "nodeName": "n1"},
        "status": {"phase": "Running", "containerStatuses": states},
    }


def _owner(version: str, kind: str, name: str) -> Object:
    return {"apiVersion": version, "kind": kind, "name": name, "controller": True, "uid": name}


def waiting(name: str, image: str, reason: str, message: str) -> Object:
    """Return a pod whose one container can't be pulled."""
    made = pod(name, image)
    state = {"waiting": {"reason": reason, "message": message}}
    made["status"] = {
        "phase": "Pending",
        "containerStatuses": [{"name": "c0", "image": image, "state": state}],
    }
    return made


def node(name: str, *images: str) -> Object:
    """Return a node that keeps images."""
    kept = [{"names": [image.split(":")[0] + "@sha256:" + "a" * 64, image]} for image in images]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name},
        "status": {"images": kept},
    }


def pods_of(workload: Object, namespace: str, replicas: int = 2) -> list[Object]:
    """Return what the controllers make of a rendered workload: ReplicaSets, Jobs and pods."""
    kind, name = workload["kind"], workload["metadata"]["name"]
    if kind == "Pod":
        return [workload | {"status": {"phase": "Running"}}]
    spec = workload["spec"]
    template = (spec["jobTemplate"]["spec"] if kind == "CronJob" else spec)["template"]
    labels = dict(template.get("metadata", {}).get("labels", {}))
    owner, made = (workload["apiVersion"], kind, name), []
    if kind in ("Deployment", "CronJob"):
        inner, suffix = ("ReplicaSet", "7d4b9c") if kind == "Deployment" else ("Job", "29384756")
        version = "apps/v1" if kind == "Deployment" else "batch/v1"
        labels |= {"pod-template-hash": suffix} if kind == "Deployment" else {}
        meta = {"name": f"{name}-{suffix}", "namespace": namespace}
        made.append(
            {
                "apiVersion": version,
                "kind": inner,
                "metadata": {**meta, "ownerReferences": [_owner(*owner)]},
                "spec": {"template": template},
            }
        )
        owner = (version, inner, meta["name"])
    for number in range(replicas):
        metadata = {"name": f"{owner[2]}-{number}", "namespace": namespace, "labels": labels}
        metadata |= {"ownerReferences": [_owner(*owner)]}
        spec = {key: value for key, value in template["spec"].items() if "ontainers" in key}
        made.append(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": metadata,
                "spec": spec,
                "status": {"phase": "Running"},
            }
        )
    return made
