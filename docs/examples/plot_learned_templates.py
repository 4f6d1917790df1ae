"""
Learn sounds once, find them in another recording
=================================================

I have recorded each of my drums alone. Can I separate any loop that they play?

Learn templates of each drum from its own recording, then hold them fixed: only the
activations are fitted to the loop. This is supervised NMF.
"""

import specnmf

folder = "audio_examples/drums"
kit = specnmf.learn(f"{folder}/stems", n_components=4, duration=3)

kit

# %%
# The loop
# --------
# Four templates a drum are learned from its first three seconds. The loop is a later
# part of the piece, with all drums at once. The templates stay as they are. Those of
# one drum make one stem.

loop = specnmf.read(f"{folder}/drums.flac", start=4, duration=6)
stems = specnmf.decompose(loop, templates=kit)

specnmf.figures.sources(stems, title="The loop, by templates learned before")

# %%
# How much do the templates help? SDR in dB of three blind components, and of the
# stems:

true = {
    drum: specnmf.read(f"{folder}/stems/{drum}.flac", start=4, duration=6)
    for drum in stems
}
blind = specnmf.decompose(loop, n_components=3)
before = specnmf.evaluate(blind, true, match="best")
after = specnmf.evaluate(stems, true)
for old, new in zip(before.sources, after.sources, strict=True):
    print(f"{old.reference:6}{old.sdr:5.1f}  ->{new.sdr:5.1f}")

# %%
# Hear the drums, each alone:

stems
