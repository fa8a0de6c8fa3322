"""Bad input through every command: status 2 and one line, or a correct result; never half a file."""

from itertools import product

import numpy as np
import pytest

from tests.firmware_model.cli.cases import FS_HZ, KEY, ROOM, UNREADABLE, call, programme, wav

COMMANDS = ("simulate", "embed", "room", "detect")
WRITERS = ("embed", "room")
BEFORE = b"what stood here before"


def arguments(command, path, folder, *more):
    """A complete command line that reads `path`; what it writes goes to out.wav or plot.png in `folder`."""
    out, plot = folder / "out.wav", folder / "plot.png"
    return {
        "simulate": ["simulate", path, "--key", KEY, *ROOM, "--plot", plot, *more],
        "embed": ["embed", path, out, "--key", KEY, *more],
        "room": ["room", path, out, *ROOM, *more],
        "detect": ["detect", path, "--key", KEY, *more],
    }[command]


def assert_refused(outcome, *says):
    assert outcome.status == 2, outcome
    assert outcome.out == ""
    assert outcome.err.count("\n") == 1, outcome.err
    assert outcome.err.endswith("\n")
    assert "fault in bittrue" not in outcome.err
    for text in says:
        assert text in outcome.err


@pytest.fixture
def folder(tmp_path):
    """A folder in which the outputs exist already."""
    for name in ("out.wav", "plot.png"):
        (tmp_path / name).write_bytes(BEFORE)
    return tmp_path


def assert_untouched(folder):
    assert (folder / "out.wav").read_bytes() == BEFORE
    assert (folder / "plot.png").read_bytes() == BEFORE
    assert not list(folder.glob(".*")), "a half-written file was left behind"


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", UNREADABLE)
def test_an_unreadable_file_is_one_line_and_nothing_is_written(capsys, folder, command, name):
    content, says = UNREADABLE[name]
    path = folder / name
    path.write_bytes(content)
    assert_refused(call(capsys, *arguments(command, path, folder)), str(path), says)
    assert_untouched(folder)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_file_and_a_folder_are_one_line(capsys, folder, command):
    assert_refused(call(capsys, *arguments(command, folder / "none.wav", folder)), "none.wav: cannot be read")
    assert_refused(call(capsys, *arguments(command, folder, folder)), str(folder))
    assert_untouched(folder)


@pytest.mark.parametrize(
    ("command", "fs_hz", "needed"),
    [
        ("detect", 44100, "44100 Hz found, 16000 Hz needed; add --resample"),
        ("detect", 8000, "8000 Hz found, 16000 Hz needed; add --resample"),
        ("embed", 8000, "8000 Hz found, at least 16000 Hz needed; add --resample"),
        ("simulate", 8000, "8000 Hz found, at least 16000 Hz needed; add --resample"),
    ],
)
def test_a_wrong_rate_is_refused_and_resample_takes_it(capsys, folder, command, fs_hz, needed):
    path = folder / "in.wav"
    path.write_bytes(wav(programme(fs_hz=fs_hz), fs_hz))
    assert_refused(call(capsys, *arguments(command, path, folder)), f"in.wav: {needed}")
    assert_untouched(folder)
    assert call(capsys, *arguments(command, path, folder, "--resample")).status in (0, 1)


ODD = ("PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "stereo", "square", "dc", "silence")


@pytest.mark.parametrize(
    ("command", "case"),
    [
        # One reader serves all commands: the longest of them leaves three formats to the others.
        pytest.param(command, case, marks=pytest.mark.slow if long else ())
        for command, case in product(COMMANDS, ODD)
        for long in [command == "simulate" and case in ("PCM_24", "PCM_32", "DOUBLE")]
    ],
)
def test_odd_but_sound_files_give_a_result(capsys, tmp_path, command, case):
    path = tmp_path / "in.wav"
    kind = case if case in ("square", "dc", "silence") else "music"
    x = programme(kind)
    if case == "stereo":
        x = np.stack([x, -0.5 * x], axis=1)
    path.write_bytes(wav(x, subtype=case if case.isupper() else "PCM_16"))
    outcome = call(capsys, *arguments(command, path, tmp_path, "--json"))
    nothing_to_find = command == "detect" or (command == "simulate" and kind != "music")
    if nothing_to_find:
        assert outcome.status == 1
    else:
        assert outcome.status == 0, outcome
    assert outcome.json


@pytest.mark.parametrize("command", ["simulate", "room"])
def test_silence_has_no_signal_to_noise_ratio(capsys, folder, command):
    path = folder / "in.wav"
    path.write_bytes(wav(programme("silence")))
    assert_refused(call(capsys, *arguments(command, path, folder, "--snr", "15")), "in.wav: ", "silent")
    assert_untouched(folder)


@pytest.mark.parametrize("command", COMMANDS)
def test_one_sample_is_too_short_for_a_mark_but_can_be_heard(capsys, tmp_path, command):
    path = tmp_path / "in.wav"
    path.write_bytes(wav(np.array([0.5])))
    outcome = call(capsys, *arguments(command, path, tmp_path, "--json"))
    if command in ("simulate", "embed"):
        assert_refused(outcome, "in.wav: 0.000 s found; at least one mark, 2.048 s, needed")
    elif command == "detect":
        assert outcome.status == 1
        assert outcome.json["detections"] == []
        assert outcome.json["max_score"] is None
    else:
        assert outcome.status == 0


@pytest.mark.parametrize("command", WRITERS)
def test_an_output_that_cannot_be_written_is_refused_before_any_work(capsys, tmp_path, command):
    path = tmp_path / "in.wav"
    path.write_bytes(wav(programme()))
    before = path.read_bytes()
    for out, says in (
        (path, "is an input as well"),
        (tmp_path / "out.mp3", "suffix '.mp3' found; .wav or .flac needed"),
        (tmp_path / "none" / "out.wav", "no such folder"),
        (tmp_path, "suffix '' found"),
    ):
        line = arguments(command, path, tmp_path)
        line[2] = out
        assert_refused(call(capsys, *line), says)
    assert path.read_bytes() == before


def test_a_link_to_the_input_is_the_input(capsys, tmp_path):
    path, link = tmp_path / "in.wav", tmp_path / "link.wav"
    path.write_bytes(wav(programme()))
    link.symlink_to(path)
    assert_refused(call(capsys, "embed", path, link, "--key", KEY), "is an input as well")
    assert_refused(
        call(capsys, "room", path, link, *ROOM, "--noise", path, "--snr", "9"), "is an input as well"
    )


def test_one_bad_file_among_several_stops_simulate_before_any_work(capsys, folder):
    good, bad = folder / "good.wav", folder / "bad.wav"
    good.write_bytes(wav(programme()))
    bad.write_bytes(b"no audio")
    assert_refused(call(capsys, *arguments("simulate", good, folder), bad), "bad.wav: not audio")
    assert_untouched(folder)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (["nonsense"], "nonsense"),
        (["--nonsense"], "--nonsense"),
        (["simulate", "IN", "--nonsense", "--key", KEY], "--nonsense"),
        (["simulate", "--key", KEY], "IN"),
        (["simulate", "IN", *ROOM], "--key"),
        (["embed", "IN", "--key", KEY], "OUT"),
        (["detect", "IN"], "--key"),
        (["detect", "IN", "--key", KEY, "--arith", "q31"], "--arith"),
        (["detect", "IN", "--key", "5eeg"], "'g' is not a hexadecimal digit"),
        (["detect", "IN", "--key", "5ee"], "3 digits found"),
        (["detect", "IN", "--key", KEY, "--threshold", "0"], "--threshold 0.0: must be"),
        (["detect", "IN", "--key", KEY, "--threshold", "nan"], "--threshold nan: must be"),
        (["detect", "IN", "--key", KEY, "--threshold", "high"], "--threshold"),
        (["embed", "IN", "OUT", "--key", KEY, "--strength", "99"], "--strength 99.0: must be"),
        (["embed", "IN", "OUT", "--key", KEY, "--strength", "nan"], "--strength nan: must be"),
        (["embed", "IN", "OUT", "--key", KEY, "--mode", "loud"], "--mode"),
        (["embed", "IN", "-", "--key", KEY, "--json"], "--json needs it too"),
        (["room", "IN", "OUT"], "--distance: missing"),
        (["room", "IN", "OUT", "--distance", "0"], "--distance 0.0: must be"),
        (["room", "IN", "OUT", "--distance", "31"], "--distance 31.0: must be in [0.3, 30] metres"),
        (["room", "IN", "OUT", *ROOM, "--snr", "abc"], "--snr abc: must be a number"),
        (["embed", "IN", "OUT", "--key", KEY, "--mode", "foo"], "--mode foo: must be one of informed, live"),
        (["embed", "IN", "OUT", "--key", KEY, "--key", "c0ffee"], "--key: given 2 times; one key"),
        (["room", "IN", "OUT", "--rir", "SILENT"], "--rir: silent; a room response needs"),
        (["room", "SILENT", "OUT", *ROOM, "--snr", "9"], "silent.wav: silent; --snr needs a sound"),
        (["simulate", "IN", "SILENT", "--key", KEY, *ROOM, "--snr", "9"], "silent.wav: silent; --snr needs"),
        (["room", "IN", "OUT", *ROOM, "--snr", "9", "--noise", "SILENT"], "silent.wav': silent; noise"),
        (["room", "IN", "OUT", "--distance", "nan"], "--distance nan: must be"),
        (["room", "IN", "OUT", "--distance", "far"], "--distance"),
        (["room", "IN", "OUT", "--distance", "2", "--rt60", "0"], "--rt60 0.0: must be"),
        (["room", "IN", "OUT", *ROOM, "--snr", "inf"], "--snr inf: must be"),
        (["room", "IN", "OUT", *ROOM, "--noise", "cafe"], "--noise: its level is missing; add --snr"),
        (["room", "IN", "OUT", *ROOM, "--noise", "rain", "--snr", "9"], "rain"),
        (["room", "IN", "OUT", *ROOM, "--drift", "5000"], "--drift 5000.0: must be"),
        (["room", "IN", "OUT", *ROOM, "--seed", "-1"], "--seed"),
        (["room", "IN", "OUT", "--rir", "none.wav"], "none.wav"),
        (["room", "IN", "OUT", "--rir", "IN", "--rt60", "0.5"], "drop --rt60 or --rir"),
        (["room", "IN", "OUT", "--scene", "moon"], "must be one of living-room-6.5m"),
        (["room", "IN", "OUT", "--scene", "open-plan-8m", "--distance", "8"], "drop --distance or --scene"),
        (["room", "IN", "OUT", "--scene", "open-plan-8m", "--noise", "rain"], "rain"),
        (["simulate", "IN", "--key", KEY, *ROOM, "--plot", "x.jpg"], "suffix '.jpg' found"),
        (["simulate", "IN", "--key", KEY, *ROOM, "--plot", "-"], "suffix '' found"),
        (["simulate", "IN", "--key", KEY, *ROOM, "--jobs", "0"], "--jobs"),
        (["simulate", "-", "-", "--key", KEY, *ROOM], "standard input given twice"),
        (["synthesise", "noise", "OUT"], "KIND 'noise': must be one of"),
        (["synthesise", "music", "OUT", "--seconds", "0"], "--seconds 0.0: must be"),
        (["synthesise", "music", "OUT", "--rate", "100"], "--rate 100: must be"),
    ],
)
def test_misuse_is_one_line(capsys, folder, line, says):
    path = folder / "in.wav"
    path.write_bytes(wav(programme()))
    silent = folder / "silent.wav"
    silent.write_bytes(wav(programme("silence")))
    named = {"IN": str(path), "SILENT": str(silent), "OUT": str(folder / "out.wav")}
    assert_refused(call(capsys, *(named.get(word, word) for word in line)), says)
    assert_untouched(folder)


def test_a_name_with_a_line_break_is_still_one_line(capsys, tmp_path):
    assert_refused(call(capsys, "detect", tmp_path / "a\nb.wav", "--key", KEY), "cannot be read")


def test_rates_above_the_detectors_need_no_resample(capsys, tmp_path):
    path = tmp_path / "in.wav"
    path.write_bytes(wav(programme(fs_hz=44100), 44100))
    assert call(capsys, *arguments("simulate", path, tmp_path, "--snr", "20")).status == 0
    assert call(capsys, *arguments("embed", path, tmp_path)).status == 0
    assert (
        call(
            capsys,
            *arguments("room", tmp_path / "out.wav", tmp_path)[:1],
            tmp_path / "out.wav",
            tmp_path / "heard.wav",
            *ROOM,
        ).status
        == 0
    )
    outcome = call(capsys, "detect", tmp_path / "heard.wav", "--key", KEY)
    assert outcome.status == 0, f"{outcome.err}: room writes {FS_HZ} Hz, which detect takes as it is"


@pytest.mark.parametrize("command", ["simulate", "room", "detect"])
def test_channels_that_cancel_are_refused_and_nearly_so_are_said(capsys, folder, command):
    path = folder / "in.wav"
    x = programme()
    path.write_bytes(wav(np.stack([x, -x], 1)))
    assert_refused(call(capsys, *arguments(command, path, folder)), "in.wav: channels that cancel each other")
    assert_untouched(folder)
    path.write_bytes(wav(np.stack([x, -0.9 * x], 1)))
    outcome = call(capsys, *arguments(command, path, folder))
    assert outcome.status in (0, 1)
    assert outcome.err.count("in.wav: the mean of the channels lies 25.6 dB below them") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_a_length_that_is_none_is_said_and_a_stale_one_refused(capsys, folder, command):
    path = folder / "in.raw"  # what it holds decides
    content = bytearray(wav(programme()))
    at = content.index(b"data") + 4
    content[at : at + 4] = b"\0\xf0\xff\x7f"
    path.write_bytes(content)
    outcome = call(capsys, *arguments(command, path, folder))
    assert outcome.status in (0, 1)
    line = f"{path}: the header gives no length (0x7ffff000); read to the end of the file: 4.500 s\n"
    assert outcome.err.count(line) == 1
    content[at : at + 4] = b"\0\x7d\0\0"
    path.write_bytes(content)
    (folder / "out.wav").write_bytes(BEFORE)
    (folder / "plot.png").write_bytes(BEFORE)
    outcome = call(capsys, *arguments(command, path, folder))
    assert_refused(outcome, "144000 bytes of audio (4.500 s) found", "32000 (1.000 s) declared")
    assert_untouched(folder)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_gain_that_is_offered_is_taken(capsys, folder, command):
    path = folder / "in.wav"
    path.write_bytes(wav(2.5 * programme(), subtype="FLOAT"))
    refused = call(capsys, *arguments(command, path, folder))
    assert_refused(refused, "in.wav: peak ", "dBFS) accepted; a gain of -")
    assert_untouched(folder)
    offered = refused.err.rpartition("(")[2].rstrip(")\n").split()
    assert offered[0] == "--gain"
    outcome = call(capsys, *arguments(command, path, folder, *offered))
    assert outcome.status in (0, 1), outcome
    assert call(capsys, *arguments(command, path, folder)).status == 2, "a gain is that of one call"
    assert_refused(call(capsys, *arguments(command, path, folder, "--gain", "nan")), "--gain nan: must be in")


def test_the_gain_reaches_other_processes(capsys, folder):
    path = folder / "in.wav"
    path.write_bytes(wav(2.5 * programme(), subtype="FLOAT"))
    line = arguments("simulate", path, folder, "--gain", "-9", "--json")
    (folder / "same.wav").write_bytes(path.read_bytes())
    alone = call(capsys, *line)
    beside = call(capsys, *line, folder / "same.wav", "--jobs", "2")
    assert alone.status == 0, alone
    assert beside.json["files"][0] == alone.json["files"][0]
