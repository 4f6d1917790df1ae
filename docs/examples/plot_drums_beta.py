"""
What beta does: kick, snare and hi-hat
======================================

Which cost should I choose: Euclidean, Kullback-Leibler or Itakura-Saito?

The drum loop has three sounds of very different level. The hi-hat has only a few
percent of the energy, and a cost that counts loud points most may miss it.
"""

import matplotlib.pyplot as plt
import numpy as np

import specnmf

folder = "audio_examples/drums"
loop = specnmf.read(f"{folder}/drums.flac", duration=7)
drums = ("kick", "snare", "hihat")
true = {drum: specnmf.read(f"{folder}/stems/{drum}.flac", duration=7) for drum in drums}

spectrogram = specnmf.stft(loop)
V = spectrogram.magnitude()
start = specnmf.starts.random(V, 3, rng=0)
costs = {"Euclidean": 2, "Kullback-Leibler": 1, "Itakura-Saito": 0}
stems = {
    name: specnmf.separate(spectrogram, specnmf.nmf(V, start, beta=beta))
    for name, beta in costs.items()
}

# %%
# The same spectrogram, three costs
# ---------------------------------
# Each group of bars is a drum, each bar the component that matches it best (higher is
# better). The Euclidean cost (beta 2) counts loud points most: two components share
# the snare, and none is the hi-hat. Itakura-Saito (beta 0) counts ratios, so soft
# points weigh as much as loud ones: the hi-hat is found, the drums are less clean.
# Kullback-Leibler (beta 1), the default, lies between and is best for this loop.

figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
for place, (name, found) in enumerate(stems.items()):
    scores = specnmf.evaluate(found, true, match="best").sources
    sdr = [row.sdr for row in scores]
    axes.bar(np.arange(3) + 0.27 * (place - 1), sdr, 0.25, label=name)
axes.axhline(0, color="0.4", linewidth=0.8)
axes.set(title="How well each drum is separated", ylabel="SDR (dB)")
axes.set_xticks(range(3), drums)
axes.legend()

# %%
# Hear the components by Kullback-Leibler:

stems["Kullback-Leibler"]

# %%
# And those by the Euclidean cost, of which two share the snare:

stems["Euclidean"]
