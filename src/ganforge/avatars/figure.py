"""Proportions and pose: the numbers that every layer shares, from a record and a seed.

Three nested coordinate systems, x to the right, y down:

    canvas  256 × 256
    body    origin at the pit of the neck
    head    origin at the middle of the skull; the crown at y ≈ −52, the chin at y = chin, the temples at x = ± width
"""

from dataclasses import dataclass

from ganforge.attributes import Value
from ganforge.avatars.dice import Dice
from ganforge.avatars.palette import BLUSH, HAIR, IRIS, LIPS, SKIN, Iris, Material, blend

TURN = 0.34  # how far the middle of the face moves at a full turn, in half widths of the head


@dataclass(frozen=True)
class AgeLooks:
    """What an age group changes; lengths in head units."""

    width: float  # half width of the face
    chin: float
    eye_y: float
    eye_wide: float  # half width of an eye
    eye_high: float  # half height of an eye
    head: float  # scale of the head
    neck: float  # visible length of the neck
    shoulders: float  # half width
    drop: float  # how far the whole figure sits lower in the picture


AGE_LOOKS = {
    "child": AgeLooks(50.5, 56.5, 20, 14.6, 15.6, 1.03, 12, 56, 17),
    "young": AgeLooks(48, 62.5, 13.5, 13.8, 14.4, 1.0, 17, 72, 3),
    "grown": AgeLooks(46, 69, 8.5, 12.6, 11.6, 0.97, 19, 80, 0),
    "old": AgeLooks(46.5, 70, 8.5, 12.0, 9.4, 0.97, 11, 75, 7),
}

HEADROOM = {
    "witch": 46.0, "tophat": 42.0, "straw": 15.0, "beret": 9.0, "beanie": 20.0, "cap": 5.0, "halo": 24.0,
    "catears": 16.0, "horns": 16.0, "buns": 8.0, "spiky": 10.0, "curly": 11.0, "slicked": 5.0,
}  # fmt: skip
"""How much higher than its hair a figure reaches, for hats, accessories and styles."""


@dataclass(frozen=True)
class Figure:
    """One person, posed. The attributes first, then the measures and colours derived from them and from the seed."""

    seed: int
    gender: str
    age: str
    hairstyle: str
    smile: float
    glasses: str
    beard: str
    hat: str
    clothes: str
    accessory: str
    turn: float
    background: str

    hair: Material
    brow: int
    skin: Material
    blush: int
    lips: int
    iris: Iris

    light: int
    zoom: float
    head_x: float
    head_y: float
    head_scale: float
    tilt: float
    lean: float
    width: float
    chin: float
    jaw: float  # 0, a point … 1, a block
    eye_y: float
    eye_x: float  # distance of an eye from the middle, as a share of width
    eye_wide: float
    eye_high: float
    eye_slant: float
    nose_y: float
    mouth_y: float
    neck: float  # half width
    neck_y: float
    shoulders: float
    volume: float  # how far the hair stands off the skull

    def dice(self, layer: str) -> Dice:
        """The dice of one layer."""
        return Dice(self.seed, layer)

    def across(self, u: float) -> float:
        """x in the head of a place on the face: u = −1 at the left temple … 0 the middle … 1 the right temple.

        A turn moves the middle and leaves the outline where it is, so that what is turned away gets narrower.
        """
        return self.width * (u + TURN * self.turn * (1 - u * u))

    def narrowed(self, u: float) -> float:
        """How wide a small thing at ``u`` looks: 1 in front view, less on the side that is turned away."""
        return (1 - 2 * TURN * self.turn * u) * (1 - 0.1 * abs(self.turn))


def pose(record: dict[str, Value], seed: int) -> Figure:
    """The figure of a complete record."""
    dice = Dice(seed, "figure")
    text = {name: str(value) for name, value in record.items()}
    gender, age = text["gender"], text["age"]
    looks = AGE_LOOKS[age]
    man = {"woman": 0.0, "neither": 0.5, "man": 1.0}[gender] * (0.45 if age == "child" else 1)
    smile, turn = float(record["smile"] or 0), float(record["turn"] or 0)

    width = looks.width * dice.near(1, 0.045)
    chin = looks.chin * dice.near(1, 0.035) + 2.5 * man
    eye_y = looks.eye_y + dice.near(0, 1.5)
    head_scale = looks.head * dice.near(1.0, 0.03)
    style = text["hairstyle"] if text["hat"] == "none" else ""
    headroom = max(HEADROOM.get(tall, 0.0) for tall in (text["hat"], text["accessory"], style))
    head_y = 100 + looks.drop + headroom * 0.55 + dice.near(0, 4)
    nose_y = eye_y + (chin - eye_y) * dice.near(0.44 if age in ("grown", "old") else 0.42, 0.03)
    return Figure(
        seed=seed,
        gender=gender,
        age=age,
        hairstyle=text["hairstyle"],
        smile=smile,
        glasses=text["glasses"],
        beard=text["beard"],
        hat=text["hat"],
        clothes=text["clothes"],
        accessory=text["accessory"],
        turn=turn,
        background=text["background"],
        hair=_shifted(HAIR[text["hair"]], dice),
        brow=blend(HAIR[text["hair"]].line, HAIR[text["hair"]].shade, 0.35),
        skin=SKIN[text["skin"]],
        blush=BLUSH[text["skin"]],
        lips=LIPS[text["skin"]],
        iris=IRIS[text["eyes"]],
        light=dice.sign(),
        zoom=(1.22 - headroom * 0.0056) * dice.near(1, 0.075),
        head_x=128 + dice.near(0, 9) + 5 * turn,
        head_y=head_y,
        head_scale=head_scale,
        tilt=dice.near(0, 10) + 2 * turn,
        lean=dice.near(0, 9),
        width=width,
        chin=chin,
        jaw=min(1, 0.1 + 0.62 * man + (0.12 if age in ("grown", "old") else 0) + dice.near(0, 0.1)),
        eye_y=eye_y,
        eye_x=dice.near(0.475 + (0.015 if age == "child" else 0), 0.028),
        eye_wide=looks.eye_wide * (1.05 - 0.09 * man) * dice.near(1, 0.06),
        eye_high=looks.eye_high * (1.08 - 0.17 * man) * dice.near(1, 0.08),
        eye_slant=dice.near(1.0 - man - (3.0 if age == "old" else 0.0), 3.0),
        nose_y=nose_y,
        mouth_y=nose_y + (chin - nose_y) * dice.near(0.43, 0.04),
        neck=(15.5 + 7.5 * man) * (0.86 if age == "child" else 1) * dice.near(1, 0.05),
        neck_y=head_y + chin * head_scale + looks.neck,
        shoulders=looks.shoulders * (0.9 + 0.24 * man) * dice.near(1, 0.05),
        volume=dice.between(7, 16),
    )


def _shifted(hair: Material, dice: Dice) -> Material:
    """The hair a little lighter or deeper, never so far that it could be called another colour."""
    share = dice.near(0, 0.1)
    if share > 0:
        return hair._replace(base=blend(hair.base, hair.light, share), shade=blend(hair.shade, hair.base, share))
    return hair._replace(base=blend(hair.base, hair.shade, -share), light=blend(hair.light, hair.base, -share))
