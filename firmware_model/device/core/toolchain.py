"""The packages that build and run firmware, none of which bittrue needs otherwise."""

from importlib.util import find_spec

from fixedpoint.errors import ConfigError

_PACKAGES = {"ziglang": "ziglang", "unicorn": "unicorn", "elftools": "pyelftools"}


def toolchain() -> None:
    """Require the packages that build and run firmware.

    Raises
    ------
    ConfigError
        Names those that are not installed.
    """
    missing = [name for module, name in _PACKAGES.items() if find_spec(module) is None]
    if missing:
        raise ConfigError(
            f"bittrue device: {', '.join(missing)} not installed; pip install 'bittrue[device]'"
        )
