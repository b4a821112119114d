"""Write the weights of the offline features from a trained classifier of avatars.

    python scripts/offline_pictures.py FOLDER 12000
    ganforge train FOLDER --recipe classifier --size 64 --no-flip --images 163000 --set widths=16,64,128,192 \\
        --set batch_size=64 --out RUN
    python scripts/offline.py RUN

Folds batch normalisation into the convolutions and scales every feature to mean 0 and spread 1 over 2,000 fresh avatars.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from ganforge.measures import offline
from ganforge.model.model import find_model, load_parts
from ganforge.pictures import PackOptions, make_pack

FRESH = "avatars:2000:5"


def main() -> None:
    """Read the run, write the weights."""
    layers = load_parts(find_model(sys.argv[1]))[1]["net"].layers
    weights = {}
    for i, (convolution, norm) in enumerate(zip(layers[0::3], layers[1::3], strict=True)):
        factor = norm.weight / (norm.running_var + norm.eps).sqrt()
        weights[f"{i}.weight"] = (convolution.weight * factor[:, None, None, None]).detach().half()
        weights[f"{i}.bias"] = (norm.bias - norm.running_mean * factor).detach().float()
    dims = len(weights[f"{len(weights) // 2 - 1}.bias"])
    weights["mean"], weights["scale"] = torch.zeros(dims), torch.ones(dims)
    net = offline.OfflineNet(weights)
    pictures = np.asarray(make_pack(FRESH, PackOptions(height=offline.SIDE, width=offline.SIDE)).pictures)
    with torch.no_grad():
        found = torch.cat(
            [net(torch.from_numpy(p.copy()).permute(0, 3, 1, 2) / 255)[0] for p in np.array_split(pictures, 40)]
        )
    weights["mean"], weights["scale"] = found.mean(0), 1 / found.std(0).clamp(min=1e-3)
    target = Path(offline.__file__).parent / "weights" / offline.WEIGHTS
    target.parent.mkdir(exist_ok=True)
    save_file({k: v.contiguous() for k, v in weights.items()}, target)
    print(f"{target}: {target.stat().st_size / 2**20:.2f} MiB")


if __name__ == "__main__":
    main()
