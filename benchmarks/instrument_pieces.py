"""The mixtures of `instrument_material.py`, a line each.

Group, name, file of music21's corpus; seconds that the commonest note lasts, how many
of those to skip, seconds to play; soundfont, seconds of reverberation or `dry`; `mono`,
`stereo`, or `both` for a mixture and its panned twin; the players, each with the parts
that it plays (and from which second to which), its instrument, and the semitones by
which it is transposed.
"""

PIECES = """
tune duo_01 mozart/k156/movement2.mxl 0.34 0 11 musescore dry both Violin_I=clarinet Violin_II,Viola,Cello=harp
tune duo_02 bach/bwv253.mxl 0.65 0 10 tim 0.6 stereo Soprano=flute Alto,Tenor,Bass=guitar
tune duo_03 schumann_clara/polonaise_op1n2.mxl 0.28 0 10 tim dry mono Piano/1=harpsichord Piano/2=piano
tune trio_01 schumann_clara/opus17/movement3.xml 0.42 162 12 musescore 0.9 stereo Violin=oboe Cello=horn Piano=piano
tune trio_02 beethoven/opus18no3.mxl 0.24 304 10 tim dry both Violin_I=trumpet-12 Violin_II,Viola=pizzicato Violoncello=bassoon
tune trio_03 bach/bwv254.mxl 0.60 0 9 musescore 1.2 both Soprano=clarinet Soprano=marimba+12 Bass=bassoon
tune trio_04 mozart/k155/movement3.mxl 0.24 0 10 musescore dry mono Violin_I=marimba Violin_II=clarinet Viola,Cello=harp
tune quartet_01 mozart/k155/movement2.mxl 0.32 0 10 tim 0.5 mono Violin_I=flute Violin_I@0-5,Violin_II@5-=oboe Violin_II,Viola=harp Cello=bassoon
tune quartet_02 beethoven/opus59no1/movement3.mxl 0.24 320 12 musescore dry stereo 1st_Violin=clarinet 2nd_Violin=trumpet-12 Viola=horn Cello=pizzicato
tune quartet_03 schumann_robert/opus41no1/movement3.mxl 0.20 48 11 musescore 0.8 both 1st_Violin=strings 2nd_Violin=clarinet Viola=guitar Cello=bassoon
tune quartet_04 monteverdi/madrigal.3.3.mxl 0.40 160 12 tim dry stereo Canto=oboe Quinto=flute Tenor,Alto=harpsichord Basso=bassoon
tune quintet_01 bach/bwv255.mxl 0.70 0 10 tim 1.6 stereo Soprano=trumpet Soprano=strings-12 Alto=clarinet Tenor=horn Bass=piano
tune quintet_02 bach/bwv256.mxl 0.60 0 10 musescore 0.4 both Soprano=oboe Alto=clarinet Tenor=horn Bass=strings Soprano,Alto,Tenor,Bass=piano
test duo_11 weber/concertino_clarinet.mxl 0.20 900 11 tim 0.7 both Bb_Clarinet=clarinet Piano=harp
test duo_12 mozart/k80/movement2.mxl 0.22 0 9 musescore dry stereo Violin_I=trumpet Violin_II,Viola,Cello=piano
test duo_13 bach/bwv257.mxl 0.60 0 9 musescore 0.5 mono Soprano,Alto=guitar Tenor,Bass=marimba
test trio_11 mozart/k458/movement3.mxl 0.30 0 11 tim dry stereo 1st_Violin=oboe+12 2nd_Violin,Viola=harpsichord Cello=horn
test trio_12 haydn/opus74no1/movement3.mxl 0.36 0 10 musescore 1.0 stereo Violin_1=flute+12 Violin_2,Viola=pizzicato Violoncello=bassoon
test trio_13 bach/bwv258.mxl 0.60 0 9 tim dry both Soprano=oboe Soprano=clarinet-12 Bass=harp
test trio_14 beethoven/opus18no4.mxl 0.24 0 10 tim 1.3 both Violin_I=strings Viola=horn Violoncello=pizzicato
test quartet_11 haydn/opus1no1/movement3.mxl 0.30 96 10 musescore dry mono Violin_I=clarinet Violin_I,Violin_II=piano Viola=horn Cello=bassoon
test quartet_12 beethoven/opus59no2/movement2.mxl 0.50 800 12 tim 0.9 stereo 1st_Violin=flute 2nd_Violin=clarinet Viola=horn Cello=strings
test quartet_13 monteverdi/madrigal.4.2.mxl 0.42 0 12 musescore 0.6 both Canto=flute Quinto=oboe Alto,Tenor=guitar Basso=bassoon
test quartet_14 beethoven/opus74.mxl 0.40 496 11 musescore dry both Violin_I=marimba Violin_II=trumpet Viola=clarinet Violoncello=harp
test quintet_11 bach/bwv259.mxl 0.60 0 10 tim dry mono Soprano=oboe Soprano=flute+12 Alto=clarinet Tenor=trumpet Bass=bassoon
test quintet_12 bach/bwv260.mxl 0.70 0 11 musescore 1.5 stereo Soprano=trumpet Alto=horn Tenor=strings Bass=bassoon Soprano,Alto,Tenor,Bass=piano
"""  # noqa: E501 - a table
