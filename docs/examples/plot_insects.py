"""
Tell two insects apart in the rain
==================================

Who calls in a field recording, and when?

The scene is synthesised here, so that the truth is known: a cricket chirps at 4.5
kHz, a bush cricket trills between 7 and 9 kHz, and it rains.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.signal import butter, find_peaks, sosfilt

import specnmf

sr = 22050
t = np.arange(8 * sr) / sr
noise = np.random.default_rng(0).standard_normal((2, t.size))

pulses = (t % 0.8 < 0.25) & (t % 0.04 < 0.025)  # seven a chirp, a chirp every 0.8 s
cricket = 0.2 * pulses * np.sin(2 * np.pi * 4500 * t)
band = butter(4, (7000, 9000), "bandpass", fs=sr, output="sos")
trill = (t > 2) & (t < 5.5) & (t % 0.02 < 0.012)
bush_cricket = 0.1 * trill * sosfilt(band, noise[0])
rain = 0.02 * sosfilt(butter(1, 3000, fs=sr, output="sos"), noise[1])
scene = specnmf.Audio(cricket + bush_cricket + rain, sr)

# %%
# Three components
# ----------------
# An insect's call is a band of frequencies, and one template holds it. Each row shows
# when a component sounds, with the peak of its template. The last one is the rain.

parts = specnmf.decompose(scene, n_components=3, n_fft=512, seed=2)
H = parts.factors.H
peaks = parts.frequencies[parts.factors.W.argmax(axis=0)]

figure, axes = plt.subplots(3, figsize=(9, 5), sharex=True, layout="constrained")
for k, row in zip(np.argsort(peaks)[::-1], axes, strict=True):
    row.plot(parts.times, H[k], linewidth=0.8)
    row.set(title=f"{peaks[k] / 1000:.1f} kHz", ylabel="activation", xlim=(0, 8))
plt.xlabel("time (seconds)")

# %%
# Count the chirps
# ----------------
# The cricket chirps ten times. Its activation, averaged over a fifth of a second, has
# a peak for each chirp.

chirps = H[np.argmin(abs(peaks - 4500))]
n_frames = int(0.2 / parts.times[1])
smooth = np.convolve(chirps, np.ones(n_frames) / n_frames, "same")
found, _ = find_peaks(smooth, height=smooth.max() / 2, distance=n_frames)
print(f"{len(found)} chirps, one every {np.diff(parts.times[found]).mean():.2f} s")

# %%
# Hear each without the rain:

parts
