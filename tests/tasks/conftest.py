"""Songs to do tasks with."""

import pytest
import soundfile
from playing import DUET, SR, sound


@pytest.fixture(scope="session")
def duet(tmp_path_factory):
    """A recording of `playing.DUET`."""
    path = tmp_path_factory.mktemp("songs") / "duet.wav"
    soundfile.write(path, 0.1 * sound(DUET), SR, subtype="PCM_16")
    return path
