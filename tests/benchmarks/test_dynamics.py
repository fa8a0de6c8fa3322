"""What the dynamics benchmark counts and how: differences, thresholds, silence, verdicts."""

import numpy as np
import pytest

from benchmarks.dynamics import chain, crossover, limits, loudspeaker
from benchmarks.dynamics.programmes import load_programme
from firmware_model.dynamics.cases.configurations import reference_model
from firmware_model.dynamics.processor import init_probes
from firmware_model.dynamics.settings.params import BandConfig, DynamicsConfig
from firmware_model.dynamics.settings.tuning import quantise
from firmware_model.pcm_writer import write_audio
from fixedpoint.errors import AudioError

# --- crossover -------------------------------------------------------------------------------


def test_edge_sets_are_what_their_names_say():
    groups = crossover.edge_sets(3, ("transparent",))
    for bands in range(2, 7):
        drawn = groups[f"{bands} bands, random edges"]
        assert len(drawn) == 3
        assert all(len(edges) == bands - 1 for edges in drawn)
    assert groups["edges of the profiles"] == [(120.0, 500.0, 2000.0)]
    assert groups == crossover.edge_sets(3, ("transparent",))
    for edges in (edges for sets in groups.values() for edges in sets):
        assert list(edges) == sorted(set(edges))
        assert edges[0] >= 60
        assert edges[-1] <= 16000


def test_tight_edges_are_a_third_of_an_octave_apart_from_60_hz_to_16_khz():
    sets = crossover.tight_edges()
    steps = np.concatenate([np.diff(np.log2(edges)) for edges in sets])
    assert steps == pytest.approx(1 / 3, abs=1e-9)
    assert min(edges[0] for edges in sets) == 60
    assert max(edges[-1] for edges in sets) == pytest.approx(16000)


def test_multitones_fill_full_scale_and_hold_the_whole_range():
    x_q15, lines = crossover.multitones()
    freqs_hz = lines * crossover.FS_HZ / crossover.PERIOD
    assert (np.abs(x_q15.astype(int)).max(axis=1) == 32767).all()
    # Lines are 1.46 Hz apart: the first at or above 20 Hz, the last at or below 0.45 fs = 21600 Hz.
    assert 20 <= freqs_hz[0] < 20 + 1.47
    assert 21600 - 1.47 < freqs_hz[-1] <= 21600
    assert np.diff(np.log2(freqs_hz[freqs_hz > 1000])).max() < 1 / 120


def test_deviation_is_in_level_and_only_where_the_wanted_response_is():
    """+0.1 dB counts, a turned phase does not; -80.1 dB is below the depth, however wrong."""
    wanted = np.array([1, 1j, 10 ** (-80.1 / 20)])
    got = np.array([10 ** (0.1 / 20), 1, 1])
    assert crossover.deviation_db(got, wanted) == pytest.approx(0.1)
    assert crossover.deviation_db(got[2:], wanted[2:]) == 0


def test_mean_response_reads_the_second_of_each_two_periods():
    """A band of half the input, after a period of anything: 1/2 at every line."""
    tones_q15, lines = crossover.multitones()
    x = tones_q15.astype(float)
    signals = np.stack([np.full_like(x, 7.0), x / 2], axis=1).reshape(1, -1)
    assert crossover.mean_response(signals, x, lines) == pytest.approx(np.full((1, len(lines)), 0.5))


def test_a_wrong_band_is_seen(monkeypatch):
    """The reference is told 1001 Hz where the kernel has 1000: at the slope's foot 4 * 8.7 dB * 0.1 %."""
    honest = crossover.measure_edges((1000.0,))
    monkeypatch.setattr(
        crossover,
        "reference_model",
        lambda config: reference_model(DynamicsConfig(edges_hz=(1001.0,), bands=config.bands)),
    )
    wrong = crossover.measure_edges((1000.0,))
    assert honest["band_db"] < 0.001
    assert wrong["band_db"] == pytest.approx(0.035, abs=0.003)


# --- whole chain -----------------------------------------------------------------------------


def test_comparison_rounds_the_twin_half_up_and_limits_it():
    """Twin in LSB: 0.5 -> 1, -0.5 -> 0, 2.4 -> 2, 40000 -> 32767. Against 1, 1, 4, 32767: 0, 1, 2, 0."""
    row = chain.compare(np.array([[1, 1, 4, 32767]], np.int16), np.array([[0.5, -0.5, 2.4, 40000]]) / 32768)
    assert (row["samples"], row["equal"], row["within_1"], row["most_lsb"]) == (4, 2, 3, 2)
    assert row["noise"] == 5
    assert row["signal"] == 1 + 0 + 4 + 32767**2
    assert chain.snr_db(row) == pytest.approx(10 * np.log10((5 + 32767**2) / 5))


def test_equal_output_has_infinite_snr_and_noise_on_silence_none():
    y = np.array([[100, -100]], np.int16)
    assert chain.snr_db(chain.compare(y, y / 32768)) == np.inf
    assert chain.snr_db(chain.compare(y, np.zeros((1, 2)))) == -np.inf


def test_gain_changes_leave_out_make_up_and_quiet_blocks():
    """Two blocks: gain at the make-up of 6.02 dB, then half of it; the second band is silent throughout."""
    makeup_db = 20 * np.log10(2)
    config = DynamicsConfig(edges_hz=(1000.0,), bands=(BandConfig(makeup_db=makeup_db), BandConfig()))
    probes = init_probes(quantise(config), 16)
    probes.gain_q27[:] = [[2 << 27, 1 << 27], [1 << 20, 1 << 20]]
    probes.level_q24[:] = [[-1 << 24, -1 << 24], [-20 << 24, -20 << 24]]
    probes.attenuation_q31[:] = [[0, 1 << 30]]
    found = chain.gain_changes(config, probes)
    assert found["counted"] == 2
    assert found["reduction_db"] == pytest.approx(makeup_db)
    assert found["most_reduction_db"] == pytest.approx(makeup_db)
    assert found["most_boost_db"] == 0
    assert found["limiter_db"] == pytest.approx(makeup_db)
    assert (found["blocks"], found["limited"], found["band_limiter_db"]) == (2, 1, 0)


def test_pooling_adds_counts_and_keeps_the_worst():
    one = dict.fromkeys(chain._SUMMED, 10) | {"least_snr_db": 95.0, "most_lsb": 1}
    other = dict.fromkeys(chain._SUMMED, 5) | {"least_snr_db": 101.0, "most_lsb": 2}
    for row in (one, other):
        row |= dict.fromkeys(
            ("most_reduction_db", "most_boost_db", "band_limiter_db", "limiter_db"), row["most_lsb"]
        )
    both = chain.pooled([one, other])
    assert (both["samples"], both["least_snr_db"], both["most_lsb"], both["limiter_db"]) == (15, 95.0, 2, 2)


def test_rows_of_recordings_and_profiles_agree_with_their_columns():
    """Two recordings of 1000 samples, one sample 2 LSB off: 99.95 %; 30 dB over 10 blocks: 3 dB."""
    row = dict.fromkeys(chain._SUMMED, 0) | {"programme": "a", "profile": "p", "files": 1}
    row |= {"samples": 1000, "equal": 1000, "within_1": 1000, "most_lsb": 0, "least_snr_db": float("inf")}
    row |= {"counted": 5, "reduction_db": 10.0, "blocks": 100, "limited": 1}
    row |= {"most_reduction_db": 4.0, "most_boost_db": 0.0, "band_limiter_db": 1.0, "limiter_db": 2.0}
    worse = {"programme": "b", "equal": 999, "within_1": 999, "most_lsb": 2, "least_snr_db": 91.26}
    rows = [row, row | worse | {"reduction_db": 20.0}]
    total = chain.total(rows, "p")
    (cells,) = chain.tabulate_totals([total]).rows
    assert cells[:9] == ["p", "2", "99.950", "99.950", "≥ 99.9 yes", "2", "≤ 2 yes", "91.3", "≥ 90 yes"]
    assert cells[9:] == ["3.0 / 4.0", "0.0", "1.0", "2.0", "1.0"]
    assert len(cells) == len(chain.tabulate_totals([total]).columns)
    table = chain.tabulate_programmes(rows, "p")
    assert [len(cells) for cells in table.rows] == [len(table.columns)] * 2
    assert table.rows[0][4] == "equal"
    assert chain.facts(row)["least_snr_db"] is None
    assert chain.facts(total)["mean_reduction_db"] == 3.0


def test_a_share_of_all_but_one_is_not_rounded_to_all():
    assert chain._percent(1_000_000, 1_000_000) == "100.000"
    assert chain._percent(999_999, 1_000_000) == "99.999"
    assert chain._percent(9_999_999, 10_000_000) == "99.999"


def test_programmes_peak_at_minus_one_dbfs(tmp_path):
    """29205 = round(32768 * 10^(-1/20))."""
    path = tmp_path / "a.wav"
    write_audio(path, np.array([0.0, 0.25, -0.5]), 48000)
    x_q15, fs_hz = load_programme(path)
    assert (x_q15.tolist(), fs_hz) == ([[0, 14602, -29205]], 48000)
    write_audio(path, np.zeros(3), 48000)
    with pytest.raises(AudioError, match="silence"):
        load_programme(path)


# --- threshold and silence -------------------------------------------------------------------


def test_the_most_negative_sample_counts_as_32768():
    assert limits.excess_lsb(np.array([[-32768, 32767]], np.int16), 32767) == 1
    assert limits.excess_lsb(np.array([[-100, 99]], np.int16), 100) == 0


def test_adversarial_input_has_every_period_and_fills_full_scale():
    lengths = limits.periods(16000, quick=False)
    assert lengths[:511] == list(range(2, 513))
    assert 750 < lengths[-1] <= 800  # 20 Hz, less a semitone at most
    x = limits.adversarial(16000, 2, quick=True, seed=0)
    assert x.dtype == np.int16
    assert (x.min(axis=1) == -32768).all()
    assert (x.max(axis=1) == 32767).all()
    assert (x[0] != x[1]).any()


def test_a_limiter_that_lets_one_sample_pass_is_seen(monkeypatch):
    """A threshold that is believed one LSB lower than it is."""
    honest = limits.measure_limiter("transparent", 16000, 1, quick=True)
    assert honest["excess_lsb"] == 0  # reached, and not passed
    believed = limits.threshold_to_q15
    monkeypatch.setattr(limits, "threshold_to_q15", lambda dbfs: believed(dbfs) - 1)
    assert limits.measure_limiter("transparent", 16000, 1, quick=True)["excess_lsb"] == 1


def test_limits_are_pooled_over_rates_and_channels():
    limiter = [
        {"profile": "p", "samples": 600, "excess_lsb": -1},
        {"profile": "p", "samples": 900, "excess_lsb": 1},
    ]
    silence = [{"profile": "p", "runs": 5, "largest_lsb": 0}, {"profile": "p", "runs": 5, "largest_lsb": 2}]
    limiter.append({"profile": "q", "samples": 1, "excess_lsb": 0})
    assert limits.tabulate(limiter, silence).rows == [
        ["p", "1,500", "1", "≤ 0 **NO**", "10", "2", "≤ 1 **NO**"],
        ["q", "1", "0", "≤ 0 yes", "-", "-", "-"],
    ]


def test_settings_at_random_are_accepted_at_every_rate():
    rng = np.random.default_rng(0)
    configs = [limits.hostile_config(fs_hz, 1, rng) for fs_hz in (16000, 96000) for _ in range(50)]
    assert {len(config.bands) for config in configs} == {1, 2, 3, 4, 5, 6}


# --- loudspeaker -----------------------------------------------------------------------------


def side(gain_db, bass_db, loudness_lufs, distortion_db):
    return {
        "gain_db": gain_db,
        "bass_db": bass_db,
        "loudness_lufs": loudness_lufs,
        "distortion_db": distortion_db,
        "clipped": 0.0125,
        "brown_out_s": 0.5,
    }


PROBLEM = {"problem": "peak_m=0.003: the amplifier's rail lets x move the cone 0.0025 m, no further"}


def rows_of(*pairs):
    return [
        {"recording": str(i), "base": base, "new": new, "difference": loudspeaker.difference(new, base)}
        for i, (new, base) in enumerate(pairs)
    ]


def test_differences_are_of_the_profile_less_its_baseline():
    found = loudspeaker.difference(side(0, -20, -15, -30), side(0, -26, -14, -29))
    assert found == {"bass_gain_db": 6, "loudness_gain_lu": -1, "distortion_change_db": -1}
    assert loudspeaker.difference(PROBLEM, side(0, 0, 0, 0)) is None


def test_summary_counts_what_meets_each_target():
    """Bass +6, +5, +1; loudness -1, 0, +4; distortion -1, 0, +2: two, two, two meet theirs; one meets all."""
    base = side(0, -26, -14, -29)
    rows = rows_of(
        (side(0, -20, -15, -30), base), (side(1, -21, -14, -29), base), (side(2, -25, -10, -27), base)
    )
    rows += rows_of((PROBLEM, base))
    found = loudspeaker.summarise(rows)
    assert (found["recordings"], found["compared"], found["meet_all"]) == (4, 3, 1)
    assert found["bass_gain_db"] == {"mean": 4, "median": 5, "worst": 1, "target": 5, "met_by": 2}
    assert found["loudness_gain_lu"] == {"mean": 1, "median": 0, "worst": -1, "target": 0, "met_by": 2}
    assert found["distortion_change_db"]["worst"] == 2
    assert found["distortion_change_db"]["met_by"] == 2
    assert loudspeaker.median_gain_db(rows, "new") == 1
    assert loudspeaker.median_gain_db(rows[3:], "new") is None

    table = loudspeaker.tabulate(rows, found, "new", "base")
    assert table.rows[0][1:7] == ["+6.0", "≥ 5 yes", "-1.0", "≥ 0 **NO**", "-1.0", "≤ 0 yes"]
    assert table.rows[0][9] == "1.25 / 1.25"
    assert table.rows[3][1:8] == ["-"] * 6 + ["0.0 / not reached"]
    assert table.rows[-2][:3] == ["met by", "", "2 of 4"]
    assert table.rows[-1][:3] == ["all three met by", "", "1 of 4"]
    assert all(len(row) == len(table.columns) for row in table.rows)


def test_targets_are_judged_before_rounding():
    """4.9996 dB is not 5, although it is printed so; JSON keeps three digits."""
    rows = rows_of((side(0, -21.0004, -14, -29), side(0, -26, -14, -29)))
    found = loudspeaker.summarise(rows)
    table = loudspeaker.tabulate(rows, found, "new", "base")
    assert [row[1:3] for row in table.rows[:2]] == [["+5.0", "≥ 5 **NO**"]] * 2
    assert found["bass_gain_db"]["met_by"] == 0
    assert loudspeaker.summary_as_json(found)["bass_gain_db"]["mean"] == 5.0


def test_a_summary_of_nothing_compared_is_still_a_table():
    rows = rows_of((PROBLEM, PROBLEM))
    table = loudspeaker.tabulate(rows, loudspeaker.summarise(rows), "new", "base")
    assert [row[0] for row in table.rows] == ["0"]


def test_transparent_adds_no_distortion_to_a_tone_and_the_loudspeaker_does():
    row = loudspeaker.measure_tone("transparent", -6.0, 100.0)
    # 0.002 % measured: rounding to 16 bits on the way in and out, with the tone's period
    assert row["profile_thd_percent"] <= 0.004
    assert row["thd_percent"] > 1
    # The louder, the further: 6 dB more move the cone further, by less than twice.
    more = loudspeaker.measure_tone("transparent", 0.0, 100.0)
    assert row["excursion_mm"] < more["excursion_mm"] < 2 * row["excursion_mm"]
    table = loudspeaker.tabulate_tones([row, row | {"freq_hz": 200.0}])
    assert [cells[0] for cells in table.rows] == ["100", "200"]
    assert all(len(cells) == len(table.columns) for cells in table.rows)
