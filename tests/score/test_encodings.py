"""Encodings: names as their authors wrote them, in whatever bytes."""

import pytest

from specnmf import ScoreError
from specnmf.score.encodings import GUESSED, decoded

#: Names of parts and their encodings, one file's in a line.
WORDS = {
    "cp932": ["ピアノ", "ギター ベース ドラム", "右手 左手", "主旋律", "バイオリン",
              "ソプラノ アルト テノール バス", "ﾋﾟｱﾉ ﾍﾞｰｽ", "三味線", "エレキギター1"],
    "gb18030": ["钢琴", "吉他 贝斯", "小提琴", "二胡 古筝", "主旋律", "人声", "伴奏"],
    "big5hkscs": ["鋼琴", "鋼琴 吉他", "小提琴", "右手 左手"],
    "cp949": ["피아노", "피아노 기타", "바이올린", "멜로디", "오른손 왼손"],
    "euc_jis_2004": ["ピアノ", "ギター ベース"],
    "cp1251": ["Скрипка", "Фортепиано Альт", "Бас", "ГИТАРА", "Флейта", "Ударные"],
    "koi8-r": ["Скрипка", "Гитара Бас", "Флейта", "начало"],
    "cp1252": ["Flöte", "Hautbois Flûte", "Piano à queue", "Violín", "Große Trommel",
               "Copyright © 2008", "Canção", "Nº 1", "Mélodie", "Fløyte", "È vero"],
    "cp1250": ["Dvořák", "Zpěv", "Klávesy Kytara Bicí Zpěv"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("encoding", "words"), [(e, words) for e, lines in WORDS.items() for words in lines]
)
def test_short_names_are_read_as_they_were_written(encoding, words):
    texts = words.split()
    found, called = decoded([text.encode(encoding) for text in texts])
    assert found == texts
    # a letter or two may be the same in several
    assert encoding in ("cp1250", "cp1252") or called == GUESSED[encoding]


@pytest.mark.parametrize(
    "encoding", ["ascii", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_unicode_is_no_guess(encoding):
    words = ["Oboe", "Bass"] if encoding == "ascii" else ["Flöte", "Bass", "Große"]
    assert decoded([word.encode(encoding) for word in words]) == (words, None)


def test_a_byte_order_mark_tells_the_order():
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        assert decoded([mark + "ピアノ".encode(encoding)]) == (["ピアノ"], None)


def test_a_word_in_utf_8_stays_so_beside_one_in_latin_1():
    texts = ["Flöte".encode(), "Hörner".encode("latin-1"), b"Oboe"]
    assert decoded(texts) == (["Flöte", "Hörner", "Oboe"], "Latin-1")


def test_other_texts_help_to_guess():
    title = "月亮代表我的心".encode("gb18030")
    assert decoded(["长笛".encode("gb18030")], [title])[0] == ["长笛"]


def test_any_bytes_are_some_text():
    assert decoded([bytes(range(1, 256))])[1] in {*GUESSED.values(), "Latin-1"}
    assert decoded([]) == ([], None)
    assert decoded([b""]) == ([""], None)


def test_damaged_utf_16_is_refused():
    with pytest.raises(ScoreError, match="damaged text in UTF-16"):
        decoded([b"\xff\xfea"])
