"""The layers of a picture, back to front. Read `_draw_layers` to see what covers what."""

import numpy as np
import numpy.typing as npt
import skia

from ganforge.attributes import Record
from ganforge.avatars import accessories, backgrounds, clothes, eyes, face, hair, hairstyles, hats
from ganforge.avatars.figure import Figure, pose
from ganforge.avatars.paint import Painter
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
    head = {"x": figure.head_x, "y": figure.head_y, "turn": figure.tilt, "wide": figure.head_scale, "high": figure.head_scale}
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
            hair.draw_side_locks(p, figure)
            accessories.draw_over_locks(p, figure)
            hair.draw_front(p, figure, front)
            eyes.draw_brows(p, figure, alpha=0.35)
            eyes.draw_glasses(p, figure)
            hats.draw_hat(p, figure)
            accessories.draw_on_hair(p, figure)
