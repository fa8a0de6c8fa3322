import numpy as np
import pytest

from acoustic_sim.microphone import capture
from acoustic_sim.scene import Microphone
from fixedpoint.errors import AudioError

FS_HZ = 16000
PLAIN = {"gain_db": 0.0, "self_noise_dbfs": None}
LSB = 2.0**-15


def test_capture_by_hand_rounds_ties_up_and_saturates():
    x = np.array([0.0, LSB, 0.5 * LSB, -0.5 * LSB, 1.5 * LSB, -1.5 * LSB, 0.49 * LSB, 1.0, -1.0, 2.0, -2.0])
    pcm = capture(x, FS_HZ, Microphone(**PLAIN), 0)
    assert pcm.dtype == np.int16
    assert pcm.tolist() == [0, 1, 1, 0, 2, -1, 0, 32767, -32768, 32767, -32768]


def test_capture_with_fewer_bits_leaves_the_lowest_zero():
    """8 bits: a step of 256; +0.5 is 64 steps, half a step rounds up to one, full scale is 127 steps."""
    x = np.array([0.5, 2.0**-8, -(2.0**-8), 1.0, -1.0])
    pcm = capture(x, FS_HZ, Microphone(bits=8, **PLAIN), 0)
    assert pcm.tolist() == [64 * 256, 256, 0, 127 * 256, -32768]


def test_capture_clips_ahead_of_the_adc():
    microphone = Microphone(clip_dbfs=-20 * np.log10(2), **PLAIN)  # 0.5
    assert capture(np.array([0.4, 0.6, -0.9]), FS_HZ, microphone, 0).tolist() == [13107, 16384, -16384]


def test_automatic_gain_puts_the_loudest_sample_at_peak_dbfs():
    """-12.0412 dBFS is 0.25: 8192. The scale of x does not matter."""
    microphone = Microphone(peak_dbfs=-40 * np.log10(2), self_noise_dbfs=None)
    for scale in (1e-6, 1.0, 1e6):
        assert capture(scale * np.array([0.5, -1.0, 0.25]), FS_HZ, microphone, 0).tolist() == [
            4096,
            -8192,
            2048,
        ]
    assert capture(np.zeros(3), FS_HZ, microphone, 0).tolist() == [0, 0, 0]


def test_a_drift_of_100_ppm_moves_a_click_at_10_s_by_16_samples():
    x = np.zeros(11 * FS_HZ)
    x[10 * FS_HZ] = 0.5
    for ppm, place in ((100, 160016), (-100, 159984), (0, 160000)):
        pcm = capture(x, FS_HZ, Microphone(drift_ppm=ppm, **PLAIN), 0)
        assert np.argmax(np.abs(pcm)) == place
        assert pcm.size == round(x.size * (1 + ppm * 1e-6))


def test_a_drifting_clock_changes_the_pitch_and_nothing_else():
    """1000 Hz seen by a clock that is 1000 ppm fast is 999.001 Hz in its own time."""
    t = np.arange(2 * FS_HZ) / FS_HZ
    pcm = capture(0.5 * np.sin(2 * np.pi * 1000 * t), FS_HZ, Microphone(drift_ppm=1000, **PLAIN), 0)
    n = np.arange(2000, 30000)
    phase = 2 * np.pi * 1000 / (FS_HZ * 1.001) * n
    y, basis = pcm[n] / 32768, np.stack([np.sin(phase), np.cos(phase)], 1)
    fit, residual = np.linalg.lstsq(basis, y, rcond=None)[:2]
    error_db = 10 * np.log10(residual[0] / np.sum(y**2))
    assert np.linalg.norm(fit) == pytest.approx(0.5, abs=2e-6)
    # Rounding noise is 1/12 LSB^2, the sine 2^28/2 LSB^2: -92.1 dB. The resampler adds nothing visible.
    assert error_db < -91.5, f"residual {error_db:.2f} dB, -92.00 when written"


def test_self_noise_has_its_level_and_its_seed():
    microphone = Microphone(gain_db=0.0, self_noise_dbfs=-60.0)
    a, b, c = (capture(np.zeros(50000), FS_HZ, microphone, seed) for seed in (1, 1, 2))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)
    level_db = 10 * np.log10(np.mean((a / 32768) ** 2))
    assert level_db == pytest.approx(-60, abs=0.076), f"{level_db:.3f} dBFS"


def test_capture_resamples_from_another_rate():
    pcm = capture(np.full(48000, 0.25), 48000, Microphone(**PLAIN), 0)
    assert pcm.size == 16000
    assert (np.abs(pcm[1000:-1000] - 8192) <= 1).all()


def test_capture_names_a_nan():
    with pytest.raises(AudioError, match=r"x\[2\]=nan \(1 of 4\): samples must be finite"):
        capture(np.array([0.0, 0.1, np.nan, 0.2]), FS_HZ, Microphone(), 0)
