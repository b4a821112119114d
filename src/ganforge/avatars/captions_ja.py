"""Japanese captions: 「青いロングヘアに緑の目の女の子。丸い眼鏡をかけ、着物を着ている。」 and many others."""

from ganforge.avatars.dice import Dice

COLOURS = {
    "black": ("黒い", "黒髪"),
    "brown": ("茶色い", "茶髪"),
    "blonde": ("金色の", "金髪"),
    "orange": ("オレンジ色の", "オレンジ色の髪"),
    "red": ("赤い", "赤い髪"),
    "pink": ("ピンクの", "ピンクの髪"),
    "lilac": ("薄紫の", "薄紫の髪"),
    "purple": ("紫の", "紫の髪"),
    "blue": ("青い", "青い髪"),
    "teal": ("青緑の", "青緑の髪"),
    "green": ("緑の", "緑の髪"),
    "grey": ("灰色の", "灰色の髪"),
    "white": ("白い", "白髪"),
    "gold": ("金色の", ""),
}
"""Before a noun, and with the hair as one word."""
HAIR_STYLES = {
    "short": ("{}ショートヘア", "{}短い髪"),
    "spiky": ("{}ツンツンヘア", "逆立った{}髪"),
    "slicked": ("{}オールバック", "後ろになでつけた{}髪"),
    "bob": ("{}ボブ", "{}ボブヘア"),
    "long": ("{}ロングヘア", "{}長い髪"),
    "wavy": ("{}ウェーブヘア", "波打つ{}髪"),
    "curly": ("{}巻き毛", "くるくるの{}髪"),
    "ponytail": ("{}ポニーテール",),
    "twintails": ("{}ツインテール",),
    "braids": ("{}三つ編み", "二本の{}三つ編み"),
    "buns": ("{}お団子ヘア", "二つの{}お団子"),
}
SKINS = {
    "pale": "色白の肌",
    "light": "明るい肌",
    "golden": "黄みがかった肌",
    "tan": "日焼けした肌",
    "brown": "褐色の肌",
    "dark": "濃い色の肌",
}
BEARDS = {
    "stubble": ("無精ひげ",),
    "moustache": ("口ひげ",),
    "goatee": ("あごひげ",),
    "full": ("豊かなひげ", "立派なひげ"),
}

Clause = tuple[str, str, str]
"""A clause that goes on (…て、), one that stands before a noun (…た), one that ends a sentence (…ている)."""


def _wear(thing: str) -> Clause:
    return f"{thing}をかけ", f"{thing}をかけた", f"{thing}をかけている"


def _on_head(thing: str) -> Clause:
    return f"{thing}をかぶり", f"{thing}をかぶった", f"{thing}をかぶっている"


def _dressed(thing: str) -> Clause:
    return f"{thing}を着て", f"{thing}を着た", f"{thing}を着ている"


def _put_on(thing: str) -> Clause:
    return f"{thing}をつけ", f"{thing}をつけた", f"{thing}をつけている"


def _with_face(face: str) -> Clause:
    return f"{face}をして", f"{face}をした", f"{face}をしている"


def _with_smile(smile: str) -> Clause:
    return f"{smile}を浮かべ", f"{smile}を浮かべた", f"{smile}を浮かべている"


def _toward(where: str) -> Clause:
    return f"{where}を向き", f"{where}を向いた", f"{where}を向いている"


GLASSES = {
    "round": ("丸い眼鏡", "丸眼鏡"),
    "square": ("四角い眼鏡",),
    "aviator": ("ティアドロップ型の眼鏡", "パイロット眼鏡"),
}
HATS = {
    "beret": "ベレー帽",
    "cap": "野球帽",
    "beanie": "ニット帽",
    "straw": "麦わら帽子",
    "witch": "魔女の帽子",
    "tophat": "シルクハット",
}
CLOTHES = {
    "tshirt": ("Tシャツ",),
    "shirt": ("ワイシャツ", "襟付きのシャツ"),
    "hoodie": ("パーカー",),
    "sweater": ("セーター",),
    "suit": ("スーツ",),
    "sailor": ("セーラー服",),
    "kimono": ("着物", "和服"),
    "dress": ("ドレス", "ワンピース"),
    "armour": ("よろい",),
    "labcoat": ("白衣",),
}
ACCESSORIES: dict[str, tuple[Clause, ...]] = {
    "ribbon": (_put_on("リボン"), _put_on("頭にリボン")),
    "flower": (_put_on("花飾り"), ("髪に花を挿し", "髪に花を挿した", "髪に花を挿している")),
    "hairpin": (_put_on("ヘアピン"), ("ヘアピンを留め", "ヘアピンを留めた", "ヘアピンを留めている")),
    "headphones": (_put_on("ヘッドホン"),),
    "earrings": (_put_on("耳飾り"), _put_on("イヤリング")),
    "scarf": (("マフラーを巻いて", "マフラーを巻いた", "マフラーを巻いている"),),
    "choker": (_put_on("チョーカー"),),
    "eyepatch": (_put_on("眼帯"), _put_on("片目に眼帯")),
    "catears": (("猫耳が生え", "猫耳が生えた", "猫耳が生えている"),),
    "horns": (("角が生え", "角が生えた", "角が生えている"),),
    "halo": (("頭の上に光の輪が浮かび", "頭の上に光の輪が浮かんだ", "頭の上に光の輪が浮かんでいる"),),
}
MOODS: dict[str, tuple[Clause, ...]] = {
    "laughing": (_with_smile("満面の笑み"), _with_smile("大きな笑顔")),
    "smiling": (_with_smile("ほほえみ"), _with_smile("微笑み")),
    "calm": (_with_face("穏やかな表情"), _with_face("落ち着いた顔")),
    "serious": (_with_face("真剣な表情"), _with_face("真面目な顔")),
    "unhappy": (_with_face("不満そうな顔"), _with_face("つらそうな表情")),
}
FACING = {"left": (_toward("左"),), "right": (_toward("右"),), "front": (_toward("正面"),)}
BACKGROUNDS = {
    "plain": ("無地の背景", "シンプルな背景"),
    "dots": ("水玉模様の背景", "水玉の背景"),
    "stripes": ("縞模様の背景", "ストライプの背景"),
    "sky": ("雲の浮かぶ空", "空の背景"),
    "sunset": ("夕焼け空", "夕焼けの背景"),
    "night": ("星空", "星の輝く夜空"),
    "room": ("部屋の中", "室内の背景"),
    "leaves": ("木の葉の背景", "葉の茂る背景"),
}
NOUNS: dict[tuple[str | None, str | None], tuple[str, ...]] = {
    ("woman", "child"): ("小さな女の子", "幼い女の子"),
    ("woman", "young"): ("若い女性", "少女"),
    ("woman", "grown"): ("大人の女性",),
    ("woman", "old"): ("おばあさん", "年配の女性"),
    ("woman", None): ("女性",),
    ("man", "child"): ("小さな男の子", "幼い男の子"),
    ("man", "young"): ("若い男性", "少年"),
    ("man", "grown"): ("大人の男性",),
    ("man", "old"): ("おじいさん", "年配の男性"),
    ("man", None): ("男性",),
    ("neither", "child"): ("中性的な子ども",),
    ("neither", "young"): ("中性的な若者",),
    ("neither", "grown"): ("中性的な大人",),
    ("neither", "old"): ("中性的なお年寄り",),
    ("neither", None): ("中性的な人物", "中性的なキャラクター"),
    (None, "child"): ("子ども",),
    (None, "young"): ("若者", "若い人"),
    (None, "grown"): ("大人",),
    (None, "old"): ("お年寄り", "年配の人"),
    (None, None): ("人物", "キャラクター"),
}


def sentence(facts: dict[str, str], child: bool, dice: Dice) -> str:
    """One caption; ``child`` keeps the noun right where the age is not mentioned."""
    looks = _looks(facts, dice)
    clauses = _clauses(facts, dice)
    noun = _noun(facts, child, dice)
    figure = _linked(looks, dice) + "の" + noun if looks else noun
    behind = dice.pick(BACKGROUNDS[facts["background"]]) if "background" in facts else None
    if clauses and dice.chance(0.55):  # two sentences
        text = figure + "。" + "、".join([c[0] for c in clauses[:-1]] + [clauses[-1][2]]) + "。"
        return text + (f"背景は{behind.removesuffix('の背景')}。" if behind else "")
    before = "、".join([c[0] for c in clauses[:-1]] + [clauses[-1][1]]) if clauses else ""
    before += "、" if clauses and looks else ""
    if behind and dice.chance(0.5):
        return f"{behind}と、{before}{figure}。"
    return f"{before}{figure}。" + (f"背景は{behind.removesuffix('の背景')}。" if behind else "")


def _linked(looks: list[str], dice: Dice) -> str:
    if len(looks) == 1:
        return looks[0]
    if len(looks) == 2:
        return dice.pick(("に", "と")).join(looks)
    return "、".join(looks[:-1]) + "、" + looks[-1]


def _noun(facts: dict[str, str], child: bool, dice: Dice) -> str:
    gender, age = facts.get("gender"), facts.get("age")
    if gender in ("woman", "man") and ((child and age is None) or (age == "young" and dice.chance(0.3))):
        return "女の子" if gender == "woman" else "男の子"
    return dice.pick(NOUNS[gender, age])


def _looks(facts: dict[str, str], dice: Dice) -> list[str]:
    things = []
    colour, style = facts.get("hair"), facts.get("hairstyle")
    if style is not None:
        things.append(dice.pick(HAIR_STYLES[style]).format(COLOURS[colour][0] if colour else ""))
    elif colour is not None:
        things.append(COLOURS[colour][1])
    if "eyes" in facts:
        things.append(COLOURS[facts["eyes"]][0] + dice.pick(("目", "瞳")))
    if "skin" in facts:
        things.append(SKINS[facts["skin"]])
    if "beard" in facts:
        things.append(dice.pick(BEARDS[facts["beard"]]))
    return dice.shuffled(things) if dice.chance(0.25) else things


def _clauses(facts: dict[str, str], dice: Dice) -> list[Clause]:
    things: list[Clause] = []
    if "smile" in facts:
        things.append(dice.pick(MOODS[facts["smile"]]))
    if facts.get("glasses") == "none":
        things.append(("眼鏡をかけず", "眼鏡をかけていない", "眼鏡をかけていない"))
    elif "glasses" in facts:
        things.append(_wear(dice.pick(GLASSES[facts["glasses"]])))
    if facts.get("hat") == "none":
        things.append(("帽子をかぶらず", "帽子をかぶっていない", "帽子をかぶっていない"))
    elif "hat" in facts:
        things.append(_on_head(HATS[facts["hat"]]))
    if "clothes" in facts:
        things.append(_dressed(dice.pick(CLOTHES[facts["clothes"]])))
    if "accessory" in facts:
        things.append(dice.pick(ACCESSORIES[facts["accessory"]]))
    if "turn" in facts:
        things.append(dice.pick(FACING[facts["turn"]]))
    return dice.shuffled(things) if dice.chance(0.4) else things
