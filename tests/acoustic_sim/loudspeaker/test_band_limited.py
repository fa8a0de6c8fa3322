import numpy as np
import pytest

from acoustic_sim.loudspeaker import play
from acoustic_sim.scene import Loudspeaker
from fixedpoint.errors import AudioError

FS_HZ = 48000
WIRE = Loudspeaker(low_cut_hz=None, nonlinearity=0.0)


def gain_db(loudspeaker, f_hz, level=0.1):
    x = level * np.sin(2 * np.pi * f_hz * np.arange(FS_HZ) / FS_HZ)
    y = play(x, FS_HZ, loudspeaker)
    half = FS_HZ // 2  # whole periods, after the filters have settled
    return 20 * np.log10(np.sqrt(np.mean(y[half:] ** 2)) / (level / np.sqrt(2)))


def test_play_without_limits_is_a_wire():
    x = np.array([0.0, 1.0, -1.0, 0.25])
    assert np.array_equal(play(x, FS_HZ, WIRE), x)


def test_play_clips_at_the_amplifier_by_hand():
    """+6.0206 dB doubles; the clip level -6.0206 dBFS is 0.5."""
    loudspeaker = Loudspeaker(None, gain_db=20 * np.log10(2), clip_dbfs=-20 * np.log10(2), nonlinearity=0)
    y = play(np.array([0.1, 0.25, 0.3, -0.9]), FS_HZ, loudspeaker)
    assert y == pytest.approx([0.2, 0.5, 0.5, -0.5], abs=1e-15)


def test_play_loses_force_with_excursion_by_hand():
    """Without a resonance the excursion is the drive: 0.5 (1 - 0.1 * 0.25) = 0.4875."""
    y = play(np.array([0.5, -0.5, 1.0]), FS_HZ, Loudspeaker(None, nonlinearity=0.1))
    assert y == pytest.approx([0.4875, -0.4875, 0.9], abs=1e-15)


def test_play_is_3_db_down_at_its_edges_and_falls_12_db_per_octave_below():
    loudspeaker = Loudspeaker(120.0, 6000.0, nonlinearity=0.0)
    half_power_db = -10 * np.log10(2)
    assert gain_db(loudspeaker, 120) == pytest.approx(half_power_db, abs=1e-6)
    assert gain_db(loudspeaker, 6000) == pytest.approx(half_power_db, abs=1e-6)
    # |H|^2 = 1 / (1 + (120/900)^4) / (1 + (900/6000)^4) is -0.0036 dB, before the bilinear warp
    assert gain_db(loudspeaker, 900) == pytest.approx(0, abs=0.005)
    # asymptote -40 log10(2) = -12.041; 10 log10((1 + 4^-4) / (1 + 8^-4)) = 0.016 dB short of it here
    assert gain_db(loudspeaker, 15) - gain_db(loudspeaker, 30) == pytest.approx(-12.025, abs=0.001)


def test_play_modulates_treble_by_bass_but_not_by_treble():
    """At excursion amplitude 1 the mean of e^2 is 1/2: a small tone loses the share k/2 of its amplitude."""
    loudspeaker = Loudspeaker(120.0, nonlinearity=0.2)
    t = np.arange(FS_HZ) / FS_HZ
    probe = 0.001 * np.sin(2 * np.pi * 5000 * t)

    def probe_level(pump_hz):
        y = play(probe + 0.99 * np.sin(2 * np.pi * pump_hz * t), FS_HZ, loudspeaker)
        return np.abs(np.fft.rfft(y[FS_HZ // 2 :]))[2500] / (0.001 * FS_HZ / 4)

    assert probe_level(24) == pytest.approx(1 - 0.2 * 0.99**2 / 2, abs=5e-4), "found 2.6e-4 off"
    assert probe_level(2002) == pytest.approx(1, abs=4e-6), "found 1.8e-6 off"


def test_play_ignores_an_edge_beyond_half_the_rate():
    x = np.array([0.0, 0.5, -0.5, 0.25])
    assert np.array_equal(play(x, 8000, Loudspeaker(None, 6000.0, nonlinearity=0)), x)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.array([0.0, np.nan, np.inf]), r"x\[1\]=nan \(2 of 3\): samples must be finite"),
        (np.zeros((3, 2)), r"x of shape \(3, 2\): must be one channel"),
        (np.zeros(0), r"x of shape \(0,\)"),
        (np.zeros(3, np.int16), "x of dtype int16: must be floating point, full scale 1.0"),
    ],
)
def test_play_names_a_bad_input(x, message):
    with pytest.raises(AudioError, match=message):
        play(x, FS_HZ, WIRE)
