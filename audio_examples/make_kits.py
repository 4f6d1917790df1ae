"""Make the built-in drum kits of `specnmf drums`: templates of free samples.

    python make_kits.py [FILE]

By default it writes specnmf/methods/drums/kits.npz. Each template is a short
spectrogram of one stroke: levels in half decibels, in 96 bands that are mel-spaced, at
18 times after the onset. It needs Debian's packages `fluidsynth`, `fluid-soundfont-gm`
(FluidR3, MIT) and `sonic-pi-samples` (CC0); `hydrogen-drumkits` adds the kit Audiophob
(CC0). Of strokes that sound alike only one is kept.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile as sf
from mido import Message, MidiFile, MidiTrack

from specnmf.audio.recording import Audio
from specnmf.methods.drums.kits import levels_of

SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
SAMPLES = Path("/usr/share/sonic-pi/samples")
AUDIOPHOB = Path("/usr/share/hydrogen/data/drumkits/Audiophob")
SR = 44100
LENGTH = 3  # seconds a stroke
ALIKE = 0.985  # cosine between the templates of strokes that sound alike

SONIC_PI = {
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
PROGRAMS = (0, 8, 16, 24, 25, 32, 40)
NOTES = {
    "kick": (35, 36),
    "snare": (38, 40),
    "hihat": (42, 44),
    "openhat": (46,),
    "toms": (41, 45, 48, 50),
    "ride": (51, 59),
    "crash": (49, 57),
    "clap": (39,),
}
VELOCITIES = (50, 110)
SLAP = 40, 39  # program and note: in the kit of brushes, the clap is a slap
HYDROGEN = {
    "kick": "Kick",
    "snare": "Snare Rock,Snare Jazz",
    "hihat": "Closed HH,Pedal HH",
    "openhat": "Open HH",
    "toms": "Tom Low,Tom Mid,Tom Hi",
    "ride": "Ride Jazz",
    "crash": "Crash",
    "clap": "Hand Clap",
}


def samples():
    """Yield drum, name and sound of sonic-pi's samples."""
    for drum, names in SONIC_PI.items():
        for name in names.split():
            yield drum, f"sonic-pi/{name}", *sf.read(SAMPLES / f"{name}.flac")


def rendered(font: Path, tracks: list[MidiTrack]) -> np.ndarray:
    """What fluidsynth plays, dry, (n_samples, 2); a beat has 480 ticks."""
    with tempfile.TemporaryDirectory() as folder:
        score, sound = Path(folder, "kit.mid"), Path(folder, "kit.wav")
        MidiFile(ticks_per_beat=480, tracks=tracks).save(score)
        dry = ["-n", "-i", "-q", "-R", "0", "-C", "0", "-r", str(SR), "-O", "float"]
        command = ["fluidsynth", *dry, "-F", sound, font, score]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return sf.read(sound)[0]


def soundfont():
    """Yield drum, name and sound of the strokes of FluidR3's kits."""
    strokes = [
        (drum, note, v) for drum in NOTES for note in NOTES[drum] for v in VELOCITIES
    ]
    for program in PROGRAMS:
        track = MidiTrack([Message("program_change", channel=9, program=program)])
        for _, note, velocity in strokes:
            own = {"channel": 9, "note": note}
            track.append(Message("note_on", velocity=velocity, **own))
            track.append(Message("note_off", time=960 * LENGTH, **own))
        y = np.pad(rendered(SOUNDFONT, [track]), ((0, SR * LENGTH), (0, 0)))
        for i, (drum, note, velocity) in enumerate(strokes):
            own = y[i * SR * LENGTH :][: SR * LENGTH]
            if (program, note) != SLAP:
                yield drum, f"FluidR3/{program}/{note}/{velocity}", own, SR


def audiophob():
    """Yield drum, name and sound of the kit Audiophob, if it is installed."""
    import xml.etree.ElementTree as ET

    if not AUDIOPHOB.is_dir():
        sys.exit("make_kits.py: install Debian's hydrogen-drumkits first")
    tree = ET.parse(AUDIOPHOB / "drumkit.xml").getroot()
    for element in tree.iter():
        element.tag = element.tag.split("}")[-1]
    files = {
        each.findtext("name"): next(each.iter("filename")).text
        for each in tree.iter("instrument")
    }
    for drum, names in HYDROGEN.items():
        for name in names.split(","):
            yield drum, f"Audiophob/{name}", *sf.read(AUDIOPHOB / files[name])


def main() -> None:
    """Write the kits."""
    here = Path(__file__).parents[1] / "specnmf" / "methods" / "drums" / "kits.npz"
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else here
    drums, names, kept, shapes = [], [], [], []
    for drum, name, y, sr in (*samples(), *audiophob(), *soundfont()):
        y = y if y.ndim == 1 else y.mean(axis=1)
        if np.abs(y).max() < 1e-4:
            continue
        levels = levels_of(Audio(np.asarray(y, np.float32)[np.newaxis], sr))
        shape = 10 ** (levels / 40.0).ravel()
        shape /= np.linalg.norm(shape)
        alike = [o @ shape for o, d in zip(shapes, drums, strict=True) if d == drum]
        if max(alike, default=0) > ALIKE:
            continue
        drums.append(drum)
        names.append(name)
        kept.append(levels)
        shapes.append(shape)
    order = sorted(range(len(drums)), key=lambda i: [*NOTES].index(drums[i]))
    np.savez_compressed(
        target,
        levels=np.stack([kept[i] for i in order]),
        drums=np.array([drums[i] for i in order]),
        names=np.array([names[i] for i in order]),
    )
    print(len(order), "templates,", target.stat().st_size // 1000, "kB")


if __name__ == "__main__":
    main()
