"""`process`: the bits it writes, the figures it reports, the gains and curves it draws."""

import io
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy import signal

from firmware_model.dynamics import stream
from firmware_model.dynamics.cases.configurations import reference_model
from firmware_model.dynamics.commands import processing_plot
from firmware_model.dynamics.measures import runs
from firmware_model.dynamics.settings import profiles
from firmware_model.dynamics.settings.params import SAMPLE_RATES, BandConfig, DynamicsConfig, LimiterConfig
from firmware_model.pcm import to_q15
from firmware_model.reference import processor as reference
from firmware_model.reference.dynamics_model import BandModel, DynamicsModel, LimiterModel
from tests.firmware_model.cli.cases import call, programme, wav

FS_HZ = 48000
COMMAND = [sys.executable, "-c", "from firmware_model.cli.main import main; main()"]
JSON_KEYS = {
    *(
        "profile",
        "arith",
        "fs_hz",
        "channels",
        "seconds",
        "latency_ms",
        "ram_bytes",
        "max_error_lsb",
        "snr_db",
    ),
    *("peak_in_dbfs", "peak_out_dbfs", "loudness_in_lufs", "loudness_out_lufs", "bands", "limiter"),
}
BUSY = """
edges_hz = [150.0, 700.0, 3000.0]
limiter = { threshold_dbfs = -8.0 }
bands = [
  { threshold_dbfs = -30, ratio = 3, knee_db = 6, makeup_db = 12, limiter_threshold_dbfs = -12 },
  { threshold_dbfs = -30, ratio = 3, makeup_db = 9, detector = "rms" },
  { threshold_dbfs = -35, ratio = 4, upward_threshold_dbfs = -40, upward_ratio = 2, upward_range_db = 6 },
  { threshold_dbfs = -40, ratio = inf, knee_db = 12, makeup_db = 15 },
]
"""
ONE_BAND = "[[bands]]\nthreshold_dbfs = {}\nratio = {}\nmakeup_db = {}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """stereo.wav: 1.5 s of music, its channels unlike; short.wav; busy.toml: all that there is."""
    folder = tmp_path_factory.mktemp("process")
    x = programme("music", FS_HZ, 1.5)
    (folder / "stereo.wav").write_bytes(wav(np.stack([x, -0.6 * x[::-1]], axis=1), FS_HZ))
    (folder / "short.wav").write_bytes(wav(x[:4000], FS_HZ))
    (folder / "busy.toml").write_text(BUSY)
    (folder / "nothing.toml").write_text("[[bands]]  # one, all at the defaults\n")
    return folder


def q15_of(path):
    return np.ascontiguousarray(soundfile.read(path, dtype="int16", always_2d=True)[0].T)


def run(capsys, folder, *more, profile="busy.toml", source="stereo.wav", out="out.wav"):
    return call(capsys, "process", folder / source, folder / out, "--profile", folder / profile, *more)


# What is written


def test_the_output_is_the_firmwares_bits_in_step_with_the_input(capsys, folder):
    outcome = run(capsys, folder, "--json", out="out.flac")
    assert (outcome.status, outcome.err) == (0, "")
    info = soundfile.info(folder / "out.flac")
    assert (info.samplerate, info.channels, info.subtype, info.frames) == (FS_HZ, 2, "PCM_16", 72_000)
    x_q15 = q15_of(folder / "stereo.wav")
    config = profiles.parse_profile(BUSY, FS_HZ, 2)
    np.testing.assert_array_equal(q15_of(folder / "out.flac"), stream.process(x_q15, config).y_q15)


def test_one_band_with_nothing_to_do_returns_the_input(capsys, folder):
    outcome = run(capsys, folder, "--arith", "both", "--json", profile="nothing.toml")
    assert (outcome.status, outcome.json["max_error_lsb"], outcome.json["snr_db"]) == (0, 0, None)
    np.testing.assert_array_equal(q15_of(folder / "out.wav"), q15_of(folder / "stereo.wav"))


def test_a_recording_longer_than_a_segment_is_processed_as_one(monkeypatch, rng):
    x_q15 = rng.integers(-30000, 30000, (2, 5000)).astype(np.int16)
    config = profiles.parse_profile(BUSY, FS_HZ, 2)
    whole = runs.run_q15(x_q15, config)
    monkeypatch.setattr(runs, "_SEGMENT", 1 << 9)
    parts = runs.run_q15(x_q15, config)
    np.testing.assert_array_equal(parts[0], whole[0])
    np.testing.assert_array_equal(parts[1].bands_db, whole[1].bands_db)
    np.testing.assert_array_equal(parts[1].limiter_db, whole[1].limiter_db)


def test_float_writes_the_references_output_and_both_writes_the_firmwares(capsys, folder):
    for arith in ("q15", "float", "both"):
        outcome = run(capsys, folder, "--arith", arith, out=f"{arith}.wav")
        assert outcome.status == 0
        assert ("busy.toml in float," in outcome.out) == (arith == "float")
    assert (folder / "both.wav").read_bytes() == (folder / "q15.wav").read_bytes()
    config = profiles.parse_profile(BUSY, FS_HZ, 2)
    padded = stream.pad_for_latency(q15_of(folder / "stereo.wav"), config) / 32768
    y = reference.process(padded, reference_model(config)).y
    y = y[:, config.latency_samples : config.latency_samples + 72_000]
    np.testing.assert_array_equal(q15_of(folder / "float.wav"), to_q15(y.T).T)


def test_samples_are_rounded_to_16_bits_first(capsys, folder):
    x = programme("music", FS_HZ, 0.5)
    (folder / "in24.wav").write_bytes(wav(x, FS_HZ, "PCM_24"))
    assert run(capsys, folder, source="in24.wav", profile="nothing.toml").status == 0
    expected = to_q15(soundfile.read(folder / "in24.wav")[0])
    np.testing.assert_array_equal(q15_of(folder / "out.wav")[0], expected)
    assert soundfile.info(folder / "out.wav").subtype == "PCM_16"


@pytest.mark.parametrize(
    ("fs_hz", "becomes"),
    [
        *((rate, rate) for rate in SAMPLE_RATES),
        *((8000, 16000), (11025, 16000), (16001, 48000), (22050, 44100), (24000, 48000), (32000, 48000)),
        *((44101, 48000), (64000, 96000), (88200, 96000), (176400, 96000), (192000, 96000)),
    ],
)
def test_the_rate_that_resample_chooses(fs_hz, becomes):
    assert runs.accepted_rate(fs_hz) == becomes


def test_another_rate_is_refused_and_resample_converts_it(capsys, folder):
    (folder / "in32.wav").write_bytes(wav(0.5 * programme("music", 32000, 1.0), 32000))
    outcome = run(capsys, folder, source="in32.wav")
    assert outcome.status == 2
    found = "in32.wav: 32000 Hz found, 16000, 44100, 48000 or 96000 Hz needed; add --resample\n"
    assert outcome.err.endswith(found)
    outcome = run(capsys, folder, "--resample", "--json", source="in32.wav")
    assert (outcome.status, outcome.json["fs_hz"], outcome.json["seconds"]) == (0, 48000, 1.0)
    assert soundfile.info(folder / "out.wav").samplerate == 48000


def test_audio_passes_through_standard_input_and_output(capsys, folder):
    assert run(capsys, folder, out="by_name.wav").status == 0
    line = [*COMMAND, "process", "-", "-", "--profile", str(folder / "busy.toml")]
    done = subprocess.run(line, input=(folder / "stereo.wav").read_bytes(), capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(b"\n") == 1
    assert done.stderr.startswith(b"-: 1.50 s at 48000 Hz, stereo, profile ")
    np.testing.assert_array_equal(q15_of(io.BytesIO(done.stdout)), q15_of(folder / "by_name.wav"))


# What is reported


def test_json(capsys, folder):
    outcome = run(capsys, folder, "--arith", "both", "--json")
    assert outcome.status == 0
    facts = outcome.json
    assert set(facts) == JSON_KEYS
    assert (facts["fs_hz"], facts["channels"], facts["seconds"]) == (FS_HZ, 2, 1.5)
    assert facts["profile"] == str(folder / "busy.toml")
    # look-aheads of 1 ms (6 blocks of 8 samples) and 1.5 ms (9 blocks) => 2.5 ms
    assert facts["latency_ms"] == 2.5
    assert facts["ram_bytes"] == stream.Processor(profiles.parse_profile(BUSY, FS_HZ, 2)).ram_bytes
    assert [(band["low_hz"], band["high_hz"]) for band in facts["bands"]] == [
        *((0, 150), (150, 700), (700, 3000), (3000, 24000))
    ]
    for row in (*facts["bands"], facts["limiter"]):
        assert row["max_reduction_db"] > max(row["mean_reduction_db"], 0), "all of it worked"
    assert facts["limiter"]["threshold_dbfs"] == -8
    assert -8.1 < facts["peak_out_dbfs"] <= -8, "the limiter's threshold, reached"
    assert facts["max_error_lsb"] <= 2, "1 measured"
    assert facts["snr_db"] > 96, "101.5 dB measured"


def test_without_both_there_is_nothing_to_compare(capsys, folder):
    for arith in ("q15", "float"):
        facts = run(capsys, folder, "--arith", arith, "--json").json
        assert set(facts) == JSON_KEYS
        assert (facts["max_error_lsb"], facts["snr_db"]) == (None, None)


def test_levels_and_reduction_of_a_sine_worked_by_hand(capsys, folder):
    """Sine of -10 dBFS over a threshold of -20 dBFS at 2 : 1 => 5 dB less; make-up 3 dB => -12 dBFS."""
    x = 10 ** (-10 / 20) * np.sin(2 * np.pi * 997 / FS_HZ * np.arange(FS_HZ))
    (folder / "sine.wav").write_bytes(wav(x, FS_HZ))
    (folder / "one.toml").write_text(ONE_BAND.format(-20, 2, 3) + "attack_ms = 1\nrelease_ms = 5000\n")
    facts = run(capsys, folder, "--json", source="sine.wav", profile="one.toml").json
    assert facts["peak_in_dbfs"] == pytest.approx(-10, abs=0.01)
    assert facts["bands"][0]["max_reduction_db"] == pytest.approx(5, abs=0.01)
    assert facts["bands"][0]["mean_reduction_db"] == pytest.approx(5, abs=0.05), "less in the attack"
    assert facts["loudness_out_lufs"] - facts["loudness_in_lufs"] == pytest.approx(-2, abs=0.05)
    assert facts["limiter"]["max_reduction_db"] == 0


def test_the_gains_are_those_of_the_block_that_they_stand_for(rng):
    """With one band, the last sample of each block is the input's times the gains of the same block."""
    band = BandConfig(threshold_dbfs=-30, ratio=2, makeup_db=6, limiter_threshold_dbfs=-14)
    config = DynamicsConfig(bands=(band,), limiter=LimiterConfig(-20.0), band_look_ahead_ms=0.7)
    x_q15 = (rng.choice([-1, 1], 8000) * rng.integers(8000, 32000, 8000)).astype(np.int16)[None]
    x_q15[:, 2000:4000] //= 30
    for run_in in (runs.run_q15, runs.run_float):
        y_q15, gains = run_in(x_q15, config)
        assert gains.bands_db.shape == (1, 1000)
        assert gains.limiter_db.shape == (1000,)
        assert gains.limiter_db.min() < -3
        expected = x_q15[0, 7::8] * 10 ** ((gains.bands_db[0] + gains.limiter_db) / 20)
        assert np.abs(y_q15[0, 7::8] - expected).max() < 0.51, "0.5002 measured: RND, float32"


def test_silence_and_what_is_too_short_have_no_level(capsys, folder):
    (folder / "silence.wav").write_bytes(wav(np.zeros(FS_HZ), FS_HZ))
    (folder / "sample.wav").write_bytes(wav(np.array([0.5]), FS_HZ))
    silence = run(capsys, folder, "--arith", "both", "--json", source="silence.wav")
    assert silence.status == 0
    levels = ("peak_in_dbfs", "peak_out_dbfs", "loudness_in_lufs", "loudness_out_lufs", "snr_db")
    assert [silence.json[name] for name in levels] == [None] * 5
    assert silence.json["max_error_lsb"] == 0
    sample = run(capsys, folder, "--json", source="sample.wav", profile="nothing.toml").json
    assert [sample[name] for name in levels[1:4]] == [pytest.approx(-6.02, abs=0.01), None, None]


def test_arithmetics_that_differ_by_more_than_2_lsb_are_status_1(capsys, folder, monkeypatch):
    exact = reference.Processor.push
    for off, status in ((2, 0), (3, 1)):

        def wrong(self, x, off=off):
            result = exact(self, x)
            return result._replace(y=result.y + off / 32768)

        monkeypatch.setattr(reference.Processor, "push", wrong)
        outcome = run(capsys, folder, "--arith", "both", "--json", profile="nothing.toml")
        assert (outcome.status, outcome.json["max_error_lsb"]) == (status, off)
    text = run(capsys, folder, "--arith", "both", profile="nothing.toml")
    assert text.status == 1
    assert "largest difference 3 LSB, SNR " in text.out


def compared(y, r):
    comparison = runs.Comparison()
    for columns in (slice(0, 1), slice(1, None)):
        comparison.add(y[:, columns], r[:, columns])
    return comparison.result()


def test_snr_worked_by_hand():
    r = np.array([[300, -400, 0]], np.int16)
    error_lsb, snr_db = compared(r + np.array([[0, -3, 4]], np.int16), r)
    assert error_lsb == 4
    assert snr_db == pytest.approx(40)  # 500^2 / 5^2
    assert compared(r, r) == (0, None)
    extreme = np.array([[-32768, 32767]], np.int16)
    assert compared(extreme, extreme[:, ::-1])[0] == 65535


def test_peak_of_the_most_negative_sample_is_full_scale(capsys, tmp_path):
    for peak, dbfs in ((-32768, 0.0), (16384, -6.0206)):
        soundfile.write(tmp_path / "in.wav", np.array([0, 5, peak], np.int16), FS_HZ)
        line = ["process", tmp_path / "in.wav", tmp_path / "out.wav", "--json"]
        assert call(capsys, *line).json["peak_in_dbfs"] == pytest.approx(dbfs, abs=1e-4)


def test_the_references_settings_are_the_configurations():
    config = profiles.parse_profile(BUSY, 44100, 2)
    model = reference_model(config)
    assert isinstance(model, DynamicsModel)
    assert isinstance(model.limiter, LimiterModel)
    assert all(isinstance(band, BandModel) for band in model.bands)
    assert (model.fs_hz, model.channels, model.edges_hz) == (44100, 2, (150.0, 700.0, 3000.0))
    assert (model.bands[3].ratio, model.bands[1].detector, model.limiter.threshold_dbfs) == (
        np.inf,
        "rms",
        -8,
    )
    assert model.latency_samples == config.latency_samples


def test_the_text_shows_the_figures(capsys, folder):
    outcome = run(capsys, folder, "--arith", "both")
    facts = run(capsys, folder, "--arith", "both", "--json").json
    assert outcome.err == ""
    assert "out.wav: 1.50 s at 48000 Hz, stereo, profile " in outcome.out
    assert f"latency 2.50 ms, {facts['ram_bytes']} bytes of RAM" in outcome.out
    for text in (
        f"{facts['loudness_in_lufs']:.1f} ",
        f" {facts['peak_out_dbfs']:.1f}\n",
        "700 to 3000 Hz ",
        "limiter, -8 dBFS ",
        f" {facts['bands'][3]['max_reduction_db']:.1f}\n",
        f"largest difference {facts['max_error_lsb']} LSB, SNR {facts['snr_db']:.1f} dB",
    ):
        assert text in outcome.out


def test_help_tells_profiles_default_and_rates(capsys):
    text = " ".join(call(capsys, "process", "--help").out.split())
    assert f"{', '.join(profiles.NAMES)}, or a file" in text
    assert "[default: smart-speaker]" in text.replace("- ", "-"), "a line may break at the hyphen"
    assert "16000, 44100, 48000 or 96000 Hz" in text
    assert "\n  process " in call(capsys).out


# Profiles


@pytest.mark.parametrize("name", profiles.NAMES)
def test_named_profiles(capsys, folder, name):
    line = [
        "process",
        folder / "stereo.wav",
        folder / "out.wav",
        "--profile",
        name,
        "--arith",
        "both",
        "--json",
    ]
    outcome = call(capsys, *line)
    assert outcome.status == 0, outcome
    assert outcome.json["profile"] == name


def test_named_profiles_are_installed_with_the_package():
    project = tomllib.loads((Path(__file__).parents[4] / "pyproject.toml").read_text())
    installed = {
        path.name
        for pattern in project["tool"]["setuptools"]["package-data"]["firmware_model.dynamics.settings"]
        for path in profiles.FOLDER.parent.glob(pattern)
    }
    assert installed == {f"{name}.toml" for name in profiles.NAMES}


# Pictures


@pytest.mark.parametrize(("suffix", "begins"), [(".png", b"\x89PNG"), (".pdf", b"%PDF"), (".svg", b"<?xml")])
def test_plots_are_written_whole_and_the_same_each_time(capsys, folder, tmp_path, suffix, begins):
    # A suffix in capitals is the same one.
    plots = [tmp_path / f"{i}{each}" for i, each in enumerate((suffix, suffix.swapcase()))]
    for plot in plots:
        assert run(capsys, folder, "--plot", plot, source="short.wav").status == 0
        assert plot.read_bytes().startswith(begins)
    assert plots[0].read_bytes() == plots[1].read_bytes()
    assert sorted(tmp_path.iterdir()) == plots


@pytest.mark.parametrize(
    ("name", "x", "edges_hz"),
    [
        ("one sample", np.array([0.5]), []),
        ("silence", np.zeros(4000), [60, 200, 600, 2000, 6000]),
        ("full scale $odd_{name", np.repeat([-1.0, 1.0] * 20, 100), [500]),
    ],
)
def test_anything_can_be_drawn(capsys, tmp_path, name, x, edges_hz):
    bands = f"[{'{},' * (len(edges_hz) + 1)}]"
    (tmp_path / "p.toml").write_text(f"edges_hz = {edges_hz}\nbands = {bands}")
    source = tmp_path / f"{name}.wav"
    source.write_bytes(wav(x, 16000))
    line = ["process", source, tmp_path / "y.wav", "--profile", tmp_path / "p.toml", "--arith", "both"]
    outcome = call(capsys, *line, "--plot", tmp_path / "y.png")
    assert (outcome.status, outcome.err) == (0, "")
    assert (tmp_path / "y.png").read_bytes().startswith(b"\x89PNG")


def test_static_curves_worked_by_hand():
    bands = (
        BandConfig(-20, 2, makeup_db=4, upward_threshold_dbfs=-40, upward_ratio=2, upward_range_db=5),
        BandConfig(-20, np.inf, knee_db=10, limiter_threshold_dbfs=-22),
        BandConfig(-20, 4, detector="rms"),
    )
    config = DynamicsConfig(edges_hz=(100.0, 1000.0), bands=bands)
    at_dbfs = np.array([-70.0, -46.0, -30.0, -20.0, 0.0])
    expected = [
        [-61, -39, -26, -16, -6],  # up by 5 (its range), by 3; below, at and 10 dB over the threshold
        [-70, -46, -30, -22, -22],  # in the knee 10/8 less than -20, and that limited
        [-70, -46, -30, -20, -0.75 * (20 - 20 * np.log10(np.sqrt(2)))],
    ]
    out_dbfs = processing_plot.static_curves_dbfs(config, at_dbfs)
    np.testing.assert_allclose(out_dbfs, expected, atol=3e-7)  # 1.5e-7 measured


@pytest.mark.parametrize("fs_hz", SAMPLE_RATES)
@pytest.mark.parametrize("channels", [1, 2])
def test_responses_are_those_of_linkwitz_riley_filters(fs_hz, channels):
    edge_hz = 1000.0
    config = DynamicsConfig(fs_hz, channels, (edge_hz,), (BandConfig(),) * 2)
    freq_hz, h = processing_plot.band_responses(config)
    assert freq_hz[0] == pytest.approx(20, abs=0.5)
    assert freq_hz[-1] == fs_hz / 2
    for i, kind in enumerate(("lowpass", "highpass")):
        sos = signal.butter(2, edge_hz, kind, fs=fs_hz, output="sos")
        expected = signal.sosfreqz(sos, freq_hz, fs=fs_hz)[1] ** 2
        assert np.abs(h[i] - expected).max() < 4.7e-6, "2.4e-6 measured"
    assert np.abs(20 * np.log10(np.abs(h.sum(axis=0)))).max() < 4.3e-5, "2.2e-5 dB measured"


# Real audio


@pytest.mark.real
def test_real_music_in_both_arithmetics(capsys, real_data, tmp_path):
    path = real_data / "music/macleod_outfoxing.flac"
    line = ["process", path, tmp_path / "y.wav", "--arith", "both", "--plot", tmp_path / "y.png", "--json"]
    outcome = call(capsys, *line)
    assert outcome.status == 0, outcome.err
    assert outcome.json["snr_db"] >= 90
    assert outcome.json["loudness_out_lufs"] is not None
