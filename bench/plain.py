"""The yardstick: DCGAN-64 by the loop that every PyTorch tutorial shows. float32, default memory format, stock Adam.

The nets are those of the recipe dcgan64_pytorch (pytorch/examples, ``dcgan/main.py``), written the way tutorials do.
"""

import itertools
from collections.abc import Callable

import torch
from torch import Tensor, nn


def generator(nz: int = 100, width: int = 64) -> nn.Sequential:
    channels = [width * 8, width * 4, width * 2, width]
    layers: list[nn.Module] = [nn.ConvTranspose2d(nz, channels[0], 4, 1, 0, bias=False)]
    for before, after in zip(channels, [*channels[1:], 3], strict=True):
        layers += [nn.BatchNorm2d(before), nn.ReLU(True), nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)]
    return nn.Sequential(*layers, nn.Tanh())


def discriminator(width: int = 64) -> nn.Sequential:
    channels = [width, width * 2, width * 4, width * 8]
    layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
    for before, after in itertools.pairwise(channels):
        layers += [nn.Conv2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.LeakyReLU(0.2, True)]
    return nn.Sequential(*layers, nn.Conv2d(channels[-1], 1, 4, 1, 0, bias=False), nn.Flatten(0))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


def step_of(pictures: Tensor, batch: int) -> Callable[[], None]:
    """A function that plays one step on uint8 pictures (N, 3, 64, 64): D on real, D on fake, then G."""
    net_g, net_d = generator().apply(_initialise), discriminator().apply(_initialise)
    opt_g = torch.optim.Adam(net_g.parameters(), lr=2e-4, betas=(0.5, 0.999))
    opt_d = torch.optim.Adam(net_d.parameters(), lr=2e-4, betas=(0.5, 0.999))
    bce, ones, zeros = nn.BCEWithLogitsLoss(), torch.ones(batch), torch.zeros(batch)
    order = torch.randperm(len(pictures))

    def step() -> None:
        nonlocal order
        if len(order) < batch:
            order = torch.randperm(len(pictures))
        real, order = pictures[order[:batch]].float() / 127.5 - 1.0, order[batch:]

        net_d.zero_grad()
        bce(net_d(real), ones).backward()
        fake = net_g(torch.randn(batch, 100, 1, 1))
        bce(net_d(fake.detach()), zeros).backward()
        opt_d.step()

        net_g.zero_grad()
        bce(net_d(fake), ones).backward()
        opt_g.step()

    return step
