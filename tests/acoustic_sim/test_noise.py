import numpy as np
import pytest
import soundfile

from acoustic_sim.noise import ambient, scale_to_snr
from acoustic_sim.scene import AMBIENT_KINDS
from fixedpoint.errors import AudioError, ConfigError

FS_HZ = 16000


def octave_db(x, centre_hz):
    power, f_hz = np.abs(np.fft.rfft(x)) ** 2, np.fft.rfftfreq(x.size, 1 / FS_HZ)
    return 10 * np.log10(power[(f_hz >= centre_hz / 2**0.5) & (f_hz < centre_hz * 2**0.5)].sum())


def test_scale_to_snr_by_hand():
    """Powers 4 and 1; 20 dB wants a noise power of 0.04: amplitude 0.2."""
    scaled = scale_to_snr(np.array([2.0, -2.0]), np.array([1.0, 1.0]), 20)
    assert scaled == pytest.approx([0.2, 0.2], abs=1e-15)


@pytest.mark.parametrize("snr_db", [-10.0, 0.0, 15.0, 60.0])
def test_scale_to_snr_reaches_the_ratio_of_mean_powers(snr_db):
    rng = np.random.default_rng(5)
    x, noise = np.concatenate([rng.standard_normal(5000), np.zeros(5000)]), ambient("cafe", 10000, FS_HZ, 1)
    got_db = 10 * np.log10(np.mean(x**2) / np.mean(scale_to_snr(x, noise, snr_db) ** 2))
    assert got_db == pytest.approx(snr_db, abs=1e-9)


def test_scale_to_snr_names_what_it_cannot_do():
    with pytest.raises(AudioError, match="x is silent"):
        scale_to_snr(np.zeros(4), np.ones(4), 10)
    with pytest.raises(AudioError, match="noise is silent"):
        scale_to_snr(np.ones(4), np.zeros(4), 10)
    with pytest.raises(AudioError, match="noise of 3 samples: must be as long as x, 4"):
        scale_to_snr(np.ones(4), np.ones(3), 10)
    with pytest.raises(AudioError, match=r"noise\[1\]=nan"):
        scale_to_snr(np.ones(2), np.array([1.0, np.nan]), 10)


@pytest.mark.parametrize("kind", AMBIENT_KINDS)
@pytest.mark.parametrize("n", [1, 7, 16001])
def test_ambient_has_rms_1_and_the_asked_length(kind, n):
    y = ambient(kind, n, FS_HZ, 3)
    assert y.shape == (n,)
    assert np.sqrt(np.mean(y**2)) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("kind", AMBIENT_KINDS)
def test_same_seed_same_bits_other_seed_other_noise(kind):
    a, b, c = (ambient(kind, 8000, FS_HZ, seed) for seed in (1, 1, 2))
    assert np.array_equal(a, b)
    assert abs(np.mean(a * c)) < 0.3


def test_white_rises_3_db_per_octave_band_and_pink_stays_level():
    white, pink = (ambient(kind, 40 * FS_HZ, FS_HZ, 6) for kind in ("white", "pink"))
    white_db, pink_db = ([octave_db(x, f) for f in (125, 250, 500, 1000, 2000, 4000)] for x in (white, pink))
    # found: 0.047 dB at most
    assert np.diff(white_db) == pytest.approx(10 * np.log10(2), abs=0.09)
    assert np.diff(pink_db) == pytest.approx(0, abs=0.09)


def test_cafe_has_the_spectrum_and_the_modulation_of_speech():
    y = ambient("cafe", 20 * FS_HZ, FS_HZ, 7)
    assert octave_db(y, 500) > octave_db(y, 125) + 6
    assert octave_db(y, 500) > octave_db(y, 4000) + 10
    envelope = np.sqrt((y.reshape(-1, FS_HZ // 10) ** 2).mean(axis=1))
    # found 0.27; a recorded coffee shop has 0.29; pink noise 0.07
    assert 0.2 < envelope.std() / envelope.mean() < 0.35


def test_fan_has_its_blade_tone():
    spectrum = np.abs(np.fft.rfft(ambient("fan", 10 * FS_HZ, FS_HZ, 8)))
    assert np.argmax(spectrum) / 10 == pytest.approx(118, abs=0.5)


def test_a_file_is_resampled_mixed_looped_and_started_at_random(tmp_path):
    """A steady tone of whole periods: after the loop's seam it is still there, at rms 1."""
    fs_hz, f_hz = 44100, 441.0
    tone = 0.1 * np.sin(2 * np.pi * f_hz * np.arange(fs_hz) / fs_hz)
    soundfile.write(tmp_path / "tone.wav", np.stack([tone, 0.5 * tone], 1), fs_hz)
    path = str(tmp_path / "tone.wav")
    a, b = ambient(path, 5 * FS_HZ, FS_HZ, 1), ambient(path, 5 * FS_HZ, FS_HZ, 2)
    assert not np.array_equal(a, b)
    assert np.array_equal(a, ambient(path, 5 * FS_HZ, FS_HZ, 1))
    # the step from one sample to the next never exceeds that of two coherent tones, 1.41 times the tone's
    limit = 2 * np.pi * f_hz / FS_HZ * np.sqrt(2) * np.sqrt(2) * 1.05
    assert np.abs(np.diff(a)).max() < limit


def test_ambient_names_what_it_cannot_do(tmp_path):
    with pytest.raises(
        ConfigError, match=r"ambient='pub': must be one of white, pink, cafe, fan, or an existing"
    ):
        ambient("pub", 10, FS_HZ, 0)
    with pytest.raises(ConfigError, match="n=0: must be an integer"):
        ambient("white", 0, FS_HZ, 0)
    soundfile.write(tmp_path / "short.wav", np.ones(1000) * 0.1, FS_HZ)
    with pytest.raises(AudioError, match=r"must last at least 0.2 s"):
        ambient(str(tmp_path / "short.wav"), 10, FS_HZ, 0)
    soundfile.write(tmp_path / "silent.wav", np.zeros(16000), FS_HZ)
    with pytest.raises(AudioError, match="silent"):
        ambient(str(tmp_path / "silent.wav"), 10, FS_HZ, 0)
