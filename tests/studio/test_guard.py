"""What gets past the guard, and what does not."""

import json

import pytest
from opened import Browser
from starlette.responses import PlainTextResponse

from specnmf.errors import ParameterError
from specnmf.studio.address import Address, listen
from specnmf.studio.guard import MOST_BODY, Guard, new_token

LOCAL = Address("127.0.0.1", 8123)
TOKEN = "a-token"


async def echo(scope, receive, send):
    """An application that says which path it was asked for."""
    await PlainTextResponse(f"{scope['method']} {scope['path']}")(scope, receive, send)


def browser(address=LOCAL, **options):
    return Browser(Guard(echo, address, TOKEN, **options), address.url)


def post(**headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {"origin": LOCAL.url, "content-type": "application/json", **named}
    path = f"/{TOKEN}/edit"
    return browser().request("POST", path, content="{}", headers=sent)


def test_what_is_behind_the_token_is_all_that_is_seen():
    assert browser().get(f"/{TOKEN}/audio/3").text == "GET /audio/3"
    assert browser().get(f"/{TOKEN}/").text == "GET /"


@pytest.mark.parametrize(
    "path", ["/", "/x/", f"/{TOKEN}", f"/{TOKEN}x/", f"//{TOKEN}/", f"/x/{TOKEN}/"]
)
def test_without_the_token_nothing_is_there(path):
    answer = browser().get(path)
    assert answer.status_code == 404
    assert TOKEN not in answer.text
    assert "link" in answer.json()["error"]


@pytest.mark.parametrize("host", ["127.0.0.1:8123", "localhost:8123", "LOCALHOST:8123"])
def test_this_machine_may_be_called_by_its_names(host):
    assert browser().get(f"/{TOKEN}/", host=host).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example:8123", "127.0.0.1", "127.0.0.1:81", "127.0.0.1:8123.x", ""]
)
def test_a_rebound_name_is_refused(host):
    answer = browser().get(f"/{TOKEN}/", host=host)
    assert answer.status_code == 421


def test_another_host_answers_to_its_own_name_only():
    lan = Address("192.168.1.20", 8123)
    assert browser(lan).get(f"/{TOKEN}/").status_code == 200
    assert browser(lan).get(f"/{TOKEN}/", host="localhost:8123").status_code == 421


def test_a_change_comes_from_the_page_as_json():
    assert post().status_code == 200
    assert post(content_type="application/json; charset=utf-8").status_code == 200
    assert post(sec_fetch_site="same-origin").status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": None}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"origin": "https://127.0.0.1:8123"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"content_type": "text/plain"}, 415),
        ({"content_type": "application/x-www-form-urlencoded"}, 415),
        ({"content_type": None}, 415),
        ({"content_length": f"{MOST_BODY + 1}"}, 413),
        ({"content_length": "9" * 400}, 413),
    ],
)
def test_no_other_change_gets_in(headers, status):
    answer = post(**headers)
    assert answer.status_code == status
    assert "error" in answer.json()


def test_another_site_may_link_to_the_page_and_ask_for_nothing_else():
    visit = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert browser().get(f"/{TOKEN}/", **visit).status_code == 200
    assert browser().get(f"/{TOKEN}/state", **visit).status_code == 403
    quiet = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert browser().get(f"/{TOKEN}/audio/0", **quiet).status_code == 403


@pytest.mark.parametrize("path", [f"/{TOKEN}/", "/nowhere"])
def test_every_answer_has_the_headers_of_safety(path):
    headers = browser().get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "default-src 'none'" in headers["content-security-policy"]


def test_a_ticket_leads_to_the_page_once():
    visitor = browser(ticket="once")
    first = visitor.get("/once")
    assert first.status_code == 303
    assert first.headers["location"] == f"/{TOKEN}/"
    assert visitor.get("/once").status_code == 404


def test_a_ticket_is_not_taken_by_another_method_or_host():
    visitor = browser(ticket="once")
    assert visitor.request("HEAD", "/once").status_code == 404
    assert visitor.get("/once", host="evil.example:8123").status_code == 421
    assert visitor.get("/once").status_code == 303


def test_a_websocket_is_closed():
    sent = []

    async def send(message):
        sent.append(message)

    guard = Guard(echo, LOCAL, TOKEN)
    with pytest.raises(StopIteration):
        guard({"type": "websocket", "path": f"/{TOKEN}/"}, None, send).send(None)
    assert not sent


def test_tokens_are_long_and_never_the_same():
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 43


def test_a_free_port_is_taken():
    listening, address = listen("127.0.0.1", 0)
    with listening:
        assert address.port > 0
        assert address.url == f"http://127.0.0.1:{address.port}"
        with pytest.raises(ParameterError, match="the port is in use"):
            listen("127.0.0.1", address.port)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
def test_everywhere_is_no_address(host):
    with pytest.raises(ParameterError, match="the name or address"):
        listen(host, 0)


@pytest.mark.parametrize("host", ["203.0.113.7", "no such host", "a" * 300])
def test_a_host_that_is_not_here_is_named(host):
    with pytest.raises(ParameterError, match=host[:20]):
        listen(host, 0)


def test_ipv6_stands_in_brackets():
    address = Address("::1", 80)
    assert address.url == "http://[::1]:80"
    assert address.is_loopback
    assert {"[::1]", "[::1]:80", "localhost"} <= address.hosts


def test_errors_are_json():
    assert json.loads(post(origin="null").content)["error"]
