"""Drivers that leave out one thing or another."""

import dataclasses

import pytest

from acoustic_sim.loudspeaker import Amplifier, Driver

STIFF_SUPPLY = Amplifier(supply_v=100.0, supply_ohm=0.0)  # 0 dBFS is 12 V, far from the rail


@pytest.fixture
def unlimited() -> Driver:
    """The default driver on an amplifier that neither clips nor sags."""
    return Driver(amplifier=STIFF_SUPPLY)


@pytest.fixture
def symmetric(unlimited) -> Driver:
    """Even shapes, and a box so large that its air is a linear spring."""
    return dataclasses.replace(
        unlimited, bl_shape=(0.0, -14.7e3, 0.0, 0.0), kms_shape=(0.0, 20e3, 0.0, 590e6), box_m3=1.0
    )
