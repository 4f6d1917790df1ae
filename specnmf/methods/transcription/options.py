"""The options of transcription."""

from __future__ import annotations

from functools import partial
from typing import Literal

from specnmf.checks import whole_or_auto
from specnmf.options import OUTPUT, WHAT, Options, option

TranscriberName = Literal["auto", "builtin", "basic-pitch", "both"]

#: The most voices that notes are put into.
MOST_VOICES = 16


class TranscriptionOptions(Options, group=WHAT):
    """How notes are heard, and put into voices."""

    voices: int | Literal["auto"] = option(
        "auto",
        "How many voices to put heard notes into; auto: by how many sound at once, at "
        "most 4.",
        least=1,
        most=MOST_VOICES,
        parse=partial(whole_or_auto, expected="auto or a whole number"),
        metavar="[auto|NUMBER]",
        added=True,
    )
    transcriber: TranscriberName = option(
        "auto",
        "What hears the notes; both: the mean of the two; auto: both if basic-pitch is "
        "installed, else builtin.",
        added=True,
    )
    bends: bool = option(
        False, "Bend heard notes in score.mid by their cents.", group=OUTPUT, added=True
    )
