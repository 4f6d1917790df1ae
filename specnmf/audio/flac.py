"""FLAC files that state no length, or more than they contain.

A file written to a pipe states 0, and libsndfile then reads nothing; a file that was
cut short is damaged for libsndfile. `layout` finds the last whole frame and its end.

The format is that of RFC 9639.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from specnmf.audio.mpeg import behind_tags
from specnmf.audio.pieces import Bytes, Layout, mapped

#: How far from the end the last frame is searched: frames are seldom longer.
REACH = 4 << 20

#: The bits of STREAMINFO, and of the total of samples at their end.
_INFO, _TOTAL = 34, (1 << 36) - 1


#: Samples of a frame by the code in its header; 0 is reserved, 6 and 7 state it later.
_SIZES = {
    **{0: 0, 1: 192},
    **{code: 576 << code - 2 for code in range(2, 6)},
    **{code: 256 << code - 8 for code in range(8, 16)},
}


class _Frame(NamedTuple):
    """A frame by its first byte, and its number of samples per channel."""

    at: int
    first: int
    size: int


def layout(path: Path) -> Layout | None:
    """How to read a FLAC file; None to read it as it is, or if it is not FLAC."""
    with path.open("rb") as file, mapped(file) as data:
        begin = behind_tags(data)
        info = bytearray(data[begin + 8 : begin + 8 + _INFO])
        if data[begin : begin + 4] != b"fLaC" or len(info) < _INFO:
            return None
        stated = int.from_bytes(info[10:18], "big") & _TOTAL
        start = _behind_metadata(data, begin + 4)
        frame = _last_frame(data, start, int.from_bytes(info[2:4], "big"))
        if frame is None:
            return None
        stop = _end(data, frame.at)
        # What is longer than any frame goes on with something that is none.
        longer = len(data) - frame.at > int.from_bytes(info[7:10], "big")
        if frame.first + frame.size == stated and (stop or longer):
            return None
        n_samples = frame.first + (frame.size if stop else 0)
        if n_samples == 0 or 0 < stated <= n_samples:
            return None
        whole = int.from_bytes(info[10:18], "big") - stated + n_samples
        info[10:18] = whole.to_bytes(8, "big")
        head = b"fLaC\x80\0\0\x22" + bytes(info)
        lost = 1 - n_samples / stated if stated else 0.0
        remarks = () if stated or stop else ("its last frame is cut short",)
        pieces = head, slice(start, stop or frame.at)
        return Layout(pieces, remarks=remarks, missing=lost)


def _behind_metadata(data: Bytes, at: int) -> int:
    """The start of the frames."""
    is_last = False
    while not is_last and at + 4 <= len(data):
        is_last = data[at] >= 0x80
        at += 4 + int.from_bytes(data[at + 1 : at + 4], "big")
    return at


def _last_frame(data: Bytes, start: int, block: int) -> _Frame | None:
    """The start of the last frame; ``block`` is the size of all others."""
    like = data[start : start + 4]
    if len(like) < 4:
        return None
    at = len(data)
    while at > start:
        at = data.rfind(like[:2], max(start, len(data) - REACH), at)
        if at < 0:
            return None
        head = data[at : at + 16]
        # Rate and bits of a sample are the same in all frames.
        if len(head) > 5 and not ((head[2] ^ like[2]) & 15 | (head[3] ^ like[3]) & 15):
            frame = _parsed(head, at, block)
            if frame is not None:
                return frame
    return None


def _parsed(head: bytes, at: int, block: int) -> _Frame | None:
    """The frame with this header, or None if its checksum differs."""
    # The number is written as UTF-8 writes a character, in up to 7 bytes.
    ones = 8 - (~head[4] & 0xFF).bit_length()
    length = max(1, ones)
    number = head[4] & (0x7F >> ones)
    for byte in head[5 : 4 + length]:
        number = number << 6 | byte & 0x3F
    place = 4 + length
    code, rate = head[2] >> 4, head[2] & 15
    extra = {6: 1, 7: 2}.get(code, 0)
    given = int.from_bytes(head[place : place + extra], "big") + 1
    place += extra + {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if ones in (1, 8) or place >= len(head) or _crc(head[:place], 8, 7) != head[place]:
        return None
    size = _SIZES.get(code, given)
    return _Frame(at, number if head[1] & 1 else number * block, size)


def _end(data: Bytes, at: int) -> int | None:
    """The end of the last frame if it is whole: at the file's end, or before a tag."""
    tags = (data.find(mark, at) for mark in (b"TAG", b"APETAGEX", b"ID3"))
    ends = [len(data), *(place for place in tags if place >= 0)]
    return next((end for end in ends if _crc(data[at:end], 16, 0x8005) == 0), None)


def _crc(data: bytes, n_bits: int, polynomial: int) -> int:
    """The remainder of a checksum; 0 for data that end with their own checksum."""
    table, mask, crc = _remainders(n_bits, polynomial), (1 << n_bits) - 1, 0
    for byte in data:
        crc = crc << 8 & mask ^ table[crc >> n_bits - 8 ^ byte]
    return crc


@cache
def _remainders(n_bits: int, polynomial: int) -> list[int]:
    """The remainder of each byte."""
    table = []
    for byte in range(256):
        crc = byte << n_bits - 8
        for _ in range(8):
            crc = crc << 1 ^ (polynomial if crc >> n_bits - 1 else 0)
            crc &= (1 << n_bits) - 1
        table.append(crc)
    return table
