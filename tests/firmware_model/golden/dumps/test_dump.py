"""Dumps in every form hold the same integers; what is wrong with a file is said in one line."""

import io
from contextlib import ExitStack

import numpy as np
import pytest
import soundfile
from intelhex import IntelHex

from firmware_model.golden.cases import find_case
from firmware_model.golden.dumps.dump import Form, read_dump, read_input
from fixedpoint.errors import BittrueError

CASE = find_case("mbdp-headset")  # stereo, 16 kHz
Y = np.array([[1, -2, 300, -32768, 5], [6, 7, -8, 32767, -10]], np.int16)  # (rows, steps)
BANDS = 2 * len(CASE.nodes[1].rows)
BAND = np.arange(BANDS * 7, dtype=np.int32).reshape(BANDS, 7) * 1000003 - 9


def hex_text(content: bytes, offset: int = 0x20000000) -> str:
    file, text = IntelHex(), io.StringIO()
    file.frombytes(content, offset=offset)
    file.write_hex_file(text)
    return text.getvalue()


def npz(**arrays) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def npy(array) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def wav(samples, fs_hz=16000, subtype="PCM_16") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, fs_hz, format="WAV", subtype=subtype)
    return file.getvalue()


CSV = "left,right\n1,6\n-2,7\n300,-8\n\n# a remark\n-32768;32767\n0x5 -0xa\n"


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("board.bin", Y.T.astype("<i2").tobytes(), Form()),
        ("board.raw", Y.astype("<i2").tobytes(), Form(layout="planar")),
        ("board.s16", Y.T.astype("<i2").tobytes(), Form()),
        ("board.s32", Y.T.astype("<i4").tobytes(), Form()),
        ("board.bin", Y.T.astype("<i4").tobytes(), Form(dtype="int32")),
        ("board.bin", Y.T.astype(">i2").tobytes(), Form(dtype="int16-be")),
        ("board.hex", hex_text(Y.T.astype("<i2").tobytes()).encode(), Form()),
        ("board.csv", CSV.encode(), Form()),
        ("board.npz", npz(output=Y), Form()),
        ("board.npz", npz(output=np.asfortranarray(Y.astype(">i8"))), Form()),
        ("board.npz", npz(output_q15=np.ascontiguousarray(Y.T)), Form()),
        ("output.npy", npy(Y), Form()),
        ("board.wav", wav(Y.T), Form()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_form_holds_the_same_integers(tmp_path, name, content, form):
    (tmp_path / name).write_bytes(content)
    with read_dump(str(tmp_path / name), CASE, form) as dump:
        assert list(dump.nodes) == ["output"]
        values = dump.nodes["output"]
        assert (values.steps, values.remainder) == (5, 0)
        np.testing.assert_array_equal(values.read(0, 5), Y)
        np.testing.assert_array_equal(values.read(3, 9), Y[:, 3:])  # as many as there are
        np.testing.assert_array_equal(values.read(1, 2), Y[:, 1:2])
        assert values.read(7, 9).shape == (2, 0)


def test_a_folder_holds_a_file_for_each_node_and_perhaps_the_input(tmp_path):
    (tmp_path / "output.wav").write_bytes(wav(Y.T))
    (tmp_path / "band_q27.bin").write_bytes(BAND.T.astype("<i4").tobytes())
    (tmp_path / "input.bin").write_bytes(Y.T.astype("<i2").tobytes())
    (tmp_path / "README.md").write_text("no node", "utf-8")
    with read_dump(str(tmp_path), CASE) as dump:
        assert list(dump.nodes) == ["band", "output"]  # signal-flow order
        np.testing.assert_array_equal(dump.nodes["band"].read(0, 7), BAND)
        assert dump.input is not None
        np.testing.assert_array_equal(dump.input.read(0, 5), Y)


def test_in_a_folder_what_is_no_node_is_ignored_and_of_two_forms_the_raw_one_is_taken(tmp_path):
    (tmp_path / "output.bin").write_bytes(Y.T.astype("<i2").tobytes())
    (tmp_path / "input.bin").write_bytes(Y.T.astype("<i2").tobytes())
    for name in ("output.wav", "input.wav"):
        (tmp_path / name).write_bytes(wav(Y.T[::-1]))
    for name in ("notes.txt", "vectors.h", "params.npz", "Makefile"):
        (tmp_path / name).write_text("no node", "utf-8")
    with read_dump(str(tmp_path), CASE) as dump:
        assert list(dump.nodes) == ["output"]
        np.testing.assert_array_equal(dump.nodes["output"].read(0, 5), Y)
        assert dump.input is not None
        np.testing.assert_array_equal(dump.input.read(0, 5), Y)
        ignored = ("Makefile", "input.wav", "notes.txt", "output.wav", "params.npz", "vectors.h")
        assert dump.ignored == ignored
    (tmp_path / "output.bin").unlink()
    (tmp_path / "output.wav").unlink()
    with pytest.raises(BittrueError, match="no node found"):
        read_dump(str(tmp_path), CASE)


def test_in_a_folder_an_npz_file_named_after_a_node_holds_it(tmp_path):
    (tmp_path / "output.bin").write_bytes(Y.T.astype("<i2").tobytes())
    (tmp_path / "output.npz").write_bytes(npz(output=Y[:, ::-1]))
    (tmp_path / "input.npz").write_bytes(npz(input=Y))
    with read_dump(str(tmp_path), CASE) as dump:
        assert dump.input is not None
        np.testing.assert_array_equal(dump.input.read(0, 5), Y)
        np.testing.assert_array_equal(dump.nodes["output"].read(0, 5), Y)
        assert dump.ignored == ("output.npz",)
    (tmp_path / "input.npz").write_bytes(npz(x=Y))
    with pytest.raises(BittrueError, match=r"input.npz: arrays x found; input needed"):
        read_dump(str(tmp_path), CASE)


def test_text_has_no_byte_order(tmp_path):
    (tmp_path / "board.csv").write_text(CSV, "utf-8")
    with read_dump(str(tmp_path / "board.csv"), CASE) as dump:
        assert dump.nodes["output"].how == "integers as text"


def test_a_file_is_the_node_that_it_is_named_after_or_that_is_named(tmp_path):
    for name, form in (("band.bin", Form()), ("x.bin", Form(node="band"))):
        (tmp_path / name).write_bytes(BAND.T.astype("<i4").tobytes())
        with read_dump(str(tmp_path / name), CASE, form) as dump:
            np.testing.assert_array_equal(dump.nodes["band"].read(0, 7), BAND)


def test_bytes_after_the_last_whole_step_are_counted(tmp_path):
    (tmp_path / "board.bin").write_bytes(Y.T.astype("<i2").tobytes() + b"abc")
    with read_dump(str(tmp_path / "board.bin"), CASE) as dump:
        assert (dump.nodes["output"].steps, dump.nodes["output"].remainder) == (5, 3)


def test_the_input_may_come_in_any_form_of_a_dump(tmp_path):
    (tmp_path / "in.wav").write_bytes(wav(Y.T))
    with ExitStack() as files:
        values = read_input(str(tmp_path / "in.wav"), CASE, files)
        np.testing.assert_array_equal(values.read(0, 5), Y)


GAP = hex_text(b"abcdefgh").splitlines()[:-1] + hex_text(b"abcdefgh", 0x20000100).splitlines()


@pytest.mark.parametrize(
    ("name", "content", "form", "says"),
    [
        ("board.bin", b"", Form(), "output: no values found"),
        ("board.bin", b"ab", Form(), "output: no values found"),
        ("board.xyz", b"ab", Form(), "suffix '.xyz' found"),
        ("board.bin", b"abcd", Form(dtype="int17"), "dtype='int17': must be one of int8, int16"),
        (
            "board.bin",
            b"abcd",
            Form(layout="diagonal"),
            "layout='diagonal': must be one of interleaved",
        ),
        ("board.bin", b"abcd", Form(node="bass"), "node 'bass': must be one of band, level"),
        ("board.npz", npz(bass=Y), Form(), "board.npz: array 'bass': must be one of band, level"),
        ("board.npz", npz(output=Y[:1]), Form(), "board.npz: output: shape (1, 5) found; (2, steps) needed"),
        ("board.npz", npz(output=Y * 0.5), Form(), "board.npz: output: float64 found; integers needed"),
        ("board.npz", npz(input=Y), Form(), "board.npz: no node found; at least one of band"),
        ("board.npz", b"PK nonsense", Form(), "board.npz: no NPZ file, or damaged"),
        ("board.npy", npy(Y)[:-4], Form(), "board.npy: cut short: 16 of 20 bytes found"),
        ("board.npy", b"nonsense", Form(), "board.npy: no NumPy array, or damaged"),
        ("board.wav", wav(Y.T, 48000), Form(), "board.wav: 48000 Hz found, 16000 Hz needed"),
        ("board.wav", wav(Y[0]), Form(), "board.wav: 1 channels found, 2 needed for output"),
        (
            "board.wav",
            wav(Y.T, subtype="PCM_24"),
            Form(),
            "PCM_24 found, PCM_16 needed for output",
        ),
        ("board.wav", wav(Y.T)[:-4], Form(), "board.wav: cut short: 16 of 20 bytes of audio found"),
        ("board.wav", b"nonsense", Form(), "board.wav: not audio, or damaged"),
        ("board.csv", b"1,2\n3\n", Form(), "board.csv: line 2: 1 columns found, 2 needed for output"),
        ("board.csv", b"1,2\n3,x\n", Form(), "board.csv: line 2: '3,x' found; integers needed"),
        ("board.csv", b"0.5,0.25\n1,2\n", Form(), "board.csv: line 1: '0.5,0.25' found; integers needed"),
        ("board.csv", b"a,b\nc,d\n1,2\n", Form(), "board.csv: line 2: 'c,d' found; integers needed"),
        ("board.csv", b"1,99999999999999999999\n", Form(), "board.csv: an integer beyond 64 bits found"),
        ("board.csv", b"left,right\n", Form(), "output: no values found"),
        ("board.hex", b":nonsense\n", Form(), "board.hex: no Intel HEX file, or damaged"),
        (
            "board.hex",
            "\n".join(GAP).encode(),
            Form(),
            "gap from 0x20000008 to 0x20000100 found",
        ),
        (
            "board.hex",
            hex_text(b"abcd").replace("61", "62").encode(),
            Form(),
            "no Intel HEX file, or damaged",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_with_a_file_is_one_line(tmp_path, name, content, form, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BittrueError) as error:
        read_dump(str(tmp_path / name), CASE, form)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_folder_with_a_node_twice_or_none_is_refused(tmp_path):
    with pytest.raises(BittrueError, match="no node found"):
        read_dump(str(tmp_path), CASE)
    (tmp_path / "output.bin").write_bytes(b"abcd")
    (tmp_path / "output.raw").write_bytes(b"abcd")
    with pytest.raises(BittrueError, match="node output found twice"):
        read_dump(str(tmp_path), CASE)


def test_a_file_that_is_not_there_is_an_os_error_with_its_name(tmp_path):
    for name in ("x.bin", "x.wav", "x.npz", "x.npy", "x.csv", "x.hex"):
        with pytest.raises(FileNotFoundError) as error:
            read_dump(str(tmp_path / name), CASE)
        assert error.value.filename is not None
