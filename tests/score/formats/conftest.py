"""What tests of other programs' scores share."""

import pytest

from specnmf.score.reading import read_score


@pytest.fixture
def read(tmp_path):
    """The score in a file with given contents."""

    def read(contents, name):
        path = tmp_path / name
        data = contents if isinstance(contents, bytes) else contents.encode()
        path.write_bytes(data)
        return read_score(path)

    return read
