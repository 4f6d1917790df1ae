"""MP3 files: tags, frames, and the bytes between them.

libsndfile rejects some such files, or reads only part of them: files with large or
several tags, padding or junk at the start, or a header that states no length. For
these, `layout` gives the bytes to read.

The frame header is that of ISO/IEC 11172-3, 2.4.1.3; tags are ID3v2.4 and APEv2.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from specnmf.audio.pieces import Bytes, Layout, mapped

#: The suffixes of such files; files with others begin with a tag or a frame.
SUFFIXES = (".mp3", ".mp2", ".mp1", ".mpga", ".mpa", ".mpeg")

#: Frames in a row that are no accident, and bytes behind the tags to find them in.
IN_A_ROW, MOST_JUNK = 4, 4 << 20

#: Bytes before the first or after the last frame that need no remark.
MOST_REST = 2048

#: Bits of a frame's header that are the same in all: sync, version, layer, rate.
_COMMON = 0xFFFE0C00

#: Bit rates in kbit/s by whether MPEG-1, layer and index, from 0.
_BIT_RATES = {
    (True, 1): (0, *range(32, 449, 32)),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}

#: Sample rates of MPEG-1 in Hz; MPEG-2 has half of them, MPEG-2.5 a quarter.
_RATES = (44100, 48000, 32000)


class Frames(NamedTuple):
    """The frames of a file as spans of bytes, and their number."""

    spans: list[slice]
    n_frames: int
    lost: int  #: Bytes that are neither frames nor tags.


def behind_tags(data: Bytes, start: int = 0) -> int:
    """The end of the tags that follow each other from ``start`` on."""
    while True:
        head = data[start : start + 32]
        if head[:3] == b"ID3" and len(head) >= 10:
            # The size lies in the lower 7 bits of 4 bytes.
            start += 10 + sum(
                (b & 0x7F) << 7 * (3 - i) for i, b in enumerate(head[6:10])
            )
            start += 10 if data[start : start + 3] == b"3DI" else 0  # a footer
        elif head[:8] == b"APETAGEX" and len(head) == 32:
            is_header = head[23] & 0x20
            start += 32 + (int.from_bytes(head[12:16], "little") if is_header else 0)
        elif head[:3] == b"TAG" and start + 128 == len(data):
            return len(data)
        else:
            return start


def is_tag_alone(path: Path) -> bool:
    """Whether a file begins with a tag, and no sound follows."""
    with path.open("rb") as file, mapped(file) as data:
        end = behind_tags(data)
        return end > 0 and not any(data[end : end + MOST_JUNK])


def without_tags(path: Path) -> Layout | None:
    """What follows the tags of a file; None if there are none."""
    with path.open("rb") as file, mapped(file) as data:
        end = behind_tags(data)
        return Layout((slice(end, len(data)),)) if 0 < end < len(data) else None


def layout(path: Path) -> Layout | None:
    """The frames of an MP3 file; None if it is not MP3."""
    stat = path.stat()
    return _layout(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _layout(path: Path, size: int, changed: int) -> Layout | None:
    with path.open("rb") as file, mapped(file) as data:
        first = _first_frame(data, path.suffix.lower() in SUFFIXES)
        if first is None:
            return None
        return _of_frames(data, first)


def _of_frames(data: Bytes, first: int) -> Layout:
    """The frames from the first on; no pieces if libsndfile finds them itself."""
    stated = _stated(data, first)
    frames = _frames(data, first, without_headers=False)
    remarks = []
    if stated is not None and frames.n_frames > 1.01 * stated + 1:
        frames, stated = _frames(data, first, without_headers=True), None
        remarks.append("several MP3 files joined in one: all are read")
    tags = behind_tags(data)
    before = first - tags if any(data[tags:first]) else 0
    lost = frames.lost + (before if before > MOST_REST else 0)
    if lost:
        remarks.append(f"damaged: {lost} bytes belong to no frame and are skipped")
    if stated and len(frames.spans) == 1 and first == tags:
        return Layout((), remarks=tuple(remarks))
    return Layout(
        tuple(frames.spans),
        streamed=stated is None,
        remarks=tuple(remarks),
        n_samples=frames.n_frames * _frame_samples(data, first),
    )


def _stated(data: Bytes, first: int) -> int | None:
    """The number of frames that the first one states, if it is such a header."""
    frame = data[first : first + 256]
    if frame[36:40] == b"VBRI":
        return int.from_bytes(frame[50:54], "big") or None
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    if at < 0 or len(frame) < at + 12 or not frame[at + 7] & 1:
        return None
    return int.from_bytes(frame[at + 8 : at + 12], "big") or None


def _length(data: Bytes, at: int, like: int | None = None) -> int:
    """The length of the frame at a byte; 0 if there is none ``like`` another."""
    word = int.from_bytes(data[at : at + 4], "big")
    if word >> 21 != 0x7FF or (like is not None and (word ^ like) & _COMMON):
        return 0
    version, layer = word >> 19 & 3, 4 - (word >> 17 & 3)
    rate = word >> 10 & 3
    index = word >> 12 & 15
    if version == 1 or layer == 4 or rate == 3 or index in (0, 15):
        return 0
    bits = 1000 * _BIT_RATES[version == 3, layer][index]
    sr = _RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
    padding = word >> 9 & 1
    if layer == 1:
        return int(4 * (12 * bits // sr + padding))
    return int((72 if layer == 3 and version != 3 else 144) * bits // sr + padding)


def _frame_samples(data: Bytes, at: int) -> int:
    """The samples per channel of the frame at a byte."""
    version, layer = data[at + 1] >> 3 & 3, 4 - (data[at + 1] >> 1 & 3)
    return {1: 384, 2: 1152}.get(layer, 1152 if version == 3 else 576)


def _first_frame(data: Bytes, is_named: bool) -> int | None:
    """The start of the first frame."""
    tags = behind_tags(data)
    if _are_frames(data, tags, 2):
        return tags
    if tags == 0 and not is_named:
        return None
    # A tag may state more bytes than it has: sound is then within it.
    return next(_found(data, 0, tags + MOST_JUNK), None)


def _found(
    data: Bytes, start: int, stop: int, like: int | None = None
) -> Iterator[int]:
    """Yield the starts of frames in a row."""
    at = data.find(b"\xff", start, stop)
    while at >= 0:
        if _are_frames(data, at, IN_A_ROW if like is None else 2, like):
            yield at
        at = data.find(b"\xff", at + 1, stop)


def _are_frames(data: Bytes, at: int, n: int, like: int | None = None) -> bool:
    """Whether n frames follow each other, or fewer up to the end of the file."""
    like = int.from_bytes(data[at : at + 4], "big") if like is None else like
    for i in range(n):
        length = _length(data, at, like)
        if length == 0:
            return i > 0 and behind_tags(data, at) >= len(data)
        at += length
        if at > len(data):
            return i > 0
    return True


def _frames(data: Bytes, first: int, *, without_headers: bool) -> Frames:
    """All frames like the first; those that state a length may be left out."""
    like = int.from_bytes(data[first : first + 4], "big")
    spans, count, lost, at = [slice(first, first)], 0, 0, first
    while at < len(data):
        length = _length(data, at, like)
        if length and at + length <= len(data):
            if without_headers and _stated(data, at) is not None:
                at += length
                continue
            if spans[-1].stop != at:
                spans.append(slice(at, at))
            spans[-1] = slice(spans[-1].start, at + length)
            count, at = count + 1, at + length
            continue
        behind = behind_tags(data, at)
        if behind == at:
            behind = next(_found(data, at + 1, len(data), like), len(data))
            # At the end there may be half a frame, or an unknown tag.
            is_end = behind == len(data) and behind - at < MOST_REST
            lost += 0 if is_end else behind - at
        at = behind
    return Frames([span for span in spans if span.stop > span.start], count, lost)
