import numpy as np
import pytest

from acoustic_sim.loudspeaker import (
    Driver,
    measure_bass_level,
    measure_distortion,
    measure_loudness,
    measure_played_tone,
    measure_playing,
    measure_thd,
    simulate,
)
from fixedpoint.errors import AudioError

FS_HZ = 16000


@pytest.fixture(scope="module")
def loud():
    """Two seconds of noise that clip and sag the rail."""
    return 0.7 * np.random.default_rng(3).standard_normal(2 * FS_HZ)


def test_the_measures_are_those_taken_one_by_one(loud):
    found = measure_playing(loud, FS_HZ, Driver(), 3.0)
    response, distortion = (
        simulate(loud, FS_HZ, Driver(), 3.0),
        measure_distortion(loud, FS_HZ, Driver(), 3.0),
    )
    assert found.bass_db == measure_bass_level(response.pressure_pa, FS_HZ)
    assert found.loudness_lufs == measure_loudness(response.pressure_pa, FS_HZ)
    assert (found.distortion_db, found.compression_db) == distortion
    assert found.clipped * len(loud) == pytest.approx(response.clipped)
    assert found.clipped > 0.1
    assert found.peak_m == np.abs(response.excursion_m).max()


def test_silence_is_refused():
    with pytest.raises(AudioError, match="is silent: distortion needs a signal"):
        measure_playing(np.zeros(FS_HZ), FS_HZ, Driver())


def test_a_tone_is_processed_once_and_measured_before_and_after_the_driver():
    """A processor that adds the square: amplitude a has the harmonic a^2/2, THD a/2."""
    calls = []

    def square_law(x):
        calls.append(x)
        return x + x**2

    tone = measure_played_tone(square_law, FS_HZ, 100.0, 0.1, Driver(), 6.0, settle_s=0.5, window_s=0.5)
    assert len(calls) == 1
    assert tone.alone.thd_percent == pytest.approx(5.0)

    def whole(x):
        return simulate(square_law(x), FS_HZ, Driver(), 6.0).pressure_pa

    want = measure_thd(whole, FS_HZ, 100.0, 0.1, settle_s=0.5, window_s=0.5)
    assert tone.whole.thd_percent == want.thd_percent
    assert (
        tone.peak_m
        == np.abs(simulate(square_law(calls[0]), FS_HZ, Driver(), 6.0).excursion_m[FS_HZ // 2 :]).max()
    )
