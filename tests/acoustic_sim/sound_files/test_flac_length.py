"""Lengths of FLAC files: found at the last frame where the header has none, and held against it."""

import io

import numpy as np
import pytest
import soundfile

from acoustic_sim.sound_files.flac_length import flac_length
from acoustic_sim.sound_files.opened import open_sound
from acoustic_sim.sound_files.samples import SoundError


def flac(n, fs_hz=16000, channels=1, subtype="PCM_16"):
    x = np.random.default_rng(n).integers(-9000, 9000, (n, channels)).astype(np.int16)
    buffer = io.BytesIO()
    soundfile.write(buffer, x, fs_hz, subtype, format="FLAC")
    return x, buffer.getvalue()


def declaring(content, samples):
    """With another length: 36 bits from the middle of byte 21."""
    five = ((content[21] & 0xF0) << 32 | samples).to_bytes(5, "big")
    return content[:21] + five + content[26:]


@pytest.mark.parametrize("n", [1, 2, 191, 192, 4095, 4096, 4097, 70_000, 300_001])
@pytest.mark.parametrize(
    ("fs_hz", "channels", "subtype"), [(16000, 1, "PCM_16"), (12345, 2, "PCM_24"), (96000, 1, "PCM_S8")]
)
def test_a_length_that_the_header_does_not_have_is_found(tmp_path, n, fs_hz, channels, subtype):
    x, content = flac(n, fs_hz, channels, subtype)
    path = tmp_path / "x.flac"
    path.write_bytes(declaring(content, 0))
    remarks = []
    with open_sound(path, remarks.append) as sound:
        assert sound.frames == n
        samples = sound.read(dtype="int16", always_2d=True)
    np.testing.assert_array_equal(samples, x & ~255 if subtype == "PCM_S8" else x)
    assert remarks == [f"the header has no length; read to the end of the file: {n / fs_hz:.3f} s"]


def test_a_tag_ahead_of_the_file_is_passed_by(tmp_path):
    x, content = flac(5000)
    tag = b"ID3\4\0\0\0\0\1\x05" + bytes(133)
    path = tmp_path / "x.flac"
    for whole, remarks in ((content, 0), (declaring(content, 0), 1)):
        path.write_bytes(tag + whole)
        said = []
        with open_sound(path, said.append) as sound:
            np.testing.assert_array_equal(sound.read(dtype="int16"), x[:, 0])
        assert len(said) == remarks
    path.write_bytes(tag + declaring(content, 4000))
    with pytest.raises(SoundError, match="5000 samples found, 4000 declared"), open_sound(path, said.append):
        pass


def test_a_length_that_agrees_needs_no_word():
    _, content = flac(10_000)
    assert flac_length(io.BytesIO(content), len(content)) == (b"", 0, len(content), "")
    assert flac_length(io.BytesIO(b"fLaC"), 4) is None
    assert flac_length(io.BytesIO(bytes(100)), 100) is None


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        (9_999, "10000 samples found, 9999 declared by the header; both must agree"),
        (10_001, "cut short: 10000 of 10001 frames found"),
        ((1 << 36) - 1, "cut short: 10000 of 68719476735 frames found"),
    ],
)
def test_a_length_that_the_last_frame_contradicts_is_refused(declared, says):
    content = declaring(flac(10_000)[1], declared)
    with pytest.raises(SoundError, match=says):
        flac_length(io.BytesIO(content), len(content))


def test_a_cut_file_without_a_length_is_refused():
    content = declaring(flac(10_000)[1], 0)[:-20]
    with pytest.raises(SoundError, match="no whole frame at its end; cut short"):
        flac_length(io.BytesIO(content), len(content))
