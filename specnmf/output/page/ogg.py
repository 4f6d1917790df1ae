"""Ogg streams whose serial number is always the same.

libsndfile draws the number at random, so that the same sound would be other bytes each
time. Each page of a stream has it, and a checksum of the page: RFC 3533, section 6.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

#: Where a page's serial number, checksum and number of segments are.
_SERIAL, _CHECKSUM, _SEGMENTS = slice(14, 18), slice(22, 26), 26

#: The number that every stream gets.
SERIAL = (1).to_bytes(4, "little")

#: Each byte with its bits the other way round.
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def with_fixed_serial(data: bytes) -> bytes:
    """An Ogg stream with the serial number 1; what is none stays as it is."""
    spans = list(_pages(data))
    if not spans or spans[-1].stop != len(data):
        return data
    pages = [bytearray(data[span]) for span in spans]
    for page in pages:
        page[_SERIAL], page[_CHECKSUM] = SERIAL, bytes(4)
        page[_CHECKSUM] = checksum(bytes(page))
    return b"".join(pages)


def _pages(data: bytes) -> Iterator[slice]:
    """Yield where the pages are, as long as one follows another."""
    start = 0
    while data[start : start + 4] == b"OggS" and len(data) > start + _SEGMENTS:
        first = start + _SEGMENTS + 1
        lengths = data[first : first + data[start + _SEGMENTS]]
        end = first + len(lengths) + sum(lengths)
        yield slice(start, end)
        start = end


def checksum(page: bytes) -> bytes:
    """The CRC-32 of a page as Ogg has it, whose own is zero.

    It is zlib's polynomial, from the highest bit down and without its inversions; so
    zlib computes it of bytes that are turned round.
    """
    turned = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return turned.to_bytes(4, "big").translate(_REVERSED)
