"""Small trainings for tests."""

import torch
from torch import nn

LOSS = nn.CrossEntropyLoss()


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))


def batches(count, rows=8, seed=5):
    generator = torch.Generator().manual_seed(seed)
    for _ in range(count):
        yield (
            torch.randn(rows, 6, generator=generator),
            torch.randint(0, 3, (rows,), generator=generator),
        )


def one_by_one(model, x, y):
    """The gradient of each example, joined by layer: name to [rows, elements]."""
    found = {}
    for row in range(len(x)):
        gradients = torch.autograd.grad(
            LOSS(model(x[row : row + 1]), y[row : row + 1]), list(model.parameters())
        )
        for (name, _), gradient in zip(model.named_parameters(), gradients, strict=True):
            found.setdefault(name.rsplit(".", 1)[0], {}).setdefault(row, []).append(
                gradient.flatten()
            )
    return {
        layer: torch.stack([torch.cat(parts) for parts in rows.values()])
        for layer, rows in found.items()
    }
