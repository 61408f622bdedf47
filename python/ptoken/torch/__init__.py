"""Records PyTorch trainings: see `Recorder`."""

from .layers import Layer
from .methods import per_example_gradients
from .recorder import Recorder

__all__ = ["Layer", "Recorder", "per_example_gradients"]
