"""The choice of a transcriber."""

from __future__ import annotations

from specnmf.errors import ParameterError
from specnmf.methods.transcription import basic_pitch
from specnmf.methods.transcription.options import TranscriberName
from specnmf.methods.transcription.salience import Transcriber


def choose(name: TranscriberName = "auto") -> Transcriber:
    """The transcriber of a name; auto: builtin.

    Raises
    ------
    ParameterError
        If there is no such transcriber, or basic-pitch is not installed.
    """
    if name == "basic-pitch":
        basic_pitch.installed()
        return basic_pitch.BasicPitch()
    if name in ("auto", "builtin"):
        from specnmf.methods.transcription.builtin import Builtin

        return Builtin()
    raise ParameterError(
        f"expected transcriber auto, builtin or basic-pitch, got {name!r}"
    )
