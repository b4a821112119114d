"""Chinese captions (Simplified): 「一个蓝色长发、绿色眼睛的女孩，戴着圆框眼镜，穿着和服。」 and many others."""

from ganforge.avatars.dice import Dice

COLOURS = {
    "black": "黑色",
    "brown": "棕色",
    "blonde": "金色",
    "orange": "橙色",
    "red": "红色",
    "pink": "粉色",
    "lilac": "淡紫色",
    "purple": "紫色",
    "blue": "蓝色",
    "teal": "青色",
    "green": "绿色",
    "grey": "灰色",
    "white": "白色",
    "gold": "金色",
}
HAIR_STYLES = {
    "short": ("{}短发",),
    "spiky": ("{}刺猬头", "竖起的{}头发"),
    "slicked": ("{}背头", "向后梳的{}头发"),
    "bob": ("{}波波头", "{}齐耳发"),
    "long": ("{}长发", "{}长直发"),
    "wavy": ("{}波浪发", "{}大波浪"),
    "curly": ("{}卷发", "{}小卷发"),
    "ponytail": ("{}马尾", "{}马尾辫"),
    "twintails": ("{}双马尾",),
    "braids": ("{}麻花辫", "两条{}辫子"),
    "buns": ("{}丸子头", "{}双丸子头"),
}
SKINS = {"pale": "雪白", "light": "浅色", "golden": "暖黄色", "tan": "小麦色", "brown": "褐色", "dark": "深色"}
BEARDS = {"stubble": ("胡茬",), "moustache": ("八字胡", "小胡子"), "goatee": ("山羊胡",), "full": ("络腮胡", "大胡子")}
GLASSES = {"round": ("圆框眼镜", "圆眼镜"), "square": ("方框眼镜", "方形眼镜"), "aviator": ("飞行员眼镜", "蛤蟆镜")}
HATS = {"beret": "贝雷帽", "cap": "棒球帽", "beanie": "毛线帽", "straw": "草帽", "witch": "女巫帽", "tophat": "高礼帽"}
CLOTHES = {
    "tshirt": ("T恤",),
    "shirt": ("衬衫", "衬衣"),
    "hoodie": ("连帽衫", "卫衣"),
    "sweater": ("毛衣",),
    "suit": ("西装", "西服"),
    "sailor": ("水手服",),
    "kimono": ("和服",),
    "dress": ("连衣裙", "裙子"),
    "armour": ("盔甲", "铠甲"),
    "labcoat": ("白大褂",),
}
ACCESSORIES = {
    "ribbon": ("头上系着蝴蝶结", "扎着蝴蝶结"),
    "flower": ("头上戴着一朵花", "发间别着一朵花"),
    "hairpin": ("别着发夹", "头上别着发夹"),
    "headphones": ("戴着耳机",),
    "earrings": ("戴着耳环", "戴着一对耳环"),
    "scarf": ("围着围巾", "脖子上围着围巾"),
    "choker": ("戴着项圈", "脖子上戴着项圈"),
    "eyepatch": ("戴着眼罩", "一只眼睛戴着眼罩"),
    "catears": ("长着猫耳", "有一对猫耳"),
    "horns": ("头上长着角", "长着一对角"),
    "halo": ("头顶有光环", "头上浮着光环"),
}
MOODS = {
    "laughing": ("笑得很开心", "开怀大笑"),
    "smiling": ("面带微笑", "微笑着"),
    "calm": ("表情平静", "神情平静"),
    "serious": ("表情严肃", "一脸认真"),
    "unhappy": ("一脸不高兴", "愁眉苦脸"),
}
FACING = {"left": ("脸朝左", "面向左边"), "right": ("脸朝右", "面向右边"), "front": ("面向前方", "正对着我们")}
BACKGROUNDS = {
    "plain": ("背景是纯色的", "站在素净的背景前"),
    "dots": ("背景是圆点", "身后是圆点图案"),
    "stripes": ("背景是条纹", "身后是条纹图案"),
    "sky": ("背景是天空和白云", "身后是天空"),
    "sunset": ("背景是晚霞", "身后是落日"),
    "night": ("背景是星空", "身后是星空"),
    "room": ("在房间里", "背景是房间"),
    "leaves": ("身后是树叶", "背景是一片树叶"),
}
NOUNS: dict[tuple[str | None, str | None], tuple[str, ...]] = {
    ("woman", "child"): ("小女孩", "小姑娘"),
    ("woman", "young"): ("年轻女子", "年轻女孩", "少女"),
    ("woman", "grown"): ("成年女子", "成年女性"),
    ("woman", "old"): ("老奶奶", "老妇人"),
    ("woman", None): ("女子", "女性"),
    ("man", "child"): ("小男孩",),
    ("man", "young"): ("年轻男子", "年轻男孩", "少年"),
    ("man", "grown"): ("成年男子", "成年男性"),
    ("man", "old"): ("老爷爷", "老先生"),
    ("man", None): ("男子", "男性"),
    ("neither", "child"): ("中性的孩子",),
    ("neither", "young"): ("中性的年轻人",),
    ("neither", "grown"): ("中性的成年人",),
    ("neither", "old"): ("中性的老人",),
    ("neither", None): ("中性的人", "中性的角色"),
    (None, "child"): ("孩子", "小孩"),
    (None, "young"): ("年轻人",),
    (None, "grown"): ("成年人", "大人"),
    (None, "old"): ("老人",),
    (None, None): ("人", "角色"),
}


def sentence(facts: dict[str, str], child: bool, dice: Dice) -> str:
    """One caption; ``child`` keeps the noun right where the age is not mentioned."""
    style = dice.weighted({"looks first": 0.55, "clauses first": 0.2, "noun first": 0.25})
    looks = _looks(facts, dice, of="" if style == "looks first" else dice.pick(("", "的")))
    clauses = _clauses(facts, dice)
    noun = _noun(facts, child, dice)
    one = dice.pick(("一位", "一个")) if noun[0] not in "孩小大" else "一个"
    opening = dice.weighted({"": 0.7, "画中是": 0.15, "这是": 0.15})
    if style == "looks first" and looks:
        head = f"{opening}{one}{'、'.join(looks)}的{noun}"
        rest = clauses
    elif style == "clauses first" and clauses:
        short = [c for c in clauses if not c.startswith(("背景", "身后", "站在"))]
        first = short[0] if short else ""
        head = f"{opening}{one}{first}的{noun}" if first else f"{opening}{one}{noun}"
        rest = ([f"有着{'、'.join(looks[:-1])}{'和' if looks[1:] else ''}{looks[-1]}"] if looks else []) + [
            c for c in clauses if c != first
        ]
    else:
        head = f"{opening}{one}{noun}"
        rest = ([f"有着{'、'.join(looks)}"] if looks else []) + clauses
    return "，".join([head, *rest]) + "。"


def _noun(facts: dict[str, str], child: bool, dice: Dice) -> str:
    gender, age = facts.get("gender"), facts.get("age")
    if child and age is None and gender in ("woman", "man"):
        return "女孩" if gender == "woman" else "男孩"
    if age == "young" and gender in ("woman", "man") and dice.chance(0.3):
        return "女孩" if gender == "woman" else "男孩"
    return dice.pick(NOUNS[gender, age])


def _looks(facts: dict[str, str], dice: Dice, of: str) -> list[str]:
    """Hair, eyes, skin, beard; ``of`` stands between colour and thing (one 的 is left out where another follows)."""
    things = []
    colour, style = facts.get("hair"), facts.get("hairstyle")
    if style is not None:
        things.append(dice.pick(HAIR_STYLES[style]).format(COLOURS[colour] if colour else ""))
    elif colour is not None:
        things.append(f"{COLOURS[colour]}{of}头发")
    if "eyes" in facts:
        things.append(f"{COLOURS[facts['eyes']]}{of}眼睛")
    if "skin" in facts:
        things.append(f"{SKINS[facts['skin']]}{of}皮肤")
    if "beard" in facts:
        things.append(dice.pick(BEARDS[facts["beard"]]))
    return dice.shuffled(things) if dice.chance(0.3) else things


def _clauses(facts: dict[str, str], dice: Dice) -> list[str]:
    things = []
    if "smile" in facts:
        things.append(dice.pick(MOODS[facts["smile"]]))
    if "glasses" in facts:
        things.append("没戴眼镜" if facts["glasses"] == "none" else f"戴着{dice.pick(GLASSES[facts['glasses']])}")
    if "hat" in facts:
        things.append("没戴帽子" if facts["hat"] == "none" else f"{dice.pick(('', '头上'))}戴着{HATS[facts['hat']]}")
    if "clothes" in facts:
        things.append(f"{dice.pick(('穿着', '身穿'))}{dice.pick(CLOTHES[facts['clothes']])}")
    if "accessory" in facts:
        things.append(dice.pick(ACCESSORIES[facts["accessory"]]))
    if "turn" in facts:
        things.append(dice.pick(FACING[facts["turn"]]))
    if dice.chance(0.4):
        things = dice.shuffled(things)
    if "background" in facts:
        things.append(dice.pick(BACKGROUNDS[facts["background"]]))
    return things
