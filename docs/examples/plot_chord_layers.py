"""
Find the chords of a chorale in layers
======================================

Which notes belong together?

``layers`` factorises the activations again. The first layer finds notes, the next
layers find which of them sound together.
"""

import specnmf

chorale = specnmf.read("audio_examples/chorale/chorale.flac", duration=8)
found = specnmf.layers(chorale, ranks=(16, 6, 2), max_iter=50)

# %%
# The tree
# --------
# Each component of a layer is joined to the components below that it consists of.
# Beside the tree is shown when each of them sounds. The two components of the top
# layer take turns: one is near the tonic, the other near the dominant.

specnmf.figures.layers(found.layers, chorale, title="Bach, Aus meines Herzens Grunde")

# %%
# The chords
# ----------
# Each layer adds up to the recording. Hear the top layer:

top = {name: sound for name, sound in found.items() if name.startswith("layer_3")}
specnmf.Separated(top)
