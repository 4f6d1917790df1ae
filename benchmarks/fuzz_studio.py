"""Send mutated requests to the studio's real server, and see what comes of it.

    python benchmarks/fuzz_studio.py [--requests N] [--seed N] [--seconds S]

A small run is opened by `specnmf open`, and requests that a page sends are mutated on
their way: paths, methods, headers, bodies, JSON and its sizes, HTTP itself. Beside the
run lies a file that no answer may hold. A finding is an answer with it, with a
traceback or with a status of 500; a request let in with another token, host or origin;
no answer within ``--patience`` seconds; a server that is dead, has written on stderr or
has changed a file elsewhere than where runs are saved. Request number i of a seed is
the same in every run, but for the token and the port. Prints a table, and ends with
status 1 if there was a finding.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from decompose import machine
from tables import table

import specnmf

#: What no answer may hold.
SECRET = "the file beside the run"

#: Where runs are saved; a run that is saved in place is another then.
SAVED = ("specnmf_edited/", "specnmf_out/song/")

#: Seconds after which a server that says nothing waits for more.
WAIT = 3.0

#: Findings that are printed.
SHOWN = 20

#: A request is mutated so often at most.
MOST_MUTATIONS = 4

#: Paths, and how often each is asked for; the last ones make the server work.
WEIGHTS = {
    "": 1, "state": 3, "audio/0": 6, "edit": 10, "notes": 10, "regions": 5, "undo": 3,
    "redo": 3, "cancel": 2, "save": 0.3, "separate": 0.1,
}  # fmt: skip

READ = ("", "state", "audio/0")

METHODS = ("GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get")

#: What leads out of places that trust names.
PATHS = (
    "../secret.txt", "..%2f..%2fsecret.txt", "%2e%2e/secret.txt", "/etc/passwd",
    "audio/../../secret.txt", "audio/%2e%2e%2fsecret.txt", "audio/-1", "audio/1e9",
    "audio/0%00.txt", "sources/bass.wav", "run.json", "..\\secret.txt", "%", "%zz",
    "%c0%ae%c0%ae/secret.txt", "audio/" + "9" * 4000, "a" * 9000, "//", ";", "audio/٣",
    "events/x", "\0",
)  # fmt: skip

TEXTS = (
    "", "bass", "viola", "flute", "rest", "*", "1", "../x", "/etc", "a/b", "\0", "\n",
    "\ud800", "<img src=x onerror=alert(1)>", "x" * 500, ".hidden", "CON", "{{script}}",
)  # fmt: skip

NUMBERS = (0, 1, -1, 0.5, 127, 128, 1e308, -1e308, 5e-324, 1 << 53, 1 << 70, 10**30)


@dataclass
class Request:
    """A request, and whether it is one of a page that has the link."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    trusted: bool = True

    def raw(self) -> bytes:
        """What goes over the line."""
        lines = [f"{self.method} {self.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        head = "\r\n".join(lines).encode("utf-8", errors="surrogatepass")
        return head + b"\r\n\r\n" + self.body


@dataclass
class Result:
    """What came of all requests."""

    statuses: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    slowest: float = 0.0
    seconds: float = 0.0


def main() -> int:
    """Fuzz, print, and return the exit status."""
    args = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        result = fuzz(Path(folder), args)
    print(machine(1), f"Seed {args.seed}.", end="\n\n")
    n = sum(result.statuses.values())
    rows = [[status, f"{count}"] for status, count in sorted(result.statuses.items())]
    print(table(["answer", "requests"], [*rows, ["all", f"{n}"]]))
    print(
        f"\n{result.seconds:.0f} s, the slowest answer {result.slowest:.2f} s, "
        f"{len(result.findings)} findings"
    )
    for finding in result.findings[:SHOWN]:
        print(f"- {finding}")
    return int(bool(result.findings))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1800, help="stop after that")
    parser.add_argument("--patience", type=float, default=30)
    return parser.parse_args()


def fuzz(folder: Path, args: argparse.Namespace) -> Result:
    """Open a run and send requests; what came of it."""
    _make_run(folder)
    (folder / "secret.txt").write_text(SECRET)
    before, result, began = _files(folder), Result(), time.monotonic()
    server = _Server(folder)
    try:
        for number in range(args.requests):
            rng = random.Random(f"{args.seed}:{number}")
            request = mutated(_request(server, rng), rng)
            for finding in server.findings(request, args.patience, result):
                result.findings.append(f"{number}: {finding}")
            if not server.alive or time.monotonic() - began > args.seconds:
                break
    finally:
        said = server.end()
    if said:
        result.findings.append(f"stderr: {said[-500:]!r}")
    after = _files(folder)
    for name in {**before, **after}:
        if before.get(name) != after.get(name) and not name.startswith(SAVED):
            result.findings.append(f"changed {name}")
    result.seconds = time.monotonic() - began
    return result


def _make_run(folder: Path) -> None:
    """A run of three tones in three stems."""
    sr, seconds = 22050, 1.5
    t = np.arange(round(sr * seconds)) / sr
    notes = [(50, "bass"), (69, "viola"), (76, "flute")]
    y = sum(0.2 * np.sin(2 * np.pi * 440 * 2 ** ((p - 69) / 12) * t) for p, _ in notes)
    specnmf.write(folder / "song.wav", specnmf.Audio(np.float32(y), sr))
    score = specnmf.Score(tuple(specnmf.Note(0.1, 1.2, p, part=n) for p, n in notes))
    specnmf.write_score(folder / "song.csv", score)
    command = [
        sys.executable,
        "-m",
        "specnmf",
        "separate",
        "song.wav",
        "--max-iter",
        "2",
    ]
    subprocess.run([*command, "--no-figures", "-q"], cwd=folder, check=True)


def _files(folder: Path) -> dict[str, bytes]:
    """What each file holds, by its name."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


class _Server:
    """The studio as a process."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "specnmf", "open", "specnmf_out/song", "-q"]
        self.process = subprocess.Popen(
            [*command, "--no-browser"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        assert self.process.stdout is not None
        link = self.process.stdout.readline().strip()
        self.host, self.token = link.removeprefix("http://").rstrip("/").split("/")
        self.port = int(self.host.partition(":")[2])
        self.revision = 0

    @property
    def alive(self) -> bool:
        """Whether the process is there."""
        return self.process.poll() is None

    def end(self) -> str:
        """End it as Ctrl-C does; what it has said."""
        self.process.send_signal(signal.SIGINT)
        try:
            _, said = self.process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return "does not end"
        status = self.process.returncode
        return f"{said}status {status}" if status else said

    def findings(self, request: Request, patience: float, result: Result) -> list[str]:
        """Send a request; what is wrong with what comes of it."""
        began = time.monotonic()
        try:
            answer = self._send(request.raw(), patience)
        except TimeoutError:
            return [f"no answer in {patience:g} s: {request.raw()[:300]!r}"]
        result.slowest = max(result.slowest, time.monotonic() - began)
        head, _, body = answer.partition(b"\r\n\r\n")
        status = head.split(b" ")[1].decode() if head.startswith(b"HTTP/") else "closed"
        result.statuses[status] += 1
        self._learn(status, body)
        found = []
        if status.startswith("5") and status != "503":
            found.append(status)
        if SECRET.encode() in answer or b"root:" in answer:
            found.append("a file that is none of the run's")
        if b"Traceback" in answer or b'File "' in answer:
            found.append("a traceback")
        if not request.trusted and status[:1] == "2":
            found.append(f"{status} for who has not the link")
        if not self.alive:
            found.append("the server is dead")
        return [f"{what}: {request.raw()[:300]!r}" for what in found]

    def _send(self, data: bytes, patience: float) -> bytes:
        """What comes back, until the server has said all.

        A server that waits for more of a request is told that there is none.
        """
        with socket.create_connection(("127.0.0.1", self.port), patience) as line:
            pieces: list[bytes] = []
            try:
                line.sendall(data)
                if not select.select([line], [], [], WAIT)[0]:
                    line.shutdown(socket.SHUT_WR)
                while piece := line.recv(1 << 16):
                    pieces.append(piece)
            except TimeoutError:
                raise
            except OSError:
                pass  # it was refused before all of it was read
            return b"".join(pieces)

    def _learn(self, status: str, body: bytes) -> None:
        """Know the revision, so that messages are not all stale."""
        if status in ("200", "409") and body.startswith(b"{"):
            content = json.loads(body)
            self.revision = content.get("revision", self.revision)


def _request(server: _Server, rng: random.Random) -> Request:
    """A request as a page sends it."""
    (path,) = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))
    headers = [("Host", server.host), ("Connection", "close")]
    where = f"/{server.token}/{path}"
    if path in READ:
        return Request("GET", where, headers)
    body = json.dumps({"revision": server.revision, **_message(path, rng)}).encode()
    headers += [
        ("Origin", f"http://{server.host}"),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
    ]
    return Request("POST", where, headers, body)


def _message(path: str, rng: random.Random) -> dict[str, Any]:
    """What a page says."""
    if path == "edit":
        some = rng.choice(
            [
                {"merge": {"strings": ["bass", "viola"]}},
                {"rename": {"bass": "cello"}, "gain": {"flute": -6}},
                {"drop": ["viola"], "order": ["flute"]},
                {},
            ]
        )
        return {"edits": some}
    if path == "notes":
        n = rng.randrange(4)
        starts = [round(rng.uniform(0, 1), 3) for _ in range(n)]
        columns = {"start": starts, "end": [s + 0.3 for s in starts]}
        return {"notes": {**columns, "pitch": [60] * n, "stem": [0] * n}}
    if path == "regions":
        return {"regions": [{"name": "bass", "start": 0.1, "end": 0.5}]}
    if path == "save":
        return {"name": rng.choice([None, "mine"]), "in_place": False}
    return {}


def mutated(request: Request, rng: random.Random) -> Request:
    """A request with some of its parts as they should not be."""
    for _ in range(rng.randint(0, MOST_MUTATIONS)):
        request = rng.choice(MUTATORS)(request, rng)
    return request


def _method(request: Request, rng: random.Random) -> Request:
    return replace(request, method=rng.choice(METHODS))


def _path(request: Request, rng: random.Random) -> Request:
    base = request.path.rpartition("/")[0] if rng.random() < 0.8 else ""
    return replace(request, path=f"{base}/{rng.choice(PATHS)}", trusted=False)


def _token(request: Request, rng: random.Random) -> Request:
    if not request.trusted:  # twice wrong may be right
        return request
    _, token, rest = [*request.path.split("/", 2), "", ""][:3]
    wrong = rng.choice([token[:-1], f"{token}x", token.swapcase(), "", token[::-1]])
    trusted = request.trusted and wrong == token
    return replace(request, path=f"/{wrong}/{rest}", trusted=trusted)


def _header(request: Request, rng: random.Random) -> Request:
    """Another header, or one with another value."""
    name, value, harmless = rng.choice(
        [
            ("Host", "evil.example", False),
            ("Host", "127.0.0.1", False),
            ("Origin", "http://evil.example", False),
            ("Origin", "null", False),
            ("Sec-Fetch-Site", "cross-site", False),
            ("Content-Type", "text/plain", False),
            ("Range", rng.choice(["bytes=0-9", "bytes=-5", "bytes=9-1", "x", "bytes="])
             + "," * rng.randrange(300), True),
            ("Range", "bytes=" + ",".join(f"{n}-{n}" for n in range(300)), True),
            ("If-Range", "x", True),
            ("Cookie", "a=" + "b" * rng.choice([10, 20_000]), True),
            ("X-Forwarded-Host", "evil.example", True),
            ("Content-Length", rng.choice(["-1", "5", "99999999999", "1" * 500]), True),
            ("Transfer-Encoding", rng.choice(["chunked", "gzip", "x"]), True),
            ("Expect", "100-continue", True),
            ("Upgrade", "websocket", True),
            ("Bad Name", "x", True),
        ]
    )  # fmt: skip
    kept = [each for each in request.headers if each[0] != name or rng.random() < 0.2]
    is_get = request.method in ("GET", "HEAD")
    only_posts = name in ("Origin", "Content-Type")
    trusted = request.trusted and (harmless or (is_get and only_posts))
    return replace(request, headers=[*kept, (name, value)], trusted=trusted)


def _bytes(request: Request, rng: random.Random) -> Request:
    """Bytes of a body flipped, cut or many."""
    data = bytearray(request.body or b"{}")
    what = rng.randrange(4)
    if what == 0:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif what == 1:
        del data[rng.randrange(len(data)) :]
    elif what == 2:
        data *= rng.choice([2, 1000])
    else:
        data = bytearray(rng.choice([b"[" * 50_000, b"\xff" * 99, b"9" * 9999, b"{}"]))
    return _with_body(request, bytes(data))


def _json(request: Request, rng: random.Random) -> Request:
    """A value somewhere in a message replaced by any other."""
    try:
        content = json.loads(request.body)
    except (ValueError, RecursionError):
        return request
    holder = {"": content}
    place: Any = holder
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = rng.choice(keys)
        inner = place[key]
        if not (isinstance(inner, dict | list) and inner and rng.random() < 0.8):
            break
        place = inner
    place[key] = _value(rng, 3)
    return _with_body(request, json.dumps(holder[""]).encode())


def _value(rng: random.Random, depth: int) -> Any:
    """Any value that JSON has, and some that it has not."""
    kinds = [
        lambda: rng.choice(TEXTS),
        lambda: rng.choice(NUMBERS),
        lambda: rng.choice([None, True, False, float("nan"), float("inf")]),
        lambda: [_value(rng, depth - 1) for _ in range(rng.randrange(4))],
        lambda: {rng.choice(TEXTS): _value(rng, depth - 1) for _ in range(3)},
        lambda: [rng.choice(NUMBERS)] * rng.choice([10, 20_000]),
    ]
    return rng.choice(kinds[: 6 if depth > 0 else 3])()


def _with_body(request: Request, body: bytes) -> Request:
    headers = [each for each in request.headers if each[0] != "Content-Length"]
    return replace(
        request, body=body, headers=[*headers, ("Content-Length", str(len(body)))]
    )


def _large(request: Request, rng: random.Random) -> Request:
    """A body about as large as one may be; seldom, for it takes time."""
    if rng.random() > 0.05:
        return request
    return _with_body(request, b" " * ((16 << 20) + rng.choice([-100, 1])))


#: What makes other requests of requests; what is there twice does so more often.
MUTATORS = (
    *(_method, _path, _token, _header, _header, _bytes),
    *(_json, _json, _json, _large),
)

if __name__ == "__main__":
    raise SystemExit(main())
