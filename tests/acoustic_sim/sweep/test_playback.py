"""The path of a row: what each axis does to it, and what is kept."""

import dataclasses

import numpy as np
import pytest

from acoustic_sim.border.array_store import cache_root
from acoustic_sim.channel import listen, reverberate
from acoustic_sim.codec import Codec, transcode
from acoustic_sim.placement import room_size_for
from acoustic_sim.programmes.excitation import synthesise
from acoustic_sim.room import RoomResponse, impulse_response
from acoustic_sim.scene import MeasuredRoom, Microphone, Shoebox
from acoustic_sim.sweep import playback
from acoustic_sim.sweep.axes import LOUDSPEAKERS
from firmware_model.watermark.study import AXES
from fixedpoint.errors import BittrueError

DEFAULTS = {axis.name: axis.default for axis in AXES}
X = 0.5 * synthesise("music", 2.0, 48000, seed=3)


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    monkeypatch.setenv("BITTRUE_CACHE", str(tmp_path))
    playback._bed.cache_clear()


def values(**changed):
    assert not set(changed) - set(DEFAULTS)
    return DEFAULTS | changed


def kept(kind):
    return sorted(path.name for path in (cache_root() / kind).glob("*"))


def test_every_axis_reaches_the_scene():
    made = playback.scene_of(
        values(
            distance_m=4.0,
            room_m=[7.0, 5.0, 3.0],
            rt60_s=0.3,
            loudspeaker="television",
            volume_db=-6.0,
            snr_db=12.0,
            noise="fan",
            clip_dbfs=-14.0,
            drift_ppm=-40.0,
        ),
        9,
    )
    assert made.room == Shoebox((7.0, 5.0, 3.0), 0.3)
    assert made.distance_m == 4.0
    assert made.loudspeaker.gain_db == -6.0
    assert made.loudspeaker.low_cut_hz == LOUDSPEAKERS["television"].low_cut_hz
    assert (made.ambient.kind, made.ambient.path, made.ambient.snr_db) == ("fan", None, 12.0)
    assert made.microphone == Microphone(clip_dbfs=-14.0, drift_ppm=-40.0)
    assert made.seed == 9


def test_a_room_is_made_to_fit_and_a_measured_one_has_no_distance(tmp_path):
    (tmp_path / "h.wav").touch()
    assert playback.scene_of(values(distance_m=8.0), 0).room == Shoebox(room_size_for(8.0), 0.5)
    measured = playback.scene_of(values(rir=str(tmp_path / "h.wav")), 0)
    assert measured.room == MeasuredRoom(str(tmp_path / "h.wav"))
    assert measured.distance_m is None


def test_a_distance_that_does_not_fit_is_one_line():
    with pytest.raises(BittrueError, match=r"distance_m=9: must be in .* in a room of 5 x 4 x 3 m") as error:
        playback.scene_of(values(distance_m=9.0, room_m=[5.0, 4.0, 3.0]), 0)
    assert "\n" not in str(error.value)


def test_without_codec_and_device_the_samples_are_untouched():
    assert playback.at_the_loudspeaker(X, 48000, "ab", values()) is X
    assert playback.at_the_loudspeaker(X, 48000, "ab", values(resample_hz=48000)) is X
    assert kept("coded") == []


def test_a_coded_programme_is_coded_once(monkeypatch):
    coded = playback.at_the_loudspeaker(X, 48000, "ab", values(codec="mp3-64"))
    assert np.array_equal(coded, transcode(X, 48000, Codec("mp3", 64)).y)
    monkeypatch.setattr(playback, "transcode", None)
    assert np.array_equal(playback.at_the_loudspeaker(X, 48000, "ab", values(codec="mp3-64")), coded)
    assert len(kept("coded")) == 1


def test_a_device_at_8_khz_keeps_time_and_takes_the_treble():
    n = np.arange(len(X))
    low, high = (np.sin(2 * np.pi * f * n / 48000) for f in (1000, 6000))
    y = playback.at_the_loudspeaker(low + high, 48000, "ab", values(resample_hz=8000))
    assert y.shape == X.shape
    inside = slice(4800, -4800)
    assert np.abs(y - low)[inside].max() < 2e-4, "1e-4 when written: VHQ's own ripple"


def test_what_arrives_is_the_channels_with_the_room_it_came_through():
    made = playback.scene_of(values(distance_m=2.0, rt60_s=0.3), 1)
    arriving = playback.before_noise(X, 48000, made)
    assert np.array_equal(arriving.reverberant, reverberate(X, 48000, made))
    assert arriving.response.rt60_s == impulse_response(made).rt60_s


def test_without_noise_the_microphone_is_the_channels():
    made = playback.scene_of(values(drift_ppm=50.0), 1)
    y = X[::3]
    assert np.array_equal(playback.at_the_microphone(y, made), listen(y, made))


def test_recordings_of_a_length_share_a_bed_of_noise(monkeypatch):
    """2 s and 3.5 s take the begin of one bed of 4 s; 4.1 s needs one of 8 s."""
    made = playback.scene_of(values(snr_db=-30.0, noise="cafe"), 1)
    raw = dataclasses.replace(made, microphone=Microphone(self_noise_dbfs=None))
    y = np.tile(X[::3], 3)
    short, longer = (playback.at_the_microphone(y[:n], raw).astype(float) for n in (32000, 56000))
    assert np.corrcoef(short, longer[:32000])[0, 1] > 0.999
    assert len(kept("noise")) == 1
    playback._bed.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(playback, "ambient", None)  # it must come from the disk
        assert np.array_equal(playback.at_the_microphone(y[:32000], raw), short)
    playback.at_the_microphone(y[:65600], raw)
    assert len(kept("noise")) == 2


def test_the_snr_is_that_of_the_recording_and_not_of_the_bed():
    made = playback.scene_of(values(snr_db=10.0, noise="fan"), 1)
    raw = Microphone(gain_db=0.0, self_noise_dbfs=None)
    loud = dataclasses.replace(made, microphone=raw)
    y = 0.3 * X[::3]
    noise = playback.at_the_microphone(y, loud).astype(float) - 32768 * y
    snr_db = 10 * np.log10(np.mean((32768 * y) ** 2) / np.mean(noise**2))
    assert snr_db == pytest.approx(10.0, abs=1e-3), f"{snr_db:.6f} dB"


def through_free_field(monkeypatch, distance_m, **changed):
    """What arrives through the distance alone, h = 1/d after d/c, and the scene with its noise level."""
    delay = round(distance_m / 343 * 16000)
    h = np.zeros(delay + 1)
    h[delay] = 1 / distance_m
    response = RoomResponse(h, 16000, distance_m, 0.1, 60.0, delay / 16000)
    monkeypatch.setattr(playback, "_response", lambda *room: response)
    chosen = values(distance_m=distance_m, loudspeaker="ideal", **changed)
    made = playback.scene_of(chosen, 1)
    arriving = playback.before_noise(X[::3], 16000, made)
    return arriving, playback.with_noise_level(made, chosen, arriving)


def test_the_snr_at_1_m_falls_by_the_law_of_distance(monkeypatch):
    """4 m take 20 log10(4) = 12.041 dB; 187 samples of delay, round(4/343 * 16000), make 32187 of 32000 and
    so take another 10 log10(32187/32000) = 0.025 dB of the mean. 20 dB at 1 m leave 7.934 dB."""
    arriving, made = through_free_field(monkeypatch, 4.0, snr_1m_db=20.0)
    assert len(arriving.reverberant) == 32187
    assert arriving.over_1m_db == pytest.approx(-12.041 - 0.025, abs=1e-3)
    assert made.ambient.snr_db == pytest.approx(7.934, abs=1e-3)


def test_the_noise_has_one_level_and_one_draw_at_every_distance(monkeypatch):
    """What the microphone hears less what arrives: 10 dB below the programme at 1 m, at 1 m as at 9 m."""
    raw = Microphone(gain_db=0.0, self_noise_dbfs=None)
    found = []
    for distance_m in (1.0, 9.0):
        arriving, made = through_free_field(monkeypatch, distance_m, snr_1m_db=10.0, noise="fan")
        heard = playback.at_the_microphone(arriving.reverberant, dataclasses.replace(made, microphone=raw))
        found.append((heard / 32768 - arriving.reverberant)[: len(X) // 3])
    near, far = found
    for noise in found:
        level_db = 10 * np.log10(np.mean(X[::3] ** 2) / np.mean(noise**2))
        assert level_db == pytest.approx(10.0, abs=0.05), f"{level_db:.3f} dB: a part of it is longer"
    assert np.corrcoef(near, far)[0, 1] > 0.999


def test_without_an_snr_at_1_m_the_scene_is_as_it_was(monkeypatch):
    _, made = through_free_field(monkeypatch, 4.0, snr_db=12.0)
    assert made.ambient.snr_db == 12.0


def test_silence_has_no_snr_at_1_m():
    chosen = values(snr_1m_db=10.0)
    made = playback.scene_of(chosen, 1)
    arriving = playback.before_noise(np.zeros(16000), 16000, made)
    with pytest.raises(BittrueError, match=r"snr_1m_db=10: the programme is silent; an SNR needs power"):
        playback.with_noise_level(made, chosen, arriving)


def turned_to(monkeypatch, volume_db, drift_ppm=0.0, **changed):
    """What is recorded of X at a volume through 4 m of free field, what arrived, and the scene."""
    chosen = values(distance_m=4.0, loudspeaker="ideal", volume_db=volume_db, **changed)
    arriving, _ = through_free_field(monkeypatch, 4.0, volume_db=volume_db, **changed)
    microphone = Microphone(self_noise_dbfs=None, drift_ppm=drift_ppm)
    made = dataclasses.replace(playback.scene_of(chosen, 1), microphone=microphone)
    return (
        playback.record(arriving, made, chosen),
        arriving,
        playback.with_noise_level(made, chosen, arriving),
    )


def level_db(pcm):
    return 10 * np.log10(np.mean(pcm.astype(float) ** 2))


SNRS = [{}, {"snr_db": 15.0}, {"snr_1m_db": 25.0}]


@pytest.mark.parametrize("snr", SNRS)
def test_at_a_volume_of_0_db_the_microphone_sets_its_gain_as_ever(monkeypatch, snr):
    recorded, arriving, made = turned_to(monkeypatch, 0.0, drift_ppm=30.0, **snr)
    assert np.array_equal(recorded.pcm, playback.at_the_microphone(arriving.reverberant, made))
    assert 20 * np.log10(np.abs(recorded.pcm.astype(float)).max() / 32768) == pytest.approx(-12, abs=1e-3)
    assert recorded.snr_db == made.ambient.snr_db


@pytest.mark.parametrize("snr", SNRS[:2])
def test_the_level_of_a_recording_follows_the_volume(monkeypatch, snr):
    """Below its clipping an ideal loudspeaker gives 20 dB less; an SNR at the microphone is held."""
    loud, _, _ = turned_to(monkeypatch, 0.0, drift_ppm=30.0, **snr)
    soft, _, _ = turned_to(monkeypatch, -20.0, drift_ppm=30.0, **snr)
    assert level_db(soft.pcm) - level_db(loud.pcm) == pytest.approx(-20, abs=1e-3)
    assert soft.snr_db == loud.snr_db


def test_noise_that_has_a_level_of_its_own_stays_when_the_volume_is_turned(monkeypatch):
    """25 dB at 1 m are 12.934 dB at 4 m, as above, and 2.934 at a volume of -10 dB. The noise is in both
    recordings alike: their difference is the programme alone, 1 - 10^(-10/20) of it."""
    loud, arriving, _ = turned_to(monkeypatch, 0.0, snr_1m_db=25.0)
    soft, _, _ = turned_to(monkeypatch, -10.0, snr_1m_db=25.0)
    assert loud.snr_db == pytest.approx(12.934, abs=1e-3)
    assert soft.snr_db == pytest.approx(2.934, abs=1e-3)
    between, programme = loud.pcm.astype(float) - soft.pcm, arriving.reverberant
    gain = between @ programme / (programme @ programme)
    assert np.abs(between - gain * programme).max() <= 1.5, "half an LSB of either recording, and the fit's"
    assert level_db(soft.pcm) - level_db(loud.pcm) > -10, "noise alone would stay where it is"


def test_a_volume_far_up_meets_the_clipping_of_loudspeaker_and_adc():
    """The loudspeaker clips: the SNR gains less than 40 dB. So does the ADC, its gain being that of 0 dB."""
    recorded = []
    for volume_db in (0.0, 40.0):
        chosen = values(volume_db=volume_db, snr_1m_db=25.0)
        made = playback.scene_of(chosen, 1)
        recorded.append(playback.record(playback.before_noise(X, 48000, made), made, chosen))
    plain, loud = recorded
    assert loud.snr_db - plain.snr_db == pytest.approx(22.7, abs=0.1)
    rails = [np.count_nonzero(np.abs(r.pcm.astype(int)) >= 32767) for r in recorded]
    assert rails[0] == 0 < 10 < rails[1]


def test_seeds_and_kinds_have_beds_of_their_own():
    y = X[::3]
    rows = [(1, "fan"), (2, "fan"), (1, "pink")]
    heard = [
        playback.at_the_microphone(y, playback.scene_of(values(snr_db=0.0, noise=kind), seed))
        for seed, kind in rows
    ]
    assert len({pcm.tobytes() for pcm in heard}) == 3
    assert len(kept("noise")) == 3
