"""Guitar Pro 6 containers (``.gpx``): files in sectors, compressed bit by bit."""

from __future__ import annotations

import struct

from specnmf.errors import ScoreError
from specnmf.score.musicxml_document import MAX_BYTES, MAX_PACKED_BYTES

_SECTOR = 0x1000

#: The kind of an entry that is a file, and where in it what is stored: its name, its
#: size, and the sectors that hold it.
_FILE, _NAME, _SIZE, _SECTORS = 2, 4, 0x8C, 0x94

_LONGEST_NAME = 127


def document(data: bytes, name: str = "score.gpif") -> bytes:
    """A file in a container, whether compressed or not.

    Raises ScoreError if the container is damaged, holds no such file, or is too large.
    """
    if len(data) > MAX_PACKED_BYTES:
        raise ScoreError(f"larger than {MAX_PACKED_BYTES >> 20} MB, the limit for .gpx")
    if data.startswith(b"BCFZ"):
        data = decompressed(data[4:])
    if not data.startswith(b"BCFS"):
        raise ScoreError("damaged: no Guitar Pro 6 file")
    found = _file(data[4:], name.encode())
    if found is None:
        raise ScoreError(f"damaged: holds no {name}")
    return found


def decompressed(data: bytes) -> bytes:
    """The contents of a compressed container.

    Its bits, each byte's highest first, say either how many bytes follow as they are
    (0, and two bits), or which bytes before are there again (1, four bits for the width
    of the next two numbers: how far back, and how many). Numbers but the width begin
    with their lowest bit.
    """
    if len(data) < 4:
        raise ScoreError("damaged: ends too early")
    (length,) = struct.unpack_from("<I", data)
    if length > MAX_BYTES:
        raise ScoreError(f"unpacks to more than {MAX_BYTES >> 20} MB")
    bits = _Bits(data[4:])
    found = bytearray()
    while len(found) < length and not bits.at_end():
        if bits.read(1):
            width = bits.read(4)
            back, count = bits.lowest_first(width), bits.lowest_first(width)
            if back > len(found):
                raise ScoreError("damaged: refers to what is not there")
            start = len(found) - back
            found += found[start : start + min(count, back)]
        else:
            for _ in range(bits.lowest_first(2)):
                found.append(bits.read(8))
    return bytes(found[:length])


class _Bits:
    """Bits of bytes, the highest of each first; zeros after the end."""

    def __init__(self, data: bytes) -> None:
        self.data = data + bytes(4)
        self.place = 0
        self.end = 8 * len(data)

    def at_end(self) -> bool:
        return self.place >= self.end

    def read(self, n_bits: int) -> int:
        """A number of up to 16 bits."""
        if self.at_end():
            return 0
        first, skipped = divmod(self.place, 8)
        self.place += n_bits
        word = int.from_bytes(self.data[first : first + 3].ljust(3, b"\0"), "big")
        return (word >> (24 - skipped - n_bits)) & ((1 << n_bits) - 1)

    def lowest_first(self, n_bits: int) -> int:
        value = self.read(n_bits)
        return sum(((value >> (n_bits - 1 - k)) & 1) << k for k in range(n_bits))


def _file(data: bytes, name: bytes) -> bytes | None:
    """A file of a container, whose first sector is empty; None if there is none."""
    offset = _SECTOR
    while offset + _SECTORS + 4 <= len(data):
        if _integer(data, offset) != _FILE:
            offset += _SECTOR
            continue
        own = data[offset + _NAME : offset + _NAME + _LONGEST_NAME].partition(b"\0")[0]
        size = _integer(data, offset + _SIZE)
        sectors = _sectors(data, offset + _SECTORS)
        if own == name:
            parts = [data[s * _SECTOR : (s + 1) * _SECTOR] for s in sectors]
            return b"".join(parts)[:size]
        last = sectors[-1] * _SECTOR if sectors else offset
        offset = max(last, offset) + _SECTOR
    return None


def _sectors(data: bytes, offset: int) -> list[int]:
    """The sectors of a file, up to a zero."""
    found: list[int] = []
    while offset + 4 <= len(data) and (sector := _integer(data, offset)):
        found.append(sector)
        if len(found) * _SECTOR > MAX_BYTES:
            raise ScoreError("damaged: a file of too many sectors")
        offset += 4
    return found


def _integer(data: bytes, offset: int) -> int:
    found: int = struct.unpack_from("<I", data, offset)[0]
    return found
