"""Streams of audio: the bits of a file that is read whole, in whole blocks, and each fault of a file."""

import numpy as np
import pytest

from firmware_model.pcm import read_audio, to_mono, to_q15
from firmware_model.pcm_stream import AudioStream
from fixedpoint.errors import AudioError
from tests.firmware_model.cli.cases import UNREADABLE, programme, wav

FS_HZ = 16000
LONG = 150_000  # more than twice what is read at a time


def file(tmp_path, samples, fs_hz=FS_HZ, subtype="PCM_16"):
    path = tmp_path / "in.wav"
    path.write_bytes(wav(samples, fs_hz, subtype))
    return str(path)


@pytest.mark.parametrize("block", [1, 8, 48, 512, 70_000])
def test_a_file_arrives_bit_for_bit_in_whole_blocks(tmp_path, rng, block):
    x = rng.integers(-32768, 32768, (LONG, 2)).astype(np.int16)
    stream = AudioStream(file(tmp_path, x), FS_HZ, 2, block)
    frames = list(stream)
    whole = LONG // block * block
    np.testing.assert_array_equal(np.concatenate(frames, axis=1), x[:whole].T)
    assert stream.samples == whole
    assert all(frame.shape[1] % block == 0 and frame.flags.c_contiguous for frame in frames)
    assert max(frame.shape[1] for frame in frames) <= max(FS_HZ, block)


@pytest.mark.parametrize("fs_hz", [8000, 22050, 44100])
def test_conversion_of_the_rate_equals_that_of_the_whole_file(tmp_path, rng, fs_hz):
    x = np.sign(rng.standard_normal((LONG, 1)))  # from rail to rail: the resampler overshoots
    path = file(tmp_path, x, fs_hz)
    whole = read_audio(path, fs_hz=FS_HZ, resample=True)
    stream = AudioStream(path, FS_HZ, 1, 1, resample=True)
    np.testing.assert_array_equal(np.concatenate(list(stream), axis=1), to_q15(whole.samples).T)
    assert stream.clipped == whole.clipped > 0


def test_two_channels_become_their_mean_and_one_is_given_to_both(tmp_path, rng):
    x = rng.integers(-32768, 32768, (1000, 2)).astype(np.int16)
    path = file(tmp_path, x)
    mono = np.concatenate(list(AudioStream(path, FS_HZ, 1, 1)), axis=1)
    np.testing.assert_array_equal(mono[0], to_q15(to_mono(read_audio(path).samples)))
    path = file(tmp_path, x[:, 0])
    stereo = np.concatenate(list(AudioStream(path, FS_HZ, 2, 1)), axis=1)
    np.testing.assert_array_equal(stereo, np.stack([x[:, 0], x[:, 0]]))


@pytest.mark.parametrize("name", list(UNREADABLE))
def test_unreadable_files_are_named(tmp_path, name):
    content, says = UNREADABLE[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(AudioError, match=r"^[^\n]*$") as raised:
        list(AudioStream(str(tmp_path / name), FS_HZ, 1, 8))
    assert str(raised.value).startswith(f"{tmp_path / name}: ")
    assert says.replace("dBFS) found", "0 dBFS) accepted") in str(raised.value)


def test_a_bad_sample_is_counted_from_the_beginning_of_the_file(tmp_path):
    x = np.zeros(LONG)
    x[140_000] = np.nan
    with pytest.raises(AudioError, match="nan found at sample 140000, channel 0"):
        list(AudioStream(file(tmp_path, x, subtype="DOUBLE"), FS_HZ, 1, 8))


def test_another_rate_and_less_than_a_block_are_refused(tmp_path):
    path = file(tmp_path, programme(seconds=0.01))
    with pytest.raises(AudioError, match="16000 Hz found, 48000 Hz needed; add --resample"):
        list(AudioStream(path, 48000, 1, 8))
    with pytest.raises(AudioError, match="160 samples found; at least one block of 512 needed"):
        list(AudioStream(path, FS_HZ, 1, 512))
    with pytest.raises(AudioError, match="cannot be read: No such file"):
        list(AudioStream(f"{path}.not", FS_HZ, 1, 8))
