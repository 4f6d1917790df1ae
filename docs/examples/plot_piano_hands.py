"""
Separate the hands of a piano recording
=======================================

Can I hear the melody of a piano piece without its accompaniment, and without a score?

``separate`` first transcribes the recording. It then divides the notes into a right
and a left hand, and separates these.
"""

import specnmf

folder = "audio_examples/chopin_op28_4"
piano = specnmf.read(f"{folder}/chopin_op28_4.flac", duration=8)
hands = specnmf.separate(piano, by="hand", transcriber="builtin", max_iter=30)

# %%
# The notes
# ---------
# Each box is a note that was found, over the spectrogram: blue for the right hand,
# orange for the left. Pale notes are doubtful. The melody lies above the repeated
# chords.
#
# ``transcriber="builtin"`` gives the same notes on every machine. Leave it out to use
# basic-pitch too, where it is installed.

specnmf.figures.score(hands.notes, piano, title="Chopin, Prelude in E minor")

# %%
# How good is it?
# ---------------
# The recording comes with the true hands, so the separation can be measured, in dB.
# SDR counts all errors, SIR only what leaks from the other hand.

true = {
    "right": specnmf.read(f"{folder}/stems/right_hand.flac", duration=8),
    "left": specnmf.read(f"{folder}/stems/left_hand.flac", duration=8),
}
scores = specnmf.evaluate({name: hands[name] for name in true}, true)
for row in scores.sources:
    print(f"{row.reference:5}  SDR {row.sdr:4.1f}  SIR {row.sir:4.1f}")

# %%
# The sound
# ---------
# Press S to hear a hand alone, M to mute it. ``rest`` is the sound that no note
# explains. The three stems add up to the recording.

hands
