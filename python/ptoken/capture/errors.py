"""What can go wrong while recording."""


class RecordingError(Exception):
    """A wrong argument, or a recorder that cannot be started: one line with place, expected, found and remedy.

    Raised at construction, or by the call whose arguments are wrong; never later by recording itself.
    """


class RecordingWarning(UserWarning):
    """Recording goes on with less, or not at all; training goes on in any case. Each is said once."""
