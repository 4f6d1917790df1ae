"""The contents of the page of a run: gathered from its folder, its sound and its notes.

All that the page shows is in them; the script in it reads nothing else. The keys are
those of `specnmf.output.page.assembly.make_contents`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from specnmf.audio.reading import load
from specnmf.audio.recording import Sound
from specnmf.errors import OutputError, SpecnmfError
from specnmf.output.options import ReportAudio
from specnmf.output.page.assembly import Heard, Material, as_url, make_contents, title
from specnmf.output.page.columns import Columns, as_levels
from specnmf.output.page.facts import number, table, tables
from specnmf.output.page.notes import longest
from specnmf.output.page.picture import Picture, picture_of
from specnmf.output.page.render import ELEMENT
from specnmf.output.page.sound import BESIDE, Plan, Played, make_plan, play
from specnmf.output.page.stems import Group, Stem, heard_voices, read_groups
from specnmf.output.page.templates import Template, templates_of
from specnmf.output.page.tracks import Mix, Track, track_of, tracks_of
from specnmf.output.products import REPORT, Finished, is_there, sha256
from specnmf.output.stored import FACTORS, read_factors, read_shown
from specnmf.score.notes import Score

#: Bytes that a note takes in the contents.
NOTE_BYTES = 60

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """A run, as far as a page shows it.

    Attributes
    ----------
    folder : path
        The run, with sources/ and factors.npz.
    report : mapping
        The content of its run.json, which anybody may have written.
    sound : Audio or other Sound
        The recording.
    notes : Score
        The part of each is its stem.
    defaults : mapping, optional
        Of the settings of its task.
    scores : mapping of str to mapping, optional
        Scores of stems in dB, by the names of their files without ending.
    means : mapping of str to float, optional
        Of these scores.
    base : str
        Where the run is as seen from the page: empty, or ends in a slash.
    """

    folder: Path
    report: Mapping[str, Any]
    sound: Sound
    notes: Score
    defaults: Mapping[str, Any] | None = None
    base: str = ""
    scores: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    means: Mapping[str, float | None] = field(default_factory=dict)

    @cached_property
    def groups(self) -> list[Group]:
        """The stems; of a run that makes none, the recording and the voices in it."""
        found = read_groups(self.report, self.folder)
        if found:
            return found
        voices = heard_voices(self.report, self.notes.parts)
        return [Group("", [Stem(name=title(self.report)), *voices])]

    @cached_property
    def tracks(self) -> list[Track | None]:
        """The sound of each stem, of all groups; None where there is none."""
        own = tracks_of(self.folder, self.groups)
        if not read_groups(self.report, self.folder):
            own[0] = track_of(self.sound)
        return own

    @property
    def columns(self) -> Columns:
        """The columns of the picture."""
        return Columns(self.sound.n_samples, self.sound.sr)

    @property
    def beside(self) -> int:
        """The bytes that all but the sound takes, about."""
        return BESIDE + NOTE_BYTES * len(longest(self.notes))


def contents_with_sound(
    run: Shown,
    asked: ReportAudio,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> tuple[dict[str, Any], dict[str, str]]:
    """The contents of a page, and the sound in it: base64 by the names of elements.

    Parameters
    ----------
    run : Shown
        What to show.
    asked : {"ogg", "mp3", "link", "none"}
        Where the sound is to be.
    threads : int, optional
        None: one a core.
    progress : callable, optional
        Called with the stems done and in all.
    """
    tracks = [track for track in run.tracks if track is not None]
    plan = make_plan(tracks, asked, beside=run.beside)
    plan, played = play(
        tracks,
        plan,
        run.columns,
        beside=run.beside,
        threads=threads,
        progress=progress,
    )
    heard, sounds = _heard(run, plan, played)
    picture = picture_of(run.sound, run.columns, threads=threads)
    return make_contents(_material(run, plan, heard, picture)), sounds


def _heard(
    run: Shown, plan: Plan, played: Sequence[Played]
) -> tuple[list[Heard], dict[str, str]]:
    """Where the sound of each stem is, and the elements that hold it."""
    levels, own = as_levels([each.power for each in played]), iter(played)
    rows, sounds, heard = iter(levels), {}, []
    for place, track in enumerate(run.tracks):
        if track is None:
            heard.append(Heard())
            continue
        each, row = next(own), next(rows)
        if each.data is not None:
            element = ELEMENT.format(place)
            sounds[element] = each.data
            heard.append(Heard(levels=row, element=element))
        else:
            heard.append(Heard(levels=row, url=_url(run, plan, track)))
    return heard, sounds


def _url(run: Shown, plan: Plan, track: Track) -> str | None:
    """Where the file of a stem is, as seen from the page."""
    if plan.mode != "link" or track.path is None:
        return None
    return as_url(run.base + track.path.relative_to(run.folder).as_posix())


def _material(
    run: Shown, plan: Plan, heard: Sequence[Heard], picture: Picture
) -> Material:
    return Material(
        folder=run.folder,
        report=run.report,
        groups=run.groups,
        heard=heard,
        mode=plan.mode,
        why=plan.why or _unheard(run),
        shown=run.notes,
        picture=picture,
        templates=_templates(run, picture),
        defaults=run.defaults,
        scores=run.scores,
        means=run.means,
        base=run.base,
    )


def _unheard(run: Shown) -> str | None:
    """What to say of stems without sound."""
    silent = sum(track is None for track in run.tracks)
    if not read_groups(run.report, run.folder) or not silent:
        return None
    if silent == len(run.tracks):
        return "The sources were not written (--no-sources), so there is no sound."
    return f"{silent} of {len(run.tracks)} stems were not written (--only)."


def _templates(run: Shown, picture: Picture) -> list[Template]:
    """The templates in factors.npz, if the run has any."""
    if not (run.folder / FACTORS).is_file():
        return []
    stored = read_factors(run.folder)
    components = tables(run.report.get("components"))
    return templates_of(
        stored.factors.W,
        stored.frequencies,
        stored.factors.labels,
        picture=picture,
        sr=run.sound.sr,
        pitches=[number(each.get("pitch")) for each in components],
        shares=[number(each.get("energy_share")) for each in components],
    )


def read_contents(
    folder: Path,
    *,
    recording: Path | None = None,
    threads: int | None = None,
    defaults: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The contents of the page of a finished run, from its folder alone.

    The sound is told as ``link``; the picture is that of the recording, if it is where
    run.json says and the file that it was, else of the sum of the stems.

    Parameters
    ----------
    folder : path
        The run.
    recording : path, optional
        Where the recording is; by default where run.json says.
    threads : int, optional
        None: one a core.
    defaults : mapping, optional
        Of the settings of its task.
    progress : callable, optional
        Called with the stems done and in all.

    Raises
    ------
    OutputError
        If there is no run, or what it has stored is damaged.
    AudioError
        If a file of a stem is.
    """
    run = read_run(folder, recording=recording, defaults=defaults)
    return contents_with_sound(run, "link", threads=threads, progress=progress)[0]


def read_run(
    folder: Path,
    *,
    recording: Path | None = None,
    defaults: Mapping[str, Any] | None = None,
    **more: Any,
) -> Shown:
    """A finished run, from its folder: see `read_contents`.

    ``more`` are further attributes of `Shown`.
    """
    report = read_report(folder)
    return Shown(
        folder=folder,
        report=report,
        sound=_recording(report, recording) or _sum(folder, report),
        notes=read_shown(folder),
        defaults=defaults,
        **more,
    )


def read_report(folder: Path) -> dict[str, Any]:
    """What the run.json of a run says, unchecked.

    Raises
    ------
    OutputError
        If there is none, or it is no JSON object.
    """
    path = folder / REPORT
    if not path.is_file():
        raise OutputError(f"{folder}: no run, {REPORT} is missing")
    try:
        report = json.loads(Finished(folder).content)
    except (ValueError, RecursionError) as error:
        raise OutputError(f"{path}: no valid JSON: {error}") from error
    if not isinstance(report, dict):
        raise OutputError(f"{path}: expected an object, got {type(report).__name__}")
    return report


def _recording(report: Mapping[str, Any], moved: Path | None) -> Sound | None:
    """The recording that a run was made from, if it is still there, or was moved."""
    entry = next(iter(tables(report.get("inputs"))), {})
    path, checksum = entry.get("path"), entry.get("sha256")
    path = path if moved is None else str(moved)
    if not isinstance(path, str) or not is_there(Path(path)):
        return None
    settings = table(report.get("settings"))
    start, duration = number(settings.get("start")), number(settings.get("duration"))
    try:
        if sha256(Path(path)) != checksum:
            return None
        return load(path, start=start or 0.0, duration=duration)
    except (SpecnmfError, OSError):  # then the stems have to do
        return None


def _sum(folder: Path, report: Mapping[str, Any]) -> Sound:
    """The sum of the stems of the first group that has any."""
    groups = read_groups(report, folder)
    tracks = [each for each in tracks_of(folder, groups[:1]) if each is not None]
    alike = [
        t
        for t in tracks
        if (t.sr, t.n_channels) == (tracks[0].sr, tracks[0].n_channels)
    ]
    if not alike:
        raise OutputError(
            f"{folder}: neither the recording nor any stem is there; "
            "say where the recording is now"
        )
    return Mix(alike)
