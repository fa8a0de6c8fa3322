"""Lengths in WAV headers: one rule for those that say nothing, those that agree, and those that do not."""

import io
import struct

import numpy as np
import pytest

from acoustic_sim.sound_files.opened import open_sound
from acoustic_sim.sound_files.samples import SoundError
from acoustic_sim.sound_files.wav_length import wav_samples

X = np.arange(-1000, 1000, dtype="<i2")
DATA = X.tobytes()
FMT = struct.pack("<HHIIHH", 1, 1, 16000, 32000, 2, 16)
LIST = b"LIST" + struct.pack("<I", 4) + b"INFO"
BEXT = b"bext" + struct.pack("<I", 5) + b"a tag\0"


def wav(declared, data=DATA, behind=b"", kind=b"RIFF", ahead=b"", fmt=FMT):
    order = ">" if kind == b"RIFX" else "<"
    body = b"WAVE" + ahead + b"fmt " + struct.pack(order + "I", len(fmt)) + fmt
    body += b"data" + struct.pack(order + "I", declared & 0xFFFFFFFF) + data + behind
    return kind + struct.pack(order + "I", len(body) & 0xFFFFFFFF) + body


def ds64(declared):
    return b"ds64" + struct.pack("<IQQQI", 28, 0, declared, 0, 0)


def heard(tmp_path, content, name="x.wav"):
    """(samples, remarks) of a file."""
    (tmp_path / name).write_bytes(content)
    remarks = []
    with open_sound(tmp_path / name, remarks.append) as sound:
        samples = sound.read(dtype="int16")
        assert len(samples) == sound.frames
    return samples, remarks


OPEN = (0, 0x7FFF_0000, 0x7FFF_F000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_0000, 0xFFFF_FFDB, 0xFFFF_FFFF)


@pytest.mark.parametrize("behind", [b"", LIST, LIST + BEXT])
@pytest.mark.parametrize("declared", OPEN)
def test_a_length_that_is_none_is_that_of_the_file_without_its_chunks(tmp_path, declared, behind):
    samples, remarks = heard(tmp_path, wav(declared, behind=behind))
    np.testing.assert_array_equal(samples, X)
    assert remarks == [f"the header gives no length ({declared:#x}); read to the end of the file: 0.125 s"]


@pytest.mark.parametrize("kind", [b"RF64", b"BW64"])
@pytest.mark.parametrize(("declared", "remarks"), [(4000, 0), (0, 1), (2**64 - 1, 1)])
def test_lengths_of_64_bits_follow_the_rule(tmp_path, kind, declared, remarks):
    samples, said = heard(tmp_path, wav(-1, kind=kind, ahead=ds64(declared), behind=LIST))
    np.testing.assert_array_equal(samples, X)
    assert len(said) == remarks


def test_a_big_endian_file_follows_the_rule(tmp_path):
    big = struct.pack(">HHIIHH", 1, 1, 16000, 32000, 2, 16)
    for declared in (len(DATA), 0, -1):
        samples, _ = heard(tmp_path, wav(declared, X.astype(">i2").tobytes(), kind=b"RIFX", fmt=big))
        np.testing.assert_array_equal(samples, X)


@pytest.mark.parametrize(
    "content",
    [
        wav(4000),
        wav(4000, behind=LIST),
        wav(4000, behind=BEXT + LIST),
        wav(4000, behind=b"abcd" + struct.pack("<I", 2) + b"??"),  # any name, where all fits
        wav(4000, behind=b"id3 " + struct.pack("<I", 900) + b"cut"),
        wav(4000, behind=b"TAG" + bytes(125)),
        wav(4000, behind=BEXT[:-1] + LIST),  # without the byte of padding
    ],
)
def test_chunks_behind_the_samples_are_no_samples(tmp_path, content):
    samples, remarks = heard(tmp_path, content)
    np.testing.assert_array_equal(samples, X)
    assert remarks == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (wav(1000), "4000 bytes of audio (0.125 s) found up to the end of the file, 1000 (0.031 s) declared"),
        (wav(3998), "4000 bytes of audio"),
        (wav(4002), "cut short: 4000 of 4002 bytes of audio found"),
        (wav(0x3000_0000), "cut short: 4000 of 805306368 bytes"),
        (wav(-1, kind=b"RF64", ahead=ds64(2000)), "4000 bytes of audio"),
        (wav(-1, kind=b"RF64", ahead=ds64(5 << 32)), "cut short: 4000 of 21474836480 bytes"),
        (wav(4000) + wav(4000), "a second WAV file found behind the first; one needed"),
        (wav(4000, behind=b"data" + struct.pack("<I", 4) + b"1234"), "a second chunk of samples found"),
    ],
)
def test_a_length_that_the_file_contradicts_is_refused(tmp_path, content, says):
    with pytest.raises(SoundError) as raised:
        heard(tmp_path, content)
    assert str(raised.value).startswith(says)


def test_zeros_and_part_of_a_frame_are_left_out_with_a_remark(tmp_path):
    samples, remarks = heard(tmp_path, wav(4000, behind=bytes(96)))
    np.testing.assert_array_equal(samples, X)
    assert remarks == ["96 zero bytes behind the declared samples are not read"]
    samples, remarks = heard(tmp_path, wav(3999, DATA[:3999] + b"\0", LIST))
    np.testing.assert_array_equal(samples, X[:-1])
    assert remarks == ["1 of 2 bytes of a last frame are not read"]


def test_less_than_a_frame_behind_the_samples_is_none_of_them(tmp_path):
    samples, remarks = heard(tmp_path, wav(4000, behind=b"\n"))
    np.testing.assert_array_equal(samples, X)
    assert remarks == ["1 bytes behind the declared samples are not read"]


@pytest.mark.parametrize(("a_second", "frame"), [(0, 2), (7, 2), (32000, 0), (32000, 1)])
def test_a_rate_and_a_frame_that_are_wrong_change_nothing(tmp_path, a_second, frame):
    """Of uncompressed samples, both follow from the rest of the header."""
    fmt = struct.pack("<HHIIHH", 1, 1, 16000, a_second, frame, 16)
    samples, remarks = heard(tmp_path, wav(0, fmt=fmt))
    np.testing.assert_array_equal(samples, X)
    assert remarks == ["the header gives no length (0x0); read to the end of the file: 0.125 s"]


def test_silence_of_a_length_that_is_none_is_read(tmp_path):
    samples, remarks = heard(tmp_path, wav(0, bytes(4000)))
    assert len(samples) == 2000
    assert remarks


@pytest.mark.parametrize("declared", [0, 0xFFFF_FFFF])
@pytest.mark.parametrize("behind", [b"", LIST])
def test_no_samples_are_none(tmp_path, declared, behind):
    samples, remarks = heard(tmp_path, wav(declared, b"", behind))
    assert len(samples) == 0
    assert remarks == []


class Sparse(io.RawIOBase):
    """A file of `size` bytes: `head`, then samples of 1."""

    def __init__(self, head, size):
        self.head, self.size, self.at = head, size, 0

    def seek(self, offset, whence=0):
        self.at = (0, self.at, self.size)[whence] + offset
        return self.at

    def read(self, n=-1):
        n = min(n, max(0, self.size - self.at))
        start, self.at = self.at, self.at + n
        return (self.head[start : start + n] + b"\1" * n)[:n]


@pytest.mark.parametrize("wraps", [1, 3])
def test_a_length_wrapped_past_4_gib_is_that_of_the_file(wraps):
    head = wav(123_456, b"")
    size = len(head) + wraps * (1 << 32) + 123_456
    found = wav_samples(Sparse(head, size), size)
    assert (found.start, found.stop) == (len(head), size)
    assert "the header's length is wrapped past 4 GiB" in found.remark
    assert found.header[:4] == b"RF64"
    assert struct.pack("<Q", size - len(head)) in found.header
    with pytest.raises(SoundError, match="both must agree"):
        wav_samples(Sparse(head, size + 10), size + 10)


def test_a_header_for_more_than_4_gib_is_one_that_libsndfile_reads(tmp_path):
    """A sparse file: the samples behind its head are zeros."""
    head = wav(2000, b"\1\0")
    path = tmp_path / "long.wav"
    with open(path, "wb") as file:
        file.write(head)
        file.seek(len(head) + (1 << 32) + 1998 - 2 - 2)
        file.write(b"\2\0\3\0")
    remarks = []
    with open_sound(path, remarks.append) as sound:
        assert sound.frames == (1 << 31) + 1000
        sound.seek(sound.frames - 2)
        np.testing.assert_array_equal(sound.read(dtype="int16"), [2, 3])
    assert len(remarks) == 1


def test_what_is_no_wav_or_holds_no_samples_is_none():
    for content in (b"", b"RIFF", b"RIFF\0\0\0\0AVI LIST", wav(4)[:40], b"RIFF\0\0\0\0WAVE" + bytes(80_000)):
        assert wav_samples(io.BytesIO(content), len(content)) is None
