import dataclasses

import numpy as np
import pytest
import soundfile

from acoustic_sim.channel import listen, propagate, reverberate
from acoustic_sim.scene import Ambient, Loudspeaker, MeasuredRoom, Microphone, Scene, Shoebox
from fixedpoint.errors import AudioError

FS_HZ = 16000
WIRE = Loudspeaker(low_cut_hz=None, nonlinearity=0.0)
RAW = Microphone(gain_db=0.0, self_noise_dbfs=None)
SMALL = Scene(Shoebox((5.1, 3.7, 2.6), 0.3), 2.0, ambient=Ambient("pink", snr_db=15.0))
X = 0.1 * np.random.default_rng(9).standard_normal(FS_HZ)


@pytest.fixture
def three_taps(tmp_path):
    """h = 0.5 at 4, 0.25 at 6, -0.0625 at 7, then a decay below an LSB, which the RT60 measurement needs."""
    h = np.zeros(400)
    h[8:] = 1e-5 * 10 ** (-0.01 * np.arange(392))
    h[[4, 6, 7]] = 0.5, 0.25, -0.0625
    soundfile.write(tmp_path / "h.wav", h, FS_HZ, subtype="DOUBLE")
    return Scene(MeasuredRoom(tmp_path / "h.wav"), loudspeaker=WIRE, microphone=RAW)


def test_propagate_by_hand_through_three_taps(three_taps):
    """0.5, -0.25 through h gives, at 4..8: 0.25, -0.125, 0.125, -0.0625 - 0.03125, 0.015625."""
    heard = propagate(np.array([0.5, -0.25]), FS_HZ, three_taps)
    assert heard.pcm[:9].tolist() == [0, 0, 0, 0, 8192, -4096, 4096, -3072, 512]
    assert heard.pcm.size == 2 + 400 - 1
    assert heard.delay_s == 4 / FS_HZ
    assert heard.snr_db is None
    assert heard.distance_m is None


def test_an_impulse_arrives_after_distance_over_c():
    x = np.zeros(FS_HZ)
    x[100] = 1.0
    scene = dataclasses.replace(SMALL, loudspeaker=WIRE, ambient=Ambient())
    heard = propagate(x, FS_HZ, scene)
    late = int(np.argmax(np.abs(heard.pcm))) - 100
    assert late == pytest.approx(2.0 / 343 * FS_HZ, abs=1)
    assert heard.delay_s * FS_HZ == pytest.approx(2.0 / 343 * FS_HZ, abs=1)


def test_the_snr_at_the_microphone_is_the_wanted_one():
    """The noise is the difference of two recordings at a fixed gain, 16-bit rounding included."""
    reverberant = reverberate(X, FS_HZ, SMALL)
    noisy = listen(reverberant, dataclasses.replace(SMALL, microphone=RAW)).astype(float)
    clean = listen(reverberant, dataclasses.replace(SMALL, microphone=RAW, ambient=Ambient())).astype(float)
    snr_db = 10 * np.log10(np.mean(clean**2) / np.mean((noisy - clean) ** 2))
    assert snr_db == pytest.approx(15.0, abs=1e-4), f"SNR {snr_db:.6f} dB, 15.000037 when written"


def test_propagate_is_reverberate_and_listen():
    heard = propagate(X, FS_HZ, SMALL)
    assert np.array_equal(heard.reverberant, reverberate(X, FS_HZ, SMALL))
    assert np.array_equal(heard.pcm, listen(heard.reverberant, SMALL))


def test_same_seed_same_bits_and_other_seeds_differ():
    first = propagate(X, FS_HZ, SMALL).pcm
    assert np.array_equal(first, propagate(X, FS_HZ, SMALL).pcm)
    assert not np.array_equal(first, propagate(X, FS_HZ, dataclasses.replace(SMALL, seed=1)).pcm)


def test_the_ambient_noise_does_not_move_the_microphones_noise():
    """Noise 120 dB down is below an LSB: only the seeded self-noise is left, and it is the same."""
    quiet = [dataclasses.replace(SMALL, ambient=Ambient(kind, snr_db=120.0)) for kind in ("pink", "white")]
    reverberant = reverberate(X, FS_HZ, SMALL)
    a, b = (listen(reverberant, scene).astype(int) for scene in quiet)
    assert np.abs(a - b).max() <= 1


@pytest.mark.parametrize("fs_hz", [8000, 44100, 48000])
def test_another_rate_is_resampled_to_the_microphones(fs_hz, three_taps):
    x = 0.5 * np.sin(2 * np.pi * 500 * np.arange(fs_hz) / fs_hz)
    heard = propagate(x, fs_hz, three_taps)
    reference = propagate(0.5 * np.sin(2 * np.pi * 500 * np.arange(FS_HZ) / FS_HZ), FS_HZ, three_taps)
    assert heard.pcm.size == reference.pcm.size
    middle = slice(1000, 15000)
    assert np.abs(heard.pcm[middle].astype(int) - reference.pcm[middle]).max() <= 1


def test_a_bad_or_silent_input_is_named():
    with pytest.raises(AudioError, match=r"x\[0\]=nan"):
        propagate(np.array([np.nan]), FS_HZ, SMALL)
    with pytest.raises(AudioError, match="x is silent: an SNR needs power"):
        propagate(np.zeros(1000), FS_HZ, SMALL)
