"""
How many components?
====================

I do not know how many notes my recording has. Which number of components fits?

``choose_rank`` hides some of the spectrogram, fits the rest with 1, 2, 3 ...
components, and measures how well each explains what was hidden.
"""

import matplotlib.pyplot as plt

import specnmf

recorder = specnmf.read("audio_examples/greensleeves/stems/recorder.flac", duration=10)
chorale = specnmf.read("audio_examples/chorale/chorale.flac", duration=8)
melody = specnmf.choose_rank(specnmf.stft(recorder).magnitude())
voices = specnmf.choose_rank(specnmf.stft(chorale).magnitude())

# %%
# A melody and a chorale
# ----------------------
# The lower the curve, the better the hidden entries are explained. The choice is the
# smallest number that reaches 70 % of the fall, the dashed line. The recorder plays
# nine pitches, and nine components are chosen. The chorale has 18 pitches, but seven
# components reach the line, for many pitches sound together. Give a number of your
# own for more detail.

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
specnmf.figures.rank(melody, ax=left)
specnmf.figures.rank(voices, ax=right)
left.set_title("A melody on the recorder", loc="left")
right.set_title("A chorale", loc="left")

# %%
# The components of the melody
# ----------------------------
# ``n_components="auto"`` does the same in one step. Eight of the nine pitches have a
# component. The A4 has two, and the F5, which sounds for a tenth of a second, has
# none.

notes = specnmf.decompose(recorder, n_components="auto")
specnmf.figures.activations(
    notes.factors, recorder, pitches=notes.pitches, title="Recorder"
)

# %%
# Hear the components:

notes
