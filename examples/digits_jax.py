"""An MLP on MNIST digits, recorded: ptoken-record run.h5 -- python examples/digits_jax.py"""

import argparse

import jax
import jax.numpy as jnp
import numpy as np
import optax
import ptoken.jax
from digits import load

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--rows", type=int, default=4000, help="training images")
parser.add_argument("--output", default="run.h5", help="where there is no ptoken-record around")
options = parser.parse_args()

images, digits = load(options.rows)
keys = jax.random.split(jax.random.key(0), 2)
params = {
    "hidden": {"w": 0.05 * jax.random.normal(keys[0], (784, 32)), "b": jnp.zeros(32)},
    "out": {"w": 0.2 * jax.random.normal(keys[1], (32, 10)), "b": jnp.zeros(10)},
}
optimizer = optax.sgd(0.05, momentum=0.9)


def loss_fn(params, x, y):
    hidden = jax.nn.relu(x.reshape(len(x), -1) @ params["hidden"]["w"] + params["hidden"]["b"])
    logits = hidden @ params["out"]["w"] + params["out"]["b"]
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()


@jax.jit
def update(params, state, x, y):
    loss, gradients = jax.value_and_grad(loss_fn)(params, x, y)
    changes, state = optimizer.update(gradients, state)
    return optax.apply_updates(params, changes), state, loss


# The recorder: a probe of 500 fixed records every 50 steps, and every 10th batch.
recorder = ptoken.jax.Recorder(
    options.output, loss_fn, probe=(images, digits), probe_rows=500, probe_every=50
)
state = optimizer.init(params)
random = np.random.default_rng(1)
for epoch in range(options.epochs):
    order = random.permutation(len(images))
    for rows in np.split(order, range(64, len(order), 64)):
        x, y = images[rows], digits[rows]
        with recorder.step(params, inputs=x, labels=y, record_ids=rows, epoch=epoch) as step:
            params, state, step.loss = update(params, state, x, y)
    print(f"epoch {epoch + 1}: loss {float(step.loss or loss_fn(params, x, y)):.3f}")
recorder.close()
