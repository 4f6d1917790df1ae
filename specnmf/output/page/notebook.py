"""Display in notebooks: the page of a run, a player of stems, a player of a recording.

A page is shown in a frame of its own, as `folium` shows its maps, because that works in
JupyterLab, the classic notebook and VS Code. The frame may only run the page's script:
it has another origin than the notebook and cannot reach the kernel. Notebooks store
their output in the file, so pages larger than `MOST_BYTES` are linked or replaced by a
message.
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

#: The largest player in a notebook, in bytes.
MOST_BYTES = 8_000_000

#: Pixels of the page's pictures and player, of each stem, and the most of a frame.
_PICTURES, _STEM, _HIGHEST = 700, 72, 960

#: The contents in a page; no text in them contains the end of an element.
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
        The content of its run.json.
    """
    path = folder / PAGE
    if not path.is_file():
        return _told(
            f"{folder}: no {PAGE}; it was not written (--no-report) or was removed."
        )
    if path.stat().st_size > MOST_BYTES:
        size = f"{path.stat().st_size / 1e6:.0f} MB"
        return _linked(path, f"The page has {size}, which is too large for a notebook.")
    page = path.read_text("utf-8", errors="replace")
    found = _CONTENTS.search(page)
    try:
        contents = json.loads(found[0]) if found else {}
        linked = contents["sound"]["mode"] == "link"
        alone = as_script(_without_files(contents))
    except (ValueError, KeyError, TypeError, RecursionError):
        found = None
    if found is None:
        return _linked(path, "The page was changed since the run.")
    if linked:
        return _linked(path, "The page plays the audio files beside it.")
    page = page[: found.start()] + alone + page[found.end() :]
    lists = (report.get(key) or () for key in ("stems", "labels", "components"))
    return frame(page, max(map(len, lists)))


def _without_files(contents: dict[str, Any]) -> dict[str, Any]:
    """Contents without links: a frame without an address cannot reach files."""
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
        Notes to show; the part of each is its source.

    Returns
    -------
    str or None
        None if there are no sources, or one is not an `Audio`.
    """
    if not stems or not all(isinstance(each, Audio) for each in stems.values()):
        return None
    with TemporaryDirectory() as nothing:
        shown = InMemory.of(stems, notes or Score(()), Path(nothing))
        contents, sounds = contents_with_sound(shown, "ogg")
    contents["title"] = counted(len(stems), "stem")
    if not sounds:
        contents["sound"]["why"] = (
            f"The player would exceed {MOST_BYTES // 1_000_000} MB, which is too large "
            "for a notebook; use specnmf.write to write files."
        )
    return frame(render(contents, sounds).html, len(stems))


def audio_html(audio: Audio) -> str | None:
    """The browser's player for a recording; None if it is too long for a notebook."""
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
    """Sources in memory, in the form of a run.

    Attributes
    ----------
    stems : mapping of str to Audio
        The sources.
    """

    stems: Mapping[str, Audio]

    @classmethod
    def of(cls, stems: Mapping[str, Audio], notes: Score, nothing: Path) -> InMemory:
        """Sources with their notes, and an empty folder in place of a run's."""
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
        """One group with all sources."""
        return [Group("", [Stem(name=str(name)) for name in self.stems])]

    @cached_property
    def tracks(self) -> list[Track | None]:
        """The sound of each."""
        return [track_of(each) for each in self.stems.values()]

    @property
    def beside(self) -> int:
        """A size that leaves `MOST_BYTES` for the sound."""
        return _beside(super().beside)


def _beside(n_bytes: int) -> int:
    return MOST_PAGE - MOST_BYTES + n_bytes


def frame(page: str, n_stems: int) -> str:
    """A page in a frame that may run its script only."""
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
