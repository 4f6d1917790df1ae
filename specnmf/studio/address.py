"""The address of the studio: its socket, and the names under which it answers."""

from __future__ import annotations

import errno
import ipaddress
import socket
from dataclasses import dataclass

from specnmf.errors import ParameterError

#: The name of every machine for itself.
LOCALHOST = "localhost"


@dataclass(frozen=True)
class Address:
    """The host and port of the server.

    Attributes
    ----------
    host : str
        A name or an IP address, as given.
    port : int
        The port.
    """

    host: str
    port: int

    @property
    def url(self) -> str:
        """The start of each URL, without a slash at the end."""
        return f"http://{_bracketed(self.host)}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)

    @property
    def hosts(self) -> frozenset[str]:
        """The accepted values of the header ``Host``.

        Any other name that resolves to this server comes from an attacker who rebinds
        it (DNS rebinding). Port 80 is omitted in such headers.
        """
        names = {_bracketed(self.host).lower()}
        if self.is_loopback:
            names |= {LOCALHOST, "127.0.0.1", "[::1]"}
        bare = names if self.port == 80 else set()
        return frozenset({f"{name}:{self.port}" for name in names} | bare)

    @property
    def origins(self) -> frozenset[str]:
        """The accepted values of the header ``Origin``."""
        return frozenset(f"http://{host}" for host in self.hosts)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, reachable from itself only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == LOCALHOST


def listen(host: str, port: int) -> tuple[socket.socket, Address]:
    """A listening socket and its address; port 0 takes a free port.

    Raises
    ------
    ParameterError
        If the host is not this machine's, if the port is in use, or if the host is
        0.0.0.0 or ::, which is not a name that a browser can use.
    """
    _check_host(host)
    try:
        family, _, _, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        made = socket.create_server(place[:2], family=family)
    except (OSError, UnicodeError) as error:
        raise ParameterError(
            f"--host {host} --port {port}: {_reason(error)}"
        ) from error
    return made, Address(host, made.getsockname()[1])


def _check_host(host: str) -> None:
    """Raise ParameterError if a host is not a name, or stands for all addresses."""
    try:
        everywhere = ipaddress.ip_address(host).is_unspecified
    except ValueError:
        everywhere = False
    if everywhere or not host:
        raise ParameterError(
            f"--host: expected the name or address that browsers will use, such as "
            f"192.168.1.20, got {host or 'none'}"
        )


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return "the port is in use; use another one, or 0 for a free one"
    return str(getattr(error, "strerror", None) or error)


def _bracketed(host: str) -> str:
    """A host as in URLs: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host
