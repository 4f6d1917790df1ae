"""Audio headers whose length is missing or wrong, or whose chunks are in another order.

A recorder writes the length of the samples when it stops; without power, the length
stays 0. A program that writes to a pipe states the largest number. `layout` finds the
samples of such files, and what to read instead: a corrected header, and the samples.

WAV and its kin: Microsoft, "Multimedia Programming Interface and Data Specifications",
1991; EBU Tech 3306 (RF64); ITU-R BS.2088 (BW64). AIFF: Apple, 1989. CAF: Apple, 2011.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from specnmf.audio.mpeg import behind_tags
from specnmf.audio.pieces import Bytes, Layout, mapped

#: Lengths from here on in 32 bits mean "unknown", as programs write them to a pipe, if
#: the file is shorter; so do these in 64 bits.
UNKNOWN, UNKNOWN_WIDE = 0x7FFF_0000, 1 << 62

LARGEST = 0xFFFF_FFFF

#: Chunks that may follow the samples, and how far from the end they are searched.
TRAILERS = (
    b"LIST", b"id3 ", b"ID3 ", b"bext", b"iXML", b"cue ", b"smpl", b"inst", b"PEAK",
    b"fact", b"JUNK", b"junk", b"PAD ", b"FLLR", b"afsp", b"axml", b"chna", b"_PMX",
    b"DISP", b"LGWV", b"acid", b"umid", b"info", b"COMT", b"MARK", b"INST", b"NAME",
    b"AUTH", b"(c) ", b"ANNO", b"APPL", b"CHAN",
)  # fmt: skip
REACH = 64 << 20

#: Bytes in no chunk that are worth a word, and of the shortest header there is.
LEAST_REST, LEAST_HEAD = 4096, 24

#: Chunks that are looked at, of files that may be made of nothing else.
MOST_CHUNKS = 1000

UNSTATED = "its header states no length: read to the end of the file"
WRAPPED = "its header states 4 GB too little: read to the end of the file"
JOINED = "its samples are in several chunks: all are read"


class Form(NamedTuple):
    """How the size of a chunk is written, and whether an odd one is padded."""

    size: str
    padded: bool = True

    @property
    def head(self) -> int:
        """Bytes of a chunk before its content: name and size."""
        return 4 + struct.calcsize(self.size)

    def behind(self, at: int, size: int) -> int:
        """The end of a chunk whose content begins at a byte."""
        return at + size + (size & 1 if self.padded else 0)

    def chunk(self, name: bytes, content: bytes) -> bytes:
        """A chunk."""
        return (
            name
            + struct.pack(self.size, len(content))
            + content
            + b"\0" * (len(content) & 1)
        )


LITTLE, BIG, WIDE = Form("<I"), Form(">I"), Form(">q", padded=False)


class Samples(NamedTuple):
    """The position of the samples, and the size in the header, if any."""

    at: int
    size: int
    stated: int | None
    remark: str | None = None

    @property
    def span(self) -> slice:
        """The bytes."""
        return slice(self.at, self.at + self.size)

    @property
    def is_whole(self) -> bool:
        """Whether there are as many bytes as the header states."""
        return self.size == self.stated

    def layout(self, head: bytes) -> Layout:
        """The layout of the samples after such a header."""
        lost = 0 if self.stated is None else 1 - self.size / self.stated
        remarks = () if self.remark is None else (self.remark,)
        return Layout((head, self.span), remarks=remarks, missing=lost)


def layout(path: Path) -> Layout | None:
    """How to read a file of chunks; None to read it as it is."""
    with path.open("rb") as file, mapped(file) as data:
        begin = behind_tags(data)
        if len(data) - begin < LEAST_HEAD:
            return None
        found = _found(data, begin)
        known = data[begin : begin + 4] in _OTHERS
        if found is None and begin > 0 and known:
            # After a tag, libsndfile reads some of them forever.
            return Layout((slice(begin, len(data)),))
        return found


def _found(data: Bytes, begin: int) -> Layout | None:
    mark, kind = data[begin : begin + 4], data[begin + 8 : begin + 12]
    if mark in (b"RIFF", b"RIFX", b"RF64", b"BW64") and kind == b"WAVE":
        return _wave(data, begin)
    read = _OTHERS.get(mark)
    return None if read is None else read(data, begin)


def _chunks(data: Bytes, at: int, form: Form) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each chunk, the position of its content, and its size."""
    while at + form.head <= len(data):
        name = data[at : at + 4]
        (size,) = struct.unpack_from(form.size, data, at + 4)
        if not (name.isascii() and name.decode("ascii").isprintable()):
            return
        yield name, at + form.head, size
        if size < 0:
            return
        at = form.behind(at + form.head, size)


def chunk_of(path: Path, name: bytes, *, most: int) -> bytes | None:
    """The first bytes of a chunk of a WAV, at most so many; None if there is none."""
    with path.open("rb") as file, mapped(file) as data:
        begin = behind_tags(data)
        if data[begin : begin + 4] not in (b"RIFF", b"RF64", b"BW64"):
            return None
        found = _wave_chunks(data, begin)
        place = next(((at, n) for own, at, n in found if own == name), None)
        if place is None:
            return None
        at, size = place
        return bytes(data[at : at + min(size, most)])


def _wave_chunks(data: Bytes, begin: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the chunks of a WAV, as `_chunks`; the size of its samples may be long."""
    long = None
    chunks = _chunks(data, begin + 12, LITTLE)
    for name, at, size in islice(chunks, MOST_CHUNKS):
        yield name, at, size
        if name == b"ds64" and at + 16 <= len(data):
            (long,) = struct.unpack_from("<Q", data, at + 8)
        if name == b"data" and size == LARGEST and long is not None:
            yield from islice(
                _chunks(data, at + long + (long & 1), LITTLE), MOST_CHUNKS
            )
            return


def _is_tail(data: Bytes, at: int, form: Form) -> bool:
    """Whether only chunks with names follow, up to the end."""
    end = at
    for _, content, size in _chunks(data, at, form):
        end = max(at, content + size)
    return 0 <= len(data) - end < form.head


def _samples(
    data: Bytes, at: int, stated: int, form: Form, *, unknown: int = UNKNOWN
) -> Samples:
    """The samples that begin at a byte, with the size that the header states."""
    left = len(data) - at
    if 0 < stated <= left:
        wrapped = stated + ((left - stated) >> 32 << 32)
        if wrapped == stated or _is_tail(data, form.behind(at, stated), form):
            return Samples(at, stated, stated)
        return Samples(at, wrapped, None, WRAPPED)
    if left <= 0 or (stated <= 0 and _is_tail(data, at, form)):
        return Samples(at, 0, 0)
    return _unstated(at, _tail(data, at, form) - at, stated, unknown)


def _unstated(at: int, size: int, stated: int, unknown: int) -> Samples:
    """Samples up to the end of the file, whose size the header does not state."""
    if stated <= 0:
        return Samples(at, size, None, UNSTATED)
    return Samples(at, size, None if stated >= unknown else stated)


def _tail(data: Bytes, at: int, form: Form) -> int:
    """The start of the chunks that follow samples of unknown length."""
    found = [len(data)]
    for name in TRAILERS:
        place = data.find(name, max(at, len(data) - REACH))
        while place >= 0 and not _is_tail(data, place, form):
            place = data.find(name, place + 1)
        found.append(place if place >= 0 else len(data))
    return min(found)


def _wave(data: Bytes, begin: int) -> Layout | None:
    """WAV, in either byte order, RF64 and BW64."""
    mark = data[begin : begin + 4]
    form = BIG if mark == b"RIFX" else LITTLE
    formats: list[bytes] = []
    samples: list[Samples] = []
    long = None
    is_regular = mark != b"BW64"
    for name, at, size in _chunks(data, begin + 12, form):
        if name == b"ds64" and at + 16 <= len(data):
            (long,) = struct.unpack_from("<Q", data, at + 8)
        elif name == b"fmt ":
            is_regular &= not (formats or samples)
            formats.append(data[at : at + size])
        elif name == b"data":
            samples.append(_data(data, at, size, long, form))
            if mark in (b"RF64", b"BW64") or not samples[-1].is_whole:
                break
    if not formats or not samples:
        return None
    if is_regular and len(samples) == 1 and samples[0].is_whole:
        return _unread(data, samples[0], form)
    if len(samples) == 1:
        return samples[0].layout(_wave_header(formats[0], samples[0].size, form))
    return _joined(formats[0], samples, form)


def _data(data: Bytes, at: int, size: int, long: int | None, form: Form) -> Samples:
    """The samples of a WAV, whose size may stand in its ds64 chunk."""
    if long is None or size not in (0, LARGEST):
        return _samples(data, at, size, form)
    if long == LARGEST:
        return _samples(data, at, long, form)
    return _samples(data, at, long, form, unknown=UNKNOWN_WIDE)


def _joined(fmt: bytes, samples: list[Samples], form: Form) -> Layout:
    """The samples of several chunks, one after the other."""
    head = _wave_header(fmt, sum(each.size for each in samples), form)
    remarks = {JOINED: 0, **{each.remark: 0 for each in samples if each.remark}}
    return Layout((head, *(each.span for each in samples)), remarks=tuple(remarks))


def _wave_header(fmt: bytes, size: int, form: Form) -> bytes:
    """A WAV without its samples, for a given number of bytes of them."""
    body = b"WAVE" + form.chunk(b"fmt ", fmt)
    total = len(body) + 8 + size
    if total < UNKNOWN:
        mark = b"RIFX" if form is BIG else b"RIFF"
        numbers = (struct.pack(form.size, n) for n in (total, size))
        return mark + next(numbers) + body + b"data" + next(numbers)
    sizes = form.chunk(b"ds64", struct.pack("<QQQI", total + 36, size, 0, 0))
    unknown = b"\xff" * 4
    return b"RF64" + unknown + b"WAVE" + sizes + body[4:] + b"data" + unknown


def _unread(data: Bytes, samples: Samples, form: Form) -> Layout | None:
    """The file as it is, with a remark about bytes after its samples, if any."""
    behind = form.behind(samples.at, samples.size)
    rest = len(data) - behind
    if rest < max(LEAST_REST, samples.size / 100) or _is_tail(data, behind, form):
        return None
    if not any(data[behind : behind + LEAST_REST]):
        return None
    return Layout((), remarks=(f"{rest} bytes after its samples are not read",))


def _aiff(data: Bytes, begin: int) -> Layout | None:
    """AIFF and AIFF-C."""
    for name, at, size in _chunks(data, begin + 12, BIG):
        if name != b"SSND":
            continue
        samples = _samples(data, at + 8, size - 8, BIG)
        if samples.is_whole:
            return None
        head = bytearray(data[begin : samples.at])
        for place, size in (at - 4 - begin, 8), (4, len(head) - 8):
            struct.pack_into(">I", head, place, min(size + samples.size, LARGEST))
        return samples.layout(bytes(head))
    return None


def _w64(data: Bytes, begin: int) -> Layout | None:
    """Sony Wave64: sizes count the chunk's head, and chunks begin at multiples of 8."""
    at = begin + 40
    while at + 24 <= len(data):
        (size,) = struct.unpack_from("<Q", data, at + 16)
        if data[at : at + 4] == b"data":
            samples = _stream(data, at + 24, size - 24, unknown=UNKNOWN_WIDE)
            if samples.is_whole:
                return None
            head = bytearray(data[begin : at + 24])
            struct.pack_into("<Q", head, at + 16 - begin, samples.size + 24)
            struct.pack_into("<Q", head, 16, len(head) + samples.size)
            return samples.layout(bytes(head))
        at += max(24, size + 7 & ~7)
    return None


def _au(data: Bytes, begin: int) -> Layout | None:
    """Sun's and NeXT's audio files."""
    order = ">" if data[begin : begin + 4] == b".snd" else "<"
    offset, stated = struct.unpack_from(order + "II", data, begin + 4)
    samples = _stream(data, begin + offset, stated, unknown=UNKNOWN)
    if samples.is_whole or offset < LEAST_HEAD:
        return None
    head = bytearray(data[begin : begin + offset])
    struct.pack_into(order + "I", head, 8, min(samples.size, LARGEST))
    return samples.layout(bytes(head))


def _caf(data: Bytes, begin: int) -> Layout | None:
    """Apple's Core Audio Format."""
    for name, at, size in _chunks(data, begin + 8, WIDE):
        if name != b"data":
            continue
        # An edit count of 4 bytes stands before the samples.
        stated = size - 4 if size >= 0 else UNKNOWN_WIDE
        samples = _samples(data, at + 4, stated, WIDE, unknown=UNKNOWN_WIDE)
        if samples.is_whole:
            return None
        head = bytearray(data[begin : samples.at])
        struct.pack_into(">q", head, at - 8 - begin, samples.size + 4)
        return samples.layout(bytes(head))
    return None


def _stream(data: Bytes, at: int, stated: int, *, unknown: int) -> Samples:
    """Samples that nothing follows."""
    left = len(data) - at
    if left <= 0 or 0 < stated <= left:
        size = max(0, min(stated, left))
        return Samples(at, size, size)
    return _unstated(at, left, stated, unknown)


_OTHERS = {
    b"FORM": _aiff,
    b"riff": _w64,
    b".snd": _au,
    b"dns.": _au,
    b"caff": _caf,
}
