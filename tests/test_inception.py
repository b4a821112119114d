"""The field's Inception: the published file's names and shapes, its odd pools, the resizer, and files that are not it."""

import hashlib
import re
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from ganforge.errors import ModelError
from ganforge.measures.inception import (
    CLASSES,
    FEATURES,
    SIDE,
    WEIGHTS_ADDRESS,
    WEIGHTS_FILE,
    FIDInception,
    average,
    load_inception,
)
from ganforge.measures.resizing import resized

# Convolutions as torchvision's inception_v3 names them and pytorch-fid's file holds them: outputs, inputs, height, width.
STEM = {
    "Conv2d_1a_3x3": (32, 3, 3, 3),
    "Conv2d_2a_3x3": (32, 32, 3, 3),
    "Conv2d_2b_3x3": (64, 32, 3, 3),
    "Conv2d_3b_1x1": (80, 64, 1, 1),
    "Conv2d_4a_3x3": (192, 80, 3, 3),
}


def block_a(before, pooled):
    return {
        "branch1x1": (64, before, 1, 1),
        "branch5x5_1": (48, before, 1, 1),
        "branch5x5_2": (64, 48, 5, 5),
        "branch3x3dbl_1": (64, before, 1, 1),
        "branch3x3dbl_2": (96, 64, 3, 3),
        "branch3x3dbl_3": (96, 96, 3, 3),
        "branch_pool": (pooled, before, 1, 1),
    }


def block_b(before):
    return {
        "branch3x3": (384, before, 3, 3),
        "branch3x3dbl_1": (64, before, 1, 1),
        "branch3x3dbl_2": (96, 64, 3, 3),
        "branch3x3dbl_3": (96, 96, 3, 3),
    }


def block_c(c):
    return {
        "branch1x1": (192, 768, 1, 1),
        "branch7x7_1": (c, 768, 1, 1),
        "branch7x7_2": (c, c, 1, 7),
        "branch7x7_3": (192, c, 7, 1),
        "branch7x7dbl_1": (c, 768, 1, 1),
        "branch7x7dbl_2": (c, c, 7, 1),
        "branch7x7dbl_3": (c, c, 1, 7),
        "branch7x7dbl_4": (c, c, 7, 1),
        "branch7x7dbl_5": (192, c, 1, 7),
        "branch_pool": (192, 768, 1, 1),
    }


def block_d(before):
    return {
        "branch3x3_1": (192, before, 1, 1),
        "branch3x3_2": (320, 192, 3, 3),
        "branch7x7x3_1": (192, before, 1, 1),
        "branch7x7x3_2": (192, 192, 1, 7),
        "branch7x7x3_3": (192, 192, 7, 1),
        "branch7x7x3_4": (192, 192, 3, 3),
    }


def block_e(before):
    return {
        "branch1x1": (320, before, 1, 1),
        "branch3x3_1": (384, before, 1, 1),
        "branch3x3_2a": (384, 384, 1, 3),
        "branch3x3_2b": (384, 384, 3, 1),
        "branch3x3dbl_1": (448, before, 1, 1),
        "branch3x3dbl_2": (384, 448, 3, 3),
        "branch3x3dbl_3a": (384, 384, 1, 3),
        "branch3x3dbl_3b": (384, 384, 3, 1),
        "branch_pool": (192, before, 1, 1),
    }


BLOCKS = {
    "Mixed_5b": block_a(192, 32),
    "Mixed_5c": block_a(256, 64),
    "Mixed_5d": block_a(288, 64),
    "Mixed_6a": block_b(288),
    "Mixed_6b": block_c(128),
    "Mixed_6c": block_c(160),
    "Mixed_6d": block_c(160),
    "Mixed_6e": block_c(192),
    "Mixed_7a": block_d(768),
    "Mixed_7b": block_e(1280),
    "Mixed_7c": block_e(2048),
}


def published_shapes() -> dict[str, tuple[int, ...]]:
    convolutions = STEM | {f"{block}.{unit}": shape for block, units in BLOCKS.items() for unit, shape in units.items()}
    shapes: dict[str, tuple[int, ...]] = {"fc.weight": (1008, 2048), "fc.bias": (1008,)}
    for name, shape in convolutions.items():
        shapes[f"{name}.conv.weight"] = shape
        shapes |= {f"{name}.bn.{part}": shape[:1] for part in ("weight", "bias", "running_mean", "running_var")}
        shapes[f"{name}.bn.num_batches_tracked"] = ()
    return shapes


@pytest.fixture(scope="module")
def net():
    """Random, but lively: each picture's features are its own."""
    torch.manual_seed(0)
    net = FIDInception()
    for name, value in net.state_dict().items():
        if value.ndim == 4:
            torch.nn.init.kaiming_normal_(value)
        elif name.endswith(("weight", "running_var")):
            value.uniform_(0.8, 1.2)
    torch.nn.init.normal_(net.fc.weight, std=0.05)
    return net


@pytest.fixture(scope="module")
def pictures():
    return torch.nn.functional.interpolate(torch.rand(2, 3, 6, 6, generator=torch.manual_seed(1)), size=(80, 64))


@pytest.fixture(scope="module")
def published(net, tmp_path_factory):
    """A file as the publisher's: the digits of its sha256 in its name."""
    path = tmp_path_factory.mktemp("weights") / "weights.pth"
    torch.save(net.state_dict(), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    yield path.rename(path.with_name(f"pt_inception-2015-12-05-{digest[:8]}.pth"))
    shutil.rmtree(path.parent, ignore_errors=True)


@pytest.fixture(autouse=True)
def nothing_left(tmp_path):
    """A file of weights is 95 MB."""
    yield
    shutil.rmtree(tmp_path, ignore_errors=True)


# The net


def test_names_and_shapes_are_the_published_files(net):
    assert {name: tuple(value.shape) for name, value in net.state_dict().items()} == published_shapes()


def test_parameter_count():
    """torchvision's without the auxiliary head has 23,834,568 for 1,000 classes; here are eight more."""
    net = FIDInception()
    assert sum(p.numel() for p in net.parameters()) == 23_834_568 + 8 * 2049
    assert not any(p.requires_grad for p in net.parameters())


def test_features_and_logits(net, pictures):
    features, logits = net(pictures)
    assert features.shape == (2, FEATURES)
    assert logits.shape == (2, CLASSES)
    assert (features >= 0).all()  # means of what ReLU lets through
    assert (features[0] - features[1]).abs().mean() > 0.01
    torch.testing.assert_close(logits, features @ net.fc.weight.T)  # without the bias


def test_a_measure_does_not_learn(net, pictures):
    before = net(pictures)[0]
    net.train()
    assert not any(module.training for module in net.modules())
    torch.testing.assert_close(net(pictures)[0], before, rtol=0, atol=0)  # nor depends on its batch's statistics
    torch.testing.assert_close(net(pictures[:1])[0], before[:1], rtol=1e-4, atol=1e-5)


def test_pictures_are_normalised_as_in_the_graph(net):
    seen = []
    hook = net.Conv2d_1a_3x3.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    net(torch.tensor([0.0, 0.5, 1.0]).view(1, 3, 1, 1).expand(1, 3, 299, 299))
    hook.remove()
    assert seen[0][0, :, 7, 9].tolist() == pytest.approx([-1, (127.5 - 128) / 128, 127 / 128])


ORDER = {
    "Mixed_5b": ("branch1x1", "branch5x5_2", "branch3x3dbl_3", "branch_pool"),
    "Mixed_6a": ("branch3x3", "branch3x3dbl_3", "pool"),
    "Mixed_6b": ("branch1x1", "branch7x7_3", "branch7x7dbl_5", "branch_pool"),
    "Mixed_7a": ("branch3x3_2", "branch7x7x3_4", "pool"),
    "Mixed_7b": ("branch1x1", "branch3x3_2a", "branch3x3_2b", "branch3x3dbl_3a", "branch3x3dbl_3b", "branch_pool"),
}


@pytest.mark.parametrize("name", ORDER)
def test_branches_run_and_are_joined_in_the_files_order(net, name):
    """Shapes do not tell: the next block's weights expect this order."""
    block = getattr(net, name)
    x = torch.rand(1, next(iter(BLOCKS[name].values()))[1], 9, 9)
    taken: dict[str, torch.Tensor] = {}
    given: dict[str, torch.Tensor] = {"pool": torch.nn.functional.max_pool2d(x, 3, 2)}

    def note(unit):
        def hook(_, args, output):
            taken[unit], given[unit] = args[0], output

        return hook

    hooks = [module.register_forward_hook(note(unit)) for unit, module in block.named_children()]
    joined = block(x)
    for hook in hooks:
        hook.remove()
    assert taken.keys() == BLOCKS[name].keys()
    assert torch.equal(joined, torch.cat([given[unit] for unit in ORDER[name]], 1))
    for unit, seen in taken.items():
        step = re.fullmatch(r"(.*_)([2-9])[ab]?", unit)  # a branch's second unit and those after it
        if step:
            assert torch.equal(seen, given[f"{step[1]}{int(step[2]) - 1}"]), unit
        elif unit != "branch_pool":
            assert torch.equal(seen, x), unit


# Pools


def pool_reference(x: np.ndarray, of) -> np.ndarray:
    out = np.empty_like(x)
    for i in range(x.shape[2]):
        for j in range(x.shape[3]):
            out[:, :, i, j] = of(x[:, :, max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2], axis=(2, 3))
    return out


def test_average_pool_leaves_the_border_out():
    x = torch.rand(2, 3, 5, 4)
    np.testing.assert_allclose(average(x), pool_reference(x.numpy(), np.mean), rtol=1e-5)


def test_only_the_last_block_pools_by_maximum(net, pictures):
    seen: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
    blocks = {
        name: getattr(net, name) for name in ("Mixed_5b", "Mixed_5d", "Mixed_6b", "Mixed_6e", "Mixed_7b", "Mixed_7c")
    }
    whole: dict[str, torch.Tensor] = {}
    hooks = []
    for name, block in blocks.items():
        hooks.append(block.register_forward_pre_hook(lambda _, args, name=name: whole.update({name: args[0].clone()})))
        hooks.append(
            block.branch_pool.register_forward_pre_hook(
                lambda _, args, name=name: seen.update({name: (whole[name], args[0].clone())})
            )
        )
    net(pictures[:1])
    for hook in hooks:
        hook.remove()
    assert seen.keys() == blocks.keys()
    for name, (before, pooled) in seen.items():
        of = np.max if name == "Mixed_7c" else np.mean
        np.testing.assert_allclose(pooled, pool_reference(before.numpy(), of), rtol=1e-3, atol=1e-4)


# The resizer


@pytest.mark.parametrize("size", [(64, 64), (1024, 700), (299, 500), (17, 400), (299, 299)])
def test_resizer_is_pillows_on_floats(size):
    x = torch.rand(1, 3, *size, generator=torch.manual_seed(0)).round(decimals=1)
    channels = [Image.fromarray(channel.numpy()).resize((299, 299), Image.Resampling.BICUBIC) for channel in x[0]]
    assert all(channel.mode == "F" for channel in channels)
    np.testing.assert_allclose(resized(x, SIDE).clamp(0, 1)[0], np.stack(channels).clip(0, 1), atol=1e-4)


def test_resizer_never_quantises():
    steps = torch.linspace(0.5, 0.5 + 1 / 255, 40).expand(1, 3, 40, 40)  # all of one grey level
    assert len(resized(steps, SIDE)[0, 0, 0].unique()) > 200


# Files


def test_weights_load_as_they_are(published, net, pictures):
    loaded = load_inception(published)
    torch.testing.assert_close(loaded(pictures)[0], net(pictures)[0], rtol=1e-3, atol=1e-4)
    assert loaded.weights_sha256 == hashlib.sha256(published.read_bytes()).hexdigest()
    torch.testing.assert_close(loaded(pictures)[1], net(pictures)[1], rtol=1e-3, atol=1e-3)


def test_weights_load_from_safetensors_without_counters(net, pictures, tmp_path):
    state = {name: value for name, value in net.state_dict().items() if not name.endswith("num_batches_tracked")}
    save_file(state, tmp_path / "inception.safetensors")
    loaded = load_inception(tmp_path / "inception.safetensors")
    torch.testing.assert_close(loaded(pictures)[0], net(pictures)[0], rtol=1e-3, atol=1e-4)


def test_the_old_pth_format_loads_too(net, tmp_path):
    torch.save(net.state_dict(), tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert torch.equal(load_inception(tmp_path / "old.pth").fc.weight, net.fc.weight)


def refused(path, message):
    with pytest.raises(ModelError, match=message) as error:
        load_inception(path)
    assert str(path) in str(error.value)
    return str(error.value)


def test_no_such_file(tmp_path):
    message = refused(tmp_path / "none.pth", "There is no file")
    assert WEIGHTS_FILE in message
    assert WEIGHTS_ADDRESS in message


def test_a_file_that_is_not_what_its_name_says(published, tmp_path):
    cut = tmp_path / published.name
    cut.write_bytes(published.read_bytes()[:100_000])
    digest = hashlib.sha256(cut.read_bytes()).hexdigest()[:8]
    assert f"begins with {digest}, not {published.stem[-8:]}" in refused(cut, "not what its name says")
    refused(cut.rename(tmp_path / "cut.pth"), "cannot be read as weights")


@pytest.mark.parametrize("name", [WEIGHTS_FILE, "weights.pth", "weights.safetensors"])
def test_a_web_page(tmp_path, name):
    (tmp_path / name).write_text("\n<!DOCTYPE html><html>Sign in</html>", encoding="utf-8")
    refused(tmp_path / name, "is a web page")


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
@pytest.mark.parametrize("content", [b"", b"\x80", b"PK\x03\x04 no zip", bytes(range(256)) * 9, b"(lp0\n."])
def test_foreign_bytes(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert WEIGHTS_ADDRESS in refused(tmp_path / name, "cannot be read as weights|no plain table")


def test_a_file_that_would_run_code(tmp_path):
    torch.save({"fc.weight": print}, tmp_path / "weights.pth")
    refused(tmp_path / "weights.pth", "cannot be read as weights")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch.jit's own
def test_a_torchscript_archive(tmp_path):
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), tmp_path / "inception-2015-12-05.pt")
    refused(tmp_path / "inception-2015-12-05.pt", "cannot be read as weights")


def test_another_nets_weights(net, tmp_path):
    torch.save({"conv1.weight": torch.zeros(3)}, tmp_path / "resnet.pth")
    message = refused(tmp_path / "resnet.pth", "another net's weights")
    assert "472 missing (Conv2d_1a_3x3.bn.bias, " in message
    assert "1 unexpected (conv1.weight)" in message
    thousand = {"fc.weight": torch.zeros(1000, 2048), "fc.bias": torch.zeros(1000)}
    torch.save(thousand, tmp_path / "torchvision.pth")
    refused(tmp_path / "torchvision.pth", r"2 of another shape \(fc.bias, fc.weight\)")
    torch.save([1, 2], tmp_path / "list.pth")
    refused(tmp_path / "list.pth", "no plain table of weights")


def test_weights_that_are_not_finite(net, tmp_path):
    torch.save(net.state_dict() | {"fc.bias": torch.full((1008,), float("nan"))}, tmp_path / "nan.pth")
    refused(tmp_path / "nan.pth", r"damaged: fc\.bias")
