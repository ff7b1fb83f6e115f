"""Real registries on loopback: Debian's docker-registry, plain or as a cache of another one."""

import hashlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"


@dataclass
class OciRegistry:
    """A running registry: where it listens and stores, and the process itself."""

    host: str
    storage: Path
    process: "subprocess.Popen[bytes]"

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        self.process.wait(10)

    def push(self, repository: str, tag: str, text: str = "") -> str:
        """Push a small image and return its digest; another text makes another image."""
        return self._put(repository, tag, OCI_MANIFEST, self._image(repository, text))

    def push_index(self, repository: str, tag: str, platforms: list[str]) -> dict[str, str]:
        """Push an image for several platforms; return the digests by platform, the index by ``."""
        rows, digests = [], {}
        for platform in platforms:
            content = self._image(repository, platform)
            digest = "sha256:" + hashlib.sha256(content).hexdigest()
            self._put(repository, digest, OCI_MANIFEST, content)
            system, _, machine = platform.partition("/")
            named = {"os": system, "architecture": machine}
            rows.append(self._descriptor(content, OCI_MANIFEST) | {"platform": named})
            digests[platform] = digest
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": rows}
        return {**digests, "": self._put(repository, tag, OCI_INDEX, json.dumps(index).encode())}

    def has_stored(self, repository: str, digest: str) -> bool:
        """Whether the storage on disk links a manifest: what is cached, without asking."""
        links = self.storage / "docker/registry/v2/repositories" / repository
        return (links / "_manifests/revisions" / digest.replace(":", "/") / "link").is_file()

    def _image(self, repository: str, text: str) -> bytes:
        config = json.dumps({"architecture": "amd64", "os": "linux", "author": text}).encode()
        layer = f"layer {text}".encode()
        for blob in (config, layer):
            self._upload(repository, blob)
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": self._descriptor(config, "application/vnd.oci.image.config.v1+json"),
            "layers": [self._descriptor(layer, "application/vnd.oci.image.layer.v1.tar")],
        }
        return json.dumps(manifest).encode()

    def _descriptor(self, content: bytes, media_type: str) -> dict[str, Any]:
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def _upload(self, repository: str, content: bytes) -> None:
        started = urllib3.request("POST", f"http://{self.host}/v2/{repository}/blobs/uploads/")
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        location = started.headers["Location"]
        url = f"{location}{'&' if '?' in location else '?'}digest={digest}"
        headers = {"Content-Type": "application/octet-stream"}
        assert urllib3.request("PUT", url, body=content, headers=headers).status == 201

    def _put(self, repository: str, identifier: str, media_type: str, content: bytes) -> str:
        url = f"http://{self.host}/v2/{repository}/manifests/{identifier}"
        headers = {"Content-Type": media_type}
        response = urllib3.request("PUT", url, body=content, headers=headers)
        assert response.status == 201, response.data
        return str(response.headers["Docker-Content-Digest"])


@contextmanager
def serve_registry(
    folder: Path, *, cache_of: OciRegistry | None = None, login: str | None = None
) -> Iterator[OciRegistry]:
    """Run a registry on a free port; `login` is the text of an htpasswd file."""
    program = shutil.which("docker-registry")
    assert program is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    config = _config(folder, host, cache_of, login)
    folder.mkdir(parents=True)
    if login is not None:
        (folder / "htpasswd").write_text(login)
    (folder / "config.json").write_text(json.dumps(config))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, "serve", folder / "config.json"], stdout=log, stderr=log
        )
    registry = OciRegistry(host, folder / "storage", process)
    try:
        _wait(host)
        yield registry
    finally:
        registry.stop()


def _config(
    folder: Path, host: str, cache_of: OciRegistry | None, login: str | None
) -> dict[str, Any]:
    config: dict[str, Any] = {
        "version": "0.1",
        "log": {"level": "warn"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "storage")}},
        "http": {"addr": host},
    }
    if cache_of is not None:
        config["proxy"] = {"remoteurl": f"http://{cache_of.host}"}
    if login is not None:
        config["auth"] = {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}}
    return config


def _wait(host: str) -> None:
    for _ in range(200):
        try:
            urllib3.request("GET", f"http://{host}/v2/", retries=False, timeout=1)
        except urllib3.exceptions.HTTPError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"no registry at {host}")
