"""The network: one transport, one client of registries, and the logins for both.

Which requests are allowed, and which credentials they carry, is decided only here.
"""

from imageshift.net.credentials import Login, registry_login
from imageshift.net.registry import Registry
from imageshift.net.transport import Response, Transport

__all__ = ["Login", "Registry", "Response", "Transport", "registry_login"]
