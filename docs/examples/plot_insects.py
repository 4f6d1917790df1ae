"""
Tell two insects apart in the rain
==================================

Who calls in a field recording, and when?

The scene is synthesised by ``audio_examples/insects.py``, so that the truth is known:
a cricket calls every 0.8 s, a bush cricket every 1.3 s in a band that overlaps with
that of the cricket, it rains, and the wind rumbles.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import specnmf

sys.path.append("audio_examples")
import insects

true = insects.chorus()
scene = specnmf.Audio(sum(true.values()), insects.SR)

# %%
# Group what repeats alike
# ------------------------
# Sound below 2 kHz is left out, and the level that each frequency keeps for half of
# the time. Of the components of what is left, those that repeat at the same period
# are one group.

stems = specnmf.decompose(
    scene, n_components=3, n_fft=512, fmin=2000, whiten=50, group="periodicity:2"
)
print(list(stems))

figure, axes = plt.subplots(2, figsize=(9, 4), sharex=True, layout="constrained")
labels = np.array(stems.factors.labels)
for name, row in zip(("group_1", "group_2"), axes, strict=True):
    row.plot(stems.times, stems.factors.H[labels == name].sum(axis=0), linewidth=0.8)
    row.set(title=name, ylabel="activation", xlim=(0, 20))
plt.xlabel("time (seconds)")

# %%
# How near they come
# ------------------
# The signal-to-noise ratio of each insect: more than 15 dB, where it was below -5 dB
# in the scene.

for name, group in (("cricket", "group_1"), ("bush_cricket", "group_2")):
    for found in (scene, stems[group]):
        noise = found.samples[0] - true[name]
        print(f"{name}: {20 * np.log10(true[name].std() / noise.std()):.0f} dB")

# %%
# Hear each without the rain:

stems
