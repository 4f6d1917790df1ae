"""What tests of scores share."""

import pytest

from specnmf.score.musicxml import read_musicxml


@pytest.fixture
def read(tmp_path):
    """The score in a MusicXML document."""

    def read(text, name="score.musicxml"):
        data = text.encode() if isinstance(text, str) else text
        (tmp_path / name).write_bytes(data)
        return read_musicxml(tmp_path / name)

    return read
