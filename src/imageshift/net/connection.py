"""Connections to addresses that were judged before; another thread can end them.

It imports urllib3, so it is itself imported only where something is asked.
"""

import socket
from contextlib import suppress
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection

from imageshift.net.credentials import Login
from imageshift.net.url import Url

__all__ = ["Connection", "connect_to"]


class Connection(HTTPConnection):
    """A connection to one of the given addresses; its host isn't looked up again."""

    addresses: tuple[str, ...] = ()
    # A second handle of the socket: it stays when TLS takes the first one over.
    _twin: socket.socket | None = None

    @property
    def is_made(self) -> bool:
        """Whether the server accepted it."""
        return self._twin is not None

    def _new_conn(self) -> socket.socket:
        made = self._first_answering()
        made.settimeout(self.timeout)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._twin = made.dup()
        return made

    def _first_answering(self) -> socket.socket:
        """A connection to the first address that answers, all within the time for one."""
        share = (self.timeout or 0) / len(self.addresses)
        for address in self.addresses[:-1]:
            with suppress(OSError):
                return socket.create_connection((address, self.port), share)
        return socket.create_connection((self.addresses[-1], self.port), share)

    def interrupt(self) -> None:
        """End the connection for whoever reads from it or writes to it."""
        if self._twin is not None:
            with suppress(OSError):
                self._twin.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """Close all."""
        self.close()
        if self._twin is not None:
            self._twin.close()


class _Encrypted(Connection, HTTPSConnection):
    """The same with TLS."""


def connect_to(url: Url, addresses: tuple[str, ...], login: Login, timeout: float) -> Connection:
    """A connection for one request; nothing is sent yet."""
    made: Connection
    if url.scheme == "http":
        made = Connection(url.host, url.port, timeout=timeout)
    else:
        made = _Encrypted(url.host, url.port, timeout=timeout, **_tls(login))
    made.addresses = addresses
    return made


def _tls(login: Login) -> dict[str, Any]:
    return {
        "cert_reqs": "CERT_NONE" if login.insecure else "CERT_REQUIRED",
        "ca_certs": login.ca_file,
        "cert_file": login.cert_file,
        "key_file": login.key_file,
    }
