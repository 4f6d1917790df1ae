"""Transcribers: which one listens."""

from __future__ import annotations

from typing import Literal

from specnmf.errors import ParameterError
from specnmf.methods.transcription import basic_pitch
from specnmf.methods.transcription.salience import Transcriber

#: The values of the option ``--transcriber``.
Name = Literal["auto", "builtin", "basic-pitch"]


def choose(name: Name = "auto") -> Transcriber:
    """The transcriber of a name; auto is basic-pitch where it is installed.

    Raises
    ------
    ParameterError
        If there is none of that name, or basic-pitch is not installed.
    """
    if name == "auto":
        name = "basic-pitch" if basic_pitch.model_path() else "builtin"
    if name == "basic-pitch":
        basic_pitch.installed()
        return basic_pitch.BasicPitch()
    if name == "builtin":
        from specnmf.methods.transcription.builtin import Builtin

        return Builtin()
    raise ParameterError(f"a transcriber is auto, builtin or basic-pitch, got {name!r}")
