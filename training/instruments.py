"""The instruments of General MIDI: what each can play, and which are kept for tests."""

from __future__ import annotations

from typing import NamedTuple


class Family(NamedTuple):
    """Instruments that are played alike.

    Attributes
    ----------
    first, last : int
        Programs from 0.
    low, high : int
        Usual pitches, MIDI numbers.
    longest : float
        Seconds after which a note has faded, or a player breathes.
    most : int
        Notes that are played at once.
    vibrato : float
        How often the player has a vibrato.
    """

    first: int
    last: int
    low: int
    high: int
    longest: float
    most: int
    vibrato: float


FAMILIES = (
    Family(0, 5, 28, 100, 2.5, 6, 0.0),  # pianos
    Family(6, 7, 36, 88, 1.2, 5, 0.0),  # harpsichord, clavinet
    Family(8, 8, 60, 100, 0.8, 3, 0.0),  # celesta, bells, marimba
    Family(9, 9, 67, 103, 0.8, 2, 0.0),
    Family(10, 11, 53, 96, 1.5, 3, 0.0),
    Family(12, 13, 48, 96, 0.5, 3, 0.0),
    Family(14, 15, 55, 84, 1.5, 3, 0.0),
    Family(16, 23, 36, 90, 4.0, 5, 0.1),  # organs, accordion, harmonica
    Family(24, 28, 40, 84, 1.5, 5, 0.0),  # guitars
    Family(29, 31, 40, 82, 3.0, 2, 0.2),
    Family(32, 37, 24, 60, 1.5, 1, 0.0),  # basses
    Family(38, 39, 26, 60, 2.0, 1, 0.0),
    Family(40, 40, 55, 98, 3.0, 2, 0.6),  # violin, viola, cello, contrabass
    Family(41, 41, 48, 88, 3.0, 2, 0.6),
    Family(42, 42, 36, 76, 3.0, 2, 0.6),
    Family(43, 43, 28, 60, 3.0, 1, 0.4),
    Family(44, 44, 40, 90, 3.0, 3, 0.0),  # tremolo, pizzicato, harp
    Family(45, 45, 36, 88, 0.5, 3, 0.0),
    Family(46, 46, 28, 98, 1.5, 4, 0.0),
    Family(48, 51, 34, 94, 4.0, 5, 0.1),  # strings
    Family(52, 54, 43, 84, 4.0, 4, 0.2),  # choir
    Family(56, 56, 54, 86, 2.5, 1, 0.3),  # trumpet, trombone, tuba, horn
    Family(57, 57, 40, 72, 2.5, 1, 0.3),
    Family(58, 58, 28, 58, 2.0, 1, 0.0),
    Family(59, 59, 54, 82, 2.5, 1, 0.3),
    Family(60, 60, 41, 77, 3.0, 2, 0.1),
    Family(61, 63, 36, 84, 3.0, 4, 0.0),
    Family(64, 65, 49, 86, 2.5, 1, 0.5),  # saxophones
    Family(66, 67, 37, 75, 2.5, 1, 0.5),
    Family(68, 69, 52, 91, 2.5, 1, 0.4),  # oboe, bassoon, clarinet
    Family(70, 70, 34, 72, 2.5, 1, 0.3),
    Family(71, 71, 50, 91, 2.5, 1, 0.1),
    Family(72, 72, 74, 103, 2.0, 1, 0.3),  # flutes
    Family(73, 75, 60, 96, 2.5, 1, 0.5),
    Family(76, 79, 58, 92, 2.5, 1, 0.3),
    Family(80, 87, 36, 92, 3.0, 3, 0.3),  # synthesisers
    Family(88, 95, 40, 88, 5.0, 4, 0.1),
    Family(104, 107, 43, 84, 1.2, 3, 0.1),  # sitar to koto
    Family(108, 108, 55, 88, 0.6, 2, 0.0),
    Family(109, 111, 55, 88, 3.0, 1, 0.3),
    Family(114, 114, 52, 84, 0.8, 2, 0.0),  # steel drums
)

BY_PROGRAM = {
    n: family for family in FAMILIES for n in range(family.first, family.last + 1)
}

#: Every third instrument is never trained on.
HELD_OUT = tuple(program for program in BY_PROGRAM if program % 3 == 2)
TRAINED = tuple(program for program in BY_PROGRAM if program % 3 != 2)

#: What accompanies songs: pianos, harpsichord, organs, guitars, harp, strings.
ACCOMPANYING = (*range(8), *range(16, 22), *range(24, 29), 46, *range(48, 52))

#: What plays the lines of ensembles: notes that last, one or two at once.
SUSTAINED = tuple(
    program
    for program, family in BY_PROGRAM.items()
    if family.longest > 2 and family.most <= 2
)

#: The program, a choir, as which singers stand in pieces.
SINGER = 52
