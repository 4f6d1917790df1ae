"""Sound: reading, writing, spectrograms, masks and the pitch of a spectrum."""
