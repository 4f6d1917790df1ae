"""Learned templates: named, grouped, and kept in a file of their own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from specnmf.archives import read_arrays
from specnmf.audio.options import check_window
from specnmf.audio.stft import Grid
from specnmf.errors import OutputError, ParameterError, TemplateError, writing
from specnmf.factor.convolutive import model
from specnmf.methods.learned import converting
from specnmf.methods.storing import StoredArrays, text_array
from specnmf.notation import counted
from specnmf.score.loading import label
from specnmf.score.notes import numbered

#: The largest size of the arrays of a file: 500 spectra at a window of 2**17, or 4000
#: templates of eight frames at one of 2048.
MOST_BYTES = 1 << 27

#: The most templates, and the most recordings that they were learned from.
MOST_TEMPLATES, MOST_SOURCES = 4096, 100_000

#: The highest sample rate in Hz, and the longest window in samples.
MOST_RATE, LONGEST_WINDOW = 1_000_000, 1 << 20

#: How much longer or shorter, in seconds, the window of a recording may be. A longer
#: window shows a tone as a narrower peak than a template holds, a shorter one blurs it.
MOST_STRETCH = 2.1

#: How much higher a recording may reach than the templates: 48 kHz with templates of
#: 44.1 kHz. Their last bin stands for what is above.
MOST_REACH = 1.1

#: What the file holds beside W.
TEXTS = "names", "groups", "source_names", "source_sha256"
NUMBERS = "sr", "n_fft", "hop_length"

_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, eq=False)
class Templates:
    """Named templates, of one frame each (spectra) or of several (convolutive).

    Parameters
    ----------
    W : array, shape (n_bins, n_templates, n_template_frames)
        Magnitudes, non-negative and finite; made float32. Each template is scaled to a
        maximum of 1.
    names : sequence of str
        A different name for each template.
    groups : sequence of str
        The stem of each template: all that sound alike, or belong to one instrument,
        have the same.
    sr : int
        The sample rate in Hz.
    n_fft, hop_length : int
        Window and step in samples.
    sources : sequence of pairs of str, optional
        Name and SHA-256 of each file that they were learned from.

    Raises
    ------
    TemplateError
        If shapes, names, window or values do not fit together, or a template is silent.

    Examples
    --------
    >>> import numpy as np
    >>> import specnmf
    >>> W = np.random.default_rng(0).random((1025, 3, 1))
    >>> names, groups = ("kick", "snare_1", "snare_2"), ("kick", "snare", "snare")
    >>> kit = specnmf.Templates(
    ...     W, names, groups, sr=44100, n_fft=2048, hop_length=512
    ... )
    >>> kit
    Templates(3 templates of 1 frame, 2 groups, 1025 bins, 44100 Hz)
    >>> kit.stems
    ('kick', 'snare')
    """

    W: NDArray[np.float32]
    names: tuple[str, ...]
    groups: tuple[str, ...]
    sr: int
    n_fft: int
    hop_length: int
    sources: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        put = object.__setattr__
        for name in NUMBERS:
            put(self, name, int(getattr(self, name)))
        put(self, "sources", tuple((str(n), str(sha)) for n, sha in self.sources))
        put(self, "names", tuple(map(str, self.names)))
        put(self, "groups", tuple(map(str, self.groups)))
        _check_window(self.sr, self.n_fft, self.hop_length)
        put(self, "W", self._checked_templates())
        self._check_names()
        self._check_sources()

    def __add__(self, other: Templates) -> Templates:
        """Both, on the grid of the first; groups with one name become one."""
        return merged([self, other])

    def __repr__(self) -> str:
        """One line without the numbers."""
        size = counted(self.n_template_frames, "frame")
        stems, templates = len(self.stems), len(self.names)
        return (
            f"Templates({counted(templates, 'template')} of {size}, "
            f"{counted(stems, 'group')}, {len(self.W)} bins, {self.sr} Hz)"
        )

    @property
    def n_templates(self) -> int:
        """The number of templates."""
        return len(self.names)

    @property
    def n_template_frames(self) -> int:
        """Their length in frames; 1: spectra."""
        return int(self.W.shape[2])

    @property
    def frequencies(self) -> NDArray[np.float64]:
        """The bins' centres in Hz, shape (n_bins,)."""
        return np.arange(len(self.W), dtype=np.float64) * (self.sr / self.n_fft)

    @property
    def stems(self) -> tuple[str, ...]:
        """The groups, each once, in order."""
        return tuple(dict.fromkeys(self.groups))

    def _checked_templates(self) -> NDArray[np.float32]:
        """W, scaled to maxima of 1."""
        try:
            W = model.templates("W", self.W).astype(np.float32)
        except ParameterError as error:
            raise TemplateError(f"templates: {error}") from error
        expected = self.n_fft // 2 + 1, len(self.names)
        if W.shape[:2] != expected:
            raise TemplateError(
                f"templates: {counted(expected[1], 'name')} and a window of "
                f"{self.n_fft} need W of shape {expected} times frames, got {W.shape}"
            )
        peaks = W.max(axis=(0, 2))
        if not (peaks > 0).all():
            silent = self.names[int(np.argmin(peaks))]
            raise TemplateError(f"template {silent!r} is silent; leave it out")
        scaled: NDArray[np.float32] = W / peaks[:, np.newaxis]
        return scaled

    def _check_names(self) -> None:
        if len(self.names) > MOST_TEMPLATES:
            raise TemplateError(
                f"expected at most {MOST_TEMPLATES} templates, got {len(self.names)}"
            )
        if len(self.groups) != len(self.names):
            raise TemplateError(
                f"expected a group for each of {len(self.names)} templates, "
                f"got {len(self.groups)}"
            )
        for name in (*self.names, *self.groups):
            if label(name) != name or not name:
                raise TemplateError(
                    "names of templates and groups must be printable, on one line and "
                    f"at most 200 letters long, got {name[:99]!r}"
                )
        if len(set(self.names)) < len(self.names):
            twice = next(n for n in self.names if self.names.count(n) > 1)
            raise TemplateError(f"two templates are called {twice!r}; rename one")

    def _check_sources(self) -> None:
        if len(self.sources) > MOST_SOURCES:
            raise TemplateError(f"expected at most {MOST_SOURCES} sources")
        for name, sha in self.sources:
            if not _SHA256.fullmatch(sha):
                raise TemplateError(
                    f"expected the SHA-256 of source {name[:99]!r}, got {sha[:99]!r}"
                )


def _check_window(sr: int, n_fft: int, hop_length: int) -> None:
    try:
        check_window(n_fft, hop_length)
    except ParameterError as error:
        raise TemplateError(f"templates: {error}") from error
    if not (1 <= sr <= MOST_RATE and n_fft <= LONGEST_WINDOW):
        raise TemplateError(
            f"templates: expected a sample rate of 1 to {MOST_RATE} Hz and a window of "
            f"at most {LONGEST_WINDOW}, got {sr} and {n_fft}"
        )


def read_templates(path: str | os.PathLike[str]) -> Templates:
    """The templates in a file of ``specnmf learn``; the file is not trusted.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    Templates

    Raises
    ------
    TemplateError
        If the file is missing or no such file, or its arrays do not fit together or
        are larger than 128 MB. Nothing in it is unpickled.

    Examples
    --------
    >>> import specnmf
    >>> try:
    ...     specnmf.read_templates("audio_examples/drums/drums.mid")
    ... except specnmf.TemplateError as error:
    ...     print(str(error).partition(" (")[0])
    audio_examples/drums/drums.mid: expected templates of specnmf learn
    """
    path = Path(path)
    arrays = read_arrays(
        path,
        ("W", *TEXTS, *NUMBERS),
        most_bytes=MOST_BYTES,
        error=TemplateError,
        expected="templates of specnmf learn",
        kinds="fiuU",
    )
    stored = StoredArrays(arrays, str(path))
    try:
        W = stored.floats("W", (None, None, None), np.float32, least=0)
        names, groups, sources, hashes = map(stored.texts, TEXTS)
        sr, n_fft, hop_length = map(stored.integer, NUMBERS)
    except OutputError as error:
        raise TemplateError(str(error)) from error
    if len(sources) != len(hashes):
        raise TemplateError(
            f"{path}: expected a hash for each of {len(sources)} sources, "
            f"got {len(hashes)}"
        )
    own = tuple(zip(sources, hashes, strict=True))
    try:
        return Templates(W, names, groups, sr, n_fft, hop_length, own)
    except TemplateError as error:
        raise TemplateError(f"{path}: {error}") from error


def write_templates(path: str | os.PathLike[str], templates: Templates) -> None:
    """Write templates to a file, whole or not at all; the same bytes each time.

    Parameters
    ----------
    path : path
        The file; one that exists is replaced. Its folder must exist.
    templates : Templates
        The templates.

    Raises
    ------
    TemplateError
        If they are larger than 128 MB.
    OutputError
        If the file cannot be written.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> import specnmf
    >>> W = np.ones((9, 1, 1))
    >>> hiss = specnmf.Templates(
    ...     W, ("hiss",), ("hiss",), sr=8000, n_fft=16, hop_length=4
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "templates.npz")
    ...     specnmf.write_templates(path, hiss)
    ...     specnmf.read_templates(path).names
    ('hiss',)
    """
    path = Path(path)
    arrays = {
        "W": templates.W,
        "names": text_array(templates.names),
        "groups": text_array(templates.groups),
        "source_names": text_array(label(name) for name, _ in templates.sources),
        "source_sha256": text_array(sha for _, sha in templates.sources),
        **{name: np.int64(getattr(templates, name)) for name in NUMBERS},
    }
    if sum(array.nbytes for array in arrays.values()) > MOST_BYTES:
        raise TemplateError(
            f"{path}: templates larger than {MOST_BYTES} bytes would not be read "
            "again; use fewer, or a shorter window"
        )
    part = path.with_name(f".{os.getpid()}.part")
    try:
        with writing(path):
            with part.open("wb") as file:
                np.savez(file, **arrays)  # type: ignore[arg-type]  # numpy's stub lacks **
            part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink()


def converted(templates: Templates, grid: Grid) -> Templates:
    """The templates on the bins and frames of a recording.

    Another window is met by interpolation over Hz, after smoothing by the main lobe
    where the new bins are wider; another hop by interpolation over seconds.

    Parameters
    ----------
    templates : Templates
        The templates.
    grid : Grid
        Of the recording.

    Raises
    ------
    TemplateError
        If the recording reaches higher than the templates, or its window is more than
        twice as long or as short.
    """
    W, n_frames = templates.W, _n_frames(templates, grid)
    _check_grid(templates, grid, n_frames)
    if (templates.sr, templates.n_fft) != (grid.sr, grid.n_fft):
        W = converting.over_bins(W, _width(templates), _width(grid), grid.n_bins)
    if W.shape[2] > 1 and _hop(templates) != _hop(grid):
        W = converting.over_frames(W, _hop(templates), _hop(grid), n_frames)
    return replace(
        templates, W=W, sr=grid.sr, n_fft=grid.n_fft, hop_length=grid.hop_length
    )


def _n_frames(templates: Templates, grid: Grid) -> int:
    """The length of the templates in frames of a grid."""
    if templates.n_template_frames == 1:
        return 1
    seconds = templates.n_template_frames * _hop(templates)
    return max(1, round(seconds / _hop(grid)))


def _hop(of: Templates | Grid) -> float:
    """The step in seconds."""
    return of.hop_length / of.sr


def _width(of: Templates | Grid) -> float:
    """The width of a bin in Hz."""
    return of.sr / of.n_fft


def _check_grid(templates: Templates, grid: Grid, n_frames: int) -> None:
    """Raise TemplateError where a conversion would be wrong."""
    reach, asked = templates.sr / 2, grid.sr / 2
    if asked > MOST_REACH * reach:
        raise TemplateError(
            f"the templates reach {reach:.0f} Hz, the recording {asked:.0f} Hz; learn "
            f"them from sounds at {grid.sr} Hz, or resample the recording to "
            f"{templates.sr} Hz"
        )
    own, other = 1 / _width(templates), 1 / _width(grid)
    if max(own, other) > MOST_STRETCH * min(own, other):
        raise TemplateError(
            f"the templates have a window of {1000 * own:.0f} ms, the recording of "
            f"{1000 * other:.0f} ms; use --n-fft {2 * round(own * grid.sr / 2)}, or "
            "learn the templates with the window of the recording"
        )
    if 4 * grid.n_bins * templates.n_templates * n_frames > MOST_BYTES:
        raise TemplateError(
            f"templates of {n_frames} frames would need more than {MOST_BYTES} bytes; "
            "use a longer hop or fewer templates"
        )


def merged(parts: Iterable[Templates]) -> Templates:
    """All templates of several files, in their order, on the grid of the first.

    Groups with one name become one; of templates with one name, those that come later
    get numbers. Shorter templates end in silence: a spectrum remains what it was.

    Raises
    ------
    TemplateError
        If their windows are too different for a conversion.
    """
    first, *others = parts
    grid = Grid(first.sr, 0, first.n_fft, first.hop_length)
    every = [first, *(converted(other, grid) for other in others)]
    longest = max(each.n_template_frames for each in every)
    sources = dict.fromkeys(source for each in every for source in each.sources)
    names = numbered(
        (name for each in every for name in each.names), spell="{}_{}".format
    )
    return replace(
        first,
        W=np.concatenate([_padded(each.W, longest) for each in every], axis=1),
        names=tuple(names),
        groups=tuple(group for each in every for group in each.groups),
        sources=tuple(sources),
    )


def _padded(W: NDArray[np.float32], n_frames: int) -> NDArray[np.float32]:
    """Templates that end in frames of silence, (n_bins, n_templates, n_frames)."""
    return np.pad(W, ((0, 0), (0, 0), (0, n_frames - W.shape[2])))
