"""Free samples of drums: files, and strokes that fluidsynth plays.

All are in packages of Debian: `sonic-pi-samples` (CC0), `hydrogen-drumkits` (of which
the kit Audiophob, CC0), `exadrums` (BSD), and the soundfonts of `fluid-soundfont-gm`
(FluidR3, MIT) and `csound-soundfont` (public domain). The second, third and last may be
unpacked into a folder, SPECNMF_DRUM_KITS, instead of installed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile as sf
from mido import Message, MidiFile, MidiTrack
from numpy.typing import NDArray

SONIC_PI = Path("/usr/share/sonic-pi/samples")
FLUID = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")

ROOT = Path(os.environ.get("SPECNMF_DRUM_KITS", "/"))
AUDIOPHOB = ROOT / "usr/share/hydrogen/data/drumkits/Audiophob"
EXADRUMS = ROOT / "usr/share/exadrums"
CSOUND = ROOT / "usr/share/sounds/sf2/sf_GMbank.sf2"

SR = 44_100
TICKS = 480  # of a beat, which lasts half a second

#: The files by drum.
OF_SONIC_PI = {
    "kick": "drum_bass_hard drum_bass_soft drum_heavy_kick bd_808 bd_ada bd_boom "
    "bd_fat bd_gas bd_haus bd_klub bd_pure bd_sone bd_tek bd_zome bd_zum "
    "elec_hollow_kick elec_soft_kick",
    "snare": "drum_snare_hard drum_snare_soft sn_dolf sn_dub sn_zome elec_snare "
    "elec_hi_snare elec_lo_snare elec_mid_snare elec_filt_snare",
    "hihat": "drum_cymbal_closed drum_cymbal_pedal",
    "openhat": "drum_cymbal_open",
    "toms": "drum_tom_hi_hard drum_tom_hi_soft drum_tom_mid_hard drum_tom_mid_soft "
    "drum_tom_lo_hard drum_tom_lo_soft elec_fuzz_tom",
    "ride": "drum_cymbal_soft",
    "crash": "drum_cymbal_hard drum_splash_hard drum_splash_soft elec_cymbal",
}

#: The instruments of Hydrogen's kit by drum.
OF_AUDIOPHOB = {
    "kick": "Kick",
    "snare": "Snare Rock,Snare Jazz",
    "hihat": "Closed HH,Pedal HH",
    "openhat": "Open HH",
    "toms": "Tom Low,Tom Mid,Tom Hi",
    "ride": "Ride Jazz",
    "crash": "Crash",
    "clap": "Hand Clap",
}

#: The files of eXaDrums, each with its drum.
OF_EXADRUMS = {
    "Snr_Acou_01": "snare", "Crash_High": "crash", "BD_Acou_01": "kick",
    "HiHat": "hihat", "Tom03": "toms", "Tom01": "toms", "RideEdge": "ride",
    "RideBell": "ride",
}  # fmt: skip

Sound = NDArray[np.float64]


class Sample(NamedTuple):
    """A stroke of a drum: where it is from, and its sound, mono, (n_samples,)."""

    drum: str
    name: str
    sound: Sound
    sr: int


def sonic_pi() -> Iterator[Sample]:
    """Yield the samples of Sonic Pi."""
    for drum, names in OF_SONIC_PI.items():
        for name in names.split():
            yield Sample(drum, f"sonic-pi/{name}", *_read(SONIC_PI / f"{name}.flac"))


def audiophob() -> Iterator[Sample]:
    """Yield those of the kit Audiophob."""
    if not AUDIOPHOB.is_dir():
        sys.exit(f"expected the kit {AUDIOPHOB}; install Debian's hydrogen-drumkits")
    tree = ET.parse(AUDIOPHOB / "drumkit.xml").getroot()
    for element in tree.iter():
        element.tag = element.tag.split("}")[-1]
    files = {
        each.findtext("name", ""): next(each.iter("filename")).text or ""
        for each in tree.iter("instrument")
    }
    for drum, names in OF_AUDIOPHOB.items():
        for name in names.split(","):
            yield Sample(drum, f"Audiophob/{name}", *_read(AUDIOPHOB / files[name]))


def exadrums() -> Iterator[Sample]:
    """Yield those of eXaDrums that are there."""
    for name, drum in OF_EXADRUMS.items():
        path = EXADRUMS / f"{name}.wav"
        if path.is_file():
            yield Sample(drum, f"exadrums/{name}", *_read(path))


def _read(path: Path) -> tuple[Sound, int]:
    y, sr = sf.read(path)
    return y if y.ndim == 1 else y.mean(axis=1), sr


def struck(
    font: Path,
    program: int,
    notes: Sequence[int],
    velocities: Sequence[int],
    seconds: int,
) -> NDArray[np.float64]:
    """Strokes by a kit of a soundfont, (n_notes, n_velocities, n_samples)."""
    track = MidiTrack([Message("program_change", channel=9, program=program)])
    for note in notes:
        for velocity in velocities:
            own = {"channel": 9, "note": note}
            track.append(Message("note_on", velocity=velocity, **own))
            track.append(Message("note_off", time=2 * TICKS * seconds, **own))
    y, size = rendered(font, [track]), SR * seconds
    total = size * len(notes) * len(velocities)
    y = np.pad(y, (0, total))[:total]
    return y.reshape(len(notes), len(velocities), size)


def rendered(font: Path, tracks: list[MidiTrack]) -> Sound:
    """What fluidsynth plays, dry and mono, (n_samples,); a beat has `TICKS`."""
    with tempfile.TemporaryDirectory() as folder:
        score, sound = Path(folder, "a.mid"), Path(folder, "a.wav")
        MidiFile(ticks_per_beat=TICKS, tracks=tracks).save(score)
        dry = ["-n", "-i", "-q", "-R", "0", "-C", "0", "-r", str(SR), "-O", "float"]
        command = ["fluidsynth", *dry, "-F", sound, font, score]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return _read(sound)[0]
