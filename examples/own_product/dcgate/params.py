"""Configuration in units, and the integers that the firmware is given."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fixedpoint.errors import ConfigError

FS_HZ, CHANNELS, BLOCK = 48000, 2, 48
STEP_Q31 = round(2**31 / BLOCK)


@dataclass(frozen=True)
class GateConfig:
    """Settings of DC blocker and gate.

    corner_hz : of the DC blocker, 1 to 200
    open_dbfs, close_dbfs : level of a block's largest sample at which the gate opens, and below which it
        closes; -80 to 0, close at most open
    attack_ms, release_ms : time constants of the gain, 1 to 2000
    hold_ms : for which the gate stays open after the level fell, 0 to 2000
    """

    corner_hz: float = 20.0
    open_dbfs: float = -50.0
    close_dbfs: float = -56.0
    attack_ms: float = 2.0
    release_ms: float = 60.0
    hold_ms: float = 20.0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("corner_hz", 1, 200),
            ("open_dbfs", -80, 0),
            ("close_dbfs", -80, self.open_dbfs),
            ("attack_ms", 1, 2000),
            ("release_ms", 1, 2000),
            ("hold_ms", 0, 2000),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ConfigError(f"{name}={value:g}: must be in [{low:g}, {high:g}]")

    @property
    def pole(self) -> float:
        """Of the DC blocker."""
        return 1 - 2 * np.pi * self.corner_hz / FS_HZ

    @property
    def hold_blocks(self) -> int:
        """Blocks of the hold."""
        return round(self.hold_ms * FS_HZ / 1000 / BLOCK)

    def per_block(self, time_ms: float) -> float:
        """Share of the way to its target that the gain goes in a block."""
        return 1 - float(np.exp(-1000 * BLOCK / FS_HZ / time_ms))


class GateParams(NamedTuple):
    """Integers of the configuration.

    pole_q31 : int, of the DC blocker
    open_q15, close_q15 : int, levels
    attack_q31, release_q31 : int, share of the way that the gain goes in a block
    hold_blocks : int
    """

    pole_q31: int
    open_q15: int
    close_q15: int
    attack_q31: int
    release_q31: int
    hold_blocks: int


def quantise(config: GateConfig) -> GateParams:
    """The configuration in integers."""
    return GateParams(
        pole_q31=_q(config.pole, 31),
        open_q15=_q(10 ** (config.open_dbfs / 20), 15),
        close_q15=_q(10 ** (config.close_dbfs / 20), 15),
        attack_q31=_q(config.per_block(config.attack_ms), 31),
        release_q31=_q(config.per_block(config.release_ms), 31),
        hold_blocks=config.hold_blocks,
    )


def _q(value: float, bits: int) -> int:
    return min(int(np.floor(value * 2**bits + 0.5)), 2**bits - 1)
