import os
from pathlib import Path

import numpy as np
import pyroomacoustics as pra
import pytest
import soundfile

from acoustic_sim import room as room_module
from acoustic_sim.room import SPEED_OF_SOUND_M_S, impulse_response
from acoustic_sim.scene import NAMED_SCENES, MeasuredRoom, Scene, Shoebox, build_scene
from fixedpoint.errors import AudioError, ConfigError

FS_HZ = 16000
SMALL = Shoebox((5.1, 3.7, 2.6), 0.3)


def test_the_direct_sound_arrives_after_distance_over_c_with_amplitude_1_over_distance():
    """60 samples are 60/16000 * 343 = 1.28625 m: h[60] = 1/1.28625 = 0.7775, nothing before it.

    The 20 Hz high-pass begins with b[0] = 0.994462; found 0.994464. What lies ahead is the interpolation
    filter's table, found 3.4e-4 of the peak.
    """
    distance_m = 60 / FS_HZ * SPEED_OF_SOUND_M_S
    h = impulse_response(SMALL, distance_m).h
    assert h[60] * distance_m == pytest.approx(0.994462, abs=5e-6), f"found {h[60] * distance_m:.6f}"
    assert np.abs(h[:60]).max() < 6.8e-4 * h[60]


@pytest.mark.parametrize("distance_m", [0.5, 1.0, 2.0, 3.3, 4.0])
def test_delay_is_distance_over_c_within_a_sample(distance_m):
    error = impulse_response(SMALL, distance_m).delay_s * FS_HZ - distance_m / SPEED_OF_SOUND_M_S * FS_HZ
    assert abs(error) <= 0.5, f"delay off by {error:.2f} samples, 0.41 at most when written"


@pytest.mark.parametrize(
    ("size_m", "rt60_s", "distance_m"),
    [
        ((5.1, 3.7, 2.6), 0.2, 3),
        ((8.3, 5.7, 2.6), 0.45, 6.5),
        ((10.4, 7.1, 2.9), 0.6, 8),
        ((20, 14, 4), 0.8, 15),
    ],
)
def test_wanted_rt60_is_reached_by_image_sources(size_m, rt60_s, distance_m):
    response = impulse_response(Shoebox(size_m, rt60_s, ray_tracing=False), distance_m)
    error = response.rt60_s / rt60_s - 1
    assert abs(error) <= 0.024, f"RT60 off by {error:+.4f}, 0.012 at most when written"


def test_wanted_rt60_is_reached_by_the_hybrid_where_images_are_too_many():
    response = impulse_response(Shoebox((5.1, 3.7, 2.6), 1.5), 3)
    error = response.rt60_s / 1.5 - 1
    assert abs(error) <= 0.026, f"RT60 off by {error:+.4f}, 0.013 when written"


def test_drr_falls_with_distance_and_with_reverberation():
    far_to_near = [impulse_response(SMALL, d).drr_db for d in (4.0, 2.0, 1.0, 0.5)]
    assert far_to_near == sorted(far_to_near)
    assert impulse_response(Shoebox(SMALL.size_m, 0.6), 2).drr_db < impulse_response(SMALL, 2).drr_db


def test_a_response_decays_by_70_db_before_its_end():
    h = impulse_response(Shoebox((8.3, 5.7, 2.6), 0.45), 6.5).h
    last = 10 * np.log10(np.sum(h[-h.size // 20 :] ** 2) / np.sum(h**2))
    assert last < -70, f"last twentieth at {last:.1f} dB, -73.2 when written"


@pytest.mark.parametrize("name", NAMED_SCENES)
def test_named_scenes_can_be_simulated(name):
    scene = NAMED_SCENES[name]
    response = impulse_response(scene)
    assert response.rt60_s == pytest.approx(scene.room.rt60_s, rel=0.05)
    assert response.distance_m == scene.distance_m


@pytest.mark.parametrize("ray_tracing", [False, True])
def test_same_room_same_bits_whatever_was_drawn_and_set_before(ray_tracing, monkeypatch, tmp_path):
    room = Shoebox((5.1, 3.7, 2.6), 0.3, ray_tracing=ray_tracing)
    monkeypatch.setenv("BITTRUE_CACHE", str(tmp_path / "a"))
    first = impulse_response(room, 2).h
    monkeypatch.setenv("BITTRUE_CACHE", str(tmp_path / "b"))
    np.random.default_rng().standard_normal(3)
    pra.random.seed(99)
    pra.constants.set("num_threads", 2)
    try:
        second = impulse_response(room, 2).h
        assert pra.constants.get("num_threads") == 2, "settings of the caller must be put back"
    finally:
        pra.constants.set("num_threads", 1)
    assert np.array_equal(first, second)


def test_another_ray_tracing_seed_is_another_response():
    a, b = (impulse_response(Shoebox((5.1, 3.7, 2.6), 0.3, ray_tracing=True, seed=s), 2).h for s in (0, 1))
    n = min(a.size, b.size)
    assert not np.array_equal(a[:n], b[:n])


def test_a_scene_stands_for_its_room_distance_and_rate():
    scene = build_scene(3.0, 0.3, fs_hz=8000)
    a, b = impulse_response(scene), impulse_response(scene.room, 3.0, fs_hz=8000)
    assert a.fs_hz == 8000
    assert np.array_equal(a.h, b.h)


def test_what_cannot_be_simulated_is_said():
    with pytest.raises(ConfigError, match=r"distance_m=None: must be given for a Shoebox"):
        impulse_response(SMALL)
    with pytest.raises(ConfigError, match=r"distance_m=9: must be in"):
        impulse_response(SMALL, 9)
    with pytest.raises(ConfigError, match=r"rt60_s=0.05: not reachable at 15 m .* the nearest is"):
        impulse_response(Shoebox((18.5, 12.5, 3.2), 0.05), 15)
    with pytest.raises(ConfigError, match=r"(max_order=1|rt60_s=2): "):
        impulse_response(Shoebox((5.1, 3.7, 2.6), 2, max_order=1), 2)


def write_response(path: Path, fs_hz: int, channels: int = 1) -> Path:
    """Direct sound at 10 ms, then an exponential tail of RT60 0.4 s, 20 dB below."""
    rng = np.random.default_rng(3)
    h = 0.02 * rng.standard_normal(fs_hz) * 10 ** (-3 * np.arange(fs_hz) / fs_hz / 0.4)
    h[: fs_hz // 100] = 0
    h[fs_hz // 100] = 0.5
    soundfile.write(path, np.repeat(h[:, None], channels, 1), fs_hz, subtype="PCM_24")
    return path


@pytest.mark.parametrize(("fs_hz", "suffix"), [(16000, "wav"), (44100, "flac"), (48000, "wav")])
def test_a_measured_response_is_resampled_with_its_delay_and_scaled_to_its_distance(tmp_path, fs_hz, suffix):
    room = MeasuredRoom(write_response(tmp_path / f"h.{suffix}", fs_hz), 4.0)
    response = impulse_response(Scene(room))
    assert response.delay_s == pytest.approx(0.01, abs=1 / FS_HZ)
    assert np.abs(response.h[155:166]).max() == pytest.approx(0.25, abs=1e-12)  # 1 / 4 m
    error = response.rt60_s / 0.4 - 1
    assert abs(error) <= 0.05, f"RT60 off by {error:+.3f}"
    assert response.distance_m == 4.0


def test_a_stereo_or_unreadable_measured_response_is_refused(tmp_path):
    with pytest.raises(AudioError, match="2 channels found, 1 needed"):
        impulse_response(MeasuredRoom(write_response(tmp_path / "stereo.wav", 16000, channels=2)))
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(AudioError, match=r"rir=.*text\.wav.*WAV or FLAC"):
        impulse_response(MeasuredRoom(tmp_path / "text.wav"))


def test_the_cache_key_follows_the_library_version_and_the_rate(monkeypatch, tmp_path):
    monkeypatch.setenv("BITTRUE_CACHE", str(tmp_path))
    monkeypatch.setattr(
        room_module, "_shoebox_with_rt60", lambda *_: np.array([1.0, 0.3, 0.1, 0.03, 0.01, 0.0])
    )
    impulse_response(SMALL, 1.0)
    impulse_response(SMALL, 1.0)
    assert len(os.listdir(tmp_path / "rir")) == 1
    impulse_response(SMALL, 1.0, fs_hz=8000)
    monkeypatch.setattr(pra, "__version__", "0.11.0")
    impulse_response(SMALL, 1.0)
    assert len(os.listdir(tmp_path / "rir")) == 3
