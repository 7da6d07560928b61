"""The network against Table 1 of the paper, row by row, and the rule for other sizes."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import ign.nn.dcgan
from ign.nn import DCGANAutoencoder, RoleBatchNorm2d

# (kind, maps in, maps out, kernel, stride, padding, norm, nonlinearity), Table 1 of the paper
ENCODER = [
    ("conv", 3, 64, 4, 2, 1, False, nn.LeakyReLU),
    ("conv", 64, 128, 4, 2, 1, True, nn.LeakyReLU),
    ("conv", 128, 256, 4, 2, 1, True, nn.LeakyReLU),
    ("conv", 256, 512, 4, 2, 1, True, nn.LeakyReLU),
    ("conv", 512, 512, 4, 1, 0, False, None),
]
DECODER = [
    ("transposed", 512, 512, 4, 1, 0, True, nn.ReLU),
    ("transposed", 512, 256, 4, 2, 1, True, nn.ReLU),
    ("transposed", 256, 128, 4, 2, 1, True, nn.ReLU),
    ("transposed", 128, 64, 4, 2, 1, True, nn.ReLU),
    ("transposed", 64, 3, 4, 2, 1, False, nn.Tanh),
]


def rows(stack: nn.Sequential) -> list[tuple]:
    """A stack of layers as rows of the table."""
    found: list[list] = []
    for layer in stack:
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            kind = "transposed" if isinstance(layer, nn.ConvTranspose2d) else "conv"
            (kernel, _), (stride, _), (padding, _) = layer.kernel_size, layer.stride, layer.padding
            maps = layer.in_channels, layer.out_channels
            found.append([kind, *maps, kernel, stride, padding, False, None])
        elif isinstance(layer, nn.BatchNorm2d):
            assert layer.num_features == found[-1][2]
            found[-1][6] = True
        else:
            found[-1][7] = type(layer)
            if isinstance(layer, nn.LeakyReLU):
                assert layer.negative_slope == 0.2
    return [tuple(row) for row in found]


def test_table_1_row_by_row():
    network = DCGANAutoencoder()
    assert rows(network.encoder) == ENCODER
    assert rows(network.decoder) == DECODER
    x = torch.zeros(2, 3, 64, 64)
    sides = []
    for layer in [*network.encoder, *network.decoder]:
        x = layer(x)
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            sides.append(x.shape[-1])
    assert sides == [32, 16, 8, 4, 1, 4, 8, 16, 32, 64]


def test_initialization():
    torch.manual_seed(0)
    for layer in DCGANAutoencoder(norm="batch").modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            assert abs(layer.weight.mean()) < 0.002
            assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
            assert layer.bias is None or not layer.bias.any()
        elif isinstance(layer, nn.BatchNorm2d):
            assert (layer.weight == 1).all(), "batch norm weights are 1, not N(0, 0.02)"
            assert not layer.bias.any()


def test_planted_fault_norm_weights_drawn_around_zero_are_caught(monkeypatch):
    right = ign.nn.dcgan.initialize

    def planted(module):
        right(module)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 0.0, 0.02)

    monkeypatch.setattr(ign.nn.dcgan, "initialize", planted)
    with pytest.raises(AssertionError, match="batch norm weights are 1"):
        test_initialization()


def test_28_pixels():
    network = DCGANAutoencoder(1, 28, 32)
    found = rows(network.encoder)
    assert [row[1:6] for row in found] == [
        (1, 32, 4, 2, 1), (32, 64, 4, 2, 1), (64, 128, 3, 2, 1), (128, 256, 4, 1, 0),
    ]  # fmt: skip
    mirrored = [(row[2], row[1], *row[3:6]) for row in reversed(found)]
    assert [row[1:6] for row in rows(network.decoder)] == mirrored


@pytest.mark.parametrize("norm", ["batch", "role", "group", "none"])
def test_every_size_is_kept(norm):
    sizes = range(8, 257) if norm == "none" else (8, 9, 28, 33, 96, 255, 256)
    for size in sizes:
        with torch.device("meta"):
            network = DCGANAutoencoder(2, size, 1, norm)
            assert network(torch.empty(2, 2, size, size)).shape == (2, 2, size, size), size


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": 7}, "size 7 is outside 8 to 256"),
        ({"size": 257}, "size 257 is outside 8 to 256"),
        ({"width": 0}, "width 0"),
        ({"norm": "layer"}, "norm 'layer' is unknown; choose one of batch"),
    ],
)
def test_what_the_construction_does_not_allow(options, words):
    with pytest.raises(ValueError, match=words):
        DCGANAutoencoder(**options)


@pytest.mark.parametrize("form", [torch.contiguous_format, torch.channels_last])
def test_matrix_products_are_the_convolutions(form):
    network = DCGANAutoencoder(1, 28, 8, "none").double().to(memory_format=form)
    down, up = network.encoder[-1], network.decoder[0]
    with torch.no_grad():
        up.bias.normal_()
        down.bias.normal_()
    x = torch.randn(3, 32, 4, 4, dtype=torch.float64)
    code = torch.randn(3, 64, 1, 1, dtype=torch.float64)
    assert torch.allclose(down(x), F.conv2d(x, down.weight, down.bias))
    assert torch.allclose(up(code), F.conv_transpose2d(code, up.weight, up.bias))


def test_norm_kinds_share_their_parameters():
    shapes = {
        norm: {k: v.shape for k, v in DCGANAutoencoder(1, 16, 8, norm).named_parameters()}
        for norm in ("batch", "role", "group")
    }
    assert shapes["batch"] == shapes["role"] == shapes["group"]
    roles = [
        m for m in DCGANAutoencoder(1, 16, 8, "role").modules() if isinstance(m, RoleBatchNorm2d)
    ]
    assert len(roles) == 3


def test_codes_lie_on_the_grid_in_evaluation_alone():
    network, plain = (DCGANAutoencoder(1, 8, 4, "group", rounding=r) for r in (0.5, 0.0))
    plain.load_state_dict(network.state_dict(), strict=False)
    x = torch.rand(6, 1, 8, 8) * 2 - 1
    codes = network.encoder(x).flatten(1)
    network.fit(codes)
    assert torch.allclose(network.spread, codes.std(0))
    assert torch.equal(network(x), plain(x))  # training knows no grid
    step = 0.5 * codes.std(0)
    wanted = plain.decoder((step * (codes / step).round())[..., None, None])
    network.eval()
    assert torch.allclose(network(x), wanted, atol=1e-6)
    code, y = network.with_code(x)
    assert torch.equal(code, codes)  # what tells data apart is not rounded
    assert torch.equal(y, network(x))


def test_what_moves_the_code_by_less_than_half_a_step_moves_nothing(monkeypatch):
    network = DCGANAutoencoder(1, 8, 4, "group", rounding=0.5).eval()
    network.fit(torch.randn(9, 8))
    network.spread[3] = 0.0  # a component that never changed on the data is left as it is
    step = 0.5 * network.spread
    code = step * torch.randint(-3, 4, (6, 8))
    code[:, 3] = 0.7
    given = [code, code + 0.49 * step * (2 * torch.rand(6, 8) - 1), code + 0.6 * step]
    monkeypatch.setattr(network.encoder, "forward", lambda x: given.pop(0)[..., None, None])
    first, near, far = (network(torch.zeros(6, 1, 8, 8)) for _ in range(3))
    assert torch.isfinite(first).all()
    assert torch.equal(first, near)
    assert not torch.equal(first, far)


@pytest.mark.parametrize("step", [-1.0, float("inf"), float("nan")])
def test_a_step_that_is_none(step):
    with pytest.raises(ValueError, match=r"rounding .* must be finite and at least 0"):
        DCGANAutoencoder(1, 8, 4, rounding=step)
