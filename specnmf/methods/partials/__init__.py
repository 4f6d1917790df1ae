"""The parametric model: partials of notes, drums and noise, fitted to a recording."""
