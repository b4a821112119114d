"""The offline features: a small net that comes along, so that no score ever waits for a download.

A classifier (`ganforge.systems.classifier`) that learnt from the embedded avatars what each of them carries, and how it had
been spoilt: half of them were blurred, noisy or compressed (scripts/offline_pictures.py). Features are the means over
places of its last maps, each scaled to mean 0 and spread 1 over fresh avatars. `bench/offline.py` says why this one: of the
nets tried it ranks what spoils pictures most nearly as a large ImageNet net does, on faces, flowers and small photographs
that it never saw.
"""

from functools import cache
from importlib.resources import as_file, files

import torch
import torch.nn.functional as F  # noqa: N812
from safetensors.torch import load_file
from torch import Tensor, nn

from ganforge.files import sha256
from ganforge.measures.features import FeatureNet
from ganforge.measures.resizing import resized

SIDE = 64
WEIGHTS = "offline.safetensors"
RESIZER = "bicubic, antialiased, in float32, to 64×64"


class OfflineNet(nn.Module):
    """3×64×64 → convolutions of 3×3, every second one with stride 2; features: the means of the last one's maps.

    Batch normalisation is folded into the convolutions.
    """

    def __init__(self, weights: dict[str, Tensor]) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        for i in range(sum(name.endswith(".weight") for name in weights)):
            kernel = weights[f"{i}.weight"].float()
            layer = nn.Conv2d(kernel.shape[1], kernel.shape[0], 3, 1 + i % 2, 1)
            layer.load_state_dict({"weight": kernel, "bias": weights[f"{i}.bias"].float()})
            self.layers.append(layer)
            layer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.mean, self.scale = nn.Buffer(weights["mean"].float()), nn.Buffer(weights["scale"].float())
        self.dims = len(self.mean)
        self.requires_grad_(False).eval()

    def forward(self, pictures: Tensor) -> tuple[Tensor, None]:
        """pictures N×3×H×W in [0, 1] → (features N×D, no logits)."""
        x = 2 * resized(pictures, SIDE).contiguous(memory_format=torch.channels_last) - 1
        for layer in self.layers:
            x = F.relu(layer(x), inplace=True)
        return (x.float().mean((2, 3)) - self.mean) * self.scale, None


@cache
def offline_net() -> FeatureNet:
    """The net, loaded once."""
    with as_file(files("ganforge.measures") / "weights" / WEIGHTS) as path:
        net = OfflineNet(load_file(path))
        return FeatureNet(
            name="offline-1",
            about="a small net that comes with ganforge, trained on its avatars and on spoilt ones",
            sha256=sha256(path),
            dims=net.dims,
            resizer=RESIZER,
            net=net,
        )
