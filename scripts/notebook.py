"""Write examples/dcgan_tutorial.ipynb from the cells below, and execute it: ``make notebook``.

``--minutes 0.1`` trains for a moment instead (to try a change), ``--to FILE`` writes elsewhere.
"""

import argparse
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

TARGET = Path(__file__).parent.parent / "examples" / "dcgan_tutorial.ipynb"

CELLS = r'''
# A DCGAN, from pictures to new ones

This notebook walks through the tutorial *Deep Convolutional GANs with TensorFlow* (O'Reilly), which invents celebrity faces of 28×28 pixels, with [ganforge](https://github.com/ganforge/ganforge) instead of a page of TensorFlow. It runs anywhere: on a laptop without a GPU, or on a hosted notebook service.

---
# On a hosted service this installs what is missing; at home it does nothing.
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("ganforge") is None:
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "ganforge"], check=True)
---
## What a GAN is

Two nets play a game. The **generator** G turns 100 random numbers into a picture. The **discriminator** D, a critic, looks at a picture and says how likely it is to be real. D learns from both kinds to tell them apart; G learns from D alone, and never sees a real picture: it moves its weights to where D would have said "real". When all goes well, D ends up guessing, and what G draws could have been in the collection.

## The pictures

The tutorial takes CelebA, 202,599 faces of celebrities. So that this runs without a download, we take the set that comes with ganforge: avatars, drawn by code. To use CelebA, change one line.

---
PICTURES, CROP = "avatars:2000", "178"
# PICTURES, CROP = "img_align_celeba.zip", "108"  # CelebA, cropped to the face as in the tutorial

import ganforge

found = ganforge.inspect(PICTURES)
print(f"{found.pictures:,} pictures, {len(found.skipped)} files skipped.")
print("Known of each:", ", ".join(found.attributes))
---
Every collection becomes a *pack*: all pictures at one size, decoded once. At 28×28 not much is left of a picture, and that is what makes it quick to learn.

---
from PIL import Image

from ganforge.drawing.grids import grid
from ganforge.pictures import PackOptions, make_pack


def show(pictures):
    """A sheet of small pictures, twice as large."""
    return Image.fromarray(grid(pictures, columns=12, scale=2))


pack = make_pack(PICTURES, PackOptions(height=28, width=28, celeba_crop=CROP))
show(pack.pictures[:48])
---
## The two nets

The recipe `celeba28` is the tutorial's setting: batches of 16, the latent z uniform in (−1, 1), Adam at 0.0002 with β₁ = 0.5, a report every 400 steps.

---
from ganforge.systems import find_recipe

recipe = find_recipe("celeba28")
nets = recipe.system.make_nets(recipe.make(28, 28))
nets["generator"]
---
G begins with a matrix product, which makes 512 maps of 2×2 out of the latent. Three *transposed* convolutions then double the sides, 2 → 7 → 14 → 28, and halve the maps; `tanh` at the end gives colours between −1 and 1. Batch normalisation after each layer keeps the numbers in range.

---
nets["discriminator"]
---
D goes the other way: convolutions with stride 2 instead of pooling, leaky ReLU, and one number at the end. (The tutorial's notebook has a slip just there: it flattens 7·7·256 maps as if they were 4·4·256, so that 16 pictures become 49 rows. Ours flattens them whole.)

---
for name, net in nets.items():
    print(f"{name}: {sum(weights.numel() for weights in net.parameters()):,} parameters")
---
## The losses

D minimises −log D(x) − log(1 − D(G(z))): say "real" of pictures x, and "made" of G(z). G minimises −log D(G(z)).

Two tricks are in it. G's loss is not the game's own log(1 − D(G(z))), whose gradient fades when D is sure of itself, just when G needs it most. And D's labels for real pictures are 0.9 instead of 1 (*one-sided label smoothing*), so that it never grows too sure of itself.

---
import torch

from ganforge import losses

verdicts = torch.tensor([0.01, 0.5, 0.99])  # D's, on pictures that G made
logits = verdicts.logit().requires_grad_()
for loss in (losses.generator_minimax, losses.generator_non_saturating):
    (gradient,) = torch.autograd.grad(loss(logits), logits)
    print(f"{loss.__name__:26}", [f"{3 * g:+.2f}" for g in gradient.tolist()])
---
Read a column as "how hard G is pushed": where D is sure that a picture is made (0.01), the game's own loss hardly pushes at all.

## Training

The budget is wall time. Samples and both losses appear below at every report, beside what tells more than losses: how often the critic is right.

---
often = {"report_every_steps": 50}  # the tutorial looks every 400 steps; we are curious
run = ganforge.train(PICTURES, recipe="celeba28", minutes=2, seed=1, crop=CROP, settings=often)
---
## New pictures

A seed is a picture: the same number gives the same one, today and on any machine.

---
model = ganforge.load(run.path)
show(model.sample(60, seed=7).pictures)
---
The critic can pick for us: here are the 24 of 256 that it finds most real. (Say so when you show picked ones.)

---
show(model.best(24, of=256).pictures)
---
Is it more than a memory of the pictures it saw? If the way from one latent to another leads through good pictures all along, G has learnt what lies between them. Each row walks from one seed to the next.

---
import numpy as np

frames = np.stack(list(model.interpolate(6, seed=3, frames_between=12)))
show(frames)
---
How it came to be: the samples of 64 fixed seeds over time, the losses, and the critic's verdicts lie in the run folder.

---
curves = Image.open(run.path / "curves.png").convert("RGB")
curves.thumbnail((900, 900))
curves
---
## The default recipe

The tutorial's nets are those of the first years of GANs. Leave `recipe` away, and ganforge takes the one it has for your own pictures: `style`, a lean style-based generator. The latent first becomes a *style*, and that says at every resolution which maps count. The same minutes, the same pictures:

---
default = ganforge.train(PICTURES, minutes=2, size=28, seed=1, crop=CROP)
styled = ganforge.load(default.path)
show(styled.sample(60, seed=7).pictures)
---
A style can be pulled towards the mean style, which trades variety for pictures that are more like the average one (*truncation*). ψ = 1 is as it was learned; here is 0.6.

---
show(styled.sample(60, seed=7, psi=0.6).pictures)
---
## What to try

- More time: `ganforge.resume(run.path, minutes=20)` goes on from here.
- Your own pictures: `PICTURES = "my-folder"`, or a zip.
- More pixels: `ganforge.train(PICTURES, size=64, minutes=20)`.
- The game's own loss: `settings={"loss": "minimax"}`. No smoothing: `settings={"real_label": 1.0}`. The notebook's way of smoothing G's target too: `settings={"smooth_generator_target": True}`.
- A film of the interpolation: `ganforge sample RUN --interpolate clip.mp4`.
'''


def build(minutes: str) -> nbformat.NotebookNode:
    """The notebook without outputs: prose and code in turn."""
    notebook = nbformat.v4.new_notebook()
    prose = True
    for number, text in enumerate(part.strip() for part in CELLS.split("\n---\n")):
        cell = nbformat.v4.new_markdown_cell(text) if prose else nbformat.v4.new_code_cell(text)
        cell["id"] = f"cell-{number:02}"  # stable, so that a new execution changes outputs alone
        if not prose:
            cell["source"] = cell["source"].replace("minutes=2,", f"minutes={minutes},")
        notebook.cells.append(cell)
        prose = not prose
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return notebook


def main() -> None:
    """Build, execute in an empty folder, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", default="2")
    parser.add_argument("--to", type=Path, default=TARGET)
    asked = parser.parse_args()
    notebook = build(asked.minutes)
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(
            notebook,
            timeout=600 + 60 * float(asked.minutes),
            kernel_name="python3",
            record_timing=False,
            resources={"metadata": {"path": folder}},
        ).execute()
    for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
        if "image/jpeg" in output.get("data", {}):
            output["data"].pop("image/png", None)  # Pillow shows every picture in both, and this is a third of the size
    notebook.metadata.pop("language_info", None)
    nbformat.write(notebook, asked.to)


if __name__ == "__main__":
    main()
