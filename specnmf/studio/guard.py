"""Access control of the studio: only pages that it served itself get in.

Any open web page can send requests to 127.0.0.1. So a request must

- name this server as its host, as protection against DNS rebinding,
- start its path with a random token, which only holders of the link know,
- if it changes anything: come from a page of this server (``Origin``,
  ``Sec-Fetch-Site``), as JSON, of bounded size.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from specnmf.studio.address import Address

#: The largest body of a request: 100 000 notes take 6 million bytes.
MOST_BODY = 16 << 20

#: Accepted values of ``Sec-Fetch-Site``; programs other than browsers send none.
_OWN_SITES = frozenset({"same-origin", "none"})

#: Headers of every response. No part of a run is cached, shown in a frame or read by
#: another page, and the link, which contains the token, is not passed on.
HEADERS = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}

#: The policy of responses that are not a page.
_NO_PAGE = "default-src 'none'; frame-ancestors 'none'"


class Refusal(NamedTuple):
    """The refusal of a request, with its reason."""

    status: int
    reason: str
    location: str | None = None  #: A redirection.


def new_token() -> str:
    """An unguessable string of 256 bits, valid in URLs."""
    return secrets.token_urlsafe(32)


class Guard:
    """ASGI middleware that passes accepted requests on, without the token in the path.

    Parameters
    ----------
    app : ASGI application
        The studio.
    address : Address
        The address of the server.
    token : str
        The first part of each path.
    ticket : str, optional
        Redirects to the token once: the command that starts a browser is visible to all
        users of the machine.
    """

    def __init__(
        self, app: ASGIApp, address: Address, token: str, ticket: str | None = None
    ) -> None:
        self.app, self.address, self.token = app, address, token
        self.ticket = ticket

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            return  # websockets that are not accepted are closed
        send, path = _with_headers(send), self._path_behind_token(scope["path"])
        refusal = self._refusal(Headers(scope=scope), scope["method"], path)
        if refusal is not None:
            if refusal.status == 404 and self._takes_ticket(scope):
                refusal = Refusal(303, "this way", f"/{self.token}/")
            await _refuse(refusal, send)
            return
        inner = {**scope, "path": path, "raw_path": str(path).encode()}
        await self.app({**inner, "root_path": ""}, receive, send)

    def _path_behind_token(self, path: str) -> str | None:
        """The path after the token, from its slash on; None if the token is wrong.

        The comparison takes constant time.
        """
        token, slash, rest = path.removeprefix("/").partition("/")
        sent = token.encode(errors="surrogatepass")
        known = secrets.compare_digest(sent, self.token.encode())
        return f"/{rest}" if known and slash else None

    def _takes_ticket(self, scope: Scope) -> bool:
        """Whether a request has the ticket, which is then used up."""
        sent = scope["path"].encode(errors="surrogatepass")
        known = self.ticket is not None and secrets.compare_digest(
            sent, f"/{self.ticket}".encode()
        )
        if known and scope["method"] == "GET":
            self.ticket = None
            return True
        return False

    def _refusal(
        self, headers: Headers, method: str, path: str | None
    ) -> Refusal | None:
        """The refusal of a request; None: it is accepted."""
        if not _one_of(headers, "host", self.address.hosts):
            return Refusal(421, "wrong host name; use the link that the terminal shows")
        if path is None:
            return Refusal(404, "no such page; use the link that the terminal shows")
        sites, mode = headers.getlist("sec-fetch-site"), headers.get("sec-fetch-mode")
        is_visit = method == "GET" and mode == "navigate" and path == "/"
        if not _OWN_SITES.issuperset(sites) and not is_visit:
            return Refusal(403, "request from another site")
        return self._refused_change(headers) if method == "POST" else None

    def _refused_change(self, headers: Headers) -> Refusal | None:
        """The refusal of a request that changes something; None: it is accepted."""
        if not _one_of(headers, "origin", self.address.origins):
            return Refusal(403, "changes must come from the page of this server")
        kinds = headers.getlist("content-type")
        types = [kind.partition(";")[0].strip().lower() for kind in kinds]
        if types != ["application/json"]:
            return Refusal(415, "expected a body of application/json")
        length = headers.get("content-length", "0")
        if length.isascii() and length.isdigit() and int(length[:20]) > MOST_BODY:
            return Refusal(413, f"expected a body of at most {MOST_BODY >> 20} MB")
        return None


def page_policy(policy: str) -> str:
    """The policy of a page, with the ban on frames that only a header can set."""
    return f"{policy}; frame-ancestors 'none'"


def error_body(reason: str, more: Mapping[str, object] | None = None) -> bytes:
    """The body of an error response: one line, as JSON."""
    return json.dumps({"error": reason, **(more or {})}).encode()


def _one_of(headers: Headers, name: str, known: Iterable[str]) -> bool:
    """Whether a header occurs once, with one of these values."""
    found = headers.getlist(name)
    return len(found) == 1 and found[0].lower() in known


def _with_headers(send: Send) -> Send:
    """A ``send`` that adds the security headers."""

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("content-security-policy", _NO_PAGE)
        await send(message)

    return guarded


async def _refuse(refusal: Refusal, send: Send) -> None:
    body = error_body(refusal.reason)
    size = str(len(body)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", size)]
    if refusal.location is not None:
        headers.append((b"location", refusal.location.encode()))
    start = {"type": "http.response.start", "status": refusal.status}
    await send({**start, "headers": headers})
    await send({"type": "http.response.body", "body": body})
