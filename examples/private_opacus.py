"""A small CNN on MNIST digits with DP-SGD, recorded: ptoken-record run.h5 -- python examples/private_opacus.py"""

import argparse
import warnings

import ptoken.torch
import torch
from digits import load
from opacus import PrivacyEngine
from torch import nn

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--rows", type=int, default=4000, help="training images")
parser.add_argument(
    "--clip", type=float, default=1.0, help="norm that each example's gradient is clipped to"
)
parser.add_argument("--noise", type=float, default=1.0, help="noise multiplier")
parser.add_argument("--output", default="run.h5", help="where there is no ptoken-record around")
options = parser.parse_args()

torch.manual_seed(0)
images, digits = map(torch.from_numpy, load(options.rows))
model = nn.Sequential(
    nn.Conv2d(1, 8, 5, stride=2),
    nn.ReLU(),
    nn.Conv2d(8, 16, 5, stride=2),
    nn.ReLU(),
    nn.Flatten(),
    nn.Linear(256, 10),
)
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
data = torch.utils.data.TensorDataset(images, digits, torch.arange(len(images)))
engine = PrivacyEngine()
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its random numbers are not for production: this is an example
    model, optimizer, loader = engine.make_private(
        module=model,
        optimizer=optimizer,
        data_loader=torch.utils.data.DataLoader(data, batch_size=64),
        noise_multiplier=options.noise,
        max_grad_norm=options.clip,
    )

# Opacus has the gradient of each example: they are recorded as they are before clipping, the batch's after noise.
recorder = ptoken.torch.Recorder(
    options.output,
    model,
    loss_fn,
    optimizer=optimizer,
    probe=(images, digits),
    probe_rows=500,
    probe_every=50,
)
for epoch in range(options.epochs):
    for x, y, ids in loader:
        with recorder.step(inputs=x, labels=y, record_ids=ids, epoch=epoch) as step:
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            step.loss = loss
            loss.backward()
            optimizer.step()
    print(f"epoch {epoch + 1}: loss {loss.item():.3f}, epsilon {engine.get_epsilon(1e-5):.2f}")
recorder.close()
