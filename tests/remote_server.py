"""A server on loopback for what kustomize fetches: Git repositories, and plain files.

Git talks its own protocol over HTTP, through `git http-backend`; kustomize 5.7 fetches shallowly,
which plain files can't answer.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

__all__ = ["commit", "serving"]

_SETTINGS = ("user.name=n", "user.email=n@example.org", "commit.gpgsign=false")


def commit(repository: Path, files: dict[str, str]) -> None:
    """Write files into a Git repository, made where there is none, and commit them to main."""
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    for name, text in files.items():
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run(["git", *settings, *arguments], cwd=repository, check=True)


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a server of a folder: `NAME/.git/…` is a repository, all else plain files."""

    class Handler(_Handler):
        root = folder

        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(SimpleHTTPRequestHandler):
    root = Path()

    def do_GET(self) -> None:
        """Answer Git, or send a file."""
        if ".git/" in self.path:
            self._git()
        else:
            super().do_GET()

    def do_POST(self) -> None:
        """Answer Git."""
        self._git()

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""

    def _git(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        environment = {
            **os.environ,
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        run = subprocess.run(
            ["git", "http-backend"], input=body, env=environment, check=True, capture_output=True
        )
        head, _, content = run.stdout.partition(b"\r\n\r\n")
        said = re.search(rb"^Status: (\d+)", head, re.MULTILINE)
        status = said[1] if said else b"200"
        self.wfile.write(b"HTTP/1.0 " + status + b" \r\n" + head + b"\r\n\r\n" + content)
