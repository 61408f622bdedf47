"""Gradients of examples against a loop of backward passes over one example each, in double precision."""

import pytest
import torch
from ptoken.capture import RecordingError
from ptoken.torch import per_example_gradients
from ptoken.torch.layers import layers_of
from ptoken.torch.methods import PerExample
from torch import nn

TOLERANCE = 1e-10
"""Double precision: sums of at most some thousand terms of order 1, in another order."""


class Sequence(nn.Module):
    """Token embedding, norms and attention written out, over a sequence."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(11, 8, padding_idx=0)
        self.norm = nn.LayerNorm(8)
        self.query = nn.Linear(8, 8)
        self.key = nn.Linear(8, 8, bias=False)
        self.root = nn.RMSNorm(8)
        self.out = nn.Linear(8, 3)

    def forward(self, tokens):
        x = self.norm(self.embedding(tokens))
        weights = torch.softmax(self.query(x) @ self.key(x).transpose(1, 2), -1)
        return self.out(self.root(weights @ x).mean(1))


class Twice(nn.Module):
    """One layer that is used twice in a pass."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(6, 6)
        self.last = nn.Linear(6, 3)

    def forward(self, x):
        return self.last(torch.tanh(self.first(torch.tanh(self.first(x)))))


class Shared(nn.Module):
    """Two layers with one weight."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(6, 6)
        self.second = nn.Linear(6, 6)
        self.second.weight = self.first.weight
        self.last = nn.Linear(6, 3)

    def forward(self, x):
        return self.last(self.second(torch.tanh(self.first(x))))


def images(*shape):
    return lambda: torch.randn(5, *shape, dtype=torch.float64)


MODELS = {
    "mlp": (lambda: nn.Sequential(nn.Linear(6, 7), nn.ReLU(), nn.Linear(7, 3)), images(6)),
    "sequence": (Sequence, lambda: torch.randint(0, 11, (5, 6))),
    "conv1d": (
        lambda: nn.Sequential(
            nn.Conv1d(2, 4, 3, padding=1, dilation=1), nn.Flatten(), nn.Linear(32, 3)
        ),
        images(2, 8),
    ),
    "conv2d": (
        lambda: nn.Sequential(
            nn.Conv2d(2, 4, 3, stride=2, padding=1, groups=2),
            nn.GroupNorm(2, 4),
            nn.ReLU(),
            nn.Conv2d(4, 4, 2, dilation=2, padding="same"),
            nn.InstanceNorm2d(4, affine=True),
            nn.Flatten(),
            nn.Linear(4 * 16, 3),
        ),
        images(2, 8, 8),
    ),
    "conv3d": (
        lambda: nn.Sequential(nn.Conv3d(1, 2, 2, stride=2), nn.Flatten(), nn.Linear(16, 3)),
        images(1, 4, 4, 4),
    ),
    "batch norm, evaluated": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(48, 3)
        ).eval(),
        images(1, 6, 6),
    ),
    "one layer used twice": (Twice, images(6)),
    "a shared weight": (Shared, images(6)),
}


def loop(model, loss_fn, inputs, labels):
    """The truth: one backward pass for each example."""
    found = {name: [] for name, _ in model.named_parameters()}
    for row in range(len(inputs)):
        loss = loss_fn(model(inputs[row : row + 1]), labels[row : row + 1])
        gradients = torch.autograd.grad(loss, list(model.parameters()), allow_unused=True)
        for (name, parameter), gradient in zip(model.named_parameters(), gradients, strict=True):
            found[name].append(torch.zeros_like(parameter) if gradient is None else gradient)
    return {name: torch.stack(rows) for name, rows in found.items()}


@pytest.mark.parametrize("way", ["vmap", "hooks"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("name", MODELS)
def test_gradients_of_examples_are_those_of_a_loop(name, way, reduction):
    torch.manual_seed(1)
    build, data = MODELS[name]
    model, inputs, labels = build().double(), data(), torch.randint(0, 3, (5,))
    if name == "batch norm, evaluated":
        model[1].running_mean.normal_()
        model[1].running_var.uniform_(0.5, 2)
    if name == "a shared weight" and way == "hooks":
        with pytest.raises(RecordingError, match="second"):
            per_example_gradients(model, nn.CrossEntropyLoss(), inputs, labels, way=way)
        return
    loss_fn = nn.CrossEntropyLoss(reduction=reduction)
    truth = loop(model, loss_fn, inputs, labels)
    for chunk in (None, 2):
        found = per_example_gradients(model, loss_fn, inputs, labels, way=way, chunk=chunk)
        assert found.keys() == truth.keys()
        for key in truth:
            torch.testing.assert_close(found[key], truth[key], atol=TOLERANCE, rtol=TOLERANCE)
    if reduction == "mean":
        model.zero_grad()
        loss_fn(model(inputs), labels).backward()
        for key, parameter in model.named_parameters():
            torch.testing.assert_close(
                truth[key].mean(0), parameter.grad, atol=TOLERANCE, rtol=TOLERANCE
            )


def test_batch_norm_in_training_mode_is_refused_with_the_remedy():
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(48, 3))
    with pytest.raises(RecordingError, match=r"batch norm in training mode \(1\).*GroupNorm"):
        per_example_gradients(
            model, nn.CrossEntropyLoss(), torch.randn(4, 1, 6, 6), torch.zeros(4).long()
        )


def test_layers_that_no_way_covers_are_named():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(4, 1, batch_first=True)
            self.last = nn.Linear(4, 3)

        def forward(self, x):
            return self.last(self.attention(x, x, x)[0].mean(1))

    model, labels = Odd(), torch.zeros(4).long()
    with pytest.raises(RecordingError, match=r"attention \(MultiheadAttention\)"):
        per_example_gradients(
            model, nn.CrossEntropyLoss(), torch.randn(4, 5, 4), labels, way="hooks"
        )
    # torch.func takes it.
    found = per_example_gradients(model, nn.CrossEntropyLoss(), torch.randn(4, 5, 4), labels)
    assert found["attention.in_proj_weight"].shape == (4, 12, 4)


def test_a_model_that_torch_func_cannot_take_falls_back_to_hooks():
    class Branching(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 3)

        def forward(self, x):
            return self.layer(x if float(x.sum()) > 0 else -x)

    model = Branching()
    inputs = torch.rand(5, 4)
    ways = PerExample(model, layers_of(model), nn.CrossEntropyLoss(), "auto", None, None)
    found, _ = ways(inputs, torch.zeros(5).long())
    assert ways.used == "hooks" and "item" in ways.reason
    truth = loop(model, nn.CrossEntropyLoss(), inputs, torch.zeros(5).long())
    torch.testing.assert_close(found["layer.weight"], truth["layer.weight"])
    with pytest.raises(RecordingError, match="Try per_example='hooks'"):
        per_example_gradients(
            model, nn.CrossEntropyLoss(), inputs, torch.zeros(5).long(), way="vmap"
        )


def test_frozen_parameters_have_no_gradient_and_do_no_harm():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 3))
    model[0].weight.requires_grad_(False)
    for way in ("vmap", "hooks"):
        found = per_example_gradients(
            model, nn.CrossEntropyLoss(), torch.randn(5, 4), torch.zeros(5).long(), way=way
        )
        assert set(found) == {"0.bias", "1.weight", "1.bias"}


def test_parameters_of_other_kinds_are_refused_by_name():
    model = nn.Linear(2, 2)
    model.phase = nn.Parameter(torch.zeros(2, dtype=torch.complex64))
    with pytest.raises(RecordingError, match="phase: expected a parameter of real"):
        layers_of(model)
