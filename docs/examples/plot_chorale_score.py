"""
Separate the voices of a chorale by its score
=============================================

I have a recording and its score. How well can the parts be separated?

The score says which part plays which note when. ``separate`` aligns it to the
recording and learns how its notes sound.
"""

import matplotlib.pyplot as plt

import specnmf

folder = "audio_examples/chorale"
chorale = specnmf.read(f"{folder}/chorale.flac", duration=8)
score = specnmf.read_score(f"{folder}/chorale.mid").excerpt(0, 8)
voices = specnmf.separate(chorale, score, max_iter=40)

# %%
# The score over the recording
# ----------------------------
# Each voice has a colour. Voices an octave apart share partials. There the score
# alone does not say how much each voice has: the learned sound of each note decides.

specnmf.figures.score(voices.notes, chorale, title="Bach, Aus meines Herzens Grunde")

# %%
# How good is it?
# ---------------
# The true voices lie beside the recording. ``oracle=True`` also scores the ideal
# ratio masks of the true voices on the default window, 2048 samples or 46 ms. The
# stems are better than these masks: ``separate`` also uses a window of 371 ms, which
# tells close partials apart.

true = {
    part: specnmf.read(f"{folder}/stems/{part}.flac", duration=8)
    for part in score.parts
}
scores = specnmf.evaluate(voices, true, oracle=True)

names = [row.reference for row in scores.sources]
ideal = [row.sdr for row in scores.oracle]
reached = [row.sdr for row in scores.sources]
figure, axes = plt.subplots(figsize=(8, 3.5), layout="constrained")
axes.barh(names, ideal, 0.7, color="0.85", label="ideal mask")
axes.barh(names, reached, 0.4, label="by the score")
axes.set(xlabel="SDR (dB), higher is better", title="The voices against the true ones")
axes.legend(loc="lower right")

# %%
# The voices
# ----------
# Press S to hear a voice alone.

voices
