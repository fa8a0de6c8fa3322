"""`bittrue compare`: exit status, words and JSON for dumps that a user may have."""

import json

import numpy as np
import pytest
import soundfile

from firmware_model.cli import main
from firmware_model.golden import stimuli
from firmware_model.golden.cases import find_case
from firmware_model.golden.causes import suspects

CASE = find_case("mbdp-headset")  # stereo, 16 kHz, blocks of 4
SAMPLES = 4000


@pytest.fixture(autouse=True)
def no_search(monkeypatch):
    """Without the search for faults, which compiles; `test_suspects` holds it."""
    monkeypatch.setattr(suspects, "search_faults", lambda *_: [])


@pytest.fixture(scope="module")
def nodes():
    """All nodes of the case on its own stimulus."""
    return CASE.trace(stimuli.load(CASE))


@pytest.fixture
def board(tmp_path, nodes):
    """Write board.bin, the output changed by a function of its (rows, steps); returns its path."""

    def write(change=lambda y: y, dtype="<i2"):
        y = np.asarray(change(nodes["output"].copy()))
        (tmp_path / "board.bin").write_bytes(y.T.astype(dtype).tobytes())
        return str(tmp_path / "board.bin")

    return write


@pytest.fixture
def run(capsys):
    """Run the command; (status, stdout, stderr)."""

    def compare(*arguments):
        status = main.run(["compare", CASE.name, *arguments])
        return status, *capsys.readouterr()

    return compare


def flip(y):
    y[1, 1234] ^= 3
    return y


def test_an_equal_dump_is_status_0(run, board):
    status, out, _ = run(board())
    assert status == 0
    assert "equal, bit for bit" in out


def test_a_difference_is_status_1_with_its_place_and_both_values(run, board, nodes):
    status, out, _ = run(board(flip))
    expected = int(nodes["output"][1, 1234])
    assert status == 1
    assert "first wrong node of the dump: output, right, sample 1234 (block 308, 0.077125 s)" in out
    assert f"expected  {expected}  0x{expected & 0xFFFF:04x}" in out
    assert "LSB of Q1.15" in out
    assert "likely cause: none of the usual suspects gives these bits (tried on input samples 0 to " in out
    assert "; delays up to 0.1 s either way)" in out
    assert "likely cause" not in run(board(flip), "--no-cause")[1]


def test_json_holds_the_contract(run, board, nodes):
    status, out, _ = run(board(flip), "--json")
    facts = json.loads(out)
    expected = int(nodes["output"][1, 1234])
    assert status == 1
    assert {name: facts[name] for name in ("node", "row", "frame", "sample", "expected", "got", "lsb")} == {
        "node": "output",
        "row": "right",
        "frame": 308,
        "sample": 1234,
        "expected": expected,
        "got": expected ^ 3,
        "lsb": (expected ^ 3) - expected,
    }
    assert facts["likely_cause"] is None
    assert facts["equal"] is False
    assert facts["missing"] == [node.name for node in CASE.nodes[:-1]]
    assert json.loads(run(board(), "--json")[1])["node"] is None


def test_the_cause_is_named(run, board):
    status, out, _ = run(board(lambda y: np.roll(y, 1, axis=1)), "--json")
    assert status == 1
    assert json.loads(out)["likely_cause"] == "off by one: one sample late"


def test_a_truncated_dump_is_status_2_also_where_bits_differ_before(run, board):
    status, out, _ = run(board(lambda y: y[:, :SAMPLES]))
    total = stimuli.load(CASE).shape[1]
    assert status == 2
    assert f"board.bin: output: truncated: {SAMPLES} of {total} steps found" in out
    assert "what there is is equal" in out
    status, out, _ = run(board(lambda y: flip(y)[:, :SAMPLES]))
    assert status == 2
    assert "truncated" in out
    assert "sample 1234" in out


def test_extra_samples_and_odd_bytes_are_named(run, board, tmp_path):
    path = board(lambda y: np.hstack([y, y[:, :7]]))
    status, out, _ = run(path)
    assert status == 2
    assert "output: 7 extra steps" in out
    content = (tmp_path / "board.bin").read_bytes()
    (tmp_path / "board.bin").write_bytes(content[: -7 * 4] + b"\0")
    status, out, _ = run(path)
    assert status == 2
    assert "output: 1 byte after the last whole step" in out


@pytest.mark.parametrize(
    ("dtype", "says"), [(">i2", "--dtype int16-be"), ("<i4", "--dtype int32"), (">i4", "--dtype int32-be")]
)
def test_another_dtype_or_byte_order_is_named_and_the_option_makes_it_equal(run, board, dtype, says):
    path = board(dtype=dtype)
    status, out, _ = run(path)
    assert status == 2
    assert f"form of the file: equal when read with {says}" in out
    assert out.count("likely cause") == 1
    assert run(path, *says.split())[0] == 0


@pytest.mark.parametrize("change", [lambda y: y.byteswap(), lambda y: y.astype(np.int64) & 0xFFFF])
def test_right_values_in_another_form_are_status_2_in_a_file_that_has_a_type(run, tmp_path, nodes, change):
    np.save(tmp_path / "output.npy", change(nodes["output"]))
    status, out, _ = run(f"{tmp_path}/output.npy")
    assert status == 2
    assert out.count("likely cause") == 1


def test_a_planar_file_is_named_and_the_option_makes_it_equal(run, tmp_path, nodes):
    (tmp_path / "board.bin").write_bytes(nodes["output"].astype("<i2").tobytes())
    status, out, _ = run(f"{tmp_path}/board.bin")
    assert status == 2
    assert "equal when read with --layout planar" in out
    assert run(f"{tmp_path}/board.bin", "--layout", "planar")[0] == 0


def test_a_folder_of_nodes_shows_the_first_in_signal_flow_order(run, tmp_path, nodes):
    for name, fault in (("band", 0), ("gain", 1), ("output", 1)):
        values = nodes[name].copy()
        values[0, 200:] += np.asarray(fault, values.dtype)
        (tmp_path / f"{name}.bin").write_bytes(values.T.tobytes())
    status, out, _ = run(str(tmp_path), "--json")
    facts = json.loads(out)
    assert status == 1
    assert (facts["node"], facts["sample"], facts["frame"]) == ("gain", 800, 200)
    assert [(node["node"], node["first_sample"]) for node in facts["nodes"]] == [
        ("band", None),
        ("gain", 800),
        ("output", 200),
    ]
    out = run(str(tmp_path))[1]
    assert "earlier in time, and so not by way of gain: output, left, sample 200" in out
    assert "not in it: level, band_attenuation, limited, bus, attenuation" in out


def test_the_input_may_be_the_user_s_own(run, tmp_path):
    x = np.random.default_rng(3).integers(-9000, 9000, (2, 402)).astype(np.int16)
    soundfile.write(tmp_path / "in.wav", x.T, 16000)
    y = CASE.plain(np.ascontiguousarray(x[:, :400]))
    (tmp_path / "board.bin").write_bytes(y.T.astype("<i2").tobytes())
    assert run(f"{tmp_path}/board.bin", "--input", f"{tmp_path}/in.wav")[0] == 0
    folder = tmp_path / "dump"
    folder.mkdir()
    (folder / "output.bin").write_bytes(y.T.astype("<i2").tobytes())
    soundfile.write(folder / "input.wav", x.T, 16000)
    assert run(str(folder))[0] == 0


def test_the_folder_that_vectors_writes_is_a_dump(run, tmp_path):
    assert main.run(["vectors", str(tmp_path / "vec"), CASE.name]) == 0
    status, out, _ = run(f"{tmp_path}/vec/{CASE.name}")
    assert status == 0
    assert "equal, bit for bit" in out
    assert "ignored: device.h, input.wav, output.wav, params.h" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere.bin"], "nowhere.bin: No such file"),
        (["board.bin", "--dtype", "float32"], "--dtype 'float32': must be one of int8"),
        (["board.bin", "--layout", "x"], "--layout 'x': must be one of interleaved, planar"),
        (["board.bin", "--node", "bass"], "'bass': must be one of band, level"),
        (["board.bin", "--input", "nowhere.wav"], "nowhere.wav: No such file"),
        (["board.bin", "--input", "short.bin"], "short.bin: 1 samples of input found; at least 4 needed"),
    ],
)
def test_misuse_is_status_2_with_one_line(run, board, tmp_path, monkeypatch, arguments, says):
    board()
    (tmp_path / "short.bin").write_bytes(b"abcd")
    monkeypatch.chdir(tmp_path)
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1


def test_an_unknown_case_is_status_2(capsys):
    assert main.run(["compare", "mbdp", "x.bin"]) == 2
    assert "case 'mbdp': must be one of mbdp-smart-speaker" in capsys.readouterr().err


def test_equal_bits_name_the_cases_that_reach_more_of_the_same_firmware(run, board):
    status, out, _ = run(board())
    assert status == 0
    assert out.splitlines()[-1].endswith("by one stimulus: try mbdp-headset-extremes too")
