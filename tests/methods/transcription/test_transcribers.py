from pathlib import Path
from typing import get_args

import pytest

from specnmf import ParameterError
from specnmf.methods.transcription import basic_pitch
from specnmf.methods.transcription.options import TranscriberName
from specnmf.methods.transcription.transcribers import choose


@pytest.fixture
def path(monkeypatch):
    """A function that sets where the network of basic-pitch is."""
    return lambda path: monkeypatch.setattr(basic_pitch, "model_path", lambda: path)


@pytest.mark.parametrize("found", [None, Path("nmp.onnx")])
def test_auto_takes_the_builtin_one_whatever_is_installed(path, found):
    path(found)
    assert choose("auto").name == choose().name == "builtin"


@pytest.mark.parametrize("name", sorted({*get_args(TranscriberName)} - {"auto"}))
def test_transcriber_of_a_name_has_that_name(path, name):
    path(Path("nmp.onnx"))
    assert choose(name).name == name


def test_basic_pitch_that_is_not_there_is_told_before_the_work(path):
    path(None)
    with pytest.raises(ParameterError, match="pip install --no-deps basic-pitch"):
        choose("basic-pitch")


def test_other_name_is_an_error():
    with pytest.raises(ParameterError, match="auto, builtin or basic-pitch.*'crepe'"):
        choose("crepe")
