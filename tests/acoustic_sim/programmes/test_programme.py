import numpy as np
import pytest
import soundfile

from acoustic_sim.programmes import programme
from acoustic_sim.programmes.excitation import synthesise
from acoustic_sim.programmes.programme import excerpt, excerpt_key
from fixedpoint.errors import AudioError, ConfigError

FS_HZ = 8000
RAMP = np.arange(FS_HZ) / FS_HZ  # one second: a sample tells its place


@pytest.fixture
def ramp(tmp_path):
    path = tmp_path / "ramp.wav"
    soundfile.write(path, np.stack([RAMP, RAMP], axis=1), FS_HZ, subtype="DOUBLE")
    return str(path)


def test_a_kind_is_synthesised_at_48_khz_with_the_seed():
    x, fs_hz = excerpt("music", 0.5, 3)
    assert fs_hz == 48000
    assert np.array_equal(x, synthesise("music", 0.5, 48000, 3))


def test_a_kind_is_synthesised_once(monkeypatch):
    """Whoever asks, and in whichever process: it is kept on disk."""
    made = []
    monkeypatch.setattr(programme, "synthesise", lambda *of: made.append(of) or synthesise(*of))
    first, again = excerpt("voice", 0.25, 11)[0], excerpt("voice", 0.25, 11)[0]
    assert made == [("voice", 0.25, 48000, 11)]
    assert np.array_equal(first, again)
    assert again.dtype == np.float64
    for other in (("drums", 0.25, 11), ("voice", 0.5, 11), ("voice", 0.25, 12)):
        assert np.array_equal(excerpt(*other)[0], synthesise(other[0], other[1], 48000, other[2]))
    assert len(made) == 4


def test_a_file_is_played_from_a_place_drawn_by_the_seed_and_not_across_its_end(ramp):
    firsts = set()
    for seed in range(50):
        x, fs_hz = excerpt(ramp, 0.75, seed)
        first = round(x[0] * FS_HZ)
        assert fs_hz == FS_HZ
        assert np.array_equal(x, RAMP[first : first + 6000])
        firsts.add(first)
    assert len(firsts) > 40


def test_a_file_as_long_as_wanted_is_played_whole(ramp):
    assert np.array_equal(excerpt(ramp, 1.0, 7)[0], RAMP)


def test_a_short_file_is_played_again_after_its_end(ramp):
    x, _ = excerpt(ramp, 2.5, 7)
    first = round(x[0] * FS_HZ)
    assert np.array_equal(x, RAMP[(first + np.arange(20000)) % FS_HZ])


def test_the_key_counts_the_content_and_not_the_name(ramp, tmp_path):
    key = excerpt_key(ramp, 1.0, 7)
    other = tmp_path / "other.wav"
    other.write_bytes((tmp_path / "ramp.wav").read_bytes())
    assert excerpt_key(str(other), 1.0, 7) == key
    soundfile.write(other, RAMP, FS_HZ, subtype="PCM_16")
    assert excerpt_key(str(other), 1.0, 7) != key
    keys = [excerpt_key(ramp, 1.5, 7), excerpt_key(ramp, 1.0, 8), excerpt_key("music", 1.0, 7), key]
    assert len(set(keys)) == 4


@pytest.mark.parametrize("function", [excerpt, excerpt_key])
def test_a_file_that_is_gone_is_one_line(function, tmp_path):
    with pytest.raises(AudioError, match=r"gone.wav': cannot be read; a WAV or FLAC file is needed") as error:
        function(str(tmp_path / "gone.wav"), 1.0, 0)
    assert "\n" not in str(error.value)


def test_what_is_no_audio_and_no_duration_is_named(tmp_path):
    (tmp_path / "text.wav").write_text("not audio")
    with pytest.raises(AudioError, match=r"text.wav': cannot be read"):
        excerpt(str(tmp_path / "text.wav"), 1.0, 0)
    with pytest.raises(ConfigError, match="seconds=0: must be in"):
        excerpt("music", 0, 0)
