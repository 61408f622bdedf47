"""Gradients of each example, and parameter trees as layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

Loss = Callable[..., jax.Array]
"""loss_fn(params, inputs, labels): the loss of a batch, with its axis of examples."""


def per_example_grads(loss_fn: Loss, *, has_losses: bool = False) -> Callable[..., Any]:
    """A function of (params, inputs, labels) that gives the gradient of each example's loss.

    Parameters
    ----------
    loss_fn : function of (params, inputs, labels) that gives the loss of a batch; it sees batches of one.
    has_losses : give (gradients, losses `[rows]`) instead of gradients.

    The gradients are a tree as `params` is, each leaf with an axis of examples before its own. The function may be jitted,
    and used inside a jitted step. Cost: a forward and backward pass, and memory for the gradients of all rows.
    """

    def one(params: Any, x: jax.Array, y: Any) -> jax.Array:
        return jnp.reshape(loss_fn(params, x[None], None if y is None else y[None]), ())

    def all_rows(params: Any, inputs: jax.Array, labels: Any = None) -> Any:
        axes = (None, 0, None if labels is None else 0)
        losses, gradients = jax.vmap(jax.value_and_grad(one), in_axes=axes)(params, inputs, labels)
        return (gradients, losses) if has_losses else gradients

    return all_rows


def layers_of(tree: Any) -> dict[str, tuple[tuple[str, Any], ...]]:
    """The layers of a tree of parameters or gradients: path up to the last key, to (last key, leaf) of each.

    `{"dense": {"kernel": k, "bias": b}}` has the layer `dense`; a leaf at the top is a layer of its own. Leaves come in the
    order of the tree, which sorts the keys of dictionaries.
    """
    layers: dict[str, list[tuple[str, Any]]] = {}
    for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
        words = [_word(key) for key in path]
        last = words.pop() if len(words) > 1 else ""
        layers.setdefault(".".join(words) or "params", []).append((last, leaf))
    return {name: tuple(leaves) for name, leaves in layers.items()}


def _word(key: Any) -> str:
    for attribute in ("key", "name", "idx"):
        if hasattr(key, attribute):
            return str(getattr(key, attribute))
    return str(key)
