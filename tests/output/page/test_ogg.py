import io
import struct

import numpy as np
import soundfile

from specnmf.output.page.ogg import SERIAL, checksum, with_fixed_serial


def vorbis(samples):
    file = io.BytesIO()
    soundfile.write(file, samples, 44100, format="OGG", subtype="VORBIS")
    return file.getvalue()


def plain_checksum(page):
    """The CRC of RFC 3533 bit by bit: polynomial 04c11db7, nothing inverted."""
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1) ^ (0x04C11DB7 if value & 0x80000000 else 0)
            value &= 0xFFFFFFFF
    return struct.pack("<I", value)


def test_the_checksum_is_that_of_the_standard(rng):
    page = rng.bytes(300)
    assert checksum(page) == plain_checksum(page)


def test_the_same_sound_is_the_same_bytes_whatever_number_was_drawn(rng):
    samples = rng.normal(size=(30000, 2)) / 10
    data = vorbis(samples)
    drawn = with_fixed_serial(data)
    other = data.replace(data[14:18], b"\x07\x06\x05\x04")
    assert with_fixed_serial(other) == drawn
    assert drawn[14:18] == SERIAL


def test_it_is_decoded_to_the_same_samples(rng):
    data = vorbis(rng.normal(size=30000) / 10)
    before, after = (
        soundfile.read(io.BytesIO(each))[0] for each in (data, with_fixed_serial(data))
    )
    np.testing.assert_array_equal(before, after)


def test_what_is_no_ogg_stays_as_it_is(rng):
    data = vorbis(rng.normal(size=9000) / 10)
    for other in (b"", b"RIFF", b"OggS", data[:-1], data + b"x"):
        assert with_fixed_serial(other) == other
