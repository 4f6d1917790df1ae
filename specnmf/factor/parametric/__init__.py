"""The parametric model of a spectrogram: layers of notes, drums and noise."""
