"""
Multiplicative updates in ten lines
===================================

What does NMF do, step by step, and does ``specnmf.nmf`` do the same?

Lee and Seung's updates for the Euclidean cost multiply H and W in turn, by the ratio
of the recording to the model as each component sees them.
"""

import librosa
import matplotlib.pyplot as plt
import numpy as np

import specnmf

loop = specnmf.read("audio_examples/drums/drums.flac", duration=3)
spectrogram = specnmf.stft(loop)
V = spectrogram.magnitude().astype(float)
start = specnmf.starts.random(V, 3, rng=0)

W, H = start.W.copy(), start.H.copy()
eps = np.finfo(np.float32).eps
losses = []
for _ in range(50):
    H *= (W.T @ V) / (W.T @ W @ H + eps)
    W *= (V @ H.T) / (W @ H @ H.T + eps)
    losses.append(0.5 * np.sum((V - W @ H) ** 2))

# %%
# The same steps by ``solver="mu"``
# ---------------------------------
# ``tol=0`` takes all 50 steps. The relative difference is rounding error:

same = specnmf.nmf(V, start, beta=2, solver="mu", max_iter=50, tol=0)
difference = np.linalg.norm(same.W @ same.H - W @ H) / np.linalg.norm(W @ H)
print(f"{difference:.0e}")

# %%
# The default solver for this cost, HALS, starts on part of the frames and updates one
# component at a time. It needs fewer iterations. The cost never rises.

fast = specnmf.nmf(V, start, beta=2, max_iter=50, tol=0)
figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
axes.semilogy(losses, label="ten lines of NumPy")
axes.semilogy(same.losses, "--", label='nmf(solver="mu")')
axes.semilogy(fast.losses, label="nmf")
axes.set(xlabel="iteration", ylabel="cost", title="Euclidean cost of three components")
axes.legend()

# %%
# In librosa
# ----------
# ``specnmf.NMF`` is a scikit-learn estimator. ``librosa.decompose`` takes it, and any
# W and H can be separated:

W, H = librosa.decompose.decompose(V, transformer=specnmf.NMF(3))
specnmf.separate(spectrogram, specnmf.Factorization(W, H))
