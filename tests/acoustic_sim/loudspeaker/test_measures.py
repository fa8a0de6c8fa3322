import numpy as np
import pytest

from acoustic_sim.loudspeaker import (
    Amplifier,
    Driver,
    measure_bass_gain,
    measure_bass_level,
    measure_distortion,
    measure_loudness,
    measure_thd,
    simulate,
)
from fixedpoint.errors import AudioError, ConfigError

FS_HZ = 48000


def tone(freq_hz, seconds=3.0, fs_hz=FS_HZ):
    return np.sin(2 * np.pi * freq_hz * np.arange(round(seconds * fs_hz)) / fs_hz)


# Harmonics


def test_thd_of_a_cubic_by_hand():
    """y = x + 0.2 x^2 + 0.4 x^3 of a sine: a_1 = 1 + 0.3, a_2 = 0.1, a_3 = 0.1; THD = sqrt(0.02) / 1.3."""
    found = measure_thd(lambda x: x + 0.2 * x**2 + 0.4 * x**3, FS_HZ, 1000)
    assert found.freq_hz == 1000
    assert found.amplitude[:4] == pytest.approx([1.3, 0.1, 0.1, 0], abs=1e-12)
    assert found.amplitude.size == 23  # 24 kHz is half the rate
    assert found.thd_percent == pytest.approx(100 * np.sqrt(0.02) / 1.3, rel=1e-10)
    assert found.thd_db == pytest.approx(20 * np.log10(np.sqrt(0.02) / 1.3), abs=1e-9)


def test_thd_moves_a_tone_to_whole_periods():
    found = measure_thd(lambda x: x + 0.01 * x**2, 44100, 997.3, window_s=0.5)
    assert found.freq_hz == 998
    assert found.thd_percent == pytest.approx(0.5, rel=1e-9)


def test_thd_of_a_wire_is_the_floor_of_the_arithmetic():
    assert measure_thd(lambda x: x, FS_HZ, 100).thd_db < -250


def test_thd_ignores_the_settling_and_aliases_between_harmonics():
    def drive(x):
        y = x.copy()
        y[:1000] = 0.7
        return y + 0.1 * tone(1010, x.size / FS_HZ)

    assert measure_thd(drive, FS_HZ, 1000, settle_s=0.1).thd_db < -250


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"freq_hz": 0}, r"freq_hz=0: must be in \[2 / window_s, fs_hz / 4\] = \[4, 12000\]"),
        ({"freq_hz": 13000}, "freq_hz=13000"),
        ({"fs_hz": "48k"}, "fs_hz='48k'"),
        ({"amplitude": 0}, r"amplitude=0: must be in \(0, 1000\]"),
        ({"settle_s": -1}, "settle_s=-1"),
        ({"window_s": float("nan")}, "window_s=nan"),
    ],
)
def test_thd_names_a_bad_argument(arguments, message):
    with pytest.raises(ConfigError, match=message):
        measure_thd(**{"drive": lambda x: x, "fs_hz": FS_HZ, "freq_hz": 1000, **arguments})


@pytest.mark.parametrize(
    ("drive", "message"),
    [
        (lambda x: 0 * x, "drive.x. is silent at freq_hz=1000"),
        (lambda x: x[1:], "drive.x. of 47999 samples: must have the 48000 of x"),
        (lambda x: x * np.nan, r"drive.x.\[0\]=nan"),
    ],
)
def test_thd_names_a_bad_drive(drive, message):
    with pytest.raises(AudioError, match=message):
        measure_thd(drive, FS_HZ, 1000)


# Distortion of programme


def test_distortion_of_a_small_signal_is_small_and_grows_with_the_level(rng):
    x = rng.standard_normal(20000)
    x /= np.abs(x).max()
    found = [measure_distortion(x, FS_HZ, Driver(), gain_db) for gain_db in (-80, -20, 0, 12)]
    assert found[0].distortion_db < -136, "-142.8 dB when written"
    assert found[0].compression_db == pytest.approx(0, abs=1.2e-7), "5.7e-8 dB when written"
    levels = [each.distortion_db for each in found]
    assert levels == sorted(levels)
    assert found[-1].compression_db < found[-2].compression_db < 0


def test_distortion_is_what_the_best_gain_leaves(rng):
    """Against the definition by brute force: no other gain leaves less."""
    x = 0.9 * np.sin(2 * np.pi * 80 * np.arange(20000) / FS_HZ) + 0.1 * rng.standard_normal(20000)
    found = measure_distortion(x, FS_HZ, Driver())
    full, linear = (simulate(x, FS_HZ, Driver(), linear=which).pressure_pa for which in (False, True))
    scale = 10 ** (found.compression_db / 20)
    residual = [np.sum((full - s * linear) ** 2) for s in (0.99 * scale, scale, 1.01 * scale)]
    assert residual[1] < min(residual[0], residual[2])
    expected_db = 10 * np.log10(residual[1] / np.sum((scale * linear) ** 2))
    assert found.distortion_db == pytest.approx(expected_db, abs=1e-9)


def test_distortion_needs_a_signal():
    with pytest.raises(AudioError, match="x of 100 samples is silent"):
        measure_distortion(np.zeros(100), FS_HZ, Driver())


def test_distortion_of_an_amplifier_that_is_off_throughout_is_refused():
    """Off for 10 s from the first sag on, while the cone rings against the push that does not come."""
    amplifier = Amplifier(brown_out_v=12.0, recover_v=12.0, restart_s=10.0)
    x = np.zeros(20000)
    x[:20], x[200:220] = 1.0, 30.0
    with pytest.raises(AudioError, match="the amplifier is off throughout"):
        measure_distortion(x, FS_HZ, Driver(amplifier=amplifier))


# Loudness


@pytest.mark.parametrize("fs_hz", [44100, 48000])
def test_a_997_hz_sine_at_full_scale_reads_minus_3_01_lufs(fs_hz):
    """BS.1770: 0 dBFS at 997 Hz in one front channel is -3.01 LKFS."""
    found = measure_loudness(tone(997, fs_hz=fs_hz), fs_hz)
    assert found == pytest.approx(-3.01, abs=0.005), (
        f"{found:.4f} LUFS; -3.0075 at 44.1 kHz, -3.0103 at 48 kHz"
    )


def test_loudness_follows_level_and_full_scale():
    y = tone(500)
    reference = measure_loudness(y, FS_HZ)
    assert measure_loudness(0.1 * y, FS_HZ) == pytest.approx(reference - 20, abs=1e-9)
    assert measure_loudness(20 * y, FS_HZ, full_scale=20.0) == pytest.approx(reference, abs=1e-9)


def test_loudness_gates_silence():
    """Ten seconds of silence after three of tone change it by the blocks that straddle the end only."""
    y = tone(997)
    gated = measure_loudness(np.concatenate([y, np.zeros(10 * FS_HZ)]), FS_HZ)
    assert gated == pytest.approx(measure_loudness(y, FS_HZ), abs=0.3), (
        f"{gated:.3f} LUFS, 0.22 less when written"
    )


def test_loudness_ignores_a_last_block_that_is_not_whole():
    """-3.01 with whole blocks; a padded one of 350 ms in 400 would read 0.58 dB less."""
    for extra in (0, 1, 2399, 2401, 4799):
        found = measure_loudness(tone(997, 1.0)[: 19200 + extra], FS_HZ)
        assert found == pytest.approx(measure_loudness(tone(997, 0.4), FS_HZ), abs=1e-9)


def test_loudness_of_next_to_nothing_is_minus_infinity():
    assert measure_loudness(np.zeros(FS_HZ), FS_HZ) == -np.inf
    assert measure_loudness(tone(997)[:19199], FS_HZ) == -np.inf, "one sample short of a block"
    assert np.isfinite(measure_loudness(tone(997)[:19200], FS_HZ))
    assert measure_loudness(1e-5 * tone(997), FS_HZ) == -np.inf, "below -70 LUFS"
    assert measure_loudness(np.ones(1), FS_HZ) == -np.inf


def test_loudness_at_a_rate_that_no_block_divides():
    """0.4 s are 3200.4 samples at 8001 Hz: 3201 make a block, 3200 do not."""
    y = tone(997, 1.0, 8001)
    assert measure_loudness(y[:3201], 8001) == pytest.approx(-2.997, abs=0.001)
    assert measure_loudness(y[:3200], 8001) == -np.inf


def test_loudness_names_a_bad_argument():
    with pytest.raises(AudioError, match=r"y\[0\]=nan"):
        measure_loudness(np.full(FS_HZ, np.nan), FS_HZ)
    with pytest.raises(ConfigError, match=r"full_scale=0: must be in \[1e-9, 1e9\]"):
        measure_loudness(tone(997), FS_HZ, 0)
    with pytest.raises(ConfigError, match="fs_hz=0"):
        measure_loudness(tone(997), 0)


# Bass


def test_bass_level_of_a_sine_by_hand():
    """A tone of amplitude 1 in the band is -3.01 dB, one outside it nothing."""
    inside = measure_bass_level(tone(100), FS_HZ)
    assert inside == pytest.approx(-10 * np.log10(2), abs=1e-9)
    assert measure_bass_level(tone(300), FS_HZ) < -250
    assert measure_bass_level(tone(300) + tone(100), FS_HZ) == pytest.approx(inside, abs=1e-9)


def test_bass_level_of_white_noise_is_its_share_of_the_band(rng):
    """180 Hz and a line of 24 kHz are -21.2 dB of the whole."""
    found = measure_bass_level(rng.standard_normal(20 * FS_HZ), FS_HZ)
    assert found == pytest.approx(10 * np.log10(182 / 24000), abs=0.05), (
        f"{found:.3f} dB, 0.026 less when written"
    )


def test_bass_gain_of_a_scaled_signal(rng):
    x = rng.standard_normal(2 * FS_HZ)
    assert measure_bass_gain(2 * x, x, FS_HZ) == pytest.approx(20 * np.log10(2), abs=1e-9)
    assert measure_bass_gain(x + tone(1000, 2.0), x, FS_HZ) == pytest.approx(0, abs=1e-12)
    assert measure_bass_gain(0 * x, x, FS_HZ) == -np.inf


def test_bass_names_a_bad_argument(rng):
    x = rng.standard_normal(FS_HZ)
    with pytest.raises(AudioError, match="reference is silent from 20 to 200 Hz"):
        measure_bass_gain(x, 0 * x, FS_HZ)
    with pytest.raises(AudioError, match=r"y of 0.25 s: 0.5 s are needed from 20 Hz on"):
        measure_bass_level(x[:12000], FS_HZ)
    with pytest.raises(ConfigError, match=r"low_hz=200: must be in \[0.1, high_hz / 1.2 = 166.667\]"):
        measure_bass_level(x, FS_HZ, 200, 200)
    with pytest.raises(ConfigError, match=r"high_hz=30000: must be in \[1, fs_hz / 2 = 24000\]"):
        measure_bass_level(x, FS_HZ, 20, 30000)


def test_loudness_of_two_channels_adds_their_powers():
    """BS.1770: left and right weigh 1 each, so the same signal in both is 3.01 LU louder than in one."""
    x = np.random.default_rng(5).normal(0, 0.1, 2 * 48000)
    mono = measure_loudness(x, 48000)
    np.testing.assert_allclose(measure_loudness(x[:, None], 48000), mono, atol=1e-9)
    np.testing.assert_allclose(
        measure_loudness(np.stack([x, x], axis=1), 48000), mono + 10 * np.log10(2), atol=1e-9
    )
