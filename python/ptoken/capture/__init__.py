"""Records training runs; numpy only. Adapters for frameworks are `ptoken.torch` and `ptoken.jax`."""

from .config import Config
from .errors import RecordingError, RecordingWarning
from .recorder import Recorder
from .schedule import Schedule

__all__ = ["Config", "Recorder", "RecordingError", "RecordingWarning", "Schedule"]
