"""Notes that are heard, before and after refinement, and their voices: F."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

from transcription_cases import Case

import specnmf
from specnmf.evaluation.notes import evaluate_notes
from specnmf.methods.transcription.basic_pitch import model_path
from specnmf.methods.transcription.heard import Heard
from specnmf.methods.transcription.options import TranscriberName
from specnmf.methods.transcription.picking import pick
from specnmf.methods.transcription.refining import refine
from specnmf.methods.transcription.salience import Salience
from specnmf.methods.transcription.transcribers import choose
from specnmf.methods.voices.assigning import assign
from specnmf.methods.voices.hands import hands

Values = dict[str, float]

METRICS = {
    "onset_50": "F of notes, onsets within 50 ms",
    "onset_100": "F of notes, onsets within 100 ms",
    "offset_50": "F of notes, onsets within 50 ms, offsets within 50 ms or a fifth",
    "voices_50": "F of notes in their voice, onsets within 50 ms, mean over voices",
}


def peer(case: Case) -> Values | None:
    """Score what basic-pitch makes of a recording with its own defaults."""
    if case.score is None:
        return None
    return scores(case, specnmf.Score(tuple(their_notes(case))))


def their_notes(case: Case) -> list[specnmf.Note]:
    logging.disable(logging.WARNING)  # of the runtimes that it does without
    from basic_pitch.inference import predict

    with contextlib.redirect_stdout(io.StringIO()):
        events = predict(str(case.recording), model_path())[2]
    return [
        specnmf.Note(max(0.0, float(start)), float(end - start), int(pitch))
        for start, end, pitch, *_ in events
    ]


@lru_cache(maxsize=2)  # both methods of a transcriber hear a song once
def hear(name: TranscriberName, case: Case) -> Salience:
    return choose(name).hear(case.song.audio)


def picked(name: TranscriberName, case: Case) -> Values | None:
    """Score the notes that are picked from what a transcriber hears."""
    if case.score is None:
        return None
    heard = pick(hear(name, case))
    return scores(case, score_of(heard, ["all"] * len(heard)))


def refined(name: TranscriberName, case: Case) -> Values | None:
    """Score the same after the fit, in their voices or hands."""
    if case.score is None:
        return None
    salience = hear(name, case)
    heard = refine(case.song.audio, pick(salience), salience)
    by_hand = case.by == "hand"
    places = hands(heard) if by_hand else assign(heard, case.n_voices)
    score = score_of(heard, [f"voice_{place + 1}" for place in places])
    evaluation = evaluate_notes(score, case.song.score, match="best")
    return {
        **scores(case, score),
        "voices_50": evaluation.mean["onset_50"],
        "voices_100": evaluation.mean["onset_100"],
    }


def score_of(heard: Heard, parts: Sequence[str]) -> specnmf.Score:
    """Return notes as a score."""
    notes = zip(heard.start, heard.duration, heard.pitch, parts, strict=True)
    return specnmf.Score(
        tuple(
            specnmf.Note(float(start), float(length), int(pitch), part=part)
            for start, length, pitch, part in notes
        )
    )


def scores(case: Case, score: specnmf.Score) -> Values:
    """Return the F of all pitched notes."""
    found = evaluate_notes(score, case.song.score, match="best").notes
    return {
        "onset_50": found.onset_50.f,
        "onset_100": found.onset_100.f,
        "offset_50": found.onset_offset_50.f,
        "notes": found.n_estimate,
        "true": found.n_reference,
    }


METHODS: dict[str, Callable[[Case], Values | None]] = {
    "basic-pitch's own": peer,
    "basic-pitch, picked": partial(picked, "basic-pitch"),
    "basic-pitch, refined": partial(refined, "basic-pitch"),
    "builtin, picked": partial(picked, "builtin"),
    "builtin, refined": partial(refined, "builtin"),
}
