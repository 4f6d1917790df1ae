"""The options of transcription."""

from __future__ import annotations

from functools import partial
from typing import Literal

from specnmf.checks import whole_or_auto
from specnmf.options import OUTPUT, WHAT, Options, option

TranscriberName = Literal["auto", "builtin", "basic-pitch"]

#: The most voices.
MOST_VOICES = 16


class TranscriptionOptions(Options, group=WHAT):
    """The options of transcription: voices and transcriber."""

    voices: int | Literal["auto"] = option(
        "auto",
        "Number of voices for notes that are transcribed without a score; auto: from "
        "the number of simultaneous notes, at most 4.",
        least=1,
        most=MOST_VOICES,
        parse=partial(whole_or_auto, expected="auto or a whole number"),
        metavar="[auto|NUMBER]",
        added=True,
    )
    transcriber: TranscriberName = option(
        "auto",
        "What hears the notes: a network of our own, or basic-pitch, which must be "
        "installed; auto: builtin.",
        added=True,
    )
    bends: bool = option(
        False,
        "Write the cents of transcribed notes into score.mid as pitch bends.",
        group=OUTPUT,
        added=True,
    )
