"""What a notebook shows: the page of a run, a player for stems, one for a recording.

A page is shown in a frame of its own, as `folium` shows its maps, for that is what
JupyterLab, the classic notebook and VS Code all do with a script and its style sheet.
The frame may run the page's script and nothing else: it is of another origin than the
notebook, whose kernel it cannot reach. Notebooks keep what they show in their file, so
what is larger than `MOST_BYTES` is linked to, or told.
"""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from specnmf.audio.recording import Audio
from specnmf.notation import counted
from specnmf.output.page.columns import Columns
from specnmf.output.page.contents import Shown, contents_with_sound
from specnmf.output.page.page import PAGE
from specnmf.output.page.render import as_script, render
from specnmf.output.page.sound import MOST_PAGE, make_plan, play
from specnmf.output.page.stems import Group, Stem
from specnmf.output.page.tracks import Mix, Track, track_of
from specnmf.score.notes import Score

#: What a notebook keeps of one player, in bytes, at most.
MOST_BYTES = 8_000_000

#: Pixels of the page's pictures and player, of a stem, and of a frame at most.
_PICTURES, _STEM, _HIGHEST = 700, 72, 960

#: Where the contents of a page are: no text in them has an end of an element.
_CONTENTS = re.compile(
    r'(?<=<script type="application/json" id="contents">).*?(?=</script>)', re.DOTALL
)


def run_html(folder: Path, report: Mapping[str, Any]) -> str:
    """The page of a run, as HTML for a notebook.

    Parameters
    ----------
    folder : path
        The run.
    report : mapping
        What its run.json says.
    """
    path = folder / PAGE
    if not path.is_file():
        return _told(f"{folder}: no {PAGE} to show; it was left out or is gone.")
    if path.stat().st_size > MOST_BYTES:
        size = f"{path.stat().st_size / 1e6:.0f} MB"
        return _linked(path, f"The page has {size}, too much for a notebook.")
    page = path.read_text("utf-8", errors="replace")
    found = _CONTENTS.search(page)
    try:
        contents = json.loads(found[0]) if found else {}
        linked = contents["sound"]["mode"] == "link"
        alone = as_script(_without_files(contents))
    except (ValueError, KeyError, TypeError, RecursionError):
        found = None
    if found is None:
        return _linked(path, "The page is not as specnmf wrote it.")
    if linked:
        return _linked(path, "The page plays sound from the files beside it.")
    page = page[: found.start()] + alone + page[found.end() :]
    lists = (report.get(key) or () for key in ("stems", "labels", "components"))
    return frame(page, max(map(len, lists)))


def _without_files(contents: dict[str, Any]) -> dict[str, Any]:
    """Contents that link to nothing: a frame without an address has no files beside."""
    groups = [
        {**group, "stems": [{**stem, "file": None} for stem in group["stems"]]}
        for group in contents["groups"]
    ]
    return {**contents, "groups": groups, "files": [], "mixes": []}


def stems_html(stems: Mapping[str, Any], notes: Score | None = None) -> str | None:
    """A player for sources in memory, as HTML for a notebook.

    Parameters
    ----------
    stems : mapping of str to Audio
        The sources.
    notes : Score, optional
        To show; the part of each is its source.

    Returns
    -------
    str or None
        None if something else than sound is among them, or there is nothing.
    """
    if not stems or not all(isinstance(each, Audio) for each in stems.values()):
        return None
    with TemporaryDirectory() as nothing:
        shown = InMemory.of(stems, notes or Score(()), Path(nothing))
        contents, sounds = contents_with_sound(shown, "ogg")
    contents["title"] = counted(len(stems), "stem")
    if not sounds:
        contents["sound"]["why"] = (
            f"So much sound takes more than the {MOST_BYTES // 1_000_000} MB that a "
            "notebook should hold; specnmf.write writes it to files."
        )
    return frame(render(contents, sounds).html, len(stems))


def audio_html(audio: Audio) -> str | None:
    """A browser's own player for a recording; None if it is too long for a notebook."""
    track = track_of(audio)
    plan = make_plan([track], "ogg", beside=_beside(0))
    columns = Columns(audio.n_samples, audio.sr)
    _, (played,) = play([track], plan, columns, beside=_beside(0))
    if played.data is None:
        return None
    source = f"data:audio/ogg;base64,{played.data}"
    return f'<audio controls preload="auto" src="{source}"></audio>'


@dataclass(frozen=True, kw_only=True, eq=False)
class InMemory(Shown):
    """Sources in memory, as if they were those of a run.

    Attributes
    ----------
    stems : mapping of str to Audio
        The sources.
    """

    stems: Mapping[str, Audio]

    @classmethod
    def of(cls, stems: Mapping[str, Audio], notes: Score, nothing: Path) -> InMemory:
        """Sources with their notes, and an empty folder for a run's."""
        first = next(iter(stems.values()))
        alike = [
            track_of(each)
            for each in stems.values()
            if (each.sr, each.n_channels) == (first.sr, first.n_channels)
        ]
        names = ("sr", "n_channels", "n_samples", "duration")
        report = {"audio": {name: getattr(Mix(alike), name) for name in names}}
        return cls(
            folder=nothing, report=report, sound=Mix(alike), notes=notes, stems=stems
        )

    @cached_property
    def groups(self) -> list[Group]:
        """One, of all sources."""
        return [Group("", [Stem(name=str(name)) for name in self.stems])]

    @cached_property
    def tracks(self) -> list[Track | None]:
        """The sound of each."""
        return [track_of(each) for each in self.stems.values()]

    @property
    def beside(self) -> int:
        """So many bytes that the rest is what a notebook should hold."""
        return _beside(super().beside)


def _beside(n_bytes: int) -> int:
    return MOST_PAGE - MOST_BYTES + n_bytes


def frame(page: str, n_stems: int) -> str:
    """A page in a frame that may run its script and reach nothing."""
    height = min(_HIGHEST, _PICTURES + _STEM * n_stems)
    return (
        f'<iframe srcdoc="{html.escape(page)}" sandbox="allow-scripts" '
        f'allow="autoplay" width="100%" height="{height}" '
        'style="border: 0; resize: vertical; overflow: auto"></iframe>'
    )


def _linked(path: Path, why: str) -> str:
    """A sentence, and a link to a page."""
    try:
        target = quote(Path(os.path.relpath(path)).as_posix())
    except ValueError:  # it is on another drive
        target = path.resolve().as_uri()
    name = html.escape(str(path))
    link = f'<a href="{html.escape(target)}" target="_blank">{name}</a>'
    return f"<p>{html.escape(why)} Open it in a browser: {link}</p>"


def _told(sentence: str) -> str:
    return f"<p>{html.escape(sentence)}</p>"
