"""
The book's model: a score as templates, with onsets
===================================================

How does a score get into NMF?

In *Fundamentals of Music Processing* (Müller, section 8.3), W starts with energy near
the partials of each pitch, and H with energy where the score has notes. All else is
zero. The updates multiply, so zeros stay zero.
"""

import matplotlib.pyplot as plt

import specnmf

piece = "audio_examples/chopin_op28_4/chopin_op28_4"
audio = specnmf.read(f"{piece}.flac", duration=8)
score = specnmf.read_score(f"{piece}.mid").excerpt(0, 8)

spectrogram = specnmf.stft(audio)
layout = specnmf.fmp_layout(score, spectrogram.grid, onsets=True)
V = spectrogram.magnitude()
result = specnmf.nmf(V, layout.start, beta=2, solver="mu", max_iter=50, tol=0)

# %%
# The book's figure
# -----------------
# Above: W and H as the score allows them, with some tolerance in pitch and time.
# Below: what was learned. Pale areas are allowed and unused. ``by_stem`` divides the
# components between the hands, which gives the colours. The rows "right" and "left"
# are the onsets.

hands = specnmf.stem_labels(score, "hand")
before = specnmf.by_stem(layout.start, layout, hands)
after = specnmf.by_stem(result, layout, hands)
specnmf.figures.constraints(
    before, after, spectrogram, score=score, labels=hands, title="Chopin, by the book"
)

# %%
# Why onsets?
# -----------
# A hammer excites all frequencies for a moment. Each pitch has a second template for
# that, which is flat at first. Here are the two templates of C5, as they were
# learned.

row = layout.start.labels.index("C5")
figure, axes = plt.subplots(figsize=(9, 3.5), layout="constrained")
for k in (row + 1, row):
    axes.semilogy(spectrogram.frequencies, result.W[:, k], label=layout.kinds[k])
axes.set(xlabel="frequency (Hz)", ylabel="template", xlim=(0, 6000), ylim=(1e-5, 1.5))
axes.set_title("The templates of C5: its tone and its onset")
axes.legend()

# %%
# Both hands, each as the sum of its components:

specnmf.separate(spectrogram, after)
