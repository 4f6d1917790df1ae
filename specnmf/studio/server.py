"""The studio's server: one port, few connections, a clean end."""

from __future__ import annotations

import socket
from collections.abc import Callable

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from specnmf.studio.address import Address
from specnmf.studio.app import make_app
from specnmf.studio.guard import new_token
from specnmf.studio.session import Session

#: The most requests at a time; a browser opens six connections, and one for events.
MOST_REQUESTS = 100

#: The most bytes in the line and the headers of a request.
MOST_HEADERS = 16 << 10

#: The time for running requests to end when the server stops, in seconds.
LAST_SECONDS = 3


def serve(
    session: Session,
    listening: socket.socket,
    address: Address,
    ready: Callable[[str, str], None],
) -> None:
    """Serve a session until SIGINT or SIGTERM, which is raised again at the end.

    Everyone with the link can hear and change the run.

    Parameters
    ----------
    session : Session
        The session.
    listening : socket
        The socket.
    address : Address
        Its address.
    ready : callable
        Called when the server is ready, with the link, and with a link for the browser
        that works once.
    """
    token, ticket = new_token(), new_token()
    app = make_app(
        session, address, token, ticket=ticket, stopping=lambda: server.should_exit
    )
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http=_Protocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="error",
        access_log=False,  # it would contain the token
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MOST_REQUESTS,
        backlog=MOST_REQUESTS,
        h11_max_incomplete_event_size=MOST_HEADERS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=LAST_SECONDS,
    )
    links = f"{address.url}/{token}/", f"{address.url}/{ticket}"
    server = _Server(config, lambda: ready(*links), session.cancel_all)
    server.run([listening])


class _Protocol(H11Protocol):
    """HTTP/1.1 that tolerates invalid data after a response."""

    def send_400_response(self, msg: str) -> None:
        """Reject an invalid request, unless a response was sent already."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()


class _Server(uvicorn.Server):
    """A server that reports when it is ready, and when it has to end."""

    def __init__(
        self,
        config: uvicorn.Config,
        ready: Callable[[], None],
        ending: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self.ready, self.ending = ready, ending

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer requests."""
        await super().startup(sockets)
        self.ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End running requests, and wait a little for them."""
        self.ending()
        await super().shutdown(sockets)
