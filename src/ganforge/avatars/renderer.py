"""The layers of a picture, back to front. Read `_draw_layers` to see what covers what."""

import numpy as np
import numpy.typing as npt
import skia

from ganforge.attributes import Record
from ganforge.avatars import accessories, backgrounds, clothes, eyes, face, hair, hairstyles, hats
from ganforge.avatars.figure import Figure, pose
from ganforge.avatars.paint import Painter, polygon
from ganforge.avatars.schema import complete_record


def render(record: Record, seed: int, size: int) -> npt.NDArray[np.uint8]:
    """The picture of a record, (size, size, 3) uint8 RGB; see `ganforge.avatars.draw`."""
    figure = pose(complete_record(record, seed), seed)
    pixels = np.empty((size, size, 4), dtype=np.uint8)
    info = skia.ImageInfo.Make(size, size, skia.kRGBA_8888_ColorType, skia.kOpaque_AlphaType)
    surface = skia.Surface.MakeRasterDirect(info, pixels)
    canvas = surface.getCanvas()
    canvas.scale(size / 256, size / 256)
    _draw_layers(Painter(canvas, size, figure.light), figure)
    surface.flushAndSubmit()
    return np.ascontiguousarray(pixels[:, :, :3])


def _draw_layers(p: Painter, figure: Figure) -> None:
    backgrounds.draw_background(p, figure)
    front = hair.plan_front(figure)
    head = {"x": figure.head_x, "y": figure.head_y, "turn": figure.tilt}
    head |= {"wide": figure.head_scale, "high": figure.head_scale}
    body_x = figure.head_x - 7 * figure.turn - figure.tilt * 0.6
    with p.moved(128, 150, wide=figure.zoom, high=figure.zoom), p.moved(-128, -150):
        with p.moved(**head):
            accessories.draw_behind_hair(p, figure)
            hairstyles.draw_back(p, figure)
        with p.moved(body_x, figure.neck_y, turn=0.4 * figure.lean):
            clothes.draw_behind_neck(p, figure)
            face.draw_neck(p, figure, top=figure.head_y + 0.55 * figure.chin - figure.neck_y)
            clothes.draw_clothes(p, figure)
            accessories.draw_on_neck(p, figure)
        with p.moved(**head):
            hairstyles.draw_over_shoulders(p, figure)
            face.draw_ears(p, figure)
            face.draw_face(p, figure, front.cap)
            face.draw_nose(p, figure)
            face.draw_beard(p, figure)
            face.draw_mouth(p, figure)
            eyes.draw_eyes(p, figure)
            eyes.draw_brows(p, figure, alpha=1.0)
            accessories.draw_on_face(p, figure)
            eyes.draw_glasses_arms(p, figure)
            hair.draw_front(p, figure, front)
            accessories.draw_over_locks(p, figure)
            eyes.draw_brows(p, figure, alpha=0.35)
            eyes.draw_glasses(p, figure)
            hats.draw_hat(p, figure)
            accessories.draw_on_hair(p, figure)
    _draw_air(p, figure)


def _draw_air(p: Painter, figure: Figure) -> None:
    """The light of the hour over everything, too faint to be mistaken for the colour of a thing."""
    dice = figure.dice("air")
    far = 128 + 128 * figure.light, 128 - 128 * figure.light
    hours = {"sunset": (0xFFC07A, 0x6A2A6A), "night": (0xA8B8FF, 0x14104A)}
    tone, shadow = hours.get(figure.background, (0xFFF6E0, 0x4A3A7A))
    strength = dice.between(0.05, 0.16)
    whole = polygon([(0, 0), (256, 0), (256, 256), (0, 256)])
    colours = [(tone, strength), (tone, 0), (shadow, 0), (shadow, strength)]
    p.fade(whole, (far[0], 0), (far[1], 256), colours, [0, 0.45, 0.55, 1])
