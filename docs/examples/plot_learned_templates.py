"""
Learn sounds once, find them in another recording
=================================================

I have recorded each of my drums alone. Can I separate any loop that they play?

Learn templates of each drum from its own recording, then hold them fixed: only the
activations are fitted to the loop. This is supervised NMF.
"""

import numpy as np

import specnmf

folder = "audio_examples/drums"
drums = ("kick", "snare", "hihat")
W, labels = [], []
for drum in drums:
    alone = specnmf.read(f"{folder}/stems/{drum}.flac", duration=3)
    learned = specnmf.nmf(specnmf.stft(alone).magnitude(), 4)
    W.append(learned.W)
    labels += [drum] * 4

# %%
# The loop
# --------
# Four templates a drum are learned from its first three seconds. The loop is a later
# part of the piece, with all drums at once. ``fixed`` keeps the templates as they
# are. Components with the same label make one stem.

loop = specnmf.read(f"{folder}/drums.flac", start=4, duration=6)
spectrogram = specnmf.stft(loop)
V = spectrogram.magnitude()
H = np.full((12, V.shape[1]), V.mean())
start = specnmf.Factorization(np.hstack(W), H, tuple(labels))
result = specnmf.nmf(V, start, fixed=[True] * 12)
stems = specnmf.separate(spectrogram, result)

specnmf.figures.sources(stems, title="The loop, by templates learned before")

# %%
# How much do the templates help? SDR in dB of three blind components, and of the
# stems:

true = {
    drum: specnmf.read(f"{folder}/stems/{drum}.flac", start=4, duration=6)
    for drum in drums
}
blind = specnmf.separate(spectrogram, specnmf.nmf(V, 3))
before = specnmf.evaluate(blind, true, match="best")
after = specnmf.evaluate(stems, true)
for old, new in zip(before.sources, after.sources, strict=True):
    print(f"{old.reference:6}{old.sdr:5.1f}  ->{new.sdr:5.1f}")

# %%
# Hear the drums, each alone:

stems
