"""Writing in blocks: the bytes of the whole, RF64 beyond 4 GiB, pipes, and nothing half-written."""

import os
import struct
import threading

import numpy as np
import pytest
import soundfile

from firmware_model import pcm_writer
from firmware_model.pcm import read_audio
from firmware_model.pcm_file import open_audio
from firmware_model.pcm_writer import open_writer, write_audio
from fixedpoint.errors import AudioError

FS_HZ = 16000


def in_blocks(path, x, subtype, block):
    with open_writer(path, FS_HZ, x.shape[1], subtype, frames=len(x)) as writer:
        for start in range(0, len(x), block):
            writer.write(x[start : start + block])
    return writer.saturated


@pytest.mark.parametrize(
    "name", ["x.wav PCM_16", "x.wav PCM_U8", "x.wav PCM_24", "x.wav FLOAT", "x.flac PCM_16", "x.flac PCM_24"]
)
@pytest.mark.parametrize("block", [1000, 4096])
def test_blocks_give_the_bytes_of_the_whole(tmp_path, name, block, rng):
    name, subtype = name.split()
    x = rng.uniform(-1.01, 1.01, (20_000, 2))
    saturated = write_audio(tmp_path / f"whole-{name}", x, FS_HZ, subtype)
    assert in_blocks(tmp_path / name, x, subtype, block) == saturated > 0
    assert (tmp_path / name).read_bytes() == (tmp_path / f"whole-{name}").read_bytes()


def test_what_would_pass_4_gib_is_rf64(tmp_path, monkeypatch, rng):
    x = rng.integers(-32768, 32767, (5000, 2)).astype(np.int16)
    for most, kind in ((20_000, "WAV"), (19_999, "RF64")):
        monkeypatch.setattr(pcm_writer, "_MOST_IN_WAV", most)
        in_blocks(tmp_path / "x.wav", x, "PCM_16", 999)
        assert soundfile.info(tmp_path / "x.wav").format == kind
        np.testing.assert_array_equal(read_audio(tmp_path / "x.wav").samples * 32768, x)


def piped(path, work):
    """What comes out of a named pipe while `work` writes to it."""
    os.mkfifo(path)
    found = []
    reader = threading.Thread(target=lambda: found.append(path.read_bytes()))
    reader.start()
    work()
    reader.join(timeout=30)
    return found[0]


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_U8", "PCM_24"])
def test_a_pipe_gets_the_bytes_of_the_file(tmp_path, subtype, rng):
    x = rng.uniform(-1, 1, (5001, 1))
    write_audio(tmp_path / "file.wav", x, FS_HZ, subtype)
    found = piped(tmp_path / "pipe.wav", lambda: in_blocks(tmp_path / "pipe.wav", x, subtype, 1000))
    file = (tmp_path / "file.wav").read_bytes()
    assert found == file[: len(found)]
    assert len(file) - len(found) <= 1  # a byte of padding


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_a_pipe_beyond_4_gib_says_that_its_length_is_not_known(tmp_path, monkeypatch, subtype, rng):
    monkeypatch.setattr(pcm_writer, "_MOST_IN_WAV", 100)
    x = np.round(rng.uniform(-1, 1, (3000, 2)) * 2**14) / 2**14
    found = piped(tmp_path / "pipe.wav", lambda: in_blocks(tmp_path / "pipe.wav", x, subtype, 1000))
    assert struct.unpack("<I", found[4:8]) == (0xFFFF_FFFF,)
    (tmp_path / "found.wav").write_bytes(found)
    with open_audio(tmp_path / "found.wav") as file:
        np.testing.assert_array_equal(file.read(3001), x)


def test_a_flac_goes_into_a_pipe_whole(tmp_path, rng):
    x = rng.integers(-32768, 32767, (5000, 1)).astype(np.int16)
    write_audio(tmp_path / "file.flac", x, FS_HZ)
    found = piped(tmp_path / "pipe.flac", lambda: in_blocks(tmp_path / "pipe.flac", x, "PCM_16", 999))
    assert found == (tmp_path / "file.flac").read_bytes()


@pytest.mark.parametrize("name", ["x.wav", "x.flac"])
@pytest.mark.parametrize("raised", [KeyboardInterrupt, AudioError, ValueError])
def test_what_ends_half_way_leaves_the_old_file_and_nothing_else(tmp_path, name, raised):
    (tmp_path / name).write_bytes(b"old")

    def half() -> None:
        with open_writer(tmp_path / name, FS_HZ, 1, frames=2000) as writer:
            writer.write(np.zeros(1000))
            raise raised

    with pytest.raises(raised):
        half()
    assert (tmp_path / name).read_bytes() == b"old"
    assert os.listdir(tmp_path) == [name]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("name", ["x.wav", "x.flac"])
def test_a_full_device_is_one_clear_line(tmp_path, name):
    (tmp_path / name).symlink_to("/dev/full")
    with pytest.raises(AudioError, match=r"cannot be written: No space left on device"):
        in_blocks(tmp_path / name, np.zeros((5000, 1)), "PCM_16", 1000)
