"""The sound of a page: embedded Ogg or MP3, links to files, or none.

The quality, and whether the sound fits, is decided for all stems together from their
lengths, before the first is encoded. libsndfile gets blocks of at most 65 536 samples:
it crashes if Vorbis gets more at once.
"""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Lock

from specnmf.audio.recording import Float32
from specnmf.audio.writing import MP3_RATES
from specnmf.output.options import ReportAudio
from specnmf.output.page.columns import Columns, Float64, Loudness
from specnmf.output.page.ogg import with_fixed_serial
from specnmf.output.page.tracks import MOST_CHANNELS, Track, mixed_down
from specnmf.parallel import cut, workers

#: The largest size of a page, in bytes, and the reserve for all but the sound.
MOST_PAGE, BESIDE = 25_000_000, 2_500_000

#: The largest size of decoded stems in a browser, where a sample has four bytes.
MOST_DECODED = 1_500_000_000

#: Samples encoded at a time.
MOST_ENCODED = 1 << 16

#: Sample rates of Vorbis in browsers, in Hz. libsndfile crashes beyond 200 000.
VORBIS_RATES = (8000, 192_000)

#: The qualities of each format, from the best: libsndfile's compression level, and the
#: bits per second of a stem with one channel, and with two, at 44.1 kHz. These are
#: means of 22 stems and songs; less for the lowest quality, as it is tried last, and
#: components need about half as much.
QUALITIES = {
    "ogg": (
        (0.6, (60_000, 124_000)),
        (0.8, (48_000, 86_000)),
        (1.0, (26_000, 40_000)),
    ),
    "mp3": (
        (0.5, (50_000, 108_000)),
        (0.8, (39_000, 78_000)),
        (0.95, (30_000, 50_000)),
    ),
}

_CODECS = {
    "ogg": {"format": "OGG", "subtype": "VORBIS"},
    "mp3": {
        "format": "MP3",
        "subtype": "MPEG_LAYER_III",
        "bitrate_mode": "VARIABLE",
    },
}


@dataclass(frozen=True)
class Plan:
    """The form of the sound of a page.

    Attributes
    ----------
    mode : {"ogg", "mp3", "link", "none"}
        Embedded as Ogg or MP3, linked, or none.
    why : str or None
        The reason, if that is not the requested form.
    levels : tuple of float
        Compression levels to try, from the best; empty: files as they are.
    """

    mode: ReportAudio
    why: str | None = None
    levels: tuple[float, ...] = ()

    @property
    def embedded(self) -> bool:
        """Whether the sound is embedded."""
        return self.mode in ("ogg", "mp3")


def make_plan(tracks: Sequence[Track], asked: ReportAudio, *, beside: int) -> Plan:
    """The form of the sound of stems in a page.

    Parameters
    ----------
    tracks : sequence of Track
        The stems with sound.
    asked : {"ogg", "mp3", "link", "none"}
        The requested form.
    beside : int
        The size of all else in the page, in bytes.
    """
    if asked == "none" or not tracks:
        return Plan("none")
    if asked == "link":
        return _linked(tracks, None)
    room = (MOST_PAGE - beside) * 3 // 4
    if not _is_decodable(tracks):
        return _linked(
            tracks,
            f"{_minutes(tracks)} of stems need more than {MOST_DECODED / 1e9:.1f} GB "
            "in a browser, so they are played from their files.",
        )
    ready = {each.suffix for each in tracks}
    if ready <= {*_CODECS} and sum(each.n_bytes for each in tracks) <= room:
        return Plan("ogg" if "ogg" in ready else "mp3", _as_they_are(ready, asked))
    return _encoded(tracks, asked, room)


def _encoded(tracks: Sequence[Track], asked: ReportAudio, room: int) -> Plan:
    """The encoding of stems, if there is enough room."""
    format, why = _format(tracks, asked)
    low, high = VORBIS_RATES
    odd = [each.sr for each in tracks if not low <= each.sr <= high]
    if odd:
        return _linked(
            tracks,
            f"Audio at {odd[0]} Hz cannot be embedded ({low} to {high} Hz can), so it "
            "is played from its files.",
        )
    levels = [
        level
        for level, rates in QUALITIES[format]
        if sum(_bits(each, rates) for each in tracks) / 8 <= room
    ]
    if not levels:
        return _linked(tracks, _too_long(tracks))
    wide = max(each.n_channels for each in tracks)
    if wide > MOST_CHANNELS and why is None:
        why = f"The {wide} channels are mixed down to two for this page."
    return Plan(format, why, tuple(levels))


def _bits(track: Track, rates: tuple[int, int]) -> float:
    """The approximate bits of a stem: more at a higher sample rate."""
    scale = max(0.5, min(1.5, track.sr / 44_100))
    return track.duration * rates[track.width - 1] * scale


def _format(
    tracks: Sequence[Track], asked: ReportAudio
) -> tuple[ReportAudio, str | None]:
    """The format for the stems, and the reason if it is not the requested one."""
    odd = [each.sr for each in tracks if each.sr not in MP3_RATES]
    if asked == "mp3" and odd:
        return "ogg", f"MP3 does not support {odd[0]} Hz, so the page uses Ogg."
    return asked, None


def _as_they_are(ready: set[str], asked: ReportAudio) -> str | None:
    if ready == {asked}:
        return None
    kinds = " and ".join(each.upper() if each == "mp3" else "Ogg" for each in ready)
    return f"The stems are {kinds} files and are embedded unchanged."


def _too_long(tracks: Sequence[Track]) -> str:
    return (
        f"{_minutes(tracks)} of stems do not fit into a page of "
        f"{MOST_PAGE // 1_000_000} MB, so they are played from their files."
    )


def _minutes(tracks: Sequence[Track]) -> str:
    return f"{sum(each.duration for each in tracks) / 60:.0f} minutes"


def _is_decodable(tracks: Sequence[Track]) -> bool:
    """Whether the stems fit into a browser; many stems are not read for that."""
    least = sum(4 * each.n_samples for each in tracks)
    if least > MOST_DECODED:
        return False
    return sum(4 * each.n_samples * each.width for each in tracks) <= MOST_DECODED


def _linked(tracks: Sequence[Track], why: str | None) -> Plan:
    """Linked sound; a recording outside the run has none."""
    if all(each.path is None for each in tracks):
        told = f"{why.partition(', so ')[0]}." if why else "The run has no audio files."
        return Plan("none", told)
    return Plan("link", why)


@dataclass(frozen=True, eq=False)
class Played:
    """The outcome of a track.

    Attributes
    ----------
    power : array, shape (n_columns,)
        Its power over time.
    data : str or None
        The sound in base64, if it is embedded.
    """

    power: Float64
    data: str | None = None


def play(
    tracks: Sequence[Track],
    plan: Plan,
    columns: Columns,
    *,
    beside: int,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Plan, list[Played]]:
    """The levels of tracks, and their sound if it is embedded.

    A file is read once for both. If the sound is too large, it is encoded again at a
    lower quality; if even the lowest does not fit, files are linked, as the returned
    plan states.
    """
    room = (MOST_PAGE - beside) * 3 // 4
    if plan.embedded and not plan.levels:
        whole = _each(tracks, lambda each: _as_is(each, columns), threads, progress)
        return plan, whole
    for level in plan.levels:
        purse = _Purse(room)

        def encode(each: Track, level: float = level, purse: _Purse = purse) -> Played:
            return _encode(each, plan.mode, level, columns, purse)

        played = _each(tracks, encode, threads, progress)
        if not purse.empty:
            return plan, played
    if plan.levels:
        plan = _linked(tracks, _too_long(tracks))
    return plan, _each(tracks, lambda each: _look(each, columns), threads, progress)


def _each(
    tracks: Sequence[Track],
    function: Callable[[Track], Played],
    threads: int | None,
    progress: Callable[[int, int], None] | None,
) -> list[Played]:
    """The outcome of each track, on threads, with progress reported one at a time."""
    done, lock = iter(range(1, len(tracks) + 1)), Lock()

    def one(track: Track) -> Played:
        played = function(track)
        with lock:
            if progress is not None:
                progress(next(done), len(tracks))
        return played

    with workers(threads) as mapper:
        return mapper(one, tracks)


class _Purse:
    """The budget of bytes that threads share."""

    def __init__(self, room: int) -> None:
        self.room, self.lock = room, Lock()

    @property
    def empty(self) -> bool:
        """Whether the budget is exceeded."""
        return self.room < 0

    def spend(self, n_bytes: int) -> None:
        """Use some bytes."""
        with self.lock:
            self.room -= n_bytes


def _look(track: Track, columns: Columns) -> Played:
    """The power of a track over time."""
    loudness = Loudness(columns)
    for block in track.blocks():
        loudness.add(block)
    return Played(loudness.power())


def _as_is(track: Track, columns: Columns) -> Played:
    """A file that is already encoded."""
    data = track.path.read_bytes() if track.path is not None else b""
    return Played(_look(track, columns).power, _as_text(data))


def _encode(
    track: Track, format: str, level: float, columns: Columns, purse: _Purse
) -> Played:
    """An encoded track; stops if the budget is exceeded."""
    import soundfile

    loudness, file = Loudness(columns), io.BytesIO()
    with soundfile.SoundFile(
        file,
        "w",
        track.sr,
        track.width,
        compression_level=level,
        **_CODECS[format],
    ) as out:
        for block in _pieces(track):
            if purse.empty:
                break
            loudness.add(block)
            before = file.tell()
            out.write(mixed_down(block, track.width).T)
            purse.spend(file.tell() - before)
        before = file.tell()
    purse.spend(file.tell() - before)
    return Played(loudness.power(), _as_text(file.getvalue()))


def _pieces(track: Track) -> Iterator[Float32]:
    """Yield the samples in blocks that libsndfile encodes safely."""
    for block in track.blocks():
        for span in cut(slice(0, block.shape[1]), MOST_ENCODED):
            yield block[:, span]


def _as_text(data: bytes) -> str:
    """Sound in base64, the same for the same sound."""
    return b64encode(with_fixed_serial(data)).decode("ascii")
