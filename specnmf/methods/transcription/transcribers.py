"""Transcribers: which one listens."""

from __future__ import annotations

from typing import Literal

from specnmf.errors import ParameterError
from specnmf.methods.transcription import basic_pitch
from specnmf.methods.transcription.salience import Transcriber

#: The values of the option ``--transcriber``.
Name = Literal["auto", "builtin", "basic-pitch", "both"]


def choose(name: Name = "auto") -> Transcriber:
    """The transcriber of a name; auto is both where basic-pitch is installed.

    Raises
    ------
    ParameterError
        If there is none of that name, or basic-pitch is not installed.
    """
    if name == "auto":
        name = "both" if basic_pitch.model_path() else "builtin"
    if name in ("basic-pitch", "both"):
        basic_pitch.installed()
    if name == "basic-pitch":
        return basic_pitch.BasicPitch()
    if name == "builtin":
        from specnmf.methods.transcription.builtin import Builtin

        return Builtin()
    if name == "both":
        from specnmf.methods.transcription.both import Both

        return Both()
    raise ParameterError(
        f"a transcriber is auto, builtin, basic-pitch or both, got {name!r}"
    )
