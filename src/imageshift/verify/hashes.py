"""The hash that kustomize puts behind the names of generated ConfigMaps and Secrets.

Follows kustomize's `api/internal/hasher` and kubectl's `pkg/util/hash`, from which it came.
"""

import hashlib
import json
from typing import Any

from imageshift.verify.model import Plain

__all__ = ["name_hash"]

_SPELLING = str.maketrans("013ae", "ghkmt")
_LENGTH = 10


def name_hash(data: Plain) -> str | None:
    """The suffix that a ConfigMap or Secret with this content gets; None for other kinds.

    The name itself doesn't count: kustomize hashes the object before it has one.
    """
    if data.get("kind") not in {"ConfigMap", "Secret"}:
        return None
    digest = hashlib.sha256(_encoded(data).encode()).hexdigest()
    return digest[:_LENGTH].translate(_SPELLING)


def _encoded(data: Plain) -> str:
    content: dict[str, Any] = {
        "kind": data["kind"],
        "name": "",
        "data": data.get("data", ""),
    }
    if data["kind"] == "Secret":
        content["type"] = data.get("type", "")
        if isinstance(data.get("stringData"), dict):
            content["stringData"] = data["stringData"]
    elif isinstance(data.get("binaryData"), dict):
        content["binaryData"] = data["binaryData"]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    # Go's encoder spells these so that JSON can stand in HTML.
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
