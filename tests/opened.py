"""A small run, and the studio with it, as the tests of the studio open it."""

import asyncio
from pathlib import Path

import drum_loops
import httpx
import numpy as np
from harmonic_tones import SR, tone
from runs import separate

import specnmf
from specnmf import Note, Score, ScoreSettings
from specnmf.methods.drums.hits import as_score
from specnmf.studio.address import Address
from specnmf.studio.app import make_app
from specnmf.studio.session import Place, Session

TOKEN = "token"
ADDRESS = Address("127.0.0.1", 8123)

#: Who plays what, and when.
NOTES = (
    Note(0.1, 1.3, 50, part="bass"),
    Note(0.2, 0.5, 69, part="viola"),
    Note(0.8, 0.6, 76, part="flute"),
)
SECONDS = 1.5


def make_song(folder):
    """A song of three tones, and its score beside it."""
    tones = [
        tone(n.pitch, n.start, n.start + n.duration, duration=SECONDS) for n in NOTES
    ]
    path = folder / "song.wav"
    specnmf.write(path, specnmf.Audio((0.2 * sum(tones)).astype(np.float32), SR))
    specnmf.write_score(path.with_suffix(".csv"), Score(NOTES))
    return path


def make_run(folder, **options):
    """The song in its stems: bass, viola, flute."""
    song = make_song(folder)
    settings = {"max_iter": 3, "figures": False, "align": "never", **options}
    score = song.with_suffix(".csv")
    output = folder / "specnmf_out"
    return separate(song, score, ScoreSettings(**settings), output=output).folder


def make_drum_run(folder):
    """A loop of kick, snare and hihat in its stems, by a score and a kit."""
    specnmf.write(folder / "loop.wav", drum_loops.loop())
    score = as_score(drum_loops.hits(), np.ones(len(drum_loops.hits())))
    specnmf.write_score(folder / "loop.mid", score)
    (folder / "kit").mkdir()
    for drum in ("kick", "snare", "hihat"):
        sound = specnmf.Audio(0.5 * drum_loops.stroke(drum), drum_loops.SR)
        specnmf.write(folder / "kit" / f"{drum}.wav", sound)
    return specnmf.drums(
        folder / "loop.wav",
        score=folder / "loop.mid",
        kit=folder / "kit",
        max_iter=3,
        hpss=False,
        figures=False,
        output=folder / "out",
    ).folder


def open_session(run, scratch, **more):
    """A session with a run; it is saved beside the scratch."""
    scratch.mkdir(exist_ok=True)
    output = Path(scratch).parent / "edited"
    place = Place(folder=run, scratch=scratch, output=output, command="open", **more)
    return Session(place)


class Browser:
    """Sends requests to an application, without a network.

    ``headers`` go along with each; what is None is left out.
    """

    def __init__(self, app, url, **headers):
        self.app, self.url, self.headers = app, url, headers

    def request(self, method, path, *, content=None, json=None, headers=None):
        """The answer to a request."""
        sent = {**self.headers, **(headers or {})}
        sent = {name: value for name, value in sent.items() if value is not None}

        async def ask():
            own = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=own, base_url=self.url) as client:
                return await client.request(
                    method, path, content=content, json=json, headers=sent
                )

        return asyncio.run(ask())

    def get(self, path, **headers):
        """The answer to GET."""
        return self.request("GET", path, headers=headers)

    def post(self, path, **message):
        """The answer to a message."""
        return self.request("POST", path, json=message)


def browser_of(session):
    """A browser that has the link."""
    app = make_app(session, ADDRESS, TOKEN)
    return Browser(app, f"{ADDRESS.url}/{TOKEN}/", origin=ADDRESS.url)


def stems(state):
    """The names of the stems that a state shows."""
    groups = state["contents"]["groups"]
    return [stem["name"] for group in groups for stem in group["stems"]]
