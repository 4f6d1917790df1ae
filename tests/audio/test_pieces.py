"""Pieces of a file: against the bytes that they stand for."""

import io

import pytest

from specnmf.audio.pieces import Pieces


@pytest.fixture
def pieces(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(range(100)))
    with Pieces(path, (b"head", slice(90, 100), b"", slice(3, 5))) as opened:
        yield opened


WHOLE = b"head" + bytes(range(90, 100)) + bytes([3, 4])


def test_the_pieces_are_one_file(pieces):
    assert pieces.read() == WHOLE
    assert pieces.tell() == len(WHOLE)
    assert pieces.read(5) == b""


@pytest.mark.parametrize("start", range(len(WHOLE) + 2))
def test_any_part_can_be_read_like_that_of_a_file(pieces, start):
    peer = io.BytesIO(WHOLE)
    for n in (1, 3, 7, 99):
        for opened in (pieces, peer):
            opened.seek(start)
        buffer, expected = bytearray(n), bytearray(n)
        assert pieces.readinto(buffer) == peer.readinto(expected)
        assert buffer == expected
        assert pieces.tell() == peer.tell()


def test_places_count_from_anywhere(pieces):
    assert pieces.seek(-2, io.SEEK_END) == len(WHOLE) - 2
    assert pieces.seek(1, io.SEEK_CUR) == len(WHOLE) - 1
    assert pieces.read() == b"\4"
