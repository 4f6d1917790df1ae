"""Recordings that libsndfile does not read: compressed sound, and the sound of videos.

PyAV decodes them with FFmpeg's libraries. Only containers and codecs of a list are
opened, and FFmpeg reads nothing but the bytes that it is handed: a playlist in disguise
leads to no other file and no network.

Lengths are FFmpeg's: the delay of an encoder and the padding at the end are left out
where the container states them. FFmpeg passes over the padding that iTunes states; it
is left out as well.
"""

from __future__ import annotations

import ctypes
import re
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.commands import converting
from specnmf.errors import AudioError

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet

#: How PyAV is installed.
INSTALL = "pip install 'specnmf[media]'"

#: The suffixes of such files.
SUFFIXES = (
    *(".3g2", ".3gp", ".aac", ".ac3", ".amr", ".ape", ".asf", ".avi", ".dsf", ".dts"),
    *(".eac3", ".ec3", ".f4a", ".f4v", ".flv", ".m2ts", ".m4a", ".m4b", ".m4v", ".mka"),
    *(".mkv", ".mlp", ".mov", ".mp4", ".mpc", ".mpg", ".mts", ".oma", ".ogv", ".ogx"),
    *(".qt", ".ra", ".rm", ".spx", ".tak", ".thd", ".ts", ".tta", ".vob", ".weba"),
    *(".webm", ".wma", ".wmv", ".wv"),
)

#: The first bytes of such files, from a place on. The mark of MPEG's streams stands in
#: tables of other files too, but no sound that libsndfile reads begins with it.
_HEADS = (
    *((4, mark) for mark in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")),
    (0, b"\x1a\x45\xdf\xa3"),  # Matroska, WebM
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),  # ASF: WMA, WMV
    (8, b"AVI "),
    *((0, b"\0\0\1\xba"), (0, b"\x0b\x77"), (0, b"\x7f\xfe\x80\1")),  # MPEG, AC-3, DTS
    *((0, bytes([0xFF, second])) for second in (0xF0, 0xF1, 0xF8, 0xF9)),  # AAC
    *((0, mark) for mark in (b"MAC ", b"wvpk", b"TTA1", b"TTA2", b"tBaK", b"FLV\1")),
    *((0, mark) for mark in (b"MPCK", b"MP+", b"DSD ", b"#!AMR", b".RMF", b".ra\xfd")),
)

#: libsndfile's reasons to refuse an encoding in a container that it knows: any, Speex
#: in Ogg, AC-3 or WMA in WAV, FLAC in Ogg of other programs.
_ENCODINGS = (4, 29, 64, 161)

#: FFmpeg's names of the containers that are opened.
_FORMATS = (
    "aac,ac3,aiff,amr,ape,asf,avi,caf,dsf,dts,dtshd,eac3,flac,flv,loas,matroska,"
    "mlp,mov,mp3,mpc,mpc8,mpeg,mpegts,ogg,oma,rm,tak,truehd,tta,w64,wav,wv"
)

#: Those of codecs.
_CODECS = (
    "aac,aac_latm,ac3,adpcm_ima_qt,adpcm_ima_wav,adpcm_ms,adpcm_swf,alac,amrnb,amrwb,"
    "ape,atrac1,atrac3,atrac3plus,cook,dca,dsd_lsbf,dsd_lsbf_planar,dsd_msbf,"
    "dsd_msbf_planar,eac3,flac,gsm,gsm_ms,libopus,mace3,mace6,mlp,mp1,mp1float,mp2,"
    "mp2float,mp3,mp3float,mpc7,mpc8,nellymoser,opus,pcm_alaw,pcm_bluray,pcm_dvd,"
    "pcm_f32be,pcm_f32le,pcm_f64be,pcm_f64le,pcm_mulaw,pcm_s16be,pcm_s16le,pcm_s24be,"
    "pcm_s24le,pcm_s32be,pcm_s32le,pcm_s8,pcm_u8,qdm2,qdmc,real_144,real_288,sipr,"
    "speex,tak,truehd,tta,vorbis,wavpack,wmalossless,wmapro,wmav1,wmav2,wmavoice"
)

#: Bounds to what FFmpeg looks at before it knows a file, in bytes and microseconds,
#: and the doors that stay shut.
_OPTIONS = {
    "format_whitelist": _FORMATS,
    "codec_whitelist": _CODECS,
    "protocol_whitelist": "none",
    "probesize": "5000000",
    "analyzeduration": "5000000",
    "max_streams": "64",
}

#: The most samples a channel in a frame; those of real files have thousands.
_MOST_FRAME = 1 << 22

#: The most bytes that FFmpeg reserves at once: the index of 60 hours of AAC.
_MOST_RESERVED = 256 << 20

#: How often each byte of a file may be read, and bytes beyond: an index may repeat.
_MOST_REPEATS, _MORE_BYTES = 4, 16 << 20

#: Containers whose header states a length; of others FFmpeg guesses it.
_HEADED = {"mov", "matroska", "asf", "ape", "wv", "tta", "tak", "mpc", "mpc8", "avi"}

#: How much of a stated length may be missing without a word: a share, and seconds.
_SLACK, _SLACK_SECONDS = 0.005, 0.25

#: What iTunes states in a tag: priming, padding and samples, in hexadecimal digits.
_ITUNES = re.compile(r" ?0{8} ([0-9A-F]{8}) ([0-9A-F]{8}) ([0-9A-F]{16})", re.I)

#: More padding than an encoder adds.
_MOST_PADDING = 1 << 15

#: libsndfile's names of samples, by FFmpeg's of lossless ones.
_SUBTYPES = {"u8": "PCM_U8", "s16": "PCM_16", "flt": "FLOAT", "dbl": "DOUBLE"}


def may_read(path: Path, refused: BaseException | None) -> bool:
    """Whether FFmpeg may read what libsndfile has refused, by its error if it has.

    Either the encoding alone is unknown to libsndfile, or the file begins, or is
    called, like those that FFmpeg reads.
    """
    code = getattr(refused, "code", None)
    if code is None or code in _ENCODINGS:
        return code is not None
    with path.open("rb") as file:
        head = file.read(16)
    begins = any(head[at : at + len(mark)] == mark for at, mark in _HEADS)
    return begins or path.suffix.lower() in SUFFIXES


def is_installed() -> bool:
    """Whether there is PyAV."""
    try:
        return find_spec("av") is not None
    except ValueError:  # hidden
        return False


class Media:
    """A recording that FFmpeg decodes, read as soundfile's ``SoundFile`` is.

    Attributes
    ----------
    samplerate, channels : int
        As of the first frame: headers tell half the rate of some AAC.
    frames : int
        Samples a channel that the header states; 0 if it states none.
    least : int
        Samples a channel that there must be at least, as it states them.
    format, subtype : str
        The container, and how samples are stored, as libsndfile would call it.
    remarks : tuple of str
        What was chosen.
    """

    def __init__(
        self, path: Path, container: InputContainer, stream: AudioStream
    ) -> None:
        self.path, self.stream, self.container = path, stream, container
        self.samplerate = self.channels = 0
        self.format = container.format.name.partition(",")[0]
        self.padding, self.exact = _itunes(container)
        self.blocks = self._without_padding()
        self.rest = next(self.blocks, None)
        if self.rest is None:
            raise AudioError(
                f"{path}: no sound in it can be decoded; it may be cut "
                "short, damaged or protected against copying"
            )
        self.subtype = _subtype(stream)
        self.frames = self.exact or self._stated()
        slack = _SLACK * self.frames + _SLACK_SECONDS * self.samplerate
        self.least = max(0, round(self.frames - slack))
        self.remarks = _remarks(container, stream)

    def buffer_read_into(self, buffer: NDArray[Any], dtype: str) -> int:
        """Fill a buffer, (n, n_channels), of floats; fewer samples only at the end."""
        done = 0
        while done < len(buffer) and self.rest is not None:
            part = self.rest[: len(buffer) - done]
            buffer[done : done + len(part)] = part
            done += len(part)
            self.rest = self.rest[len(part) :]
            if not len(self.rest):
                self.rest = next(self.blocks, None)
        return done

    def copy_metadata(self) -> dict[str, str]:
        """The texts of the file, as soundfile names them; those of the track count."""
        found = {**self.container.metadata, **self.stream.metadata}
        texts = {name.lower(): text for name, text in found.items()}
        return {**texts, "tracknumber": texts.get("track", "")}

    def _stated(self) -> int:
        """The length that the header states, in samples; 0 if it states none."""
        if self.format not in _HEADED:
            return 0
        stream = self.stream
        if stream.duration and stream.time_base:
            seconds = float(stream.duration * stream.time_base)
        else:
            begin = float((stream.start_time or 0) * (stream.time_base or 0))
            seconds = (self.container.duration or 0) / 1e6 - max(0.0, begin)
        return max(0, round(min(seconds, 1e12) * self.samplerate))

    def _without_padding(self) -> Iterator[NDArray[Any]]:
        """Yield the samples, (n, n_channels), but the padding that iTunes states."""
        if not self.exact:
            yield from self._decoded()
            return
        n_samples, n_held, held = 0, 0, deque[NDArray[Any]]()
        for block in self._decoded():
            n_samples += len(block)
            n_held += len(block)
            held.append(block)
            while held and n_held - len(held[0]) >= self.padding:
                n_held -= len(held[0])
                yield held.popleft()
        if held:
            end = np.concatenate(held)
            told = n_samples == self.exact + self.padding
            yield end[: len(end) - self.padding] if told else end

    def _decoded(self) -> Iterator[NDArray[Any]]:
        """Yield the samples of each frame, (n, n_channels).

        Packets that give none are passed over before the first frame and after the
        last, as in a recording that is cut out of another; between frames, they would
        move all that follows.
        """
        import av

        fault = None
        for packet in self._packets():
            try:
                frames = packet.decode()
            except av.EOFError:
                return
            except (av.FFmpegError, ValueError, OverflowError) as error:
                fault = fault or (error if self.samplerate else None)
                continue
            for frame in frames:
                if fault is not None and packet.size:
                    raise AudioError(
                        f"{self.path}: damaged before {max(0, frame.time or 0):.1f} s"
                        f"{why(fault)}; repair it first: "
                        f"{converting(self.path, '_repaired')}"
                    ) from fault
                if frame.samples:
                    yield self._checked(frame)

    def _packets(self) -> Iterator[Packet[AudioStream]]:
        """Yield the packets up to the end, or to where the file is cut short."""
        import av

        packets = self.container.demux(self.stream)
        left = _MOST_REPEATS * self.path.stat().st_size + _MORE_BYTES
        while True:
            try:
                packet = next(packets, None)
            except (av.FFmpegError, ValueError, OverflowError):
                return
            except IndexError:  # PyAV's, at a track that begins later in a broadcast
                packets = self.container.demux(self.stream)
                continue
            except OSError as error:
                raise AudioError(f"{self.path}: cannot be read{why(error)}") from error
            if packet is None:
                return
            if not self.samplerate and packet.has_sidedata("encryption_info"):
                raise AudioError(f"{self.path}: protected against copying (encrypted)")
            left -= packet.size
            if left < 0:
                raise AudioError(
                    f"{self.path}: its index repeats the same sound again and again; "
                    f"convert it first: {converting(self.path, '_converted')}"
                )
            yield packet

    def _checked(self, frame: AudioFrame) -> NDArray[Any]:
        """The samples of a frame, (n, n_channels), if it is like the first."""
        found = frame.sample_rate, frame.layout.nb_channels
        if not self.samplerate:
            self.samplerate, self.channels = found
        if found != (self.samplerate, self.channels):
            raise AudioError(
                f"{self.path}: changes from {self.channels} channels at "
                f"{self.samplerate} Hz to {found[1]} at {found[0]} Hz; make it one: "
                + converting(self.path, "_repaired")
            )
        return _floats(frame)


@cache
def _bound_memory() -> None:
    """Bound what FFmpeg reserves at once, for indexes that headers claim.

    PyAV has no door to this, so its own copy of libavutil is asked.
    """
    import av

    place = Path(av.__file__).parent
    folders = place.parent / "av.libs", place / ".dylibs"  # of wheels
    for library in (each for folder in folders for each in folder.glob("libavutil*")):
        with suppress(OSError, AttributeError):
            ctypes.CDLL(str(library)).av_max_alloc(ctypes.c_size_t(_MOST_RESERVED))


@contextmanager
def opened(path: Path) -> Iterator[Media]:
    """Open the sound of a file with FFmpeg.

    Raises
    ------
    AudioError
        If PyAV is missing, or FFmpeg cannot read the file or finds no sound in it.
    """
    if not is_installed():
        raise AudioError(
            f"{path}: is read with PyAV; install it: {INSTALL}, or convert the file: "
            f"{converting(path, '_converted')}"
        )
    import av

    _bound_memory()
    with ExitStack() as stack:
        source = _Bytes(path, stack.enter_context(path.open("rb")))
        try:
            container = stack.enter_context(
                av.open(
                    source,
                    mode="r",
                    options=dict(_OPTIONS),
                    metadata_errors="replace",
                    io_open=_closed,
                )
            )
        except (av.FFmpegError, OSError, ValueError, OverflowError) as error:
            raise AudioError(
                f"{path}: not a recording or video that FFmpeg reads{why(error)}; "
                f"convert it first: {converting(path, '_converted')}"
            ) from error
        yield Media(path, container, _chosen(path, container))


class _Bytes:
    """A file as FFmpeg sees it: bytes, and a name of which it reads the ending."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        suffix = path.suffix.lower()
        self.name = f"recording{suffix if suffix in SUFFIXES else ''}"
        self.file, self.read, self.tell = file, file.read, file.tell

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move the position; -1 if there is no such place, as headers may claim."""
        try:
            return self.file.seek(offset, whence)
        except (OSError, OverflowError, ValueError):
            return -1


def _closed(url: str, flags: int, options: object) -> None:
    """Refuse to open any other file."""
    raise PermissionError("a recording may not name other files")


def _chosen(path: Path, container: InputContainer) -> AudioStream:
    """The sound track that ffmpeg takes: the default one, or that of most channels."""
    from av.stream import Discard, Disposition

    known, decodable = container.streams.audio, set(_CODECS.split(","))
    for other in container.streams:
        other.discard = Discard.all
    usable = [each for each in known if _codec(each) in decodable]
    if not usable:
        coded = ", ".join(sorted({_codec(each) or "unknown" for each in known}))
        raise AudioError(
            f"{path}: its sound is coded as {coded}, which is not read"
            if known
            else f"{path}: holds no sound"
        )

    def rank(stream: AudioStream) -> tuple[bool, int]:
        is_default = bool(stream.disposition & Disposition.default)
        return is_default, stream.codec_context.channels

    chosen = max(usable, key=rank)
    chosen.discard = Discard.default
    chosen.codec_context.thread_count = 1
    chosen.codec_context.options = {"max_samples": str(_MOST_FRAME)}
    return chosen


def _codec(stream: Any) -> str:
    """FFmpeg's name of a stream's decoder; empty without one."""
    context = stream.codec_context
    return "" if context is None else str(context.codec.name)


def _remarks(container: InputContainer, stream: AudioStream) -> tuple[str, ...]:
    tracks = container.streams.audio
    if len(tracks) < 2:
        return ()
    number = tracks.index(stream) + 1
    spoken = f" ({stream.language})" if stream.language not in (None, "und") else ""
    return (f"holds {len(tracks)} sound tracks; number {number}{spoken} is read",)


def _itunes(container: InputContainer) -> tuple[int, int]:
    """The padding at the end and the samples that iTunes states; zeros without."""
    told = _ITUNES.match(container.metadata.get("iTunSMPB", ""))
    if told is None:
        return 0, 0
    padding, n_samples = int(told[2], 16), int(told[3], 16)
    return (padding, n_samples) if padding < _MOST_PADDING else (0, 0)


def _subtype(stream: AudioStream) -> str:
    """How samples are stored: as libsndfile says it of lossless ones, else the codec.

    FFmpeg decodes 24 bits to 32, and does not tell which are used.
    """
    context = stream.codec_context
    name = str(context.codec.name)
    lossless = name.startswith("pcm_") or name in (
        *("alac", "ape", "flac", "mlp", "tak", "truehd", "tta", "wavpack"),
        "wmalossless",
    )
    if not lossless or name in ("pcm_alaw", "pcm_mulaw"):
        return name.upper()
    if name.startswith("pcm_s32"):
        return "PCM_32"
    return _SUBTYPES.get(str(context.format.name).removesuffix("p"), "PCM_24")


def _floats(frame: AudioFrame) -> NDArray[Any]:
    """The samples of a frame, (n, n_channels), as floats at full scale 1."""
    values = frame.to_ndarray()
    values = values.T if frame.format.is_planar else values.reshape(frame.samples, -1)
    if values.dtype.kind == "f":
        return values
    # Integers of 32 bits are exact in float64; their 24 are in float32.
    offset = 128 if values.dtype.kind == "u" else 0
    half = 2.0 ** (8 * values.dtype.itemsize - 1)
    return (values.astype(np.float64) - offset) / half


def why(error: Exception) -> str:
    """The reason that FFmpeg gives, in parentheses."""
    text = getattr(error, "strerror", None) or str(error)
    text = " ".join(str(text).split()).rstrip(".")
    if text.startswith("Error number"):  # FFmpeg gives none
        return ""
    return f" ({text[:1].lower()}{text[1:80]})" if text.isprintable() and text else ""
