"""The studio over HTTP: the route of each path."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from specnmf.errors import SpecnmfError
from specnmf.studio.address import Address
from specnmf.studio.guard import MOST_BODY, Guard, error_body, page_policy
from specnmf.studio.jobs import BusyError
from specnmf.studio.messages import read_message
from specnmf.studio.session import Session, StaleError

#: The most pages that receive events at a time: each keeps a connection open.
MOST_LISTENERS = 16

#: Seconds between two checks for events, and between signs of life.
LOOK, ALIVE = 0.15, 15.0

#: The time limit for a client to send a body, in seconds.
SLOWEST_BODY = 60.0


def make_app(
    session: Session,
    address: Address,
    token: str,
    *,
    ticket: str | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> ASGIApp:
    """The studio of a session, an ASGI application.

    Parameters
    ----------
    session : Session
        The session to serve.
    address : Address
        The address of the server.
    token : str
        The first part of each path.
    ticket : str, optional
        Opens the page once.
    stopping : callable
        Returns whether streams of events have to end.
    """
    studio = _Studio(session, stopping)
    changes = {
        "edit": session.change_edits,
        "notes": session.change_notes,
        "regions": session.change_regions,
        "undo": session.undo,
        "redo": session.redo,
        "separate": session.separate_again,
        "cancel": session.cancel,
        "save": session.save,
    }
    app = Starlette(
        routes=[
            Route("/", studio.page, methods=["GET"]),
            Route("/state", studio.state, methods=["GET"]),
            Route("/events", studio.events, methods=["GET"]),
            Route("/audio/{number}", studio.audio, methods=["GET"]),
            *(_change(path, session, change) for path, change in changes.items()),
        ],
        exception_handlers={
            HTTPException: _refused,
            SpecnmfError: _failed,
            ClientDisconnect: _gone,
            Exception: _unforeseen,
        },
    )
    app.router.redirect_slashes = False
    return Guard(app, address, token, ticket)


class _Studio:
    """The requests that read."""

    def __init__(self, session: Session, stopping: Callable[[], bool]) -> None:
        self.session, self.stopping = session, stopping
        self.listeners = 0

    async def page(self, request: Request) -> Response:
        """The page."""
        page = await run_in_threadpool(self.session.page)
        policy = page_policy(page.policy)
        headers = {"content-security-policy": policy}
        return Response(page.html, headers=headers, media_type="text/html")

    async def state(self, request: Request) -> Response:
        """The state of the session."""
        return _as_json(await run_in_threadpool(self.session.state))

    async def audio(self, request: Request) -> Response:
        """The sound of a number, or the requested part of it."""
        number = request.path_params["number"]
        if re.fullmatch("[0-9]{1,9}", number) is None:
            raise HTTPException(404, "no such audio")
        sound = await run_in_threadpool(self.session.sound, int(number))
        if sound is None:
            raise HTTPException(404, "no such audio")
        return FileResponse(sound.path, media_type=sound.media_type)

    async def events(self, request: Request) -> Response:
        """The stream of events."""
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        if self.listeners >= MOST_LISTENERS:
            raise HTTPException(503, f"expected at most {MOST_LISTENERS} open pages")
        return StreamingResponse(self._events(), media_type="text/event-stream")

    async def _events(self) -> AsyncIterator[str]:
        """Yield the changes since the last check."""
        self.listeners += 1
        told, silent, failure = "", 0.0, self.session.failure
        try:
            while not self.stopping():
                news = self.session.news()
                if self.session.failure != failure:
                    failure = self.session.failure
                    news["error"] = failure.reason
                text = json.dumps(news)
                if text != told:
                    told, silent = text, 0.0
                    yield f"data: {text}\n\n"
                elif silent > ALIVE:
                    silent = 0.0
                    yield ": alive\n\n"
                await asyncio.sleep(LOOK)
                silent += LOOK
        finally:
            self.listeners -= 1


def _change(
    path: str, session: Session, change: Callable[[Mapping[str, Any]], Any]
) -> Route:
    """The route of a change: JSON in, JSON out."""

    async def handle(request: Request) -> Response:
        body = await _body(request)

        def do() -> Response:
            try:
                return _as_json(change(read_message(body)))
            except (StaleError, BusyError) as error:
                conflict = error_body(str(error), session.state())
                return Response(conflict, 409, media_type="application/json")

        return await run_in_threadpool(do)

    return Route(f"/{path}", handle, methods=["POST"])


async def _body(request: Request) -> bytes:
    """The body of a request, if it is not too large and arrives in time."""
    body = bytearray()
    try:
        async with asyncio.timeout(SLOWEST_BODY):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BODY:
                    most = f"expected a body of at most {MOST_BODY >> 20} MB"
                    raise HTTPException(413, most, {"connection": "close"})
    except TimeoutError:
        raise HTTPException(408, "the request took too long") from None
    return bytes(body)


def _as_json(content: Any) -> Response:
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    data = text.encode(errors="backslashreplace")
    return Response(data, media_type="application/json")


def _error(status: int, reason: str) -> Response:
    return Response(error_body(reason), status, media_type="application/json")


async def _refused(request: Request, error: Exception) -> Response:
    """The response to an unknown path or method."""
    assert isinstance(error, HTTPException)
    response = _error(error.status_code, error.detail)
    response.headers.update(error.headers or {})
    return response


async def _failed(request: Request, error: Exception) -> Response:
    """The response to a request that cannot be fulfilled."""
    return _error(400, str(error))


async def _gone(request: Request, error: Exception) -> Response:
    """The response after the client has disconnected."""
    return _error(400, "the client has disconnected")


async def _unforeseen(request: Request, error: Exception) -> Response:
    """The response to a bug; the terminal has the details."""
    return _error(500, "internal error; the terminal shows the details")
