"""What a caption says: a seed-dependent selection of a record's facts. How it says it: one grammar a language.

The three captions of a seed mention the same facts. Nothing that the record does not say is ever said: what is not
mentioned is left open, and the noun never claims an age or a gender presentation beyond what is mentioned.
"""

from ganforge.attributes import Record, Value
from ganforge.avatars import captions_en, captions_ja, captions_zh
from ganforge.avatars.dice import Dice
from ganforge.avatars.schema import complete_record

Facts = dict[str, str]
"""What a caption mentions: attribute → value, ``smile`` and ``turn`` as one of the words of `mood` and `facing`."""

_MENTIONED = {
    "gender": 0.85, "age": 0.55, "hair": 0.72, "hairstyle": 0.66, "eyes": 0.5, "skin": 0.28, "smile": 0.5,
    "glasses": 0.75, "beard": 0.8, "hat": 0.75, "clothes": 0.55, "accessory": 0.7, "turn": 0.18, "background": 0.3,
}  # fmt: skip
_ABSENCE_MENTIONED = {"glasses": 0.06, "hat": 0.05}


def mood(smile: float) -> str:
    """laughing, smiling, calm, serious or unhappy, by the smile's size."""
    for least, word in ((0.55, "laughing"), (0.18, "smiling"), (-0.18, "calm"), (-0.55, "serious")):
        if smile >= least:
            return word
    return "unhappy"


def facing(turn: float) -> str | None:
    """left, right or front; None between them, where nobody would say either."""
    if abs(turn) > 0.35:
        return "left" if turn < 0 else "right"
    return "front" if abs(turn) < 0.12 else None


def choose_facts(record: dict[str, Value], seed: int) -> Facts:
    """The facts that the captions of this seed mention, at least three of them."""
    dice = Dice(seed, "facts")
    wordiness = dice.between(0.7, 1.25)
    facts: Facts = {}
    silent: Facts = {}
    for name, chance in _MENTIONED.items():
        value = record[name]
        if name == "smile":
            word: str | None = mood(float(value or 0))
        elif name == "turn":
            word = facing(float(value or 0))
        elif value == "none":
            word = "none" if name in _ABSENCE_MENTIONED else None
            chance = _ABSENCE_MENTIONED.get(name, 0.0)  # noqa: PLW2901
        else:
            word = str(value)
        said = dice.chance(chance * wordiness)
        if word is not None:
            (facts if said else silent)[name] = word
    for name in ("hair", "hairstyle", "clothes", "eyes"):
        if len(facts) < 3 and name in silent:
            facts[name] = silent.pop(name)
    return facts


def describe(record: Record, seed: int) -> dict[str, str]:
    """The captions of a record; see `ganforge.avatars.captions`."""
    complete = complete_record(record, seed)
    facts = choose_facts(complete, seed)
    child = complete["age"] == "child"
    grammars = {"en": captions_en.sentence, "zh": captions_zh.sentence, "ja": captions_ja.sentence}
    return {language: write(facts, child, Dice(seed, language)) for language, write in grammars.items()}
