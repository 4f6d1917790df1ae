"""
Separate two instruments by a few marks
=======================================

I have no score. Can I show the program what to separate?

Mark where each sound is heard, in an editor such as Audacity, or as here in Python. A
few seconds where each is alone teach the program most.
"""

import matplotlib.pyplot as plt
import numpy as np

import specnmf
from specnmf import Region

duet = specnmf.read("audio_examples/greensleeves/greensleeves.flac", duration=12.5)
marks = [
    Region(0.25, 3.0, "guitar"),
    Region(4.75, 6.25, "guitar"),
    Region(4.75, 6.25, "recorder"),
    Region(9.5, 12.25, "recorder"),
]
stems = specnmf.label(duet, marks, n_rest=0)

# %%
# Marks and stems
# ---------------
# The marks are orange, the stems blue. The guitar is alone at first, the recorder at
# the end. Between them both are heard, and a short part of that is marked for both.
# ``n_rest=0`` says that there is no other sound; else a third stem collects it.

figure, rows = plt.subplots(2, figsize=(9, 5), sharex=True, layout="constrained")
for row, (name, stem) in zip(rows, stems.items(), strict=True):
    seconds = np.arange(0, stem.n_samples, 20) / stem.sr
    row.plot(seconds, stem.samples[0, ::20], linewidth=0.5)
    for start, end, marked in marks:
        if marked == name:
            row.axvspan(start, end, color="tab:orange", alpha=0.3, linewidth=0)
    row.set(title=name, ylabel="amplitude", ylim=(-0.9, 0.9), xlim=(0, 12.5))
plt.xlabel("time (seconds)")

# %%
# Listen to each alone:

stems
