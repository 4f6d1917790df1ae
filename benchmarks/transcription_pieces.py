"""The pieces of `transcription_material.py`, a line each.

Group, name, file of music21's corpus; seconds that the commonest note lasts, how many
of those to skip, seconds to play; mono or stereo; the players.
"""

PIECES = """
tune duo_01 bach/bwv66.6.mxl 0.75 0 10 mono Soprano=violin Bass=bassoon
tune duo_02 bach/bwv101.7.mxl 0.65 0 10 mono Soprano=clarinet Tenor=tenorsax
tune duo_03 bach/bwv10.7.mxl 0.60 0 12 mono Alto=clarinet Bass=bassoon
tune duo_04 bach/bwv102.7.mxl 0.80 8 10 mono Soprano=altosax Alto=violin
tune duo_05 bach/bwv103.6.mxl 0.55 0 9 stereo Soprano=flute Bass=cello
tune trio_01 bach/bwv104.6.mxl 0.70 0 10 mono Soprano=violin Alto=clarinet Bass=bassoon
tune trio_02 bach/bwv108.6.mxl 0.62 8 10 mono Soprano=violin Tenor=altosax Bass=bassoon
tune trio_03 bach/bwv11.6.mxl 0.55 0 9 mono Soprano=oboe Alto=viola Tenor=tenorsax
tune trio_04 bach/bwv110.7.mxl 0.85 0 12 stereo Soprano=trumpet Tenor=horn Bass=cello
tune quartet_01 bach/bwv111.6.mxl 0.70 0 10 mono Soprano=violin Alto=clarinet Tenor=tenorsax Bass=bassoon
tune quartet_02 bach/bwv113.8.mxl 0.80 0 12 mono Soprano=violin Alto=clarinet Tenor=altosax Bass=bassoon
tune quartet_03 bach/bwv114.7.mxl 0.60 8 8 mono Soprano=violin Alto=clarinet Tenor=tenorsax Bass=bassoon
tune quartet_04 bach/bwv115.6.mxl 0.55 0 8 mono Soprano=flute Alto=oboe Tenor=horn Bass=cello
tune quartet_05 bach/bwv116.6.mxl 0.75 0 12 stereo Soprano=soprano:choir Alto=alto:choir Tenor=tenor:choir Bass=bass:choir
tune quartet_06 bach/bwv117.4.mxl 0.65 0 10 mono Soprano=violin1:violin Alto=violin2:violin Tenor=viola Bass=cello
tune quartet_07 bach/bwv121.6.mxl 0.90 0 14 mono Soprano=clarinet Alto=violin Tenor=bassoon Bass=tuba
tune piano_01 cpebach/h186.mxl 0.16 0 12 mono MusicXML_Part/1=right:piano MusicXML_Part/2=left:piano
tune piano_02 schumann_clara/polonaise_op1n1.mxl 0.30 0 12 stereo Piano/1=right:piano Piano/2=left:piano
tune piano_03 bach/bwv846.mxl 0.22 0 14 mono Piano/1=right:piano Piano/2=left:piano
tune piano_04 verdi/laDonnaEMobile.mxl 0.35 0 14 mono P1/1=right:piano P1/2=left:piano
tune band_01 mozart/k155/movement1.mxl 0.22 0 14 stereo Violin_I=flute Violin_II=strings Viola=horn Cello=bass BEAT=drums
tune band_02 johnson_j_r/lift_every_voice.mxl 0.30 0 15 stereo Soprano=trumpet Alto=altosax Tenor=trombone Bass=tuba BEAT=drums
tune song_01 schumann_robert/opus48no2.mxl 0.45 0 16 mono MusicXML_Part=oboe MusicXML_Part_2=guitar
tune song_02 corelli/opus3no1/1grave.xml 0.50 0 16 stereo Violino_I.=flute Violino_II.=violin Violone_e_Organo=organ
test duo_11 bach/bwv122.6.mxl 0.70 0 10 mono Soprano=violin Alto=clarinet
test duo_12 bach/bwv123.6.mxl 0.60 0 10 mono Tenor=tenorsax Bass=bassoon
test duo_13 bach/bwv124.6.mxl 0.80 0 12 mono Soprano=clarinet Bass=bassoon
test duo_14 bach/bwv125.6.mxl 0.55 0 9 mono Alto=altosax Tenor=violin
test trio_11 bach/bwv126.6.mxl 0.75 0 11 mono Soprano=violin Tenor=tenorsax Bass=bassoon
test trio_12 bach/bwv127.5.mxl 0.65 0 10 mono Soprano=clarinet Alto=altosax Bass=bassoon
test trio_13 bach/bwv128.5.mxl 0.60 0 10 stereo Soprano=oboe Alto=clarinet Bass=cello
test quartet_11 bach/bwv130.6.mxl 0.70 0 10 mono Soprano=violin Alto=clarinet Tenor=tenorsax Bass=bassoon
test quartet_12 bach/bwv133.6.mxl 0.60 0 9 mono Soprano=violin Alto=clarinet Tenor=altosax Bass=bassoon
test quartet_13 bach/bwv135.6.mxl 0.85 0 12 mono Soprano=violin Alto=clarinet Tenor=tenorsax Bass=bassoon
test quartet_14 bach/bwv136.6.mxl 0.75 0 12 stereo Soprano=trumpet Alto=horn Tenor=trombone Bass=tuba
test quartet_15 bach/bwv140.7.mxl 0.55 0 10 mono Soprano=flute Alto=viola Tenor=cello Bass=bassoon
test piano_11 schumann_clara/polonaise_op1n3.mxl 0.28 0 12 mono Piano/1=right:piano Piano/2=left:piano
test piano_12 mozart/k545/movement1_exposition.mxl 0.13 0 14 mono MusicXML_Part/1=right:piano MusicXML_Part/2=left:piano
test piano_13 joplin/maple_leaf_rag.mxl 0.27 0 14 stereo Piano/1=right:piano Piano/2=left:piano
test marimba_11 schumann_clara/polonaise_op1n4.mxl 0.30 0 12 mono Piano/1=right:vibraphone Piano/2=left:marimba
test strings_11 haydn/opus74no1/movement2.mxl 0.40 0 16 mono Violin_1=violin1:violin Violin_2=violin2:violin Viola=viola Violoncello=cello
test strings_12 beethoven/opus18no1/movement2.mxl 0.25 0 15 stereo Violin_I=violin1:violin Violin_II=violin2:violin Viola=viola Cello=cello
test winds_11 mozart/k458/movement2.mxl 0.25 0 14 mono 1st_Violin=flute 2nd_Violin=oboe Viola=clarinet Cello=bassoon
test brass_11 haydn/opus1no1/movement2.mxl 0.35 0 14 stereo Violin_I=trumpet Violin_II=horn Viola=trombone Cello=tuba
test choir_11 monteverdi/madrigal.3.1.mxl 0.50 0 16 stereo Canto=soprano:choir Alto=alto:choir Tenor=tenor:choir Basso=bass:choir
test mixed_11 luca/gloria.xml 0.55 0 16 mono Cantus=violin Contratenor=horn Tenor=organ
test band_11 mozart/k80/movement1.mxl 0.25 0 14 stereo Violin_I=altosax Violin_II=epiano Viola=guitar Cello=bass BEAT=drums
test band_12 weber/concertino_clarinet.mxl 0.20 375 15 stereo Bb_Clarinet=clarinet Piano=strings
test song_11 schubert/Lindenbaum.xml 0.25 0 20 mono Voice=clarinet Piano/1=right:piano Piano/2=left:piano
test song_12 webern/webern_dormi_jesu_op_16_no_2.mxl 0.60 0 16 mono Gesang=flute Klarinette=clarinet
test song_13 handel/rinaldo/Lascia_chio_pianga.mxl 0.70 0 18 mono P1=cello Piano=harp
"""  # noqa: E501 - a table
