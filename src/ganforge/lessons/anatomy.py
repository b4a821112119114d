"""What happens inside the nets of a Model: every layer with its shape, and what it says about one picture."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ganforge.game import Discriminator, Generator


@dataclass(frozen=True)
class Layer:
    """One layer as it was passed.

    Attributes:
        name: where it sits in the net.
        kind: e.g. "ConvTranspose2d 4×4, stride 2".
        before: shape of one picture's numbers going in, without the batch.
        after: shape coming out.
        weights: how many it learns, without those of layers inside it that are passed themselves.
        said: float32, what came out for the first of the batch.
    """

    name: str
    kind: str
    before: tuple[int, ...]
    after: tuple[int, ...]
    weights: int
    said: npt.NDArray[np.float32]


@contextmanager
def listening(net: nn.Module) -> Iterator[list[Layer]]:
    """Collect every layer that is passed while the block runs, in order: what has no layers inside it, or weights beside those of
    the layers inside it that are passed. What a discriminator has aside is left out.
    """
    heard: list[Layer] = []
    counted = aside(net)

    def hear(name: str, module: nn.Module, given: tuple[Tensor, ...], said: object) -> None:
        if not isinstance(said, Tensor):
            return
        own = set(module.parameters()) - counted  # layers inside were passed before
        if not own and (module is net or any(True for _ in module.children())):
            return
        counted.update(own)
        weights = sum(p.numel() for p in own)
        first = said[0].detach().float().cpu().clone().numpy()  # activations may work in place later
        heard.append(Layer(name, describe(module), tuple(given[0].shape[1:]), tuple(said.shape[1:]), weights, first))

    handles = [
        module.register_forward_hook(lambda m, given, said, name=name: hear(name, m, given, said))
        for name, module in net.named_modules()
    ]
    try:
        yield heard
    finally:
        for handle in handles:
            handle.remove()


def aside(net: nn.Module) -> set[nn.Parameter]:
    """Weights that no verdict passes: `ganforge.game.Discriminator.aside`."""
    layers = (getattr(net, name, None) for name in getattr(net, "aside", ()))
    return {weight for layer in layers if layer is not None for weight in layer.parameters()}


def describe(module: nn.Module) -> str:
    """A layer in a few words."""
    kind = type(module).__name__
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        return f"{kind} {module.kernel_size[0]}×{module.kernel_size[1]}, stride {module.stride[0]}"
    if isinstance(module, nn.LeakyReLU):
        return f"{kind} {module.negative_slope:g}"
    return kind


@dataclass(frozen=True)
class Anatomy:
    """One z on its way to a picture, and the picture on its way to a verdict.

    Attributes:
        z: (Z,).
        generator: G's layers.
        picture: (3, H, W) in [−1, 1].
        discriminator: D's layers.
        verdict: D's, 0 … 1.
    """

    z: npt.NDArray[np.float32]
    generator: list[Layer]
    picture: npt.NDArray[np.float32]
    discriminator: list[Layer]
    verdict: float


@torch.no_grad()
def dissect(generator: Generator, discriminator: Discriminator, z: Tensor, border: float = 0.0) -> Anatomy:
    """Follow the first of z N×Z through both nets; the others keep it company where D looks at batches.

    ``border``: as `Discriminator.verdicts` takes it.
    """
    with listening(generator) as made:
        pictures: Tensor = generator(z)
    with listening(discriminator) as seen:
        verdicts = discriminator.verdicts(pictures, border=border)
    return Anatomy(z[0].cpu().numpy(), made, pictures[0].float().cpu().numpy(), seen, float(verdicts[0]))


def stages(layers: list[Layer]) -> list[Layer]:
    """The last layer of maps (C×H×W) at each size, in order: what is worth looking at. What the net ends in is left out, and so
    is what a generator draws of it on the way.
    """
    maps = [layer for layer in layers if len(layer.after) == 3 and layer.after[0] != layers[-1].after[0]]
    return list({layer.after[1:]: layer for layer in maps}.values())


def liveliest(layer: Layer, count: int) -> npt.NDArray[np.float32]:
    """(count, H, W): the maps that vary most over the picture, each stretched to 0 … 1."""
    maps = layer.said
    order = maps.reshape(len(maps), -1).std(1).argsort()[::-1][:count]
    chosen = maps[np.sort(order)]
    low = chosen.min((1, 2), keepdims=True)
    high = chosen.max((1, 2), keepdims=True)
    stretched: npt.NDArray[np.float32] = (chosen - low) / np.maximum(high - low, 1e-9)
    return stretched
