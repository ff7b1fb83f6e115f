"""Servers on loopback that answer what a test wants, well or ill, and remember what they got."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

__all__ = ["Asked", "Page", "Web", "closed_port", "drip", "make_certificate", "page", "serve"]


@dataclass(frozen=True)
class Asked:
    """One request: its path with the query, its headers, and whether a TLS certificate came."""

    path: str
    headers: Mapping[str, str]
    certified: bool = False
    method: str = "GET"


Page = Callable[[BaseHTTPRequestHandler], None]
"""What answers one request."""


def page(
    body: bytes | str = b"", status: int = 200, headers: Mapping[str, str] | None = None
) -> Page:
    """Return a page with these contents."""
    data = body.encode() if isinstance(body, str) else body

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, text in (headers or {}).items():
            handler.send_header(name, text)
        if not {"content-length", "transfer-encoding"} & {n.lower() for n in headers or {}}:
            handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(data)

    return answer


def drip(begin: bytes, again: bytes, pause: float = 0.02) -> Page:
    """Return a page that begins with some bytes and then doesn't end before its server does."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.wfile.write(begin)
        while not handler.server.ended.wait(pause):  # type: ignore[attr-defined]
            handler.wfile.write(again)

    return answer


@dataclass
class Web:
    """A running server: where it is, what it serves (`*` is for all other paths), what it got."""

    pages: dict[str, Page]
    host: str = ""
    scheme: str = "http"
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"{self.scheme}://{self.host}"

    @property
    def paths(self) -> list[str]:
        """The paths it was asked for, in their order."""
        return [one.path for one in self.asked]

    @property
    def logins(self) -> list[str | None]:
        """The Authorization header of each request."""
        return [one.headers.get("authorization") for one in self.asked]


@contextmanager
def serve(
    pages: dict[str, Page] | None = None,
    *,
    address: str = "127.0.0.1",
    name: str | None = None,
    certificate: Path | None = None,
) -> Iterator[Web]:
    """Run a server; `name` is its host in URLs, a certificate makes it speak TLS."""
    web = Web({} if pages is None else pages, scheme="https" if certificate else "http")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given = {key.lower(): text for key, text in self.headers.items()}
            certified = isinstance(self.connection, ssl.SSLSocket) and bool(
                self.connection.getpeercert(binary_form=True)
            )
            web.asked.append(Asked(self.path, given, certified, self.command))
            path = self.path.partition("?")[0]
            answer = web.pages.get(path) or web.pages.get("*") or page(status=404)
            with suppress(OSError):
                answer(self)

        do_HEAD = do_GET  # noqa: N815 the library's name

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False
        ended = threading.Event()

        def handle_error(self, request: object, client_address: object) -> None:
            pass

    server = Server((address, 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    web.host = f"{name or address}:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield web
    finally:
        server.ended.set()
        server.shutdown()
        server.server_close()


def make_certificate(folder: Path, *names: str) -> Path:
    """Make a certificate that signs itself, for names and for 127.0.0.1, with its key."""
    path = folder / "certificate.pem"
    others = ",".join(["IP:127.0.0.1", "IP:127.0.0.2", *(f"DNS:{name}" for name in names)])
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=test", "-addext", f"subjectAltName={others}"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "alone.pem")]
    subprocess.run(command, check=True, capture_output=True)
    path.write_text((folder / "alone.pem").read_text() + (folder / "key.pem").read_text())
    return path


def closed_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
