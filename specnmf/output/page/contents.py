"""The contents of the page of a run, from its folder, its sound and its notes.

The script of the page reads nothing else. The keys are those of
`specnmf.output.page.assembly.make_contents`.
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

#: Bytes per note in the contents.
NOTE_BYTES = 60

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """The data of a run that a page shows.

    Attributes
    ----------
    folder : path
        The run, with sources/ and factors.npz.
    report : mapping
        The content of its run.json, which is not trusted.
    sound : Audio or other Sound
        The recording.
    notes : Score
        The part of each is its stem.
    defaults : mapping, optional
        Defaults of the settings of its task.
    scores : mapping of str to mapping, optional
        Scores of stems in dB, by the names of their files without ending.
    means : mapping of str to float, optional
        Means of these scores.
    base : str
        The relative URL of the run from the page: empty, or ends in a slash.
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
        """The stems; for a run without stems, the recording and its voices."""
        found = read_groups(self.report, self.folder)
        if found:
            return found
        voices = heard_voices(self.report, self.notes.parts)
        return [Group("", [Stem(name=title(self.report)), *voices])]

    @cached_property
    def tracks(self) -> list[Track | None]:
        """The sound of each stem of all groups; None if there is none."""
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
        """The approximate size of all but the sound, in bytes."""
        return BESIDE + NOTE_BYTES * len(longest(self.notes))


def contents_with_sound(
    run: Shown,
    asked: ReportAudio,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> tuple[dict[str, Any], dict[str, str]]:
    """The contents of a page, and its embedded sound: base64 by element.

    Parameters
    ----------
    run : Shown
        The run.
    asked : {"ogg", "mp3", "link", "none"}
        The form of the sound.
    threads : int, optional
        None: one per core.
    progress : callable, optional
        Called with the numbers of finished and of all stems.
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
    """The location of each stem's sound, and the elements that hold it."""
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
    """The URL of a stem's file, relative to the page."""
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
    """The remark about stems without sound."""
    silent = sum(track is None for track in run.tracks)
    if not read_groups(run.report, run.folder) or not silent:
        return None
    if silent == len(run.tracks):
        return "No audio: the sources were not written (--no-sources)."
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

    The sound is linked (``link``). The picture is that of the recording, if the file is
    found and unchanged, else of the sum of the stems.

    Parameters
    ----------
    folder : path
        The run.
    recording : path, optional
        The recording, if it was moved; by default the path in run.json.
    threads : int, optional
        None: one per core.
    defaults : mapping, optional
        Defaults of the settings of its task.
    progress : callable, optional
        Called with the numbers of finished and of all stems.

    Raises
    ------
    OutputError
        If there is no run, or its stored data are damaged.
    AudioError
        If the file of a stem is damaged.
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
    """The content of a run's run.json, unchecked.

    Raises
    ------
    OutputError
        If there is none, or it is not a JSON object.
    """
    path = folder / REPORT
    if not path.is_file():
        raise OutputError(f"{folder}: not a run, {REPORT} is missing")
    try:
        report = json.loads(Finished(folder).content)
    except (ValueError, RecursionError) as error:
        raise OutputError(f"{path}: not valid JSON: {error}") from error
    if not isinstance(report, dict):
        raise OutputError(f"{path}: expected an object, got {type(report).__name__}")
    return report


def _recording(report: Mapping[str, Any], moved: Path | None) -> Sound | None:
    """The recording of a run, if it still exists or was moved."""
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
    except (SpecnmfError, OSError):  # then the stems are used
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
            f"{folder}: neither the recording nor a stem was found; "
            "give the present path of the recording with --input"
        )
    return Mix(alike)
