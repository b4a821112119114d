"""The net whose features the field measures with: InceptionV3 as its TensorFlow graph of 2015-12-05 has it.

Szegedy et al., "Rethinking the Inception Architecture for Computer Vision" (arXiv 1512.00567). The graph differs from
other Inceptions in what moves every score: average pools do not count the border, the last block pools by maximum, there
are 1,008 classes. pytorch-fid (Apache-2.0) ported its weights; parameters bear the names of that file, so that it loads as
it is. The weights are not ours to hand out: ``load_inception`` reads a file that was fetched from its publisher.

Shapes: N pictures; C channels of a block's input.
"""

import re
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ganforge.errors import ModelError
from ganforge.files import sha256
from ganforge.measures.resizing import resized

WEIGHTS_FILE = "pt_inception-2015-12-05-6726825d.pth"
WEIGHTS_ADDRESS = f"https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/{WEIGHTS_FILE}"
"""Where the publisher keeps the weights, about 95 MB."""

SIDE = 299
FEATURES = 2048
CLASSES = 1008
RESIZER = "bicubic, antialiased, float32 per channel, clipped, never quantised (clean-fid's)"
"""How pictures come to 299×299: scores of different resizers do not compare (Parmar et al., arXiv 2104.11222)."""


class Unit(nn.Module):
    """Convolution without bias, batch normalisation, ReLU. ``padding`` keeps the size where it is "same"."""

    def __init__(
        self, before: int, after: int, kernel: int | tuple[int, int], stride: int = 1, same: bool = True
    ) -> None:
        super().__init__()
        height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (height // 2, width // 2) if same else (0, 0)
        self.conv = nn.Conv2d(before, after, (height, width), stride, padding, bias=False)
        self.bn: nn.Module = nn.BatchNorm2d(after, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """N×before×h×w → N×after×h'×w'."""
        return F.relu(self.bn(self.conv(x)), inplace=True)


def average(x: Tensor) -> Tensor:
    """Mean over 3×3 of the same size; at the border, over what lies within."""
    return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


class MixedA(nn.Module):
    """35×35: 1×1, 5×5, two 3×3, pool."""

    def __init__(self, before: int, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = Unit(before, 64, 1)
        self.branch5x5_1 = Unit(before, 48, 1)
        self.branch5x5_2 = Unit(48, 64, 5)
        self.branch3x3dbl_1 = Unit(before, 64, 1)
        self.branch3x3dbl_2 = Unit(64, 96, 3)
        self.branch3x3dbl_3 = Unit(96, 96, 3)
        self.branch_pool = Unit(before, pooled, 1)

    def forward(self, x: Tensor) -> Tensor:
        """N×C×h×w → N×(224 + pooled)×h×w."""
        fives = self.branch5x5_2(self.branch5x5_1(x))
        threes = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat((self.branch1x1(x), fives, threes, self.branch_pool(average(x))), 1)


class MixedB(nn.Module):
    """35×35 → 17×17."""

    def __init__(self, before: int) -> None:
        super().__init__()
        self.branch3x3 = Unit(before, 384, 3, 2, same=False)
        self.branch3x3dbl_1 = Unit(before, 64, 1)
        self.branch3x3dbl_2 = Unit(64, 96, 3)
        self.branch3x3dbl_3 = Unit(96, 96, 3, 2, same=False)

    def forward(self, x: Tensor) -> Tensor:
        """N×C×h×w → N×(480 + C)×h/2×w/2."""
        threes = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat((self.branch3x3(x), threes, F.max_pool2d(x, 3, 2)), 1)


class MixedC(nn.Module):
    """17×17: 7×7 as rows and columns."""

    def __init__(self, before: int, c: int) -> None:
        super().__init__()
        row, column = (1, 7), (7, 1)
        self.branch1x1 = Unit(before, 192, 1)
        self.branch7x7_1 = Unit(before, c, 1)
        self.branch7x7_2 = Unit(c, c, row)
        self.branch7x7_3 = Unit(c, 192, column)
        self.branch7x7dbl_1 = Unit(before, c, 1)
        self.branch7x7dbl_2 = Unit(c, c, column)
        self.branch7x7dbl_3 = Unit(c, c, row)
        self.branch7x7dbl_4 = Unit(c, c, column)
        self.branch7x7dbl_5 = Unit(c, 192, row)
        self.branch_pool = Unit(before, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        """N×C×h×w → N×768×h×w."""
        once = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        twice = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        twice = self.branch7x7dbl_5(self.branch7x7dbl_4(twice))
        return torch.cat((self.branch1x1(x), once, twice, self.branch_pool(average(x))), 1)


class MixedD(nn.Module):
    """17×17 → 8×8."""

    def __init__(self, before: int) -> None:
        super().__init__()
        self.branch3x3_1 = Unit(before, 192, 1)
        self.branch3x3_2 = Unit(192, 320, 3, 2, same=False)
        self.branch7x7x3_1 = Unit(before, 192, 1)
        self.branch7x7x3_2 = Unit(192, 192, (1, 7))
        self.branch7x7x3_3 = Unit(192, 192, (7, 1))
        self.branch7x7x3_4 = Unit(192, 192, 3, 2, same=False)

    def forward(self, x: Tensor) -> Tensor:
        """N×C×h×w → N×(512 + C)×h/2×w/2."""
        threes = self.branch3x3_2(self.branch3x3_1(x))
        sevens = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return torch.cat((threes, sevens, F.max_pool2d(x, 3, 2)), 1)


class MixedE(nn.Module):
    """8×8: 3×3 as a row beside a column. The graph's last block pools by maximum, where the paper says mean."""

    def __init__(self, before: int, *, pools_maximum: bool) -> None:
        super().__init__()
        row, column = (1, 3), (3, 1)
        self.pools_maximum = pools_maximum
        self.branch1x1 = Unit(before, 320, 1)
        self.branch3x3_1 = Unit(before, 384, 1)
        self.branch3x3_2a = Unit(384, 384, row)
        self.branch3x3_2b = Unit(384, 384, column)
        self.branch3x3dbl_1 = Unit(before, 448, 1)
        self.branch3x3dbl_2 = Unit(448, 384, 3)
        self.branch3x3dbl_3a = Unit(384, 384, row)
        self.branch3x3dbl_3b = Unit(384, 384, column)
        self.branch_pool = Unit(before, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        """N×C×h×w → N×2048×h×w."""
        once = self.branch3x3_1(x)
        twice = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        pooled = self.branch_pool(F.max_pool2d(x, 3, 1, 1) if self.pools_maximum else average(x))
        once_both = (self.branch3x3_2a(once), self.branch3x3_2b(once))
        twice_both = (self.branch3x3dbl_3a(twice), self.branch3x3dbl_3b(twice))
        return torch.cat((self.branch1x1(x), *once_both, *twice_both, pooled), 1)


class FIDInception(nn.Module):
    """23,850,960 parameters, random until loaded; always in evaluation mode, and not for training.

    Attributes:
        weights_sha256: of the file that ``load_inception`` read; empty before that.
    """

    def __init__(self) -> None:
        super().__init__()
        self.weights_sha256 = ""
        self.Conv2d_1a_3x3 = Unit(3, 32, 3, 2, same=False)
        self.Conv2d_2a_3x3 = Unit(32, 32, 3, same=False)
        self.Conv2d_2b_3x3 = Unit(32, 64, 3)
        self.Conv2d_3b_1x1 = Unit(64, 80, 1)
        self.Conv2d_4a_3x3 = Unit(80, 192, 3, same=False)
        self.Mixed_5b = MixedA(192, pooled=32)
        self.Mixed_5c = MixedA(256, pooled=64)
        self.Mixed_5d = MixedA(288, pooled=64)
        self.Mixed_6a = MixedB(288)
        self.Mixed_6b = MixedC(768, 128)
        self.Mixed_6c = MixedC(768, 160)
        self.Mixed_6d = MixedC(768, 160)
        self.Mixed_6e = MixedC(768, 192)
        self.Mixed_7a = MixedD(768)
        self.Mixed_7b = MixedE(1280, pools_maximum=False)
        self.Mixed_7c = MixedE(2048, pools_maximum=True)
        self.fc = nn.Linear(FEATURES, CLASSES)
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> "FIDInception":
        """Stay in evaluation mode: a measure does not learn."""
        return super().train(False)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """pictures N×3×H×W in [0, 1] → features N×2048 (the graph's pool_3) and logits N×1008.

        The logits are without the output's bias, as the Inception Score takes them: its code multiplies pool_3 by the
        weights and leaves it at that.
        """
        x = (resized(pictures, SIDE).clamp(0, 1) * 255 - 128) / 128  # the graph's own normalisation
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))  # N×64×147×147
        x = F.max_pool2d(x, 3, 2)
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x))  # N×192×71×71
        x = F.max_pool2d(x, 3, 2)
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x)))  # N×288×35×35
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))  # N×768×17×17
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))  # N×2048×8×8
        features = x.mean((2, 3), dtype=torch.float32)  # also where the caller runs the net in bfloat16
        return features, F.linear(features, self.fc.weight)


def load_inception(path: Path | str) -> FIDInception:
    """The net with the weights of a ``.pth`` (read without running code) or ``.safetensors`` file.

    Raises:
        ModelError: no such file, one that cannot be read, one of another net, or one whose sha256 is not what its name
            says (``name-xxxxxxxx.pth``, torch.hub's convention: the sha256's first digits).
    """
    path = Path(path)
    if not path.is_file():
        raise ModelError(f"There is no file {path}. {_WANTED}")
    try:
        digest = sha256(path)
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error}.") from error
    if start.lstrip().startswith(b"<"):
        raise ModelError(f"{path} is a web page, no weights: an error page or a login, saved as a file. {_WANTED}")
    named = re.search(r"-([0-9a-f]{8,64})\.pth$", path.name)
    if named and not digest.startswith(named[1]):
        raise ModelError(
            f"{path} is not what its name says: its sha256 begins with {digest[: len(named[1])]}, not {named[1]}. "
            "It came incomplete or was changed: delete it and fetch it again (or rename it, if the name means something else)."
        )
    net = FIDInception()
    _load(net, _read(path), path)
    net.weights_sha256 = digest
    for unit in net.modules():
        if isinstance(unit, Unit) and isinstance(unit.bn, nn.BatchNorm2d):  # fused: in bfloat16 three times as fast
            unit.conv, unit.bn = fuse_conv_bn_eval(unit.conv, unit.bn), nn.Identity()
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # 1.8 times as fast on a CPU
    return net


_WANTED = f"Wanted is {WEIGHTS_FILE} from {WEIGHTS_ADDRESS}."


def _read(path: Path) -> dict[str, Tensor]:
    """Names and tensors of a file. Raises ModelError."""
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings():  # of a TorchScript archive, which is refused just after
            warnings.simplefilter("ignore")
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # on foreign bytes the unpickler raises nearly anything
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"{path} cannot be read as weights ({reason}). {_WANTED}") from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ModelError(f"{path} holds no plain table of weights. {_WANTED}")
    return state


def _load(net: FIDInception, state: dict[str, Tensor], path: Path) -> None:
    """Put the weights in. Raises ModelError unless names and shapes are this net's and all numbers finite."""
    own = net.state_dict()
    counters = {
        name for name in own if name.endswith("num_batches_tracked")
    }  # older files lack them; nothing reads them
    wrong = {
        "missing": sorted(own.keys() - state.keys() - counters),
        "unexpected": sorted(state.keys() - own.keys()),
        "of another shape": sorted(n for n in own.keys() & state.keys() if own[n].shape != state[n].shape),
    }
    if any(wrong.values()):
        told = "; ".join(
            f"{len(names)} {what} ({', '.join(names[:3])}{' …' * (len(names) > 3)})"
            for what, names in wrong.items()
            if names
        )
        raise ModelError(f"{path} holds another net's weights: {told}. {_WANTED}")
    broken = sorted(name for name, value in state.items() if not torch.isfinite(value).all())
    if broken:
        raise ModelError(f"{path} is damaged: {broken[0]} holds numbers that are not finite. {_WANTED}")
    net.load_state_dict({name: state.get(name, value) for name, value in own.items()})
