"""Stems by a score: how good they are, what they add up to, and what may happen."""

import warnings

import numpy as np
import pytest

import specnmf
from specnmf import Audio, Note, ParameterError, Score, ScoreError, separate_by_score

SR = 22050
SECONDS = 1.5
N = int(SECONDS * SR)

#: Two parts that overlap.
DUET = Score(
    (
        Note(0.1, 0.6, 60, part="low"),
        Note(0.8, 0.6, 62, part="low"),
        Note(0.3, 1.0, 67, part="high"),
    )
)


@pytest.fixture
def duet(tone):
    """The two parts' sound, by name, and together."""
    return parts_of(DUET, tone)


def parts_of(score, tone, sr=SR, seconds=SECONDS):
    parts = {
        part: sum(
            tone(note, sr, int(seconds * sr))
            for note in score.notes
            if note.part == part
        )[None]
        for part in score.parts
    }
    return parts, Audio(sum(parts.values()), sr)


def samples(stems):
    return {name: stem.samples for name, stem in stems.items()}


def rms(y):
    return np.sqrt(np.mean(np.square(y, dtype=np.float64)))


def residual(stems, audio):
    """How far the stems are from adding up, relative to the recording."""
    return rms(sum(stem.samples for stem in stems.values()) - audio.samples) / max(
        rms(audio.samples), 1e-30
    )


HANDS = {"right": "right_hand", "left": "left_hand"}


@pytest.mark.parametrize(
    ("name", "by", "least", "above_the_book"),
    [
        ("chorale", "part", 9.3, 6.0),
        ("chopin_op28_4", "hand", 14.4, 1.9),
        ("drums", "part", 17.0, 12.0),
    ],
)
def test_the_examples_come_apart(example, sdr, name, by, least, above_the_book):
    taken = example(name, by)
    sound = {HANDS.get(stem, stem): y for stem, y in taken.sound.items()}
    book = {HANDS.get(stem, stem): y for stem, y in taken.book.items()}
    found = sdr(taken.references, sound).mean()
    assert found >= least
    assert found >= sdr(taken.references, book).mean() + above_the_book


@pytest.mark.slow  # real recordings
@pytest.mark.parametrize(
    ("names", "least"),
    [
        (["bach10/P4_Mix01", "bach10/P4_Mix02", "bach10/P4_Mix03"], 11.6),
        (["bach10/P2_Mix01", "bach10/P2_Mix02"], 23.4),
        (["drums/808"], 18.0),
    ],
)
def test_real_recordings_come_apart(shared_data, sdr, names, least):
    found = []
    for name in names:
        folder = shared_data / name
        audio = specnmf.read(folder / "mix.flac")
        stems = separate_by_score(audio, specnmf.read_score(folder / "score.mid"))
        paths = (folder / "ref").iterdir()
        references = {path.stem: specnmf.read(path).samples for path in paths}
        found.append(sdr(references, samples(stems)).mean())
    assert np.mean(found) >= least


@pytest.mark.parametrize(
    ("name", "by"),
    [("chorale", "part"), ("chopin_op28_4", "hand"), ("drums", "part")],
)
def test_stems_add_up_to_the_recording(example, name, by):
    taken = example(name, by)
    error = sum(taken.sound.values()) - taken.audio.samples
    assert rms(error) <= 1e-6 * rms(taken.audio.samples)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"by": "note"},
        {"by": "pitch"},
        {"by": "hand", "split": 65},
        {"residual": True},
        {"mask": "binary"},
        {"mask_power": 0.7},
        {"model": "fmp"},
        {"model": "fmp-onsets"},
        {"n_fft": 1024},
        {"n_fft": 1000, "hop_length": 300},
        {"max_iter": 1},
        {"tuning": 30.0},
    ],
    ids=str,
)
def test_whatever_the_options_stems_are_finite_and_add_up(duet, options):
    _, audio = duet
    stems = separate_by_score(audio, DUET, **options)
    assert len(stems) >= 2
    for stem in stems.values():
        assert stem.sr == SR
        assert stem.samples.shape == audio.samples.shape
        assert stem.samples.dtype == np.float32
        assert np.isfinite(stem.samples).all()
    assert residual(stems, audio) < 1e-6


@pytest.mark.parametrize("sr", [8000, 22050, 44100, 48000, 96000])
def test_parts_come_apart_at_any_sample_rate(tone, sdr, sr):
    parts, audio = parts_of(DUET, tone, sr)
    stems = separate_by_score(audio, DUET)
    assert list(stems) == ["low", "high"]
    assert sdr(parts, samples(stems)).min() > 12


def test_a_tuning_other_than_440_hz_is_followed(tone, sdr):
    sharp = [note._replace(pitch=note.pitch + 0.9) for note in DUET.notes]
    parts = {
        part: sum(tone(note, SR, N) for note in sharp if note.part == part)[None]
        for part in DUET.parts
    }
    audio = Audio(sum(parts.values()), SR)
    tuned = sdr(parts, samples(separate_by_score(audio, DUET, tuning=90.0)))
    untuned = sdr(parts, samples(separate_by_score(audio, DUET)))
    assert tuned.min() > 12
    assert tuned.mean() > untuned.mean() + 3


def test_where_each_part_sits_helps_to_tell_them_apart(tone, sdr):
    octaves = Score(
        (Note(0.1, 1.2, 60, part="low"), Note(0.1, 1.2, 72, part="high")),
    )
    low, high = (tone(note, SR, N) for note in octaves.notes)
    mono = separate_by_score(Audio(low + high, SR), octaves)
    stereo = separate_by_score(Audio(np.stack([low, high]), SR), octaves)
    parts = {"low": low[None], "high": high[None]}
    assert sdr(parts, samples(stereo)).min() > sdr(parts, samples(mono)).max() + 5
    assert rms(stereo["low"].samples[1]) < 0.05 * rms(low)


def test_parts_in_unison_that_nothing_tells_apart_share_alike(tone):
    unison = Score((Note(0.1, 1.2, 60, part="one"), Note(0.1, 1.2, 60, part="other")))
    audio = Audio(tone(unison.notes[0], SR, N), SR)
    for stem in separate_by_score(audio, unison).values():
        np.testing.assert_allclose(stem.samples, audio.samples / 2, atol=1e-5)


def test_identical_channels_give_identical_stems(duet):
    _, mono = duet
    twice = Audio(np.repeat(mono.samples, 2, axis=0), SR)
    alone, both = separate_by_score(mono, DUET), separate_by_score(twice, DUET)
    for name, stem in both.items():
        assert stem.samples[0].tobytes() == stem.samples[1].tobytes()
        np.testing.assert_allclose(stem.samples[:1], alone[name].samples, atol=1e-6)


def test_a_silent_channel_stays_silent(duet):
    _, mono = duet
    audio = Audio(np.concatenate([mono.samples, 0 * mono.samples]), SR)
    for stem in separate_by_score(audio, DUET).values():
        assert np.isfinite(stem.samples).all()
        assert stem.samples[0].any()
        assert not stem.samples[1].any()


def test_results_do_not_depend_on_the_threads(duet):
    _, audio = duet
    stereo = Audio(np.concatenate([audio.samples, audio.samples[:, ::-1]]), SR)
    one, two = (separate_by_score(stereo, DUET, threads=n) for n in (1, 2))
    for name in one:
        assert one[name].samples.tobytes() == two[name].samples.tobytes()


@pytest.mark.parametrize("gain", [1e-6, 1e-3, 1e3])
def test_the_loudness_does_not_matter(duet, gain):
    _, audio = duet
    loud = Audio(gain * audio.samples, SR)
    plain, found = (separate_by_score(y, DUET) for y in (audio, loud))
    for name in plain:
        difference = found[name].samples / gain - plain[name].samples
        assert rms(difference) < 0.01 * rms(audio.samples)


def test_a_note_is_silent_while_it_does_not_sound(tone):
    notes = (Note(0.1 + 0.7 * i, 0.7, 60 + 4 * i) for i in range(3))
    score = Score(tuple(notes))
    audio = Audio(sum(tone(note, SR, 3 * SR) for note in score.notes), SR)
    stems = separate_by_score(audio, score, by="note", n_fft=2048)
    window = 2048 / SR
    for note, stem in zip(score.notes, stems.values(), strict=True):
        t = np.arange(3 * SR) / SR
        played = (score.notes[0].start < t) & (t < score.duration)
        near = (t > note.start - 0.06 - window) & (t < note.start + 0.81 + window)
        assert rms(stem.samples[:, played & ~near]) < 1e-4 * rms(audio.samples)
        assert rms(stem.samples[:, near]) > 0.3 * rms(audio.samples)


def test_repeated_notes_are_stems_of_their_own(tone):
    score = Score((Note(0.1, 0.5, 60), Note(0.8, 0.5, 60)))
    audio = Audio(sum(tone(note, SR, N) for note in score.notes), SR)
    first, second = separate_by_score(audio, score, by="note", n_fft=1024).values()
    half = int(0.7 * SR)
    assert rms(first.samples[:, :half]) > 20 * rms(first.samples[:, half:])
    assert rms(second.samples[:, half:]) > 20 * rms(second.samples[:, :half])


def test_pitches_are_stems_across_the_parts(duet):
    _, audio = duet
    assert set(separate_by_score(audio, DUET, by="pitch")) == {"C4", "D4", "G4"}


def test_hands_are_parted_at_the_split(duet):
    _, audio = duet
    score = Score(tuple(note._replace(part="piano") for note in DUET.notes))
    stems = separate_by_score(audio, score, by="hand", split=65)
    low = separate_by_score(audio, DUET)["low"]
    assert set(stems) == {"left", "right"}
    assert rms(stems["left"].samples - low.samples) < 0.1 * rms(audio.samples)


def test_groups_are_stems_together(duet):
    parts, audio = duet
    trio = Score((*DUET.notes, Note(0.5, 0.5, 79, part="top")))
    stems = separate_by_score(audio, trio, groups={"upper": ["high", "top"]})
    apart = separate_by_score(audio, trio)
    assert list(stems) == ["low", "upper"]
    together = apart["high"].samples + apart["top"].samples
    assert rms(stems["upper"].samples - together) < 0.05 * rms(parts["high"])


def test_the_residual_holds_what_the_score_does_not_explain(duet, rng):
    parts, audio = duet
    breath = 0.02 * rng.standard_normal((1, N)).astype(np.float32)
    noisy = Audio(audio.samples + breath, SR)
    stems = separate_by_score(noisy, DUET, residual=True)
    assert list(stems) == ["low", "high", "residual"]
    assert residual(stems, noisy) < 1e-6
    assert rms(stems["residual"].samples - breath) < 0.8 * rms(breath)
    kept = separate_by_score(noisy, DUET)
    assert rms(stems["low"].samples - parts["low"]) < rms(
        kept["low"].samples - parts["low"]
    )


def test_a_part_called_residual_is_not_the_residual(duet):
    _, audio = duet
    score = Score(tuple(note._replace(part="residual") for note in DUET.notes))
    stems = separate_by_score(audio, score, residual=True)
    assert len(stems) == 2
    assert residual(stems, audio) < 1e-6


@pytest.mark.parametrize("n_samples", [1, 100, 2205, 2206])
def test_a_very_short_recording_is_taken_apart(duet, n_samples):
    _, audio = duet
    short = Audio(audio.samples[:, SR // 2 :][:, :n_samples], SR)
    score = Score((Note(0, 0.1, 60, part="low"), Note(0, 0.1, 67, part="high")))
    stems = separate_by_score(short, score)
    assert all(np.isfinite(stem.samples).all() for stem in stems.values())
    assert residual(stems, short) < 1e-6


def test_a_single_note_is_the_whole_recording(tone):
    note = Note(0.1, 1.0, 60, part="solo")
    audio = Audio(tone(note, SR, N), SR)
    (stem,) = separate_by_score(audio, Score((note,))).values()
    np.testing.assert_allclose(stem.samples, audio.samples, atol=1e-6)


@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize("percussion", [False, True])
@pytest.mark.parametrize("residual", [False, True])
def test_silence_gives_silent_stems(n_channels, percussion, residual):
    audio = Audio(np.zeros((n_channels, N)), SR)
    score = Score(tuple(note._replace(percussion=percussion) for note in DUET.notes))
    stems = separate_by_score(audio, score, residual=residual)
    assert len(stems) == 2 + residual
    assert not any(stem.samples.any() for stem in stems.values())


def test_silence_before_the_music_is_no_trouble(duet):
    _, audio = duet
    later = Score(tuple(note._replace(start=note.start + 1) for note in DUET.notes))
    delayed = Audio(np.pad(audio.samples, ((0, 0), (SR, 0))), SR)
    stems = separate_by_score(delayed, later)
    assert all(np.isfinite(stem.samples).all() for stem in stems.values())
    assert residual(stems, delayed) < 1e-6


@pytest.mark.parametrize("pitch", [0, 127])
def test_pitches_that_cannot_be_heard_harm_nothing(duet, sdr, pitch):
    parts, audio = duet
    score = Score((*DUET.notes, Note(0.2, 1.0, pitch, part="odd")))
    stems = samples(separate_by_score(audio, score))
    assert np.isfinite(stems["odd"]).all()
    assert rms(stems.pop("odd")) < 0.1 * rms(audio.samples)
    assert sdr(parts, stems).min() > 12


def test_only_a_pitch_that_cannot_be_heard_is_left_with_everything(duet):
    _, audio = duet
    stems = separate_by_score(audio, Score((Note(0.2, 1.0, 127, part="odd"),)))
    np.testing.assert_allclose(stems["odd"].samples, audio.samples, atol=1e-6)


def test_drums_and_pitches_come_apart(tone, sdr, rng):
    tones = Score((Note(0.1, 1.3, 60, part="tone"),))
    strikes = (0.3, 0.6, 0.9, 1.2)
    noise = rng.standard_normal(N)
    t = np.arange(N) / SR
    gate = sum(np.exp(-(t - s) / 0.03) * (t >= s) for s in strikes)
    parts = {
        "tone": tone(tones.notes[0], SR, N)[None],
        "snare": (0.1 * gate * noise).astype(np.float32)[None],
    }
    snares = tuple(Note(s, 0.1, 38, part="snare", percussion=True) for s in strikes)
    audio = Audio(sum(parts.values()), SR)
    stems = separate_by_score(audio, Score((*tones.notes, *snares)), n_fft=1024)
    assert sdr(parts, samples(stems)).min() > 5


def test_a_drum_that_is_struck_as_the_recording_ends_is_heard_like_the_others(
    tone, rng
):
    t = np.arange(N) / SR
    snares = [Note(s, 0.1, 38, part="snare", percussion=True) for s in (0.2, 0.7, 1.4)]
    gates = [np.exp(-(t - s.start) / 0.05) * (t >= s.start) for s in snares]
    quiet = Note(0.0, 1.5, 60, part="tone")
    struck = 0.1 * rng.standard_normal(N) * sum(gates)
    audio = Audio(struck + 0.01 * tone(quiet, SR, N), SR)
    stems = separate_by_score(audio, Score((*snares, quiet)))
    shares = []
    for snare in snares:
        heard = slice(int(snare.start * SR), int((snare.start + 0.1) * SR))
        own = stems["snare"].samples[:, heard]
        shares.append(rms(own) / rms(audio.samples[:, heard]))
    assert shares[2] > 0.95 * shares[1]


@pytest.mark.parametrize(
    "late",
    [
        Note(9.0, 1.0, 60, part="late"),
        Note(9.0, 1.0, 36, part="late", percussion=True),
    ],
)
@pytest.mark.parametrize("percussion", [False, True])
def test_a_part_that_enters_after_the_end_is_a_stem_all_the_same(
    duet, late, percussion
):
    _, audio = duet
    early = tuple(note._replace(percussion=percussion) for note in DUET.notes)
    stems = separate_by_score(audio, Score((*early, late)))
    assert list(stems) == ["low", "high", "late"]
    assert residual(stems, audio) < 1e-6
    assert rms(stems["late"].samples) < 0.2 * rms(audio.samples)


@pytest.mark.parametrize("model", ["partials", "fmp"])
def test_no_warning_is_let_through(duet, model):
    _, audio = duet
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        half = Audio(audio.samples[:, : SR // 2], SR)
        stems = separate_by_score(half, DUET, model=model)
    assert list(stems) == ["low", "high"]


@pytest.mark.parametrize("score", [Score(()), Score((Note(9.0, 1.0, 60),))])
def test_a_score_that_does_not_sound_is_refused(duet, score):
    _, audio = duet
    with pytest.raises(ScoreError, match=r"no note .* within the 1.5 s"):
        separate_by_score(audio, score)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "voice"}, "by must be one of part, hand, pitch, note"),
        ({"max_iter": 0}, "max_iter must be at least 1"),
        ({"groups": {"all": ["nobody"]}}, "nobody"),
        ({"residual": True, "model": "fmp"}, "has no residual"),
    ],
)
def test_wrong_options_are_refused(duet, options, message):
    _, audio = duet
    with pytest.raises(ParameterError, match=message):
        separate_by_score(audio, DUET, **options)
