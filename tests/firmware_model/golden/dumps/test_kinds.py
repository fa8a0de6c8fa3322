"""What a file begins with counts for more than its name; words of 24 bits and samples within wider words."""

import numpy as np
import pytest

from firmware_model.golden.cases import find_case
from firmware_model.golden.dumps.dump import AS_THE_NODE, Form, read_dump
from fixedpoint.errors import BittrueError
from tests.firmware_model.golden.dumps.test_dump import npy, npz, wav

CASE = find_case("mbdp-headset")  # stereo, 16 kHz
Y = np.array([[1, -2, 300, -32768, 5], [6, 7, -8, 32767, -10]], np.int16)  # (rows, steps)
WIDE = np.ascontiguousarray(Y.T, "<i4")


def packed(words, order="<"):
    """The lower three bytes of each word."""
    parts = np.ascontiguousarray(words).astype(f"{order}i4").view(np.uint8).reshape(-1, 4)
    return (parts[:, :3] if order == "<" else parts[:, 1:]).tobytes()


def read(path, form=AS_THE_NODE):
    with read_dump(str(path), CASE, form) as dump:
        return dump.nodes["output"].read(0, 9), dump.nodes["output"].guess


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("board.bin", wav(Y.T), "a sound file, by its content"),
        ("board.raw", npy(Y), "a NumPy array, by its content"),
        ("board.bin", npz(output=Y), "an NPZ file, by its content"),
        ("board.npy", npz(output=Y), "an NPZ file, by its content"),
        ("board.csv", wav(Y.T), "a sound file, by its content"),
        ("board.wav", npy(Y), "a NumPy array, by its content"),
        ("board.bin", "".join(f"{x}, {y}\n" for x, y in Y.T).encode(), "text, by its content"),
        (
            "board.hex",
            "".join(f"{x & 0xFFFF:04x} {y & 0xFFFF:04x}\n" for x, y in Y.T.tolist()).encode(),
            None,
        ),
    ],
)
def test_a_file_whose_name_says_otherwise_is_read_and_that_is_said(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    values, guess = read(tmp_path / name)
    np.testing.assert_array_equal(values, Y)
    assert guess == says or (says is None and "hexadecimal words of 4 digits" in guess)


def test_samples_that_begin_as_a_mark_does_are_no_text(tmp_path):
    for first in (-257, -2, 17481):  # FF FE, FE FF; "ID"
        y = np.ascontiguousarray(np.where(Y == 1, first, Y)).astype("<i2")
        (tmp_path / "board.bin").write_bytes(y.T.tobytes())
        values, guess = read(tmp_path / "board.bin")
        np.testing.assert_array_equal(values, y)
        assert guess == ""


def test_a_type_that_the_user_names_counts_for_more_than_the_content(tmp_path):
    (tmp_path / "board.bin").write_bytes(wav(Y.T))
    values, guess = read(tmp_path / "board.bin", Form(dtype="int16"))
    assert guess == ""
    np.testing.assert_array_equal(values[:, 0], np.frombuffer(b"RIFF", "<i2"))


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (packed(WIDE), Form(dtype="int24")),
        (packed(WIDE, ">"), Form(dtype="int24-be")),
        (packed(WIDE << 8), Form(dtype="int24", fraction_bits=23)),
        (WIDE.tobytes(), Form(dtype="int24in32")),
        ((WIDE & 0xFFFFFF | 0x5A << 24).astype("<i4").tobytes(), Form(dtype="int24in32")),
        ((WIDE << 8 & 0xFFFFFF).astype(">i4").tobytes(), Form(dtype="int24in32-be", fraction_bits=23)),
        ((WIDE << 16).tobytes(), Form(dtype="int32", fraction_bits=31)),
        ((WIDE << 8).tobytes(), Form(dtype="int32", fraction_bits=23)),
        ((WIDE.astype("<i8") << 48).tobytes(), Form(dtype="int64", fraction_bits=63)),
        (packed(WIDE.T << 8), Form(dtype="int24", fraction_bits=23, layout="planar")),
    ],
)
def test_samples_in_wider_words(tmp_path, content, form):
    (tmp_path / "board.bin").write_bytes(content)
    np.testing.assert_array_equal(read(tmp_path / "board.bin", form)[0], Y)


def test_samples_in_the_upper_bits_of_other_forms(tmp_path):
    (tmp_path / "board.wav").write_bytes(wav(WIDE << 16, subtype="PCM_24"))
    np.testing.assert_array_equal(read(tmp_path / "board.wav", Form(fraction_bits=23))[0], Y)
    with pytest.raises(
        BittrueError, match="PCM_24 found, PCM_16 needed for output; --fraction-bits 23 takes it"
    ):
        read(tmp_path / "board.wav")
    (tmp_path / "board.npy").write_bytes(npy(WIDE.T << 16))
    np.testing.assert_array_equal(read(tmp_path / "board.npy", Form(fraction_bits=31))[0], Y)
    (tmp_path / "board.csv").write_text("".join(f"{x << 8},{y << 8}\n" for x, y in WIDE.tolist()), "utf-8")
    np.testing.assert_array_equal(read(tmp_path / "board.csv", Form(fraction_bits=23))[0], Y)


def test_bits_below_the_node_s_last_one_are_not_dropped(tmp_path):
    (tmp_path / "board.bin").write_bytes(((WIDE << 16) + 1).tobytes())
    with pytest.raises(
        BittrueError, match="65537 found at value 0; whole LSB of the node are multiples of 65536"
    ):
        read(tmp_path / "board.bin", Form(dtype="int32", fraction_bits=31))
    with pytest.raises(BittrueError, match="fraction_bits=64: must be in"):
        read(tmp_path / "board.bin", Form(fraction_bits=64))


def test_what_is_no_dump_is_refused(tmp_path):
    (tmp_path / "board.bin").write_bytes(b"\x7fELF" + bytes(60))
    with pytest.raises(BittrueError, match="an ELF file found; the memory of the device needed"):
        read(tmp_path / "board.bin")
    (tmp_path / "board.bin").write_bytes(Y.T.tobytes())
    with pytest.raises(BittrueError, match="is no text; a table needed"):
        read(tmp_path / "board.bin", Form(columns=("1",)))
