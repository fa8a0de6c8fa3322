import numpy as np
import pytest

from acoustic_sim.loudspeaker import Driver, gain_for_excursion, simulate
from acoustic_sim.loudspeaker import excursion as excursion_module
from fixedpoint.errors import AudioError, ConfigError

FS_HZ = 16000


def programme(rng):
    """One second of noise with a bass swell."""
    t = np.arange(FS_HZ) / FS_HZ
    x = 0.2 * rng.standard_normal(FS_HZ) + 0.8 * np.sin(2 * np.pi * 60 * t) * t
    return x / np.abs(x).max()


def peak_m(x, gain_db, driver=None, **options):
    return np.abs(simulate(x, FS_HZ, driver or Driver(), gain_db, **options).excursion_m).max()


@pytest.mark.parametrize("wanted_m", [1e-6, 1e-3, 2e-3, 4e-3])
@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_the_gain_gives_the_excursion(rng, wanted_m, scale):
    x = scale * programme(rng)
    gain_db = gain_for_excursion(x, FS_HZ, Driver(), wanted_m)
    assert abs(20 * np.log10(peak_m(x, gain_db) / wanted_m)) <= 0.05


def test_the_linear_gain_is_exact(rng):
    x = programme(rng)
    gain_db = gain_for_excursion(x, FS_HZ, Driver(), 2e-3, linear=True)
    assert peak_m(x, gain_db, linear=True) == pytest.approx(2e-3, rel=1e-12)


def test_few_simulations_are_needed(rng, monkeypatch):
    x, runs = programme(rng), []

    def counted(*arguments, **options):
        runs.append(options)
        return simulate(*arguments, **options)

    monkeypatch.setattr(excursion_module, "simulate", counted)
    gain_for_excursion(x, FS_HZ, Driver(), 3.5e-3)
    full = [each for each in runs if not each.get("linear")]
    assert len(full) <= 8, f"{len(full)} runs, 4 when written"


def test_an_excursion_beyond_the_rail_is_refused(rng):
    x = programme(rng)
    with pytest.raises(
        AudioError, match=r"peak_m=0.02: the amplifier's rail lets x move the cone 0.00446 m, no further"
    ):
        gain_for_excursion(x, FS_HZ, Driver(), 0.02)


def test_a_peak_that_jumps_past_the_wanted_one_is_refused(monkeypatch):
    """1 mm below +3 dB and 4 mm from there on: no gain gives 2 mm."""

    def jumping(x, fs_hz, driver, gain_db, *, linear=False):
        excursion_m = 1e-3 * 10 ** (gain_db / 20) if linear else 1e-3 if gain_db < 3 else 4e-3
        return simulate(x, fs_hz, driver, linear=True)._replace(excursion_m=np.array([excursion_m]))

    monkeypatch.setattr(excursion_module, "simulate", jumping)
    with pytest.raises(
        AudioError, match=r"peak_m=0.002: the peak jumps past it at a gain of (2.999|3.000) dB"
    ):
        gain_for_excursion(np.ones(10), FS_HZ, Driver(), 2e-3)


def test_gain_for_excursion_names_bad_input():
    with pytest.raises(AudioError, match=r"x moves the cone 0 m at 0 dB: at least 1e-09 m needed"):
        gain_for_excursion(np.zeros(100), FS_HZ, Driver(), 1e-3)
    with pytest.raises(AudioError, match=r"x\[0\]=nan"):
        gain_for_excursion(np.full(100, np.nan), FS_HZ, Driver(), 1e-3)
    for peak in (0, -1e-3, float("nan"), 1.0, "1mm"):
        with pytest.raises(ConfigError, match=r"peak_m=.*: must be in \[1e-6, 0.1\] metres"):
            gain_for_excursion(np.ones(100), FS_HZ, Driver(), peak)
