"""The errors a user can cause: one root, raised at borders, one line each."""


class BittrueError(Exception):
    """Root of every error that bittrue raises on purpose; the command line exits with status 2."""


class ConfigError(BittrueError, ValueError):
    """A parameter outside what is accepted: names the argument, what was found, what is accepted."""


class AudioError(BittrueError, ValueError):
    """Audio that cannot be read, or is not in the form that is needed."""
