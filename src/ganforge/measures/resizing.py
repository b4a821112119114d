"""Pictures brought to the size that a net looks at."""

import torch.nn.functional as F  # noqa: N812
from torch import Tensor


def resized(pictures: Tensor, side: int) -> Tensor:
    """N×3×H×W in [0, 1] → N×3×side×side: antialiased bicubic, in float32, channel by channel; it may overshoot [0, 1]."""
    if pictures.shape[2:] == (side, side):
        return pictures
    device = pictures.device
    if device.type == "mps":  # has no antialiased bicubic before torch 2.8
        pictures = pictures.cpu()
    made = F.interpolate(pictures, (side, side), mode="bicubic", align_corners=False, antialias=True)
    return made.to(device)
