"""Named profiles, and profiles in TOML files of the user's: every bad value is named."""

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

from firmware_model.dynamics.settings.params import BandConfig, DynamicsConfig, LimiterConfig
from fixedpoint.errors import ConfigError, meant_or_accepted

FOLDER = Path(__file__).with_name("profiles")
NAMES = ("conventional", "smart-speaker", "headset", "transparent")
_FROM_AUDIO = ("fs_hz", "channels")  # a profile is for any sample rate, mono and stereo


def load_profile(profile: str, fs_hz: int, channels: int) -> DynamicsConfig:
    """A profile for a sample rate and a number of channels.

    Parameters
    ----------
    profile : one of NAMES, or a path that ends in .toml
    fs_hz : int;  channels : int; see `DynamicsConfig`

    Raises
    ------
    ConfigError
        No such profile, a file that is not TOML, unknown keys, bad values: all of them in one line.

    Notes
    -----
    Keys are the fields of `DynamicsConfig` (but fs_hz and channels), a table [limiter] with those of
    `LimiterConfig`, and a table [[bands]] for each band, from the lowest, with those of `BandConfig`. What is
    left out has its default. The named profiles are such files, in `firmware_model/dynamics/profiles`.
    """
    if profile in NAMES:
        path = FOLDER / f"{profile}.toml"
    elif profile.lower().endswith(".toml"):
        path = Path(profile)
    else:
        raise ConfigError(f"profile={profile!r}: must be {', '.join(NAMES)}, or a file that ends in .toml")
    try:
        return parse_profile(path.read_text("utf-8-sig"), fs_hz, channels)
    except OSError as error:
        raise ConfigError(f"{profile}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{profile}: not UTF-8 text; a TOML file is needed") from error
    except ConfigError as error:
        raise ConfigError(f"{profile}: {error}") from error


def parse_profile(text: str, fs_hz: int, channels: int) -> DynamicsConfig:
    """A profile from the text of a TOML file.

    Raises
    ------
    ConfigError
    """
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, or numbers and nesting without end
        raise ConfigError(f"not TOML: {error}") from error
    if not table:
        raise ConfigError("holds no settings; edges_hz and a table [[bands]] for each band are accepted")
    problems: list[str] = []
    settings: dict[str, Any] = {"fs_hz": fs_hz, "channels": channels}
    settings |= _known(table, DynamicsConfig, "", problems, _FROM_AUDIO)
    settings.setdefault("bands", [{}])
    lists = [name for name in ("edges_hz", "active", "bands") if name in settings]
    wrong = [name for name in lists if not _is_list(settings[name])]
    problems += [f"{name}={settings[name]!r}: must be a list" for name in wrong]
    if _is_list(settings["bands"]):
        bands = enumerate(settings["bands"])
        settings["bands"] = [_build(BandConfig, band, f"bands[{i}].", problems) for i, band in bands]
    settings["limiter"] = _build(LimiterConfig, table.get("limiter", {}), "limiter.", problems)
    if not wrong:  # else what is not a list would be taken for none, and counted against the others
        try:
            config = DynamicsConfig(**settings | {name: tuple(settings[name]) for name in lists})
        except ConfigError as error:
            problems.append(str(error))
    if problems:
        raise ConfigError("; ".join(problems))
    return config


def _build(kind: Any, table: Any, prefix: str, problems: list[str]) -> Any:
    """A configuration of some kind from a table; its problems, with the prefix, are added to the list."""
    if not isinstance(table, dict):
        problems.append(f"{prefix[:-1]}={table!r}: must be a table")
        return kind()
    try:
        return kind(**_known(table, kind, prefix, problems))
    except ConfigError as error:
        problems += [f"{prefix}{problem}" for problem in str(error).split("; ")]
        return kind()


def _known(
    table: dict[str, Any], kind: Any, prefix: str, problems: list[str], barred: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Entries whose keys are fields of `kind`; other keys are problems."""
    names = [field.name for field in fields(kind) if field.name not in barred]
    for key in table:
        if key not in names:
            shown = key if key.isprintable() else repr(key)
            problems.append(f"{prefix}{shown}: unknown key; {meant_or_accepted(key, names)}")
    return {key: value for key, value in table.items() if key in names}


def _is_list(value: Any) -> bool:
    return isinstance(value, list)
