"""Where the studio is served: a socket of its own, and the names it answers to."""

from __future__ import annotations

import errno
import ipaddress
import socket
from dataclasses import dataclass

from specnmf.errors import ParameterError

#: The name that every machine has for itself.
LOCALHOST = "localhost"


@dataclass(frozen=True)
class Address:
    """A host and a port that are listened to.

    Attributes
    ----------
    host : str
        A name or an IP address, as it was asked for.
    port : int
        The port.
    """

    host: str
    port: int

    @property
    def url(self) -> str:
        """The beginning of each URL, without a slash at the end."""
        return f"http://{_bracketed(self.host)}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether no other machine can reach it."""
        return is_loopback(self.host)

    @property
    def hosts(self) -> frozenset[str]:
        """What a browser that means this server writes into the header ``Host``.

        Another name that leads here is an attacker's, who rebinds it (DNS rebinding).
        Port 80 is left out of such headers.
        """
        names = {_bracketed(self.host).lower()}
        if self.is_loopback:
            names |= {LOCALHOST, "127.0.0.1", "[::1]"}
        bare = names if self.port == 80 else set()
        return frozenset({f"{name}:{self.port}" for name in names} | bare)

    @property
    def origins(self) -> frozenset[str]:
        """What a page of this server writes into the header ``Origin``."""
        return frozenset(f"http://{host}" for host in self.hosts)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, seen from itself only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == LOCALHOST


def listen(host: str, port: int) -> tuple[socket.socket, Address]:
    """A socket that listens, and its address; port 0 takes a free one.

    Raises
    ------
    ParameterError
        If the host is not this machine's, or the port is taken; or if the host is
        0.0.0.0 or ::, for then nobody knows by which name it is to be called.
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
    """Raise ParameterError if a host is no name, or that of all at once."""
    try:
        everywhere = ipaddress.ip_address(host).is_unspecified
    except ValueError:
        everywhere = False
    if everywhere or not host:
        raise ParameterError(
            f"--host: expected the one name or address that browsers will use, got "
            f"{host or 'none'}; give this machine's, such as 192.168.1.20"
        )


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return "the port is taken; use another, or 0 for a free one"
    return str(getattr(error, "strerror", None) or error)


def _bracketed(host: str) -> str:
    """A host as URLs spell it: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host
