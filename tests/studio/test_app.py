"""The studio as HTTP."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opened import ADDRESS, TOKEN, browser_of, make_run, open_session, stems

from specnmf.studio.app import make_app
from specnmf.studio.guard import MOST_BODY

PATHS = ("edit", "notes", "regions", "undo", "redo", "separate", "cancel", "save")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("song"))


@pytest.fixture(scope="module")
def session(run, tmp_path_factory):
    session = open_session(run, tmp_path_factory.mktemp("session") / "scratch")
    yield session
    session.close()


@pytest.fixture
def browser(session):
    return browser_of(session)


def revision(browser):
    return browser.get("state").json()["revision"]


def test_the_page_shows_the_run_and_may_talk_to_this_server_only(browser):
    answer = browser.get("")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert '"name":"viola"' in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_the_state_is_told(browser):
    answer = browser.get("state")
    assert answer.headers["content-type"] == "application/json"
    assert stems(answer.json()) == ["bass", "viola", "flute"]


def test_a_stem_is_heard_in_whole_and_in_parts(browser, run):
    expected = (run / "sources" / "bass.wav").read_bytes()
    whole = browser.get("audio/0")
    assert whole.headers["content-type"] == "audio/wav"
    assert whole.content == expected
    part = browser.get("audio/0", range="bytes=100-199")
    assert (part.status_code, part.content) == (206, expected[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(expected)}"
    assert browser.get("audio/0", range="bytes=999999999-").status_code == 416


def test_a_change_is_answered_by_the_state(browser):
    edits = {"merge": {"strings": ["bass", "viola"]}}
    answer = browser.post("edit", revision=revision(browser), edits=edits)
    assert answer.status_code == 200
    assert stems(answer.json()) == ["strings", "flute"]
    answer = browser.post("undo", revision=answer.json()["revision"])
    assert stems(answer.json()) == ["bass", "viola", "flute"]


def test_a_stale_change_is_answered_by_the_present_state(browser):
    answer = browser.post("edit", revision=revision(browser) - 1, edits={})
    assert answer.status_code == 409
    assert "another window" in answer.json()["error"]
    assert stems(answer.json()) == ["bass", "viola", "flute"]


def test_what_cannot_be_done_is_told_in_a_line(browser):
    edits = {"merge": {"a": ["nobody"]}}
    answer = browser.post("edit", revision=revision(browser), edits=edits)
    assert answer.status_code == 400
    (line,) = answer.json().values()
    assert "nobody" in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "nothing", 404),
        ("GET", "audio/99", 404),
        ("GET", "audio/-1", 404),
        ("GET", "audio/1.5", 404),
        ("GET", f"audio/{'9' * 5000}", 404),
        ("GET", "audio/..%2f..%2frun.json", 404),
        ("GET", "audio/0/", 404),
        ("GET", "run.json", 404),
        ("GET", "sources/bass.wav", 404),
        ("GET", "edit", 405),
        ("POST", "state", 405),
        ("PUT", "edit", 405),
        ("DELETE", "audio/0", 405),
        ("OPTIONS", "edit", 405),
        ("TRACE", "", 405),
        ("POST", "audio/0", 405),
    ],
)
def test_there_is_nothing_else(browser, method, path, status):
    answer = browser.request(method, path, json={} if method == "POST" else None)
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b"\xff", b'{"revision": NaN}', b"[" * 100_000]
)
@pytest.mark.parametrize("path", PATHS)
def test_what_is_no_message_is_refused(browser, path, content):
    kind = {"content-type": "application/json"}
    answer = browser.request("POST", path, content=content, headers=kind)
    assert answer.status_code == 400
    assert "JSON" in answer.json()["error"]


def test_a_body_that_is_too_large_is_not_read_to_its_end(session):
    """It comes in pieces, and says nothing of its size."""
    taken, sent = [], []

    async def receive():
        taken.append(1 << 20)
        return {"type": "http.request", "body": b" " * (1 << 20), "more_body": True}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": f"/{TOKEN}/edit", "query_string": b"",
        "headers": [
            (b"host", ADDRESS.url.removeprefix("http://").encode()),
            (b"origin", ADDRESS.url.encode()),
            (b"content-type", b"application/json"),
        ],
    }  # fmt: skip
    import asyncio

    asyncio.run(make_app(session, ADDRESS, TOKEN)(scope, receive, send))
    assert sent[0]["status"] == 413
    assert sum(taken) <= MOST_BODY + (2 << 20)


def test_a_bug_tells_the_client_nothing(browser, session, monkeypatch):
    def fail():
        raise KeyError("/secret/path")

    monkeypatch.setattr(session, "state", fail)
    answer = browser.get("state")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


def test_events_tell_what_happens(session):
    """The first event comes at once; the stream ends with the server."""
    import asyncio

    from specnmf.studio.app import _Studio

    ends = iter([False, False, True])

    async def listen():
        studio = _Studio(session, lambda: next(ends))
        return [event async for event in studio._events()]

    (event,) = asyncio.run(listen())
    told = json.loads(event.removeprefix("data: "))
    assert told == {"job": None, "revision": session.news()["revision"]}


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([1e308, -1, 1 << 70, "bass", "viola", "../x", "\0", "*", "1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["merge", "rename", "drop", "gain", "only", "start", "bass"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@settings(
    max_examples=60,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
    ],
)
@given(
    st.sampled_from([path for path in PATHS if path not in ("separate", "save")]),
    st.dictionaries(st.sampled_from(["edits", "notes", "regions"]), json_values),
)
def test_no_message_is_answered_by_an_error_of_the_server(browser, path, message):
    answer = browser.post(path, revision=revision(browser), **message)
    assert answer.status_code in (200, 400, 409)
    assert "Traceback" not in answer.text
