"""Captions: true of their record, grammatical, and worded in many ways."""

import re
from collections import Counter

import pytest

from ganforge.avatars import avatar_seed, captions, captions_en, captions_ja, captions_zh, sample_record
from ganforge.avatars.captions import choose_facts, facing, mood
from ganforge.avatars.schema import SCHEMA, complete_record
from ganforge.errors import UsageError

LANGUAGES = ("en", "zh", "ja")
SEEDS = [avatar_seed(21, i) for i in range(1500)]
RECORDS = [sample_record(seed) for seed in SEEDS]
ALL = [captions(record, seed) for record, seed in zip(RECORDS, SEEDS, strict=True)]


def flat(entry) -> list[str]:
    """The words of one value in a grammar's table."""
    if isinstance(entry, str):
        return [entry]
    return [word for part in entry for word in flat(part)]


# for each language: attribute → value → every phrase that says so
TABLES = {
    "en": {
        "glasses": captions_en.GLASSES,
        "beard": captions_en.BEARDS,
        "hat": captions_en.HATS,
        "clothes": captions_en.CLOTHES,
        "accessory": captions_en.WORN | captions_en.GROWN_ON,
        "background": captions_en.BACKGROUNDS,
        "skin": captions_en.SKINS,
    },
    "zh": {
        "glasses": captions_zh.GLASSES,
        "beard": captions_zh.BEARDS,
        "hat": captions_zh.HATS,
        "clothes": captions_zh.CLOTHES,
        "accessory": captions_zh.ACCESSORIES,
        "background": captions_zh.BACKGROUNDS,
        "hairstyle": captions_zh.HAIR_STYLES,
    },
    "ja": {
        "glasses": captions_ja.GLASSES,
        "beard": captions_ja.BEARDS,
        "hat": captions_ja.HATS,
        "clothes": captions_ja.CLOTHES,
        "accessory": captions_ja.ACCESSORIES,
        "skin": captions_ja.SKINS,
        "hairstyle": captions_ja.HAIR_STYLES,
    },
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_phrase_of_another_value_is_said(language):
    for attribute, table in TABLES[language].items():
        phrases = {value: flat(entry) for value, entry in table.items()}
        for record, texts in zip(RECORDS, ALL, strict=True):
            true = phrases.get(str(record[attribute]), [])
            for value, words in phrases.items():
                if value == record[attribute]:
                    continue
                said = [w for w in words if _says(texts[language], w, language)]
                said = [w for w in said if not any(w.strip("{}") in own for own in true)]
                assert not said, (attribute, record[attribute], said, texts[language])


def _says(text: str, phrase: str, language: str) -> bool:
    if language == "en":
        return re.search(rf"\b{re.escape(phrase)}\b(?! of)", text, re.IGNORECASE) is not None
    return re.search(re.escape(phrase).replace(r"\{\}", ".{0,8}?"), text) is not None  # {} stands for a colour


@pytest.mark.parametrize(
    ("language", "attribute", "pattern", "words"),
    [
        ("en", "eyes", r"(\w+) eyes", None),
        ("en", "skin", r"(\w+) skin", None),
        ("zh", "eyes", r"(\w)色的?眼睛", {v: captions_zh.COLOURS[v][0] for v in captions_zh.COLOURS}),
        (
            "ja",
            "eyes",
            r"(茶色い|金色の|緑の|青緑の|青い|紫の|ピンクの|赤い|灰色の|黒い|白い)[目瞳]",
            {v: w[0] for v, w in captions_ja.COLOURS.items()},
        ),
    ],
)
def test_colours_belong_to_what_they_stand_before(language, attribute, pattern, words):
    seen = Counter()
    for record, texts in zip(RECORDS, ALL, strict=True):
        for found in re.findall(pattern, texts[language]):
            value = str(record[attribute])
            right = words[value] if words else value
            # 青緑の目 also matches 緑の; the whole word decides
            assert found == right or right.endswith(found), texts[language]
            seen[value] += 1
    assert len(seen) >= 6


def test_hair_colours_are_the_records():
    colours = {a.name: a for a in SCHEMA.attributes}["hair"].values
    said = 0
    for record, texts in zip(RECORDS, ALL, strict=True):
        without = re.sub(r"\w+ (eyes|skin)", "", texts["en"])
        named = [c for c in colours if re.search(rf"\b{c}\b", without)]
        assert named in ([], [record["hair"]]), texts["en"]
        said += bool(named)
    assert said > 500


def test_every_mentioned_fact_is_the_records():
    for record, seed in zip(RECORDS, SEEDS, strict=True):
        facts = choose_facts(complete_record(record, seed), seed)
        assert len(facts) >= 3
        for name, word in facts.items():
            true = {"smile": lambda r: mood(r["smile"]), "turn": lambda r: facing(r["turn"])}.get(
                name, lambda r, n=name: r[n]
            )
            assert word == true(record)


def test_nouns_fit_gender_and_age():
    wrong = {
        "woman": {"en": r"\b(boy|man|gentleman|he)\b", "zh": "男|老爷爷|老先生|少年", "ja": "男|おじいさん|少年"},
        "man": {"en": r"\b(girl|woman|lady|she)\b", "zh": "女(?!巫)|姑娘|老奶奶", "ja": "女(?!の帽子)|おばあさん"},
        "neither": {
            "en": r"\b(girl|woman|lady|she|boy|man|gentleman|he)\b",
            "zh": "女(?!巫)|男|姑娘|少年",
            "ja": "女(?!の帽子)|男|少年",
        },
    }
    too_old = {"en": r"\b(old|elderly|adult|grown)", "zh": "老|成年|大人", "ja": "おばあ|おじい|年配|大人|お年寄り"}
    too_young = {"en": r"\b(child|girl|boy|young|youth)\b", "zh": "孩|少年|少女|年轻", "ja": "子|若|少年|少女|幼"}
    for record, texts in zip(RECORDS, ALL, strict=True):
        for language in LANGUAGES:
            assert not re.search(wrong[record["gender"]][language], texts[language], re.IGNORECASE), texts
            if record["age"] in ("child", "young"):
                assert not re.search(too_old[language], texts[language], re.IGNORECASE), texts
            elif record["age"] == "old":
                plain = re.sub("帽子|お団子|丸子|帽衫", "", texts[language])
                assert not re.search(too_young[language], plain, re.IGNORECASE), texts


def test_smiles_are_not_frowns():
    for record, texts in zip(RECORDS, ALL, strict=True):
        if record["smile"] > 0.2:
            assert not re.search("frown|unhappy|serious|earnest", texts["en"])
            assert not re.search("不高兴|愁|严肃|认真", texts["zh"])
            assert not re.search("不満|つら|真剣|真面目", texts["ja"])
        elif record["smile"] < -0.2:
            assert not re.search("laugh|smil|beam", texts["en"])
            assert "笑" not in texts["zh"]
            assert not re.search("笑|ほほえみ", texts["ja"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_well_formed(language):
    for texts in ALL:
        text = texts[language]
        assert text.endswith("." if language == "en" else "。")
        assert not re.search(r"  |, ,|,,|、、|，，|。。|、。|，。|の、|None|none|[{}]| \.| ,", text), text
        if language == "en":
            assert text[0].isupper()
            assert not re.search(r"\ba [aeiou]|\ban [^aeiou]", text), text
            assert not re.search(r"\b(\w+) \1\b", text), text
        elif language == "zh":
            assert not re.search(r"的的|的，|[a-zA-SU-Z]", text), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_wordings_are_many(language):
    one = RECORDS[0]
    assert len({captions(one, seed)[language] for seed in SEEDS[:300]}) > 200


def test_captions_are_a_function_of_record_and_seed():
    assert captions({}, 5) == captions(sample_record(5), 5)
    with pytest.raises(UsageError, match="hair is one of"):
        captions({"hair": "plaid"}, 5)
