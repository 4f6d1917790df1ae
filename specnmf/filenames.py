"""Names of files that Linux, macOS and Windows all take."""

from __future__ import annotations

import unicodedata

#: The name of what has none.
UNNAMED = "part"

#: The longest name of a stem, in bytes of UTF-8.
MAX_BYTES = 100

#: Names that Windows reserves for devices, whatever follows after a dot.
RESERVED = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
    + [f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³"]
)


def safe_name(label: str, n_bytes: int = MAX_BYTES) -> str:
    """The name of a file for one label, of at most so many bytes.

    Separators, control characters and all that some system refuses become underscores;
    dots and spaces at the ends are removed, and device names of Windows get an
    underscore in front.
    """
    characters = map(_safe_character, unicodedata.normalize("NFC", label))
    name = cut("".join(characters).lstrip(" ."), n_bytes)
    if name.split(".")[0].rstrip().upper() in RESERVED:
        name = cut(f"_{name}", n_bytes)
    return name or UNNAMED


def _safe_character(character: str) -> str:
    category = unicodedata.category(character)
    if character in '/\\:*?"<>|' or category[0] == "C" or category in ("Zl", "Zp"):
        return "_"
    return " " if category == "Zs" else character


def cut(name: str, n_bytes: int) -> str:
    """The start of a name, in whole characters, that can end a file name."""
    return name.encode()[:n_bytes].decode(errors="ignore").rstrip(" .")


def identity(name: str) -> str:
    """A key that is equal for names that a file system may confuse."""
    folded = unicodedata.normalize("NFD", name).casefold()
    return unicodedata.normalize("NFD", folded)
