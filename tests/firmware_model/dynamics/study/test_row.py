"""A row of a dynamics sweep: what it says, what volume and profile do to it, and errors in one line."""

import numpy as np
import pytest
import soundfile

from acoustic_sim.border.one_thread import one_thread
from acoustic_sim.loudspeaker import Driver, measure_playing, measure_thd, simulate
from acoustic_sim.programmes.excitation import synthesise
from acoustic_sim.programmes.programme import Extent
from acoustic_sim.sweep.design import Condition
from firmware_model.dynamics.settings.profiles import NAMES, load_profile
from firmware_model.dynamics.stream import process
from firmware_model.dynamics.study import AXES
from firmware_model.dynamics.study import row as sweep
from firmware_model.pcm import to_q15
from fixedpoint.errors import BittrueError

DEFAULTS = {axis.name: axis.default for axis in AXES}
SECONDS, FS_HZ = 1.0, 16000


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """A second of music at 16 kHz, 20 dB below full scale: the loudspeaker model is quick at this rate."""
    path = tmp_path_factory.mktemp("host") / "music.wav"
    soundfile.write(path, 0.1 * synthesise("music", SECONDS, FS_HZ, 5), FS_HZ, subtype="DOUBLE")
    return str(path)


@pytest.fixture(autouse=True, scope="module")
def quick_tone():
    sweep._tone_thd_db.cache_clear()  # holds tones of the other rate, where other tests ran in this process
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep, "TONE_FS_HZ", FS_HZ)
        yield
    sweep._tone_thd_db.cache_clear()


def row(programme, number=1, **changed):
    values = DEFAULTS | changed
    assert set(values) == set(DEFAULTS)
    return Condition(number, "mbdp", programme, 0, 7, SECONDS, 8, values)


def outcomes(*rows):
    return [outcome for _, outcome in sweep.evaluate(rows)]


def test_the_row_is_what_the_parts_give_one_by_one(music):
    """The file is as long as the excerpt, so that it is played from its start; its peak goes to -1 dBFS."""
    (found,) = outcomes(row(music, volume_db=-6.0))
    x, _ = soundfile.read(music)
    x_q15 = to_q15(x * (10 ** (-7 / 20) / np.abs(x).max()))
    config = load_profile("smart-speaker", FS_HZ, 1)
    y = process(x_q15, config).y_q15[0] / 32768.0
    with one_thread():  # sums over samples differ in their last bits between one thread and two
        playing = measure_playing(y, FS_HZ, Driver())
    assert list(found) == list(sweep.OUTCOME)
    for name in ("bass_db", "loudness_lufs", "distortion_db", "compression_db", "clipped", "brown_out_s"):
        assert found[name] == getattr(playing, name), name
    assert found["peak_mm"] == 1000 * playing.peak_m
    want_db = 10 * np.log10(np.sum(y**2) / np.sum((x_q15 / 32768.0) ** 2))
    assert found["gain_db"] == pytest.approx(want_db, abs=1e-9)
    assert found["max_error_lsb"] is None
    assert found["seconds"] == SECONDS

    def played(tone):
        driven = process(to_q15(tone), config).y_q15[0] / 32768.0
        return simulate(driven, FS_HZ, Driver()).pressure_pa

    thd = measure_thd(played, FS_HZ, 100.0, 10 ** (-7 / 20), settle_s=sweep.SETTLE_S, window_s=sweep.WINDOW_S)
    assert found["thd_db"] == thd.thd_db


def test_louder_is_louder_and_moves_and_distorts_more(music):
    quiet, loud = outcomes(*(row(music, profile="transparent", volume_db=v) for v in (-30.0, 0.0)))
    assert loud["loudness_lufs"] - quiet["loudness_lufs"] == pytest.approx(30, abs=1)
    for name in ("peak_mm", "distortion_db", "thd_db"):
        assert loud[name] > quiet[name], name


def test_the_tone_is_a_sine_at_any_volume(music):
    """6 dB and 12 dB both take -1 dBFS to full scale. Clipped, it had +5.7 and +4.8 dB: its harmonics passed
    in bands above the one in which the tone is held down."""
    loud = [sweep._tone_thd_db("smart-speaker", volume_db, "q15") for volume_db in (0.0, 6.0, 12.0)]
    assert loud[1] == loud[2]
    assert loud[2] - loud[0] == pytest.approx(0.0, abs=0.5), "0.1 dB at 48 kHz when written: limiters hold it"


def test_a_volume_beyond_full_scale_saturates_ahead_of_the_processor(music):
    """At 0 dB the peak is 32768 * 10^(-1/20) = 29204.6; +40 dB make a square wave of nearly everything."""
    plain, _ = sweep._programme(row(music))
    loud, _ = sweep._programme(row(music, volume_db=40.0))
    assert np.abs(plain.astype(int)).max() in (29204, 29205)
    assert (loud.min(), loud.max()) == (-32768, 32767)
    size, rail = np.abs(plain.astype(int)), np.abs(loud.astype(int)) >= 32767
    assert rail[size > 328].all()
    assert not rail[size < 328].any()  # 327.68 LSB are full scale at +40 dB


def test_profiles_differ_and_each_has_a_row(music):
    found = outcomes(*(row(music, i, profile=name) for i, name in enumerate(NAMES)))
    assert len({outcome["loudness_lufs"] for outcome in found}) == len(NAMES)
    conventional, smart = found[NAMES.index("conventional")], found[NAMES.index("smart-speaker")]
    assert smart["bass_db"] > conventional["bass_db"]


def test_arithmetics_are_held_against_exact_q15(music):
    names = ("q15", "float", "q15+truncate", "q15+wrap")
    exact, real, truncated, wrapped = outcomes(
        *(row(music, i, arithmetic=name) for i, name in enumerate(names))
    )
    assert exact["max_error_lsb"] is None
    assert real["max_error_lsb"] == 1, "1 when written, as the processor's own tests allow"
    assert truncated["max_error_lsb"] == 1, "1 when written"
    assert truncated["gain_db"] < exact["gain_db"]
    assert wrapped == exact | {"max_error_lsb": 0}, "nothing saturates here"


def test_a_fault_that_leaves_silence_is_named(music):
    (outcome,) = outcomes(row(music, arithmetic="q15+word32"))
    assert outcome == "arithmetic='q15+word32': silence left the processor, nothing to measure"


def test_rows_do_not_depend_on_those_around_them(music):
    rows = [row(music, 1), row(music, 2, volume_db=-20.0), row(music, 3, profile="headset")]
    together = outcomes(*rows)
    sweep._excerpt.cache_clear()
    sweep._tone_thd_db.cache_clear()
    assert outcomes(*rows[::-1]) == together[::-1]


def test_what_is_heard_is_the_sound_pressure(music):
    condition = row(music)
    pcm, fs_hz = sweep.heard(condition)
    x_q15, config = sweep._programme(condition)
    pressure_pa = simulate(process(x_q15, config).y_q15[0] / 32768.0, FS_HZ, Driver()).pressure_pa
    assert fs_hz == FS_HZ
    assert np.abs(pcm / 32768.0 * sweep.HEARD_FULL_SCALE_PA - pressure_pa).max() <= 0.5 / 32768 * 5.0


def test_another_rate_is_converted_to_one_that_the_processor_has(tmp_path):
    path = tmp_path / "host.wav"
    soundfile.write(path, synthesise("music", SECONDS, 12000, 5), 12000)
    assert sweep._programme(row(str(path)))[1].fs_hz == 16000


def test_an_error_is_one_line_and_the_rows_around_it_stand(music, tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text("edges_hz = 3")
    rows = [
        row(music, 1),
        row("silence", 2),
        row("/nowhere/gone.wav", 3),
        row(music, 4, profile="loud"),
        row(music, 5, profile=str(bad)),
        row(music, 6, arithmetic="q15+wrap@score_from"),
        row(music, 7)._replace(seconds=0.3),
        row(str(tmp_path / "gone.wav"), 8)._replace(files={str(tmp_path / "gone.wav"): "x/gone.wav"}),
        row(music, 9),
    ]
    found = outcomes(*rows)
    assert found[0] == found[-1]
    says = [
        "silent at this volume",
        "gone.wav': cannot be read",
        "loud",
        "edges_hz=3",
        "the kernel must be one of",
        f"programme={music!r}: y of 0.3 s: 0.5 s are needed",
        "programme='x/gone.wav': cannot be read",
    ]
    for outcome, part in zip(found[1:-1], says, strict=True):
        assert isinstance(outcome, str)
        assert part in outcome
        assert "\n" not in outcome


@pytest.mark.parametrize(
    ("axis", "bad", "good"),
    [
        ("profile", "smart-speeker", "headset"),
        ("arithmetic", "q15+wrap@score_from", "q15+truncate@exchange_row"),
        ("seconds", Extent(11025, 5512), Extent(48000, 24000)),
    ],
)
def test_plans_are_checked_before_they_run(axis, bad, good):
    sweep.CHECKS[axis](good)
    with pytest.raises(BittrueError):
        sweep.CHECKS[axis](bad)


def test_a_group_shares_programme_and_profile(music):
    key = sweep.group_key(row(music))
    assert key == sweep.group_key(row(music, 9, volume_db=3.0, arithmetic="float"))
    assert key != sweep.group_key(row(music, profile="headset"))
    assert key != sweep.group_key(row("music"))
