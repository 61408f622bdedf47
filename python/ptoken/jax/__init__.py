"""Records JAX trainings: see `Recorder`."""

from .gradients import layers_of, per_example_grads
from .recorder import Recorder

__all__ = ["Recorder", "layers_of", "per_example_grads"]
