"""MusicXML documents as tests need them: divisions are 12."""

DOCTYPE = (
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">'
)

UNITS = "<attributes><divisions>12</divisions></attributes>"
COMMON = (
    "<attributes><time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
)


def note(pitch, quarters=1, more="", *, before=""):
    """A note: C4, or F1#4 with its alteration."""
    step, alter, octave = pitch[0], pitch[1:-1], pitch[-1]
    alter = f"<alter>{alter}</alter>" if alter else ""
    return (
        f"<note>{before}<pitch><step>{step}</step>{alter}<octave>{octave}</octave>"
        f"</pitch><duration>{round(12 * quarters)}</duration>{more}</note>"
    )


def grace(pitch, before="<grace/>"):
    return note(pitch, before=before).replace("<duration>12</duration>", "")


def hit(place="", more=""):
    """A note without a pitch, written at a place such as F4."""
    names = zip(("step", "octave"), place, strict=False)
    shown = "".join(f"<display-{n}>{own}</display-{n}>" for n, own in names)
    return f"<note><unpitched>{shown}</unpitched><duration>12</duration>{more}</note>"


def rest(quarters):
    return f"<note><rest/><duration>{round(12 * quarters)}</duration></note>"


def back(quarters):
    return f"<backup><duration>{round(12 * quarters)}</duration></backup>"


def attributes(inside):
    return f"<attributes>{inside}</attributes>"


def barline(inside, location=""):
    where = f' location="{location}"' if location else ""
    return f"<barline{where}>{inside}</barline>"


def sound(**marks):
    values = " ".join(f'{name}="{value}"' for name, value in marks.items())
    return f"<direction><sound {values}/></direction>"


FORWARD = '<repeat direction="forward"/>'
BACKWARD = '<repeat direction="backward"/>'
REPEAT = barline(BACKWARD, "right")
TIE_ON, TIE_BACK = '<tie type="start"/>', '<tie type="stop"/>'


def document(*parts, names=None, definitions="", units=UNITS):
    """A document of parts, each a list of measures."""
    names = names or [f"part {k}" for k in range(len(parts))]
    listed = "".join(
        f'<score-part id="P{k}"><part-name>{name}</part-name>{definitions}</score-part>'
        for k, name in enumerate(names)
    )
    music = "".join(
        f'<part id="P{k}">'
        + "".join(
            f'<measure number="{n + 1}">{"" if n else units}{measure}</measure>'
            for n, measure in enumerate(measures)
        )
        + "</part>"
        for k, measures in enumerate(parts)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{DOCTYPE}<score-partwise version="4.0">'
        f"<part-list>{listed}</part-list>{music}</score-partwise>"
    )


def spans(score):
    """The notes as (start, end, pitch), to the microsecond, half a second a quarter."""
    return [
        (round(n.start, 6), round(n.start + n.duration, 6), n.pitch)
        for n in score.notes
    ]
