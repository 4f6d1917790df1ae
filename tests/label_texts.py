"""The same two labels, from 0.5 to 1.25 s and from 2 to 3 s, in many formats."""

SHORT_GRID = '''File type = "ooTextFile"
Object class = "TextGrid"

0
4
<exists>
2
"IntervalTier"
"drums"
0
4
5
0
0.5
""
0.5
1.25
"kick"
1.25
2
""
2
3
"snare ""drum"""
3
4
" "
"TextTier"
"beats"
0
4
1
1.5
"clap"
'''

_LONG_GRID = '''File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 4
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "drums"
        xmin = 0
        xmax = 4
        intervals: size = 5
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = ""
        intervals [2]:
            xmin = 0.5
            xmax = 1.25
            text = "kick"
        intervals [3]:
            xmin = 1.25
            xmax = 2
            text = ""
        intervals [4]:
            xmin = 2
            xmax = 3
            text = "snare ""drum"""
        intervals [5]:
            xmin = 3
            xmax = 4
            text = " "
    item [2]:
        class = "TextTier"
        name = "beats"
        xmin = 0
        xmax = 4
        points: size = 1
        points [1]:
            number = 1.5
            mark = "clap"
'''

#: As Praat saves it, with a space at the end of lines.
LONG_GRID = _LONG_GRID.replace("\n", " \n")

#: With another tier that is like the first one but for a name, instead of the points.
TWO_TIERS = SHORT_GRID.replace(
    '"TextTier"\n"beats"\n0\n4\n1\n1.5\n"clap"\n',
    '"IntervalTier"\n"Hands"\n0\n4\n1\n0\n4\n"right"\n',
)

SUBRIP = (
    "1\n00:00:00,500 --> 00:00:01,250\n<i>kick</i>\n\n"
    '2\n00:00:02,000 --> 00:00:03,000  X1:40\n{\\an8}snare\n"drum"\n\n'
)

WEBVTT = (
    "WEBVTT - drums\n\nNOTE by hand\n\nSTYLE\n::cue { color: red }\n\n"
    "first\n00:00.500 --> 00:01.250 align:start\n<v Ann>kick</v>\n\n"
    "00:00:02.000 --> 00:00:03.000\nsnare &quot;drum&quot;\n"
)

ELAN = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" FORMAT="3.0" VERSION="3.0">
<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds"/>
<TIME_ORDER>
<TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="500"/>
<TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="1250"/>
<TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="2000"/>
<TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="3000"/>
<TIME_SLOT TIME_SLOT_ID="ts5"/>
</TIME_ORDER>
<TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID="drums">
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1"
 TIME_SLOT_REF2="ts2"><ANNOTATION_VALUE>kick</ANNOTATION_VALUE>
</ALIGNABLE_ANNOTATION></ANNOTATION>
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts3"
 TIME_SLOT_REF2="ts4"><ANNOTATION_VALUE>snare "drum"</ANNOTATION_VALUE>
</ALIGNABLE_ANNOTATION></ANNOTATION>
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a3" TIME_SLOT_REF1="ts4"
 TIME_SLOT_REF2="ts5"><ANNOTATION_VALUE>no end</ANNOTATION_VALUE>
</ALIGNABLE_ANNOTATION></ANNOTATION>
</TIER>
</ANNOTATION_DOCUMENT>
"""

#: A tier whose annotations belong to those of the first one.
ELAN_REFERRED = ELAN.replace(
    "</ANNOTATION_DOCUMENT>",
    '<TIER LINGUISTIC_TYPE_REF="sym" PARENT_REF="drums" TIER_ID="hands"><ANNOTATION>'
    '<REF_ANNOTATION ANNOTATION_ID="a4" ANNOTATION_REF="a2"><ANNOTATION_VALUE>left'
    "</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION></TIER></ANNOTATION_DOCUMENT>",
)

REAPER = (
    "#,Name,Start,End,Length,Color\n"
    "R1,kick,0:00.500,0:01.250,0:00.750,\n"
    'R2,"snare ""drum""",0:02.000,0:03.000,0:01.000,FF0000\n'
    "M1,verse,0:01.000,,,\n"
)

HTK = "0 5000000 sil -51.2\n5000000 12500000 kick -50.1\n20000000 30000000 snare -1\n"
