"""`calibrate`: what it measures on audio, what it chooses from draws whose law is known, and bad input."""

import contextlib
import io
import json

import numpy as np
import pytest
import soundfile

from acoustic_sim.programmes.excitation import synthesise
from acoustic_sim.sweep import tails
from acoustic_sim.sweep.tails import fit_block_maxima, fit_exponential, poisson_limits
from firmware_model.cli import main
from firmware_model.watermark.commands import calibration
from firmware_model.watermark.commands.calibration import Alarms, choose
from firmware_model.watermark.commands.calibration_files import check_files
from firmware_model.watermark.detector import detect
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import WatermarkConfig
from fixedpoint.errors import AudioError
from tests.firmware_model.cli.cases import FS_HZ, call

KEYS = 6


@pytest.fixture(scope="module", autouse=True)
def few_redraws():
    """Limits from a fifth of the draws, which take most of the time; `test_tails` holds limits of all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tails, "REDRAWS", 40)
        yield


@pytest.fixture(scope="module")
def unmarked(tmp_path_factory):
    """Two files, 160 s of noise and 160 s of music at another rate: together just enough."""
    folder = tmp_path_factory.mktemp("unmarked")
    noise = np.random.default_rng(1).normal(0, 0.1, 160 * FS_HZ).clip(-1, 1)
    soundfile.write(folder / "noise.wav", noise, FS_HZ)
    soundfile.write(folder / "music.flac", np.tile(synthesise("music", 20, 32000, 2), 8), 32000)
    return [str(folder / "noise.wav"), str(folder / "music.flac")]


@pytest.fixture(scope="module")
def facts(unmarked):
    """What the command prints with --json."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        status = main.run(
            ["calibrate", *unmarked, "--keys", str(KEYS), "--resample", "--seed", "7", "--json"]
        )
    assert status == 0
    return json.loads(out.getvalue())


def alarms_of(excess_db: np.ndarray, key_hours: float, rng: np.random.Generator) -> Alarms:
    """Peaks above 3 with the excesses given, spread over 200 blocks."""
    peaks = np.stack([rng.integers(200, size=len(excess_db)), 3 + excess_db], axis=1)
    maxima = rng.gumbel(3, 0.25, (20, 2))
    fits = [*fit_block_maxima(maxima, 0.01, rng), fit_exponential(peaks, 200, key_hours, rng)]
    return Alarms(peaks, key_hours, key_hours, 200, fits)


def test_scores_are_those_of_the_detector_on_the_whole_file(unmarked):
    config = WatermarkConfig()
    keys = [Key(bytes([n, 7])) for n in range(3)]
    heard = calibration.hear(unmarked * 2, keys, config, True, lambda text: None)
    pcm = soundfile.read(unmarked[0], dtype="int16")[0]
    whole = np.rint(detect(pcm, keys, config).integrated * 512)
    assert np.array_equal(heard.score[: len(whole)], whole)
    # The second time the same again: nothing of one file is left in the next.
    assert np.array_equal(*np.split(heard.score, 2))
    assert [row["seconds"] for row in heard.files] == pytest.approx([160, 160] * 2, abs=0.1)


def test_hours_counts_and_fits_of_a_measurement(facts):
    assert facts["key_hours"] == pytest.approx(KEYS * facts["audio_hours"])
    assert facts["audio_hours"] * 3600 == pytest.approx(320, abs=0.2)
    assert facts["largest_score"] == max(row["largest_score"] for row in facts["files"])
    assert [row["threshold"] for row in facts["counts"]] == [4.5, 4.75, 5, 5.25, 5.5, 5.75, 6]
    counts = [row["count"] for row in facts["counts"]]
    assert counts == sorted(counts, reverse=True)
    assert [row["fit"].split()[0] for row in facts["fits"]] == ["Gumbel", "GEV", "exponential"]
    for row in facts["fits"]:
        assert row["threshold"]["low"] < row["threshold"]["high"]
    assert facts["shipped"]["threshold"] == 5.5
    assert facts["shipped"]["keeps_the_rate"] == (facts["chosen_threshold"] <= 5.5)
    # 3.69 key-hours to see fewer than one false alarm at 95 %, from half a key-hour.
    assert facts["needed_key_hours"] == pytest.approx(36.889, abs=1e-3)
    assert "extrapolate by a factor of 69" in facts["limits"][0]


def test_noise_and_music_stay_near_the_gaussian_that_the_score_is_meant_to_be(facts):
    """Of a Gaussian tail the rate is 0.1 per hour near 5.2; half a key-hour gives it within 0.5."""
    exponential = facts["fits"][2]["threshold"]
    assert abs(exponential["value"] - 5.2) < 0.5, exponential
    assert exponential["value"] < exponential["high"] <= facts["chosen_threshold"]


def test_enough_counts_decide_without_a_fit(rng):
    """In 1000 key-hours 80 alarms have an upper limit of 0.0996: the 81st highest may not pass."""
    alarms = alarms_of(rng.exponential(0.25, 20000), 1000.0, rng)
    choice = choose(alarms, 0.1)
    scores = np.sort(alarms.peaks[:, 1])[::-1]
    assert poisson_limits(80, 1000)[1] <= 0.1 < poisson_limits(81, 1000)[1]
    assert choice.from_counts == np.nextafter(scores[80], np.inf)
    assert np.count_nonzero(scores >= choice.threshold) <= 80
    # The law says 20000/1000 exp(-(T - 3)/0.25) = 0.1 at T = 4.32.
    assert 4.32 < choice.threshold < 4.5


def test_too_little_to_count_leaves_it_to_the_fits_upper_limit(rng):
    alarms = alarms_of(rng.exponential(0.25, 200), 10.0, rng)
    choice = choose(alarms, 0.1)
    assert choice.from_counts is None
    assert choice.from_fit == alarms.fits[-1].threshold(0.1).high
    assert choice.from_fit <= choice.threshold < choice.from_fit + 0.01


def test_a_rate_above_what_was_fitted_is_counted(rng):
    """Ten per hour of twenty: the exponential is fitted to the 400 highest, 0.4 per hour."""
    alarms = alarms_of(rng.exponential(0.25, 20000), 1000.0, rng)
    choice = choose(alarms, 10.0)
    assert choice.from_fit is None
    assert choice.threshold == pytest.approx(3 + 0.25 * np.log(2), abs=0.02)


def verdict_on(alarms, per_hour):
    """The line on the shipped threshold of 5.5, and what --json has of it."""
    heard = calibration.Heard(np.full((2, 1), 512, np.int16), [], [])
    facts = calibration._facts(heard, alarms, 1, per_hour, WatermarkConfig())
    return next(line for line in calibration.report(facts).splitlines() if "shipped" in line), facts


def test_a_verdict_of_too_little_to_count_rests_on_the_fit(rng):
    """One key-hour: none counted allows 3.69 per hour, which cannot be why 0.1 is kept."""
    line, facts = verdict_on(alarms_of(rng.exponential(0.2, 200), 1.0, rng), 0.1)
    assert facts["shipped"]["keeps_the_rate"]
    fit = facts["fits"][2]
    value, low, high = fit["at_shipped"].values()
    assert high <= 0.1
    assert line.startswith(
        f"The shipped 5.5 keeps to 0.1 by the {fit['fit']}, {value:.4f} ({low:.4f}–{high:.4f}) per hour. "
        "Counted alone, 0 false alarms in 1.0 key-hours, it could be up to 3.6889 per hour. "
    )


def test_a_verdict_of_enough_counted_rests_on_the_count(rng):
    """1000 key-hours of 20 a key-hour, excesses of 0.5: 20 exp(-2.5/0.5) = 0.13 per hour at 5.5."""
    line, facts = verdict_on(alarms_of(rng.exponential(0.5, 20000), 1000.0, rng), 0.05)
    count = facts["shipped"]["count"]
    assert not facts["shipped"]["keeps_the_rate"]
    assert 100 < count < 170
    assert line.startswith(f"The shipped 5.5 does not keep to 0.05 by the count, {count / 1000:.4f} (")
    assert f"per hour from {count} false alarms in 1000.0 key-hours." in line


def test_a_fit_that_disagrees_is_named_with_its_figure(rng):
    """Maxima of another law than the peaks: Gumbel's scale of 0.25 at 3 leaves 0.0045 an hour at 5.5."""
    line, facts = verdict_on(alarms_of(rng.exponential(1.0, 200), 10.0, rng), 0.5)
    assert not facts["shipped"]["keeps_the_rate"]
    (row,) = [row for row in facts["fits"] if row["fit"].startswith("Gumbel")]
    assert row["threshold"]["high"] <= 5.5
    assert row["fit"] in facts["shipped"]["fits_that_disagree"]
    assert f" By another fit it does: {row['fit']}, {row['at_shipped']['value']:.4f} (" in line
    line, facts = verdict_on(alarms_of(rng.exponential(0.2, 200), 10.0, rng), 0.5)
    assert facts["shipped"]["fits_that_disagree"] == []
    assert line.endswith(" No other fit disagrees.")


def test_command_prints_what_it_chose(capsys, unmarked, facts):
    options = ["--keys", KEYS, "--resample", "--seed", 7, "--false-alarms-per-hour", 0.5]
    done = call(capsys, "calibrate", *unmarked, *options)
    assert done.status == 0, done.err
    assert "key-hours" in done.out
    assert "Threshold for 0.5 per hour: " in done.out
    assert "The shipped 5.5 " in done.out
    assert facts["wanted_per_hour"] == 0.1
    assert facts["keys"] == KEYS


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--false-alarms-per-hour", "0"], "--false-alarms-per-hour 0: must be in (0, 10]"),
        (["--false-alarms-per-hour", "11"], "--false-alarms-per-hour 11: must be in (0, 10]"),
        (["--false-alarms-per-hour", "nan"], "--false-alarms-per-hour nan: must be in (0, 10]"),
        (["--keys", "0"], "--keys 0: must be"),
        (["--keys", "1025"], "--keys 1025: must be"),
        (["--keys", "1"], "160.0 s of audio found; 300 s or more in all needed"),
    ],
)
def test_bad_options_are_one_line(capsys, unmarked, options, says):
    done = call(capsys, "calibrate", unmarked[0], *options)
    assert (done.status, done.out) == (2, "")
    assert says in done.err
    assert done.err.count("\n") == 1


def test_five_minutes_are_enough_and_a_hop_less_is_not(tmp_path):
    """300 s are 9375 hops; a part of a hop, which is not heard, may be missing at the end of each file."""
    config, noise = WatermarkConfig(), np.random.default_rng(3).normal(0, 0.1, 300 * FS_HZ).clip(-1, 1)
    halves = [str(tmp_path / "a.wav"), str(tmp_path / "b.wav")]
    soundfile.write(halves[0], noise[: 150 * FS_HZ], FS_HZ)  # 4687.5 hops
    soundfile.write(halves[1], noise[150 * FS_HZ :], FS_HZ)
    heard = calibration.hear(halves, [Key(b"ab")], config, False, lambda text: None)
    alarms = calibration.measure(heard.score / 512, config, np.random.default_rng(0))
    assert (len(heard.score), alarms.blocks) == (9374, 9)
    soundfile.write(halves[1], noise[150 * FS_HZ + 2 * config.hop :], FS_HZ)
    with pytest.raises(AudioError, match=r"299\.9 s of audio found"):
        calibration.hear(halves, [Key(b"ab")], config, False, lambda text: None)


def test_audio_given_twice_is_refused_before_any_is_heard(capsys, unmarked, tmp_path, monkeypatch):
    noise, music = unmarked
    monkeypatch.setattr(calibration, "hear", None)
    samples, fs_hz = soundfile.read(noise, dtype="int16")
    soundfile.write(tmp_path / "copy.flac", samples, fs_hz)
    samples[-1] ^= 1
    soundfile.write(tmp_path / "other.wav", samples, fs_hz)
    (tmp_path / "link.wav").symlink_to(noise)
    monkeypatch.chdir(tmp_path)
    for files, says in (
        ((noise, noise), f"{noise}: given twice"),
        ((noise, music, "link.wav"), f"link.wav: the same file as {noise}"),
        ((noise, "other.wav", "copy.flac"), f"copy.flac: the same samples as {noise}"),
        (("-", "-"), "-: given twice"),
    ):
        done = call(capsys, "calibrate", *files, "--resample")
        assert (done.status, done.out) == (2, "")
        assert done.err == f"{says}; the same audio again is no more audio, and lowers the threshold\n"
    check_files([noise, str(tmp_path / "other.wav")], FS_HZ, 512, False)


def test_a_wrong_file_is_named_before_those_ahead_of_it_are_heard(capsys, unmarked, monkeypatch):
    monkeypatch.setattr(calibration, "hear", None)
    done = call(capsys, "calibrate", *unmarked)
    assert (done.status, done.out) == (2, "")
    assert done.err == f"{unmarked[1]}: 32000 Hz found, 16000 Hz needed; add --resample\n"


def test_unreadable_and_silent_audio_is_one_line(capsys, unmarked, tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros(310 * FS_HZ), FS_HZ)
    (tmp_path / "text.wav").write_text("no audio")
    for name, says in (
        ("silent.wav", "needed for a fit"),
        ("text.wav", "not audio"),
        ("none.wav", "No such"),
    ):
        done = call(capsys, "calibrate", tmp_path / name, "--keys", 2)
        assert (done.status, done.out) == (2, ""), name
        assert says in done.err
        assert done.err.count("\n") == 1
    done = call(capsys, "calibrate", unmarked[1])
    assert "32000 Hz found, 16000 Hz needed; add --resample" in done.err
