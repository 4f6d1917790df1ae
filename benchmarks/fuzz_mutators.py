"""Mutators: how a file that is whole becomes one that a parser must withstand.

Each takes a generator of random numbers and the bytes of a file, and returns others;
the same numbers give the same bytes.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeVar

import numpy as np

Random = np.random.Generator
Mutator = Callable[[Random, bytes], bytes]
T = TypeVar("T")

#: No input grows beyond so many bytes, for a parser's bounds are tested elsewhere.
LONGEST = 1 << 18

#: Whole numbers at which arithmetic on sizes goes wrong.
NUMBERS = (
    *(0, 1, 2, 3, 7, 8, 15, 16, 127, 128, 255, 256, 1023, 1024, 4096, 32767, 32768),
    *(65535, 65536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 1 << 32),
    *((1 << 63) - 1, 1 << 63, (1 << 64) - 1),
)

#: Marks after which a file says how long something is.
CHUNKS = re.compile(
    rb"RIFF|RIFX|RF64|FORM|data|fmt |fact|LIST|PEAK|bext|ds64|COMM|SSND|NAME|MARK|INST"
    rb"|desc|kuki|pakt|chan|info|\.snd|fLaC|OggS|vorbis|OpusHead|OpusTags|ID3|TAG|Xing"
    rb"|Info|VBRI|MThd|MTrk|RMID|PK\x01\x02|PK\x03\x04|PK\x05\x06|NUMPY|riff|wave"
)

#: What numbers in a text become.
NASTY = (
    *(b"0", b"-1", b"1e308", b"1e999", b"-1e999", b"nan", b"inf", b"-0.0", b"1e-320"),
    *(b"9" * 400, b"9" * 5000, b"0x10", b"1_000", b"\xd9\xa3", b"", b"true", b"1,5"),
    *(b"2147483648", b"18446744073709551616", b"1.5", b"1e5", b"''", b'"'),
)

#: What is put between the tokens of a text.
SNIPPETS = (
    *(b'"', b"'", b"<", b">", b"&", b"&a;", b"&#0;", b"&#x110000;", b"<![CDATA["),
    *(b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'>"),
    *(b"<?xml version='1.0' encoding='utf-7'?>", b"<!--", b"]]>", b"\x00", b"\xff"),
    *(b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", b"\xe2\x80\xa8", b"\r", b"\n"),
    *(b"\\u0000", b"\\ud800", b"\\", b"{", b"}", b"[[", b"]]", b"=", b";", b",", b"\t"),
    *(b"../../../etc/passwd", b"\x1b[31m", b"#", b'"""', b"'''", b"a.b.c = 1\n"),
    *(b"[" * 2000, b"{" * 2000, b"(" * 2000, b"<a>" * 2000, b"a" * 20000, b"," * 20000),
)

#: The parts of a text: words and numbers, spaces, and single other characters.
TOKENS = re.compile(rb"[\w.+-]+|\s+|.", re.DOTALL)


def mutated(
    rng: Random, data: bytes, others: Sequence[bytes], mutators: Sequence[Mutator]
) -> bytes:
    """Return the data after one to six mutations, of which one may splice another."""
    for _ in range(min(6, int(rng.geometric(0.4)))):
        if others and rng.random() < 0.08:
            data = spliced(rng, data, _choice(rng, others))
        else:
            data = _choice(rng, mutators)(rng, data)
        data = data[:LONGEST]
    return data


def spliced(rng: Random, data: bytes, other: bytes) -> bytes:
    """Return the beginning of one file and the end of another."""
    return data[: _place(rng, data)] + other[_place(rng, other) :]


def bits_flipped(rng: Random, data: bytes) -> bytes:
    """Return the data with a few bits flipped."""
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 9)) if data else 0):
        changed[_place(rng, data)] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def bytes_set(rng: Random, data: bytes) -> bytes:
    """Return the data with a few bytes set to anything."""
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 9)) if data else 0):
        changed[_place(rng, data)] = int(rng.integers(256))
    return bytes(changed)


def number_set(rng: Random, data: bytes) -> bytes:
    """Return the data with a number at which arithmetic goes wrong somewhere."""
    return _overwritten(data, _place(rng, data), _number(rng))


def length_faked(rng: Random, data: bytes) -> bytes:
    """Return the data with a length that is not true, where a chunk tells its own."""
    marks = list(CHUNKS.finditer(data[:65536]))
    if not marks:
        return number_set(rng, data)
    place = _choice(rng, marks).end() + int(rng.choice([0, 0, 0, 4, 8, 12, 16]))
    return _overwritten(data, place, _number(rng))


def block_removed(rng: Random, data: bytes) -> bytes:
    """Return the data without a few bytes or many."""
    start, end = _block(rng, data)
    return data[:start] + data[end:]


def block_repeated(rng: Random, data: bytes) -> bytes:
    """Return the data with a block that comes again, up to a hundred times."""
    start, end = _block(rng, data)
    times = int(rng.choice([1, 1, 2, 10, 100]))
    return data[:end] + data[start:end] * times + data[end:]


def block_moved(rng: Random, data: bytes) -> bytes:
    """Return the data with a block put elsewhere."""
    start, end = _block(rng, data)
    rest = data[:start] + data[end:]
    place = _place(rng, rest)
    return rest[:place] + data[start:end] + rest[place:]


def block_inserted(rng: Random, data: bytes) -> bytes:
    """Return the data with a block of chance, zeros or ones in it."""
    place = _place(rng, data)
    n = int(2 ** rng.uniform(0, 10))
    kinds = (rng.bytes(n), bytes(n), b"\xff" * n)
    return data[:place] + _choice(rng, kinds) + data[place:]


def cut_short(rng: Random, data: bytes) -> bytes:
    """Return the beginning of the data."""
    return data[: _place(rng, data)]


def token_removed(rng: Random, data: bytes) -> bytes:
    """Return a text without one to five tokens."""
    tokens, place = _tokens(rng, data)
    return b"".join(tokens[:place] + tokens[place + int(rng.integers(1, 6)) :])


def token_repeated(rng: Random, data: bytes) -> bytes:
    """Return a text in which some tokens come again."""
    tokens, place = _tokens(rng, data)
    end = place + int(rng.choice([1, 2, 8, 64]))
    times = int(rng.choice([1, 2, 50]))
    return b"".join(tokens[:end] + tokens[place:end] * times + tokens[end:])


def token_replaced(rng: Random, data: bytes) -> bytes:
    """Return a text with one of its tokens in the place of another."""
    tokens, place = _tokens(rng, data)
    if tokens:
        tokens[place] = _choice(rng, tokens)
    return b"".join(tokens)


def number_replaced(rng: Random, data: bytes) -> bytes:
    """Return a text with another number in the place of one."""
    numbers = list(re.finditer(rb"-?\d[\d.]*", data))
    if not numbers:
        return snippet_inserted(rng, data)
    found = _choice(rng, numbers)
    return data[: found.start()] + _choice(rng, NASTY) + data[found.end() :]


def snippet_inserted(rng: Random, data: bytes) -> bytes:
    """Return a text with what parsers stumble over in it."""
    tokens, place = _tokens(rng, data)
    return b"".join([*tokens[:place], _choice(rng, SNIPPETS), *tokens[place:]])


def encoded_anew(rng: Random, data: bytes) -> bytes:
    """Return a text in another encoding."""
    names = ("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7", "cp037", "latin-1")
    return data.decode("utf-8", "replace").encode(_choice(rng, names), "replace")


def pages_sealed(mutator: Mutator) -> Mutator:
    """Return the mutator, after which each page of an Ogg file has its right CRC.

    A decoder drops pages whose CRC is wrong, before it looks into them.
    """

    def sealed(rng: Random, data: bytes) -> bytes:
        pages = mutator(rng, data).split(b"OggS")
        return b"OggS".join([pages[0], *map(_sealed, pages[1:])])

    return sealed


def member_changed(mutators: Sequence[Mutator]) -> Mutator:
    """Return a mutator of what an archive holds; its CRCs are right afterwards."""

    def changed(rng: Random, data: bytes) -> bytes:
        try:
            return _repacked(rng, data, mutators)
        except Exception:  # the archive is broken already
            return _choice(rng, mutators)(rng, data)

    return changed


def _repacked(rng: Random, data: bytes, mutators: Sequence[Mutator]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = _choice(rng, list(members))
    if rng.random() < 0.9:
        members[name] = _choice(rng, mutators)(rng, members[name])[:LONGEST]
    else:
        new = ("../../escape.npy", "/etc/x.npy", "W.npy", "", "a" * 300, name)
        members[_choice(rng, new)] = members.pop(name)
    packed = io.BytesIO()
    method = int(rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def _sealed(page: bytes) -> bytes:
    """A page of Ogg, without its OggS, with its CRC in place."""
    if len(page) < 23:
        return page
    whole = b"OggS" + page[:18] + bytes(4) + page[22:]
    table, crc = _crc_table(), 0
    for byte in whole[: 27 + page[22] + sum(page[23 : 23 + page[22]])]:
        crc = (crc << 8 & 0xFFFFFFFF) ^ table[crc >> 24 ^ byte]
    return page[:18] + struct.pack("<I", crc) + page[22:]


@cache
def _crc_table() -> tuple[int, ...]:
    """The table of the CRC of Ogg: polynomial 0x04C11DB7, not reflected."""
    table = []
    for byte in range(256):
        crc = byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc >> 31 else 0)) & 0xFFFFFFFF
        table.append(crc)
    return tuple(table)


def _number(rng: Random) -> bytes:
    size = int(rng.choice([1, 2, 4, 8]))
    order = "big" if rng.random() < 0.5 else "little"
    return (_choice(rng, NUMBERS) % (1 << 8 * size)).to_bytes(size, order)


def _overwritten(data: bytes, place: int, new: bytes) -> bytes:
    return data[:place] + new + data[place + len(new) :]


def _place(rng: Random, data: bytes) -> int:
    """A place in the data, near its beginning half of the time: headers are there."""
    if not data:
        return 0
    if rng.random() < 0.5:
        return int(len(data) ** rng.random()) - 1
    return int(rng.integers(len(data)))


def _block(rng: Random, data: bytes) -> tuple[int, int]:
    start = _place(rng, data)
    return start, start + int(2 ** rng.uniform(0, np.log2(len(data) + 2)))


def _tokens(rng: Random, data: bytes) -> tuple[list[bytes], int]:
    """The tokens of a text, and the number of one of them."""
    tokens = TOKENS.findall(data)
    return tokens, int(rng.integers(len(tokens))) if tokens else 0


def _choice(rng: Random, options: Sequence[T]) -> T:
    return options[int(rng.integers(len(options)))]


BINARY: tuple[Mutator, ...] = (
    *(bits_flipped, bytes_set, number_set, number_set, length_faked, length_faked),
    *(block_removed, block_repeated, block_moved, block_inserted, cut_short),
)

TEXT: tuple[Mutator, ...] = (
    *(token_removed, token_repeated, token_replaced, token_replaced, block_repeated),
    *(number_replaced, number_replaced, snippet_inserted, encoded_anew, cut_short),
    *(bits_flipped, block_moved),
)
