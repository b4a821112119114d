"""The avatars' attributes, how often each value occurs, and records drawn from these priors.

The attributes are independent but for a few dependencies of taste: grey hair comes with age, children wear no beards
and fewer suits, what sits on top of the head does not meet a hat. A record may still ask for any combination.
"""

from collections.abc import Mapping

from ganforge.attributes import Attribute, Choice, Range, Record, Schema, Value
from ganforge.avatars.dice import Dice
from ganforge.errors import UnknownNameError, UsageError

GENDERS = {"woman": 0.42, "man": 0.38, "neither": 0.2}
AGES = {"child": 0.18, "young": 0.42, "grown": 0.24, "old": 0.16}
HAIR_COLOURS = {
    "black": 0.12, "brown": 0.11, "blonde": 0.1, "orange": 0.07, "red": 0.08, "pink": 0.09, "lilac": 0.07,
    "purple": 0.07, "blue": 0.1, "teal": 0.07, "green": 0.07, "grey": 0.05, "white": 0.07,
}  # fmt: skip
HAIR_STYLES = {
    "short": 0.13, "spiky": 0.1, "slicked": 0.07, "bob": 0.11, "long": 0.13, "wavy": 0.1, "curly": 0.08,
    "ponytail": 0.09, "twintails": 0.08, "braids": 0.07, "buns": 0.07,
}  # fmt: skip
EYE_COLOURS = {
    "brown": 0.14, "gold": 0.1, "green": 0.12, "teal": 0.09, "blue": 0.16, "purple": 0.12, "pink": 0.08, "red": 0.09,
    "grey": 0.1,
}  # fmt: skip
SKINS = {"pale": 0.2, "light": 0.24, "golden": 0.17, "tan": 0.15, "brown": 0.13, "dark": 0.11}
GLASSES = {"none": 0.66, "round": 0.12, "square": 0.12, "aviator": 0.1}
BEARDS = {"none": 1.0, "stubble": 0.0, "moustache": 0.0, "goatee": 0.0, "full": 0.0}
HATS = {"none": 0.6, "beret": 0.08, "cap": 0.08, "beanie": 0.07, "straw": 0.06, "witch": 0.06, "tophat": 0.05}
CLOTHES = {
    "tshirt": 0.11, "shirt": 0.1, "hoodie": 0.11, "sweater": 0.1, "suit": 0.1, "sailor": 0.1, "kimono": 0.1,
    "dress": 0.1, "armour": 0.09, "labcoat": 0.09,
}  # fmt: skip
ACCESSORIES = {
    "none": 0.28, "ribbon": 0.07, "flower": 0.07, "hairpin": 0.06, "headphones": 0.06, "earrings": 0.07, "scarf": 0.07,
    "choker": 0.06, "eyepatch": 0.05, "catears": 0.08, "horns": 0.07, "halo": 0.06,
}  # fmt: skip
BACKGROUNDS = {
    "plain": 0.16, "dots": 0.12, "stripes": 0.1, "sky": 0.14, "sunset": 0.12, "night": 0.12, "room": 0.12,
    "leaves": 0.12,
}  # fmt: skip

ON_TOP_OF_THE_HEAD = ("headphones", "catears", "horns", "halo")


def _choice(name: str, weights: Mapping[str, float]) -> Choice:
    return Choice(name=name, values=tuple(weights))


_ATTRIBUTES: tuple[Attribute, ...] = (
    _choice("gender", GENDERS),
    _choice("age", AGES),
    _choice("hair", HAIR_COLOURS),
    _choice("hairstyle", HAIR_STYLES),
    _choice("eyes", EYE_COLOURS),
    _choice("skin", SKINS),
    Range(name="smile", low=-1, high=1),
    _choice("glasses", GLASSES),
    _choice("beard", BEARDS),
    _choice("hat", HATS),
    _choice("clothes", CLOTHES),
    _choice("accessory", ACCESSORIES),
    Range(name="turn", low=-1, high=1),
    _choice("background", BACKGROUNDS),
)

SCHEMA = Schema(attributes=_ATTRIBUTES)
"""What a record says. ``smile``: −1, a frown … 1, a laugh; ``turn``: −1, toward the picture's left … 1, its right."""


def sample_record(seed: int) -> dict[str, Value]:
    """A whole record drawn from the priors: a function of the 64-bit ``seed`` alone."""
    dice = Dice(seed, "record")
    gender = dice.weighted(GENDERS)
    age = dice.weighted(AGES)
    hat = dice.weighted(HATS)
    return {
        "gender": gender,
        "age": age,
        "hair": dice.weighted(_hair_colours(age)),
        "hairstyle": dice.weighted(_hair_styles(gender)),
        "eyes": dice.weighted(EYE_COLOURS),
        "skin": dice.weighted(SKINS),
        "smile": round(max(-1.0, min(1.0, dice.near(0.2, 1.1))), 3),
        "glasses": dice.weighted(GLASSES),
        "beard": dice.weighted(_beards(gender, age)),
        "hat": hat,
        "clothes": dice.weighted(_clothes(gender, age)),
        "accessory": dice.weighted(_accessories(hat)),
        "turn": round(dice.near(0.0, 1.0), 3),
        "background": dice.weighted(BACKGROUNDS),
    }


def _hair_colours(age: str) -> dict[str, float]:
    weights = dict(HAIR_COLOURS)
    if age == "old":
        weights |= {"grey": 0.5, "white": 0.5}
    elif age != "grown":
        weights |= {"grey": 0.03}
    return weights


def _hair_styles(gender: str) -> dict[str, float]:
    weights = dict(HAIR_STYLES)
    if gender == "man":
        weights |= {"short": 0.25, "spiky": 0.2, "slicked": 0.14, "twintails": 0.03, "braids": 0.03, "buns": 0.03}
    elif gender == "woman":
        weights |= {"short": 0.08, "spiky": 0.05, "slicked": 0.04}
    return weights


def _beards(gender: str, age: str) -> dict[str, float]:
    if gender == "man" and age == "old":
        return {"none": 0.35, "stubble": 0.05, "moustache": 0.2, "goatee": 0.1, "full": 0.3}
    if gender == "man" and age == "grown":
        return {"none": 0.4, "stubble": 0.2, "moustache": 0.13, "goatee": 0.13, "full": 0.14}
    if gender == "man" and age == "young":
        return {"none": 0.92, "stubble": 0.06, "goatee": 0.02}
    return BEARDS


def _clothes(gender: str, age: str) -> dict[str, float]:
    weights = dict(CLOTHES)
    if gender == "man":
        weights |= {"dress": 0.02, "sailor": 0.07, "suit": 0.14}
    if age == "child":
        weights |= {"suit": 0.05, "labcoat": 0.05}
    elif age == "old":
        weights |= {"sailor": 0.04, "hoodie": 0.08}
    return weights


def _accessories(hat: str) -> dict[str, float]:
    if hat == "none":
        return ACCESSORIES
    return {name: weight for name, weight in ACCESSORIES.items() if name not in ON_TOP_OF_THE_HEAD}


def complete_record(record: Record, seed: int) -> dict[str, Value]:
    """``record`` in plain types, checked; what it leaves open is filled in from ``sample_record(seed)``.

    Raises:
        UsageError: an attribute that avatars do not have, or a value outside its list or range.
    """
    for name in record:
        if name not in SCHEMA.names:
            raise UnknownNameError("attribute of the avatars", name, SCHEMA.names)
    given = {name: value for name, value in record.items() if value is not None}
    try:
        return SCHEMA.decode(SCHEMA.encode(sample_record(seed) | given))  # in the precision that tables keep
    except ValueError as error:
        raise UsageError(f"This record is no avatar's: {error}.") from None
