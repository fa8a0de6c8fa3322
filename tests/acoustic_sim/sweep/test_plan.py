"""Plans: what they hold, how rows are numbered and seeded, and that every bad value is named."""

from functools import partial

import numpy as np
import pytest
import soundfile

from acoustic_sim.sweep.axes import Asked
from acoustic_sim.sweep.design import Span, cells
from acoustic_sim.sweep.plan import load_plan
from firmware_model.report.plans import ASKING
from fixedpoint.errors import AudioError, ConfigError
from tests.acoustic_sim.sweep.toy import write_plan

HEAD = 'product = "watermark"\n'
PROGRAMME = '[programme]\nsynthesise = ["music"]\n'


def asking(checks):
    """The products' axes, with these checks of values or none."""

    def asked(name):
        return Asked(ASKING[name]().axes, checks(name) if checks else {})

    return {name: partial(asked, name) for name in ASKING}


@pytest.fixture
def plan_of(tmp_path):
    """The plan of a text."""
    soundfile.write(tmp_path / "a.wav", np.zeros(800), 16000)
    soundfile.write(tmp_path / "none.wav", np.zeros(0), 16000)
    (tmp_path / "b.wav").write_text("this is no audio")
    (tmp_path / "mine.toml").write_text("")
    for name in ("folder.wav", "folder.toml"):
        (tmp_path / name).mkdir()

    def make(text, checks=None):
        path = tmp_path / "plan.toml"
        path.write_text(text)
        return load_plan(path, asking(checks))

    return make


def test_a_full_factorial_worked_by_hand(plan_of):
    plan = plan_of(
        HEAD
        + "seed = 3\nrepeats = 2\n[programme]\nsynthesise = ['music', 'voice']\nseconds = 4\n[axes]\n"
        + "arithmetic = ['q15', 'float']\ndrift_ppm = 40\nsnr_db = ['none', 5]\n"
        + "distance_m = {from = 2, to = 8, steps = 3, scale = 'log'}\n"
    )
    rows = plan.conditions()
    assert [c.row for c in rows] == list(range(1, 3 * 2 * 2 * 2 * 2 + 1))
    assert plan.axes == {"distance_m": (2.0, 4.0, 8.0), "snr_db": (None, 5.0), "arithmetic": ("q15", "float")}
    places = [
        (c.values["distance_m"], c.values["snr_db"], c.programme, c.repeat, c.values["arithmetic"])
        for c in rows
    ]
    assert places[:5] == [
        (2.0, None, "music", 0, "q15"),
        (2.0, None, "music", 0, "float"),
        (2.0, None, "music", 1, "q15"),
        (2.0, None, "music", 1, "float"),
        (2.0, None, "voice", 0, "q15"),
    ]
    assert len(set(places)) == len(places)
    assert {c.values["drift_ppm"] for c in rows} == {40.0}
    assert {(c.product, c.seconds, c.impostor_keys) for c in rows} == {("watermark", 4.0, 8)}


def test_rows_that_differ_in_an_axis_alone_share_their_seed_and_repeats_do_not(plan_of):
    plan = plan_of(
        HEAD
        + "repeats = 50\n[programme]\nsynthesise = ['music', 'voice']\n"
        + "[axes]\narithmetic = ['q15', 'float']\nsnr_db = [0, 10]\n"
    )
    seeds = {}
    for c in plan.conditions():
        seeds.setdefault((c.programme, c.repeat), set()).add(c.seed)
    assert all(len(found) == 1 for found in seeds.values())
    every = set.union(*seeds.values())
    assert len(every) == len(seeds) == 100
    assert all(0 <= seed < 2**31 for seed in every)


def test_a_seed_is_the_same_for_ever(plan_of):
    # NumPy keeps the streams of a SeedSequence; a change of these numbers makes every kept table another's.
    plan = plan_of("seed = 7\nrepeats = 2\n" + HEAD + PROGRAMME)
    assert [c.seed for c in plan.conditions()] == [1041839916, 1014427442]


HYPERCUBE = (
    HEAD
    + "design = 'latin-hypercube'\nsamples = 40\nseed = {seed}\n"
    + PROGRAMME
    + "[axes]\ndistance_m = {{from = 1, to = 15}}\nrt60_s = {{from = 0.2, to = 0.8, scale = 'log'}}\n"
    + "noise = ['cafe', 'fan', 'pink', 'white']\nsnr_db = 15\narithmetic = ['q15', 'float']\n"
)


def test_a_latin_hypercube_is_reproducible_and_has_one_sample_in_each_stratum(plan_of):
    plan = plan_of(HYPERCUBE.format(seed=1))
    rows = plan.conditions()
    assert rows == plan_of(HYPERCUBE.format(seed=1)).conditions()
    assert rows != plan_of(HYPERCUBE.format(seed=2)).conditions()
    assert len(rows) == 80
    for q15, other in zip(rows[::2], rows[1::2], strict=True):  # in pairs that hear the same
        assert q15.seed == other.seed
        assert q15.values | {"arithmetic": "float"} == other.values
    drawn = [c.values for c in rows[::2]]
    metres = np.array([values["distance_m"] for values in drawn])
    # Six digits are kept of a number: one at the very edge of its stratum might leave it; here none does.
    assert sorted(np.floor((metres - 1) / 14 * 40).astype(int)) == list(range(40))
    octaves = np.log([values["rt60_s"] / 0.2 for values in drawn]) / np.log(4)
    assert sorted(np.floor(octaves * 40).astype(int)) == list(range(40))
    kinds = [values["noise"] for values in drawn]
    assert {kind: kinds.count(kind) for kind in kinds} == dict.fromkeys(("cafe", "fan", "pink", "white"), 10)
    assert {c.values["snr_db"] for c in rows} == {15.0}
    assert len({c.seed for c in rows}) == 40


def test_a_hypercube_without_anything_to_vary_repeats_one_cell():
    assert list(cells({"snr_db": (3.0,)}, "latin-hypercube", 2, 1)) == [{"snr_db": 3.0}] * 2


def test_a_span_meets_both_its_ends_and_has_few_digits():
    assert Span(1.0, 15.0, 15, False).all() == tuple(float(metres) for metres in range(1, 16))
    assert Span(0.1, 0.4, 4, False).all() == (0.1, 0.2, 0.3, 0.4)
    assert Span(10.0, 1000.0, 3, True).all() == (10.0, 100.0, 1000.0)


def test_paths_are_absolute_in_a_row_and_as_written_in_a_table(plan_of, tmp_path):
    plan = plan_of(
        HEAD + "[programme]\nfiles = ['a.wav']\n[axes]\nnoise = ['fan', './a.wav']\nrir = 'a.wav'\n"
    )
    rows = plan.conditions()
    assert {c.programme for c in rows} == {str(tmp_path / "a.wav")}
    assert [c.values["noise"] for c in rows] == ["fan", str(tmp_path / "a.wav")]
    assert {plan.as_written(c.values["rir"]) for c in rows} <= {"a.wav", "./a.wav"}
    assert all(c.values[name] is None for c in rows for name in ("distance_m", "room_m", "rt60_s"))


def test_the_digest_is_that_of_the_rows_and_the_files_not_of_the_text(plan_of, tmp_path):
    text = HEAD + "[programme]\nfiles = ['a.wav']\n[axes]\nsnr_db = [0, 5]\nmode = 'live'\n"
    first = plan_of(text).digest
    assert len(first) == 64
    reordered = text.replace("snr_db = [0, 5]\nmode = 'live'", "mode = 'live' # causal\nsnr_db = [0.0, 5]")
    assert plan_of(reordered).digest == first
    assert plan_of("false_alarms_per_hour = 1\n" + text).digest == first
    for other in ("seed = 1\n" + text, "repeats = 2\n" + text, "impostor_keys = 1\n" + text):
        assert plan_of(other).digest != first
    assert plan_of(text.replace("5]", "6]")).digest != first
    soundfile.write(tmp_path / "a.wav", np.ones(800) / 2, 16000)
    assert plan_of(text).digest != first


def test_an_axis_that_is_new_leaves_the_digests_of_plans_without_it(plan_of):
    """The digest as it was before there was an SNR at 1 m: results of that time go on."""
    text = HEAD + PROGRAMME + "[axes]\nsnr_db = [0, 5]\n"
    first = plan_of(text).digest
    assert first == "09492804e74dc7ee2a7f40186d0c1599b5fb3ea7215087abfddfba58c4a0511b"
    assert plan_of(text.replace("snr_db = [0", "snr_1m_db = [0")).digest != first
    assert (
        plan_of(HEAD + PROGRAMME).digest == plan_of(HEAD + PROGRAMME + "[axes]\nsnr_1m_db = 'none'\n").digest
    )


def test_rows_that_differ_in_the_snr_at_1_m_are_pairs(plan_of):
    """As those that differ in the SNR at the microphone: one seed, so one excerpt and one draw of noise."""
    rows = plan_of("repeats = 2\n" + AXIS + "snr_1m_db = [20, 'none']\ndistance_m = [1, 2]\n").conditions()
    assert len(rows) == 8
    for repeat in range(2):
        assert len({c.seed for c in rows if c.repeat == repeat}) == 1


def test_a_file_named_by_its_absolute_path_counts_by_its_content_too(plan_of, tmp_path):
    text = HEAD + PROGRAMME + f"[axes]\nnoise = '{tmp_path}/a.wav'\n"
    first = plan_of(text).digest
    soundfile.write(tmp_path / "a.wav", np.ones(800) / 2, 16000)
    assert plan_of(text).digest != first


AXIS = HEAD + PROGRAMME + "[axes]\n"
BAD = {
    "": "product: missing",
    "product = 'watermarks'\n" + PROGRAMME: "did you mean watermark?",
    "product": "not TOML",
    HEAD: "[programme]: missing",
    HEAD + "[programme]\n": "nothing to play",
    HEAD + "[programme]\nsynthesise = ['musik']\n": "did you mean music?",
    HEAD + "[programme]\nsynthesise = 'music'\n": "must be a list",
    HEAD + "[programme]\nsynthesise = ['music', 'music']\n": "the same programme twice",
    HEAD + "[programme]\nfiles = ['c.wav']\n": "programme.files='c.wav': no such file",
    HEAD + "[programme]\nfiles = ['b.wav']\n": "programme.files='b.wav': not audio",
    HEAD + "[programme]\nfiles = ['none.wav']\n": "no samples found",
    HEAD + "[programme]\nfiles = [3]\n": "programme.files=3: must be a WAV or FLAC file",
    HEAD + PROGRAMME + "seconds = 0\n": "programme.seconds=0: must be in [0.1, 3600]",
    HEAD + PROGRAMME + "second = 3\n": "programme.second: unknown; did you mean seconds?",
    HEAD + "sed = 1\n" + PROGRAMME: "sed: unknown; did you mean seed?",
    HEAD + "seed = -1\n" + PROGRAMME: "seed=-1: must be an integer in [0, 2147483647]",
    HEAD + "repeats = true\n" + PROGRAMME: "repeats=True: must be an integer",
    HEAD + "design = 'full'\n" + PROGRAMME: "design='full': must be one of factorial, latin-hypercube",
    HEAD + "design = 'latin-hypercube'\n" + PROGRAMME: "samples: missing",
    HEAD + "samples = 3\n" + PROGRAMME: "samples=3: only a latin-hypercube has them",
    HEAD + "axes = 3\n" + PROGRAMME: "axes=3: must be a table",
    AXIS + "distance = 3\n": "axes.distance: unknown; did you mean distance_m?",
    AXIS + "repeats = 3\n": "axes.repeats: unknown here; it belongs above the tables, [programme] and [axes]",
    AXIS + "profile = 'headset'\n": "axes.profile: an axis of mbdp",
    "product = 'mbdp'\n" + PROGRAMME + "[axes]\nrt60_s = 1\n": "axes.rt60_s: an axis of watermark",
    "product = 'mbdp'\n"
    + PROGRAMME
    + "[axes]\nprofile = 'no.toml'\n": "axes.profile='no.toml': no such file",
    AXIS + "distance_m = 'far'\n": "axes.distance_m='far': must be in [0.3, 100] metres",
    AXIS + "distance_m = nan\n": "axes.distance_m=nan: must be in",
    AXIS + "distance_m = []\n": "axes.distance_m=[]: must hold at least one value",
    AXIS + "distance_m = [1, 2, 1]\n": "axes.distance_m=1.0: given twice",
    AXIS + "snr_db = ['none', 20, 'none']\n": "axes.snr_db='none': given twice",
    AXIS + "strength_db = ['default', 'default']\n": "axes.strength_db='default': given twice",
    AXIS + "key = ['aabb', 'AABB']\n": "axes.key='AABB': given twice",
    AXIS + f"rir = '{'r' * 300}.wav'\n": "rrr.wav': File name too long; must be a WAV or FLAC file",
    AXIS + "noise = 'folder.wav'\n": "axes.noise='folder.wav': a folder; must be one of",
    "product = 'mbdp'\n" + PROGRAMME + "[axes]\nprofile = 'folder.toml'\n": "profile='folder.toml': a folder",
    AXIS + "distance_m = 31\n": "axes.distance_m=31: must be in [0.3, 30] metres in a room made to fit",
    AXIS
    + "distance_m = [3, 9]\nroom_m = [5, 4, 2.5]\n": "axes.distance_m=9: must be in [0.3, 4.52] in a room",
    AXIS + "room_m = [5, 4]\n": 'axes.room_m=[5, 4]: must be "fit" or [length, width, height]',
    AXIS + "room_m = [1, 4, 2]\n": "each 1.8 to 100 m",
    AXIS + "distance_m = {from = 1, to = 3}\n": "axes.distance_m.steps: missing",
    AXIS + "distance_m = {from = 3, to = 1, steps = 2}\n": "from=3 must be below to=1",
    AXIS
    + "distance_m = {from = 1, to = 3, steps = 1}\n": "axes.distance_m.steps=1: must be an integer in [2",
    AXIS + "distance_m = {from = 1, to = 300, steps = 3}\n": "axes.distance_m.to=300: must be in",
    AXIS + "distance_m = {form = 1, to = 3, steps = 3}\n": "did you mean from?",
    AXIS + "drift_ppm = {from = 0, to = 3, steps = 3, scale = 'log'}\n": "must be above 0 for a log scale",
    AXIS + "drift_ppm = {from = 1, to = 3, steps = 3, scale = 'exp'}\n": "scale='exp': must be linear or log",
    AXIS + "noise = {from = 1, to = 3, steps = 3}\n": "axes.noise: no numbers to span",
    AXIS + "noise = 'caffe'\n": "axes.noise='caffe': did you mean cafe?",
    AXIS + "noise = 'c.wav'\n": "axes.noise='c.wav': no such file",
    AXIS + "rir = 'c.wav'\n": "axes.rir='c.wav': no such file",
    AXIS + "rir = 'a.wav'\nrt60_s = 1\n": "axes.rt60_s: a measured room has its own",
    AXIS + "snr_db = 5\nsnr_1m_db = 5\n": "axes.snr_1m_db: snr_db says the SNR at the microphone, which "
    "follows from the one at 1 m; drop snr_1m_db or snr_db",
    AXIS + "rir = 'a.wav'\nsnr_1m_db = 5\n": "axes.snr_1m_db: rir does not say what its level would be at "
    "1 m; drop snr_1m_db or rir",
    AXIS + "snr_1m_db = -11\n": 'axes.snr_1m_db=-11: must be in [-10, 100] dB or "none"',
    "product = 'mbdp'\n" + PROGRAMME + "[axes]\nsnr_1m_db = 1\n": "axes.snr_1m_db: an axis of watermark",
    AXIS + "codec = 'mp3'\n": "axes.codec='mp3': the rate of mp3 must be",
    AXIS + "codec = 'mp3-129'\n": "axes.codec='mp3-129': the rate of mp3 must be",
    AXIS + "codec = 3\n": 'axes.codec=3: must be "none", or a codec',
    AXIS + "loudspeaker = 'televison'\n": "did you mean television?",
    AXIS + "resample_hz = 16000.5\n": "axes.resample_hz=16000.5: must be an integer in [8000, 192000] Hz",
    AXIS + "resample_hz = inf\n": "axes.resample_hz=inf: must be an integer",
    AXIS + "key = 'xyz'\n": "axes.key='xyz': must be 4 to 128 hexadecimal digits",
    AXIS + "mode = 'dead'\n": "axes.mode='dead': must be one of informed, live",
    AXIS + "arithmetic = 'flot'\n": "axes.arithmetic='flot': must be",
    HEAD
    + "repeats = 10000\n"
    + PROGRAMME
    + "[axes]\nsnr_db = {from = 0, to = 9, steps = 200}\n": "2000000 rows",
}


@pytest.mark.parametrize(("text", "says"), BAD.items(), ids=range(len(BAD)))
def test_a_bad_value_is_named_in_one_line(plan_of, text, says):
    with pytest.raises(ConfigError) as caught:
        plan_of(text)
    message = str(caught.value)
    assert says in message
    assert message.count("plan.toml: ") == 1
    assert "\n" not in message


def test_every_bad_value_is_named_at_once(plan_of):
    with pytest.raises(ConfigError) as caught:
        plan_of("seeed = 1\n" + AXIS + "distance_m = 50\nsnr_db = 'x'\nnoise = 'y'\nprofile = 1\n")
    for name in ("seeed", "axes.distance_m=50", "axes.snr_db='x'", "axes.noise='y'", "axes.profile"):
        assert name in str(caught.value)


def test_what_a_product_asks_of_a_value_is_part_of_the_message(plan_of):
    def refuse(value):
        raise ConfigError(f"profile {value!r}: none of ours")

    text = "product = 'mbdp'\n" + PROGRAMME + "[axes]\nprofile = 'x'\n"
    assert len(plan_of(text).conditions()) == 1
    with pytest.raises(ConfigError, match="profile 'x': none of ours"):
        plan_of(text, lambda product: {"profile": refuse} if product == "mbdp" else {})


def test_a_product_may_ask_something_of_what_is_played(plan_of):
    """By a file's header, and of the excerpt of each programme; without the product nothing is asked."""

    def refuse(path):
        raise AudioError(f"{soundfile.info(path).samplerate} Hz found")

    def refuse_short(extent):
        if extent.samples < 50_000:
            raise AudioError(f"{extent.samples} samples at {extent.fs_hz} Hz")

    text = HEAD + "[programme]\nsynthesise = ['music']\nfiles = ['a.wav']\nseconds = 2\n"
    asked = {"programme": refuse, "seconds": refuse_short}
    with pytest.raises(ConfigError, match=r"plan.toml: programme.files='a.wav': 16000 Hz found$"):
        plan_of(text, lambda _: asked)
    with pytest.raises(ConfigError, match=r"plan.toml: programme.seconds=2: 32000 samples at 16000 Hz$"):
        plan_of(text, lambda _: {"seconds": refuse_short})
    assert len(plan_of(text).conditions()) == 2


def test_a_plan_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read: No such file"):
        load_plan(tmp_path / "none.toml", ASKING)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"bytes\.toml: not UTF-8"):
        load_plan(tmp_path / "bytes.toml", ASKING)
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_plan(tmp_path, ASKING)


def test_the_toy_plan_has_20_rows_for_each_repeat(tmp_path):
    assert len(load_plan(write_plan(tmp_path, 3), ASKING).conditions()) == 60
