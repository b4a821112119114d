"""Training on an accelerator: `pytest -m gpu` where there is one."""

import numpy as np
import pytest
import torch

import ganforge
from ganforge.machine import best_device, has_native_bf16
from systems_tiny import TINY, write_pictures

pytestmark = [pytest.mark.gpu, pytest.mark.usefixtures("own_cache")]


@pytest.fixture
def device() -> torch.device:
    found = best_device()
    if found.type == "cpu":
        pytest.skip("there is no CUDA or MPS device here")
    return found


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", ["dcgan", "style", "stylegan2"])
def test_recipes_train_and_go_on_and_draw_the_same_on_a_cpu(device, name, precision, compiled, tmp_path):
    """With augmentation, penalties (on the first step and, in `style`, every eighth) and path lengths."""
    if compiled and device.type != "cuda":
        pytest.skip("steps are compiled on CUDA alone")
    if precision == "bf16" and not has_native_bf16(device):
        pytest.skip("there is no bfloat16 here")
    settings = TINY[name] | ({} if name == "dcgan" else {"augment": "adaptive", "mixing": "0.5"})
    pictures = write_pictures(tmp_path / "p")
    execution = {"layout": "channels-last", "precision": precision, "compiled": compiled}
    run = ganforge.train(
        pictures,
        recipe=name,
        size=16,
        images=128,
        settings=settings,
        execution=execution,
        out=tmp_path / "r",
        observers=[],
    )
    ganforge.resume(run.path, images=64, observers=[])
    assert run.state()["state"] == "finished"
    assert [(e["device"], e["compiled"]) for e in run.events("execution")] == [(device.type, compiled)]
    model, on_cpu = ganforge.load(run.path), ganforge.load(run.path, device="cpu")
    assert model.device.type == device.type
    drawn, again = model.sample(8).pictures, on_cpu.sample(8).pictures
    assert np.abs(drawn.astype(int) - again.astype(int)).max() <= 2
    assert np.std(drawn) > 0
    assert model.verdicts(drawn) == pytest.approx(on_cpu.verdicts(drawn), abs=0.02)
