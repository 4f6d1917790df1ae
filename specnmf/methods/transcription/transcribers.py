"""The choice of a transcriber."""

from __future__ import annotations

from specnmf.errors import ParameterError
from specnmf.methods.transcription import basic_pitch
from specnmf.methods.transcription.options import TranscriberName
from specnmf.methods.transcription.salience import Transcriber


def choose(name: TranscriberName = "auto") -> Transcriber:
    """The transcriber of a name; auto: both if basic-pitch is installed, else builtin.

    Raises
    ------
    ParameterError
        If there is no such transcriber, or basic-pitch is not installed.
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
        f"expected transcriber auto, builtin, basic-pitch or both, got {name!r}"
    )
