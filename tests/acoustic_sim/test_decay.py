import numpy as np
import pytest

from acoustic_sim.decay import measure_delay, measure_drr, measure_rt60, trim_tail
from fixedpoint.errors import AudioError

FS_HZ = 16000


def exponential(rt60_s, seconds, lead=0):
    h = 10 ** (-3 * np.arange(round(seconds * FS_HZ)) / FS_HZ / rt60_s)
    return np.concatenate([np.zeros(lead), h])


def test_measure_delay_of_a_unit_impulse_is_its_place():
    h = np.zeros(1000)
    h[373] = -1.0
    assert measure_delay(h, FS_HZ) == 373 / FS_HZ


def test_measure_delay_takes_the_direct_peak_not_a_stronger_reflection():
    """Onset: the first sample of at least 0.1; its peak within 0.4 ms = 6 samples."""
    h = np.zeros(1000)
    h[100:103] = 0.15, 0.5, 0.2
    h[150] = 1.0
    assert measure_delay(h, FS_HZ) == 101 / FS_HZ


def test_measure_drr_by_hand_with_the_border_at_2_5_ms():
    """2.5 ms = 40 samples. Direct 1 + 0.5^2 (+40), reverberant 0.5^2 (+41): 10 log10(1.25 / 0.25) = 6.99."""
    h = np.zeros(1000)
    h[100], h[140], h[141] = 1.0, 0.5, 0.5
    assert measure_drr(h, FS_HZ) == pytest.approx(10 * np.log10(5), abs=1e-12)
    h[141] = 0
    assert measure_drr(h, FS_HZ) == np.inf


@pytest.mark.parametrize("rt60_s", [0.1, 0.5, 2.0])
def test_measure_rt60_of_an_exponential(rt60_s):
    """Cut at -120 dB the Schroeder integral of an exponential is a straight line to 1e-9 at -35 dB."""
    h = exponential(rt60_s, 2 * rt60_s, lead=77)
    assert measure_rt60(h, FS_HZ, noise_free=True) == pytest.approx(rt60_s, rel=1e-6)


@pytest.mark.parametrize(("floor_db", "tolerance"), [(-70, 0.014), (-55, 0.010), (-42, 0.026)])
def test_measure_rt60_above_a_noise_floor(floor_db, tolerance):
    """Found: -0.0071, -0.0050, -0.0130; by Schroeder over the whole response -0.006, 0.032, 8.02."""
    rng = np.random.default_rng(0)
    h = exponential(0.5, 1.5) * rng.standard_normal(round(1.5 * FS_HZ))
    h += 10 ** (floor_db / 20) * rng.standard_normal(h.size)
    error = measure_rt60(h, FS_HZ) / 0.5 - 1
    assert abs(error) <= tolerance, f"error {error:+.4f} at a floor of {floor_db} dB"


def test_measure_rt60_needs_decay():
    with pytest.raises(AudioError, match="15 dB of decay"):
        measure_rt60(np.random.default_rng(2).standard_normal(8000), FS_HZ)
    with pytest.raises(AudioError, match="15 dB of decay"):
        measure_rt60(np.array([0.0, 1.0, 0.0]), FS_HZ, noise_free=True)


def test_an_all_zero_response_is_refused():
    for measure in (measure_delay, measure_drr, measure_rt60):
        with pytest.raises(AudioError, match="all zeros"):
            measure(np.zeros(100), FS_HZ)


def test_trim_tail_by_hand():
    """Energies 1, 0.01, 0.0001: -30 dB of 1.0101 is 0.00101, so the last sample may go."""
    assert np.array_equal(trim_tail(np.array([1.0, 0.1, 0.01]), -30.0), [1.0, 0.1])
    assert np.array_equal(trim_tail(np.array([1.0, 0.1, 0.01, 0.0]), -60.0), [1.0, 0.1, 0.01])
