"""Tags: what the file of a recording says of it, for the files of its sources.

Texts are those that libsndfile reads and writes: INFO chunks of WAV, Vorbis comments of
FLAC and Ogg, ID3 of MP3. Of other files, they are what FFmpeg reads. A broadcast WAV
has a chunk ``bext`` with a time of day, by which a program for editing sound puts it in
its place. EBU Tech 3285, version 2.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from specnmf.audio.chunks import chunk_of

#: The texts that are carried over, as soundfile names them.
TEXTS = (
    *("title", "artist", "album", "date", "tracknumber", "genre", "comment"),
    *("copyright", "license"),
)

#: The longest text, in bytes of UTF-8: libsndfile reads no longer ones out of a WAV.
LONGEST = 1000

#: Formats whose texts are Unicode; in the tags of an MP3, libsndfile writes ASCII well.
_UNICODE = ("wav", "flac", "ogg")

#: Bytes of a bext chunk without its coding history, and the places of the time, of the
#: version and of the loudness in it.
_BEXT, _TIME, _VERSION, _LOUDNESS = 602, 338, 346, slice(412, 422)


@dataclass(frozen=True)
class Tags:
    """What a file says of its recording.

    Attributes
    ----------
    texts : mapping of str to str
        Each on one line, by the names of `TEXTS`.
    bext : bytes
        The broadcast chunk without its coding history; empty if there is none.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    bext: bytes = b""

    def of_stem(self, name: str) -> Tags:
        """The same for a source, whose name is added to the title."""
        if "title" not in self.texts:
            return self
        title = _clean(self.texts["title"], LONGEST // 2)
        return Tags({**self.texts, "title": f"{title} ({name})"}, self.bext)

    def later(self, n_samples: int) -> Tags:
        """The same for an excerpt that begins so many samples later."""
        if not self.bext or n_samples == 0:
            return self
        (time,) = struct.unpack_from("<Q", self.bext, _TIME)
        bext = bytearray(self.bext)
        struct.pack_into("<Q", bext, _TIME, min(time + n_samples, (1 << 64) - 1))
        return Tags(self.texts, bytes(bext))

    def put(self, file: Any, format: str) -> None:
        """Write the texts into a file of soundfile that has no samples yet."""
        for name, text in self.texts.items():
            if format in _UNICODE or text.isascii():
                setattr(file, name, text)

    def append(self, path: Path) -> None:
        """Append the broadcast chunk to a WAV that is finished."""
        if self.bext:
            _append(path, b"bext", self.bext)


def read_tags(path: Path, file: Any) -> Tags:
    """The tags of a file that is open in soundfile, or in `specnmf.audio.media`."""
    texts = file.copy_metadata() if hasattr(file, "copy_metadata") else {}
    cleaned = {name: _clean(texts.get(name, ""), LONGEST) for name in TEXTS}
    found = chunk_of(path, b"bext", most=_BEXT)
    return Tags({name: text for name, text in cleaned.items() if text}, _bext(found))


def _clean(text: str, most: int) -> str:
    """A text on one line, without control characters, cut to so many bytes of UTF-8."""
    printable = "".join(c if c.isprintable() else " " for c in text[: 4 * most])
    words = " ".join(printable.split())
    return words.encode(errors="ignore")[:most].decode(errors="ignore").rstrip()


def _bext(found: bytes | None) -> bytes:
    """A chunk for other samples of the same time: without the recording's loudness."""
    if found is None or len(found) < _VERSION:
        return b""
    bext = bytearray(found.ljust(_BEXT, b"\0"))
    (version,) = struct.unpack_from("<H", bext, _VERSION)
    struct.pack_into("<H", bext, _VERSION, min(version, 1))
    bext[_LOUDNESS] = bytes(10)
    return bytes(bext)


def _append(path: Path, name: bytes, content: bytes) -> None:
    """Append a chunk of even size to a RIFF or RF64 file."""
    with path.open("r+b") as file:
        head = file.read(24)
        end = file.seek(0, 2)
        file.write(b"\0" * (end & 1) + name + struct.pack("<I", len(content)) + content)
        size = file.tell() - 8
        if head[:4] == b"RF64":
            file.seek(20)
            file.write(struct.pack("<Q", size))
        else:
            file.seek(4)
            file.write(struct.pack("<I", size))
