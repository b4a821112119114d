"""English captions: "A smiling girl with long blue hair, wearing a kimono and round glasses." and many others."""

from ganforge.avatars.dice import Dice

HAIR_STYLES = {
    "short": ("short {} hair", "{} hair cut short"),
    "spiky": ("spiky {} hair", "{} hair that stands in spikes"),
    "slicked": ("slicked-back {} hair", "{} hair combed back"),
    "bob": ("{a} {} bob", "{} hair in a bob"),
    "long": ("long {} hair", "long straight {} hair"),
    "wavy": ("wavy {} hair", "long wavy {} hair"),
    "curly": ("curly {} hair", "{} curls"),
    "ponytail": ("{a} {} ponytail", "{} hair in a ponytail"),
    "twintails": ("{} twintails", "{} hair in two tails"),
    "braids": ("{} braids", "two {} braids"),
    "buns": ("{} hair in two buns", "two {} buns"),
}
SKINS = {name: f"{name} skin" for name in ("pale", "light", "golden", "tan", "brown", "dark")}
GLASSES = {
    "round": ("round glasses", "glasses with round rims"),
    "square": ("square glasses", "glasses with square frames"),
    "aviator": ("aviator glasses", "tinted aviator glasses"),
}
BEARDS = {
    "stubble": ("stubble", "a stubbly chin"),
    "moustache": ("a moustache",),
    "goatee": ("a goatee",),
    "full": ("a full beard", "a beard"),
}
HATS = {
    "beret": ("a beret",),
    "cap": ("a cap", "a baseball cap"),
    "beanie": ("a beanie", "a knitted beanie"),
    "straw": ("a straw hat",),
    "witch": ("a witch hat", "a pointed witch hat"),
    "tophat": ("a top hat",),
}
CLOTHES = {
    "tshirt": ("a t-shirt",),
    "shirt": ("a shirt", "a button-up shirt"),
    "hoodie": ("a hoodie",),
    "sweater": ("a sweater", "a knitted sweater"),
    "suit": ("a suit and tie", "a suit"),
    "sailor": ("a sailor uniform", "a sailor suit"),
    "kimono": ("a kimono", "a flowered kimono"),
    "dress": ("a dress",),
    "armour": ("armour", "a suit of armour"),
    "labcoat": ("a lab coat",),
}
WORN = {
    "ribbon": ("a ribbon", "a big bow"),
    "flower": ("a flower", "a flower in the hair"),
    "hairpin": ("a hairpin",),
    "headphones": ("headphones",),
    "earrings": ("earrings", "a pair of earrings"),
    "scarf": ("a scarf", "a warm scarf"),
    "choker": ("a choker",),
    "eyepatch": ("an eyepatch",),
}
GROWN_ON = {"catears": ("cat ears",), "horns": ("horns", "two horns"), "halo": ("a halo", "a halo above the head")}
MOODS = {
    "laughing": ("laughing", "beaming"),
    "smiling": ("smiling", "gently smiling"),
    "calm": ("calm", "quiet-looking"),
    "serious": ("serious", "earnest"),
    "unhappy": ("unhappy", "frowning"),
}
FACING = {
    "left": ("facing left", "turned to the left"),
    "right": ("facing right", "turned to the right"),
    "front": ("facing the viewer", "seen from the front"),
}
BACKGROUNDS = {
    "plain": ("in front of a plain background", "on a plain backdrop"),
    "dots": ("in front of polka dots", "on a dotted background"),
    "stripes": ("in front of stripes", "on a striped background"),
    "sky": ("under a sky with clouds", "in front of the open sky"),
    "sunset": ("at sunset", "in front of a sunset"),
    "night": ("on a starry night", "under the stars"),
    "room": ("in a room", "at home"),
    "leaves": ("among leaves", "in front of foliage"),
}
NOUNS: dict[tuple[str | None, str | None], tuple[str, ...]] = {
    ("woman", "child"): ("little girl", "small girl"),
    ("woman", "young"): ("young woman",),
    ("woman", "grown"): ("grown woman", "grown-up woman"),
    ("woman", "old"): ("old woman", "elderly woman"),
    ("woman", None): ("woman", "lady"),
    ("man", "child"): ("little boy", "small boy"),
    ("man", "young"): ("young man",),
    ("man", "grown"): ("grown man", "grown-up man"),
    ("man", "old"): ("old man", "elderly man"),
    ("man", None): ("man", "gentleman"),
    ("neither", "child"): ("androgynous child",),
    ("neither", "young"): ("androgynous young person",),
    ("neither", "grown"): ("androgynous adult",),
    ("neither", "old"): ("androgynous old person",),
    ("neither", None): ("androgynous person", "androgynous character"),
    (None, "child"): ("child", "little child"),
    (None, "young"): ("young person", "youth"),
    (None, "grown"): ("adult", "grown-up"),
    (None, "old"): ("old person", "elderly person"),
    (None, None): ("person", "character"),
}
PRONOUNS = {"woman": ("She", "wears", "has"), "man": ("He", "wears", "has")}


def sentence(facts: dict[str, str], child: bool, dice: Dice) -> str:
    """One caption; ``child`` keeps the noun right where the age is not mentioned."""
    having = _having(facts, dice)
    wearing = _wearing(facts, dice)
    rest = [dice.pick(FACING[facts["turn"]])] if "turn" in facts else []
    if "background" in facts:
        rest.append(dice.pick(BACKGROUNDS[facts["background"]]))
    mood = dice.pick(MOODS[facts["smile"]]) if "smile" in facts else ""
    noun = _noun(facts, child, dice)
    style = dice.weighted({"phrase": 0.5, "clothes first": 0.2, "sentences": 0.3})
    frame = dice.weighted({"": 0.7, "portrait of ": 0.15, "drawing of ": 0.15})
    subject = f"{mood} {noun}" if mood else noun
    start = f"a {frame}" if frame else ""
    start += f"{_article(subject)} {subject}"
    if style == "sentences" and (having or wearing):
        return _in_sentences(start, facts, having, wearing, rest, dice)
    if style == "clothes first" and wearing:
        parts = [f"{start} {_in_or_wearing(facts, wearing)} {_join(wearing)}"] + (
            [f"with {_join(having)}"] if having else []
        )
    else:
        parts = [f"{start} with {_join(having)}" if having else start]
        parts += [f"wearing {_join(wearing)}"] if wearing else []
    text = ", ".join(parts + rest)
    return text[0].upper() + text[1:] + "."


def _in_sentences(
    start: str, facts: dict[str, str], having: list[str], wearing: list[str], rest: list[str], dice: Dice
) -> str:
    he, wears, has = PRONOUNS.get(facts.get("gender", ""), ("They", "wear", "have"))
    looks_first = not wearing or (bool(having) and dice.chance(0.6))
    first, second = (having, wearing) if looks_first else (wearing, having)
    joiner, verb = ("with", wears) if first is having else (_in_or_wearing(facts, wearing), has)
    text = ", ".join([f"{start} {joiner} {_join(first)}", *rest]) + "."
    if second:
        text += f" {he} {verb} {_join(second)}."
    return text[0].upper() + text[1:]


def _noun(facts: dict[str, str], child: bool, dice: Dice) -> str:
    gender, age = facts.get("gender"), facts.get("age")
    if age is None and gender in ("woman", "man"):
        if child:
            return "girl" if gender == "woman" else "boy"
    elif age == "young" and gender in ("woman", "man") and dice.chance(0.4):
        return "girl" if gender == "woman" else "boy"
    return dice.pick(NOUNS[gender, age])


def _having(facts: dict[str, str], dice: Dice) -> list[str]:
    things = []
    colour, style = facts.get("hair"), facts.get("hairstyle")
    if style is not None:
        wording = dice.pick(HAIR_STYLES[style])
        things.append(" ".join(wording.format(colour or "", a=_article(colour or style)).split()))
    elif colour is not None:
        things.append(f"{colour} hair")
    if "eyes" in facts:
        things.append(f"{facts['eyes']} eyes")
    if "skin" in facts:
        things.append(SKINS[facts["skin"]])
    if "beard" in facts:
        things.append(dice.pick(BEARDS[facts["beard"]]))
    if facts.get("accessory") in GROWN_ON:
        things.append(dice.pick(GROWN_ON[facts["accessory"]]))
    return _turned_over(things, dice)


def _wearing(facts: dict[str, str], dice: Dice) -> list[str]:
    things = []
    if "clothes" in facts:
        things.append(dice.pick(CLOTHES[facts["clothes"]]))
    for name, table in (("hat", HATS), ("glasses", GLASSES), ("accessory", WORN)):
        value = facts.get(name, "")
        if value == "none":
            things.append("no hat" if name == "hat" else "no glasses")
        elif value in table:
            things.append(dice.pick(table[value]))
    return _turned_over(things, dice)


def _turned_over(things: list[str], dice: Dice) -> list[str]:
    """Usually in the usual order."""
    return dice.shuffled(things) if dice.chance(0.3) else things


def _in_or_wearing(facts: dict[str, str], wearing: list[str]) -> str:
    """People are in clothes, but not in a flower."""
    return "in" if wearing[0] in CLOTHES.get(facts.get("clothes", ""), ()) else "wearing"


def _join(things: list[str]) -> str:
    if len(things) == 1:
        return things[0]
    return ", ".join(things[:-1]) + (", and " if len(things) > 2 else " and ") + things[-1]


def _article(words: str) -> str:
    return "an" if words[0] in "aeiou" else "a"
