"""A row of a watermark sweep: what it says, that rows share work and not results, and errors in one line."""

import numpy as np
import pytest
import soundfile
from threadpoolctl import threadpool_limits

from acoustic_sim.channel import listen, reverberate
from acoustic_sim.programmes.excitation import synthesise
from acoustic_sim.programmes.programme import Extent
from acoustic_sim.sweep import playback
from acoustic_sim.sweep.design import Condition
from firmware_model.report.plans import load
from firmware_model.watermark.detector import detect
from firmware_model.watermark.embedding.embedder import embed
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import WatermarkConfig
from firmware_model.watermark.study import AXES
from firmware_model.watermark.study import row as sweep
from fixedpoint.errors import BittrueError, ConfigError

CONFIG = WatermarkConfig()
DEFAULTS = {axis.name: axis.default for axis in AXES}
SECONDS = 4.3  # two marks
X = np.random.default_rng(0).standard_normal(8000).clip(-3, 3)


def row(number=1, *, programme="music", seconds=SECONDS, seed=7, impostor_keys=2, **changed):
    values = DEFAULTS | {"mode": "live", "distance_m": 2.0, "rt60_s": 0.3} | changed
    assert set(values) == set(DEFAULTS)
    return Condition(number, "watermark", programme, 0, seed, seconds, impostor_keys, values)


def outcomes(*rows):
    return [outcome for _, outcome in sweep.evaluate(rows)]


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BITTRUE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def quiet():
    """Two marks through a small room without noise."""
    (outcome,) = outcomes(row())
    return outcome


def test_an_outcome_has_the_parts_it_says(quiet):
    assert list(quiet) == list(sweep.OUTCOME)
    for name, value in quiet.items():
        kind = type(None) if name in ("hops_differ", "snr_db_at_microphone") else sweep.OUTCOME[name]
        assert type(value) is kind, name


def test_both_marks_are_found_at_once_and_by_nobody_else(quiet):
    assert (quiet["marks"], quiet["found"], quiet["found_one"], quiet["strays"]) == (2, 2, 2, 0)
    assert quiet["score"] == max(quiet["mark_scores"])
    assert quiet["mark_scores"][0] == quiet["one_mark_scores"][0] > CONFIG.threshold
    hops = int(quiet["seconds"] * CONFIG.fs_hz) // CONFIG.hop
    assert len(quiet["impostor_scores"]) == 2 * (hops // CONFIG.mark_hops)
    assert max(quiet["impostor_scores"]) < CONFIG.threshold
    # a peak is held for 16 hops, 0.512 s; it lies within half a slot of where it is expected
    assert 0.512 <= quiet["latency_s"] <= 0.7
    assert np.median(quiet["mark_latencies_s"]) == quiet["latency_s"]
    assert 0.2 < quiet["rt60_s_measured"] < 0.4
    assert quiet["delay_s"] == pytest.approx(2.0 / 343, abs=1e-4)


def test_the_row_is_what_the_parts_give_one_by_one(quiet):
    """Embedder, channel and detector called as anybody would."""
    x = synthesise("music", SECONDS, 48000, 7)
    marked = embed(x, 48000, Key.from_hex(DEFAULTS["key"]), mode="live")
    scene = playback.scene_of(row().values, 7)
    pcm = listen(reverberate(marked.y, 48000, scene), scene)
    heard, fs_hz = sweep.heard(row())
    assert np.array_equal(heard, pcm)
    assert fs_hz == CONFIG.fs_hz
    found = detect(pcm, [Key.from_hex(DEFAULTS["key"])])
    assert len(found.detections) == quiet["found"]
    assert quiet["wsr_db"] == marked.wsr_db
    near = int((2 * CONFIG.mark_samples + quiet["delay_s"] * CONFIG.fs_hz + 768) / CONFIG.hop - 1)
    assert quiet["one_mark_scores"][1] == found.scores[near - 3 : near + 5, 0, 1].max()


def mixed_rows(fault=False):
    """fault : one of them with an arithmetic that is wrong, for which all kernels are compiled once more"""
    changes = [
        {"snr_db": 10.0},
        {"snr_db": 10.0, "arithmetic": "float"},
        {"snr_db": 10.0} | ({"arithmetic": "q15+truncate"} if fault else {"drift_ppm": -50.0}),
        {"snr_1m_db": 8.0},
        {"snr_db": 10.0, "drift_ppm": 50.0},
        {"snr_db": 10.0, "clip_dbfs": -30.0},
        {"snr_db": 10.0, "noise": "fan"},
        {"snr_db": 10.0, "codec": "opus-32"},
        {"snr_db": 10.0, "resample_hz": 8000},
        {"snr_db": 10.0, "volume_db": 12.0},
        {"snr_db": 10.0, "loudspeaker": "small"},
        {"snr_db": 10.0, "key": "abcd"},
        {"snr_db": 10.0, "strength_db": -8.0},
    ]
    return [row(number, **change) for number, change in enumerate(changes, 1)]


@pytest.mark.parametrize("fault", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_row_alone_is_the_row_among_others_in_any_order(fault):
    rows = mixed_rows(fault)
    together = dict(zip((r.row for r in rows), outcomes(*rows), strict=True))
    for condition, outcome in sweep.evaluate(rows[::-1]):
        assert outcome == together[condition.row], condition
    for condition in (rows[1], rows[3], rows[7]):
        sweep._mark.cache_clear()
        playback._bed.cache_clear()
        assert outcomes(condition) == [together[condition.row]]


@pytest.mark.parametrize("fault", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_every_axis_has_an_effect(fault):
    found = outcomes(*mixed_rows(fault))
    assert len({repr(outcome["one_mark_scores"]) for outcome in found}) == len(found)


def test_the_number_of_threads_has_no_say(monkeypatch, tmp_path):
    """Unlimited, the float scores of nine keys differ in their last bits between one thread and two."""
    rows = [row(1, arithmetic="float", impostor_keys=8), row(2, mode="informed")]
    found = []
    for threads in (1, 2):
        monkeypatch.setenv("BITTRUE_CACHE", str(tmp_path / str(threads)))
        sweep._mark.cache_clear()
        with threadpool_limits(threads):
            found.append(outcomes(*rows))
    assert found[0] == found[1]


def test_what_is_kept_on_disk_gives_the_same_row(monkeypatch, tmp_path):
    condition = row(codec="mp3-96", snr_db=15.0)
    (want,) = outcomes(condition)
    monkeypatch.setenv("BITTRUE_CACHE", str(tmp_path))
    for _ in range(2):  # built anew, then read
        sweep._mark.cache_clear()
        playback._bed.cache_clear()
        playback._response.cache_clear()
        assert outcomes(condition) == [want]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["coded", "excerpt", "marked", "noise", "rir"]


def test_an_snr_at_1_m_is_the_one_at_the_microphone_that_it_comes_to():
    """The same noise at the same level: the row that names the SNR at the microphone hears the same."""
    (given,) = outcomes(row(snr_1m_db=8.0))
    (same,) = outcomes(row(snr_db=given["snr_db_at_microphone"]))
    assert same == given
    assert np.array_equal(
        sweep.heard(row(snr_1m_db=8.0))[0], sweep.heard(row(snr_db=same["snr_db_at_microphone"]))[0]
    )
    (far,) = outcomes(row(snr_1m_db=8.0, distance_m=6.0))
    assert far["snr_db_at_microphone"] < given["snr_db_at_microphone"] - 6


def test_each_mark_has_its_latency_and_the_row_the_median_of_those_found():
    (found,) = outcomes(row(snr_db=-6.0, seed=8))
    latencies_s = found["mark_latencies_s"]
    assert (found["marks"], found["found"]) == (2, 1), "the second alone, when written"
    assert len(latencies_s) == 2
    assert [s for s in latencies_s if s is not None] == [found["latency_s"]]


def test_rows_of_one_group_embed_and_convolve_once(monkeypatch):
    calls = []
    real = playback.before_noise
    monkeypatch.setattr(playback, "before_noise", lambda *args: calls.append(1) or real(*args))
    rows = [
        row(i, snr_db=snr, arithmetic=a)
        for i, (snr, a) in enumerate([(20, "q15"), (20, "float"), (5, "q15")])
    ]
    assert len({sweep.group_key(condition) for condition in rows}) == 1
    outcomes(*rows)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("axis", "value", "shares"),
    [
        ("snr_db", 3.0, True),
        ("snr_1m_db", 3.0, True),
        ("noise", "fan", True),
        ("clip_dbfs", -20.0, True),
        ("drift_ppm", 10.0, True),
        ("arithmetic", "float", True),
        ("distance_m", 3.0, False),
        ("room_m", (6.0, 5.0, 3.0), False),
        ("rt60_s", 0.4, False),
        ("rir", "h.wav", False),
        ("loudspeaker", "ideal", False),
        ("volume_db", 1.0, False),
        ("codec", "mp3-64", False),
        ("resample_hz", 8000, False),
        ("key", "abcd", False),
        ("mode", "informed", False),
        ("strength_db", 1.0, False),
    ],
)
def test_a_group_is_what_shares_what_arrives(axis, value, shares):
    assert (sweep.group_key(row(**{axis: value})) == sweep.group_key(row())) is shares


def test_every_axis_is_in_the_test_above():
    (mark,) = (m for m in test_a_group_is_what_shares_what_arrives.pytestmark if m.name == "parametrize")
    assert {axis for axis, _, _ in mark.args[1]} == set(DEFAULTS)


def test_arithmetics_are_compared_with_exact_q15_on_the_same_recording():
    rows = [
        row(i, snr_db=5.0, arithmetic=a) for i, a in enumerate(("q15", "float", "q15+truncate", "q15+word32"))
    ]
    exact, real, truncated, narrow = outcomes(*rows)
    assert exact["hops_differ"] is None
    assert real["hops_differ"] <= 2
    assert truncated["hops_differ"] <= 10
    assert narrow["found"] == 0 < exact["found"], "sums in 32 bits lose every mark"
    assert narrow["hops_differ"] > 5
    assert np.abs(np.subtract(exact["one_mark_scores"], real["one_mark_scores"])).max() < 0.1


def test_marks_are_found_with_a_clock_that_drifts_and_where_they_are_expected():
    """1000 ppm move the second mark's end by 4 ms, an eighth of a hop."""
    for found in outcomes(row(drift_ppm=1000.0), row(drift_ppm=-1000.0)):
        assert (found["found"], found["strays"]) == (2, 0)
        assert min(found["one_mark_scores"]) > CONFIG.threshold


def test_files_are_played_and_marked(tmp_path):
    soundfile.write(tmp_path / "host.flac", synthesise("music", 6.0, 44100, 5), 44100)
    (found,) = outcomes(row(programme=str(tmp_path / "host.flac"), codec="sbc-345"))
    assert found["found"] == 2


def test_keys_of_others_are_many_and_the_same_every_time():
    drawn = [tuple(key.octets for key in sweep._keys(row(seed=seed))[1:]) for seed in (*range(20), 7)]
    assert drawn[7] == drawn[-1] == drawn[7]
    assert len({octets for keys in drawn for octets in keys}) == 2 * sweep.IMPOSTOR_SETS
    assert outcomes(row(impostor_keys=0))[0]["impostor_scores"] == []


# --- what goes wrong -----------------------------------------------------------------------------


def test_an_error_is_one_line_and_the_rows_around_it_stand(monkeypatch, quiet):
    tries = []
    real = sweep._arrive
    monkeypatch.setattr(sweep, "_arrive", lambda condition: tries.append(condition) or real(condition))
    rows = [
        row(1),
        row(2, distance_m=9.0, room_m=(5.0, 4.0, 3.0)),
        row(3, distance_m=9.0, room_m=(5.0, 4.0, 3.0), snr_db=3.0),
        row(4, seconds=1.0),
        row(5, programme="/nowhere/gone.wav"),
        row(6, programme="silence", snr_db=10.0),
        row(7, programme="silence", snr_1m_db=10.0),
        row(8, programme="silence"),
        row(9, codec="mp3-100"),
        row(10, arithmetic="q15+spoil"),
        row(11),
    ]
    found = outcomes(*rows)
    assert found[0] == found[-1] == quiet
    says = [
        "distance_m=9: must be in [0.3, ",
        "distance_m=9: must be in [0.3, ",
        "programme='music': 1.000 s of audio (48000 samples) found; a mark needs 2.048 s",
        "programme='/nowhere/gone.wav': cannot be read",
        "programme='silence': silent in this excerpt; a mark needs a sound to hide in",
        "programme='silence': silent in this excerpt",
        "programme='silence': silent in this excerpt",
        "codec='mp3-100': the rate of mp3 must be",
        "fault 'spoil': must be one of truncate,",
    ]
    for outcome, start in zip(found[1:-1], says, strict=True):
        assert isinstance(outcome, str)
        assert outcome.startswith(start), outcome
        assert "\n" not in outcome
    assert len(tries) == 7, "rows 2 and 3 fail for one reason, found out once; 6 to 8 for another"


@pytest.mark.parametrize(
    ("axis", "bad", "good"),
    [
        ("codec", "aac-8", "aac-96"),
        ("key", "xyz", "5eed"),
        ("arithmetic", "q15+trunk", "q15+wrap@score_from"),
        ("seconds", Extent(48000, 98303), Extent(48000, 98304)),  # a mark is 32768 samples at 16 kHz
        ("seconds", Extent(22050, 45158), Extent(22050, 45159)),
        ("seconds", Extent(16000, 100), Extent(8000, 100)),  # of a rate that is refused by itself
    ],
)
def test_plans_are_checked_before_they_run(axis, bad, good):
    sweep.CHECKS[axis](good)
    with pytest.raises(BittrueError):
        sweep.CHECKS[axis](bad)


def test_files_that_no_row_could_use_are_refused_with_the_plan(tmp_path):
    decay = np.random.default_rng(1).standard_normal(8000) * 10 ** (-3 * np.arange(8000) / 4800)
    files = {"low": (0.1 * X, 8000), "fit": (0.1 * X, 16000), "decay": (0.1 * decay, 16000)}
    files |= {"silent": (np.zeros(800), 16000), "one": (np.ones(1), 44100), "flat": (0.1 * X, 16000)}
    for name, (samples, fs_hz) in files.items():
        soundfile.write(tmp_path / f"{name}.wav", samples, fs_hz)

    def says(head, axes=""):
        path = tmp_path / "plan.toml"
        path.write_text(f"product = 'watermark'\n[programme]\n{head}\n[axes]\n{axes}\n")
        with pytest.raises(ConfigError) as caught:
            load(path)
        return str(caught.value).partition("plan.toml: ")[2]

    assert says("files = ['fit.wav', 'low.wav']") == (
        "programme.files='low.wav': 8000 Hz audio found; at least 16000 Hz needed"
    )
    assert says("synthesise = ['music', 'voice']\nseconds = 1") == "programme.seconds=1: a mark needs 2.048 s"
    found = says("files = ['fit.wav']", "rir = ['decay.wav', 'silent.wav', 'one.wav', 'flat.wav']")
    assert found.split("; axes.") == [
        "axes.rir='silent.wav': all zeros: a room response needs a direct sound",
        "rir='one.wav': too short for the microphone's rate",
        "rir='flat.wav': 0.500 s: 15 dB of decay, 20 dB above the noise, are needed for RT60",
    ]


def test_the_error_of_a_row_names_its_file_as_the_plan_does(tmp_path):
    """Rates that do not fit a codec, samples that are none, and noise that lasts too short a time."""
    bad = X.copy()
    bad[5] = np.nan
    written = {"a/nan.wav": (np.tile(bad, 5), 16000), "a/loud.wav": (np.tile(X, 5), 16000)}
    written |= {"a/fast.wav": (np.tile(0.1 * X, 200), 384000), "a/hum.wav": (0.1 * X[:100], 16000)}
    (tmp_path / "a").mkdir()
    for name, (samples, fs_hz) in written.items():
        soundfile.write(tmp_path / name, samples, fs_hz, subtype="DOUBLE")
    (tmp_path / "a" / "text.wav").write_text("no audio")
    files = {str(tmp_path / name): name for name in (*written, "a/text.wav")}
    path = {name: path for path, name in files.items()}

    def says(name, **changed):
        (outcome,) = outcomes(row(programme=name, seconds=2.1, **changed)._replace(files=files))
        return outcome

    assert says(path["a/nan.wav"]).startswith("programme='a/nan.wav': samples[5]=nan (5 of 40000): ")
    assert says(path["a/loud.wav"]).startswith("programme='a/loud.wav': ")
    assert says(path["a/fast.wav"], codec="mp3-96") == (
        "programme='a/fast.wav': 384000 Hz: must be in [8000, 192000] for codec mp3-96"
    )
    assert says(path["a/text.wav"]) == "programme='a/text.wav': cannot be read; a WAV or FLAC file is needed"
    assert says("music", noise=path["a/hum.wav"], snr_db=9.0) == (
        "noise='a/hum.wav': 0.006 s: must last at least 0.2 s"
    )
    with pytest.raises(BittrueError, match=r"^programme='a/text.wav': cannot be read"):
        sweep.heard(row(programme=path["a/text.wav"])._replace(files=files))
