"""Profiles: the named ones load at every rate, and what is wrong in a user's file is named in one line."""

import math

import numpy as np
import pytest

from firmware_model.dynamics.settings.params import BandConfig, DynamicsConfig, LimiterConfig
from firmware_model.dynamics.settings.profiles import FOLDER, NAMES, load_profile, parse_profile
from firmware_model.dynamics.stream import process
from fixedpoint.errors import ConfigError
from tests.firmware_model.dynamics.twin import RATES, programme

SHIPPED = sorted(path.stem for path in FOLDER.glob("*.toml"))

GOOD = """
edges_hz = [200, 2000.0]
active = [true, false]
all_pass = false
band_look_ahead_ms = 2
[limiter]
threshold_dbfs = -1
release_ms = 30.0
[[bands]]
ratio = inf
detector = "rms"
[[bands]]
[[bands]]
makeup_db = 3
limiter_threshold_dbfs = -6
"""


def problems(text, fs_hz=48000):
    """The one line of a ConfigError."""
    with pytest.raises(ConfigError) as error:
        parse_profile(text, fs_hz, 1)
    line = str(error.value)
    assert "\n" not in line, line
    return line


# --- profiles that are right -----------------------------------------------------------------


def test_shipped_profiles_are_named():
    assert SHIPPED
    assert set(SHIPPED) <= set(NAMES)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("fs_hz", RATES)
@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_profile_runs_at_every_rate(name, fs_hz, channels):
    config = load_profile(name, fs_hz, channels)
    assert (config.fs_hz, config.channels) == (fs_hz, channels)
    x = programme("music", 0.2, fs_hz, channels)
    y = process(x, config).y_q15
    assert y.shape == x.shape
    assert np.abs(y.astype(int)).max() > 1000


def test_every_key_arrives():
    config = parse_profile(GOOD, 44100, 2)
    assert config == DynamicsConfig(
        fs_hz=44100,
        channels=2,
        edges_hz=(200, 2000.0),
        active=(True, False),
        all_pass=False,
        band_look_ahead_ms=2,
        limiter=LimiterConfig(threshold_dbfs=-1, release_ms=30.0),
        bands=(
            BandConfig(ratio=math.inf, detector="rms"),
            BandConfig(),
            BandConfig(makeup_db=3, limiter_threshold_dbfs=-6),
        ),
    )


@pytest.mark.parametrize("text", ["[limiter]\n", "[[bands]]\n"])
def test_an_empty_table_is_one_band_that_leaves_the_signal_alone(text):
    assert parse_profile(text, 48000, 1) == DynamicsConfig()


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_a_file_without_settings_is_refused(text):
    """A failed save leaves an empty file."""
    assert "holds no settings" in problems(text)


def test_a_file_of_ones_own(tmp_path):
    path = tmp_path / "mine.TOML"
    path.write_text(GOOD, "utf-8")
    assert load_profile(str(path), 44100, 2) == parse_profile(GOOD, 44100, 2)


def test_a_byte_order_mark_is_no_matter(tmp_path):
    path = tmp_path / "mark.toml"
    path.write_text(GOOD, "utf-8-sig")
    assert load_profile(str(path), 44100, 2) == parse_profile(GOOD, 44100, 2)


# --- profiles that are wrong -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("edges = [100]\n[[bands]]\n[[bands]]", "edges: unknown key; did you mean edges_hz?"),
        ("fs_hz = 48000", "fs_hz: unknown key; "),
        ("channels = 1", "channels: unknown key; accepted: "),
        ("zzz = 1", "zzz: unknown key; accepted: edges_hz, bands, active, all_pass, band_look"),
        ("[limiter]\nthreshold = -1", "limiter.threshold: unknown key; did you mean threshold_dbfs?"),
        ("[[bands]]\nratoi = 2", "bands[0].ratoi: unknown key; did you mean ratio?"),
        ("limiter = 3", "limiter=3: must be a table"),
        ("limiter = [1]", "limiter=[1]: must be a table"),
        ("[[limiter]]", "limiter=[{}]: must be a table"),
        ("bands = 3", "bands=3: must be a list"),
        ("[bands]\nratio = 2", "bands={'ratio': 2}: must be a list"),
        ("bands = [1]", "bands[0]=1: must be a table"),
        ("bands = []", "bands: 0 found; 1 needed, one more than edges_hz"),
        ("edges_hz = 5", "edges_hz=5: must be a list"),
        ("edges_hz = '100'", "edges_hz='100': must be a list"),
        ("edges_hz = ['100']\n[[bands]]\n[[bands]]", "edges_hz: '100' found; at 48000 Hz must be from 20"),
        ("edges_hz = [nan]\n[[bands]]\n[[bands]]", "edges_hz: nan found; at 48000 Hz must be from 20"),
        ("edges_hz = [inf]\n[[bands]]\n[[bands]]", "edges_hz: inf found; at 48000 Hz must be from 20"),
        ("edges_hz = [true]\n[[bands]]\n[[bands]]", "edges_hz: True found; at 48000 Hz must be from 20"),
        ("edges_hz = [[100]]\n[[bands]]\n[[bands]]", "edges_hz: [100] found; at 48000 Hz must be from 20"),
        ("edges_hz = [100]", "bands: 1 found; 2 needed, one more than edges_hz"),
        ("edges_hz = [100]\nactive = true\n[[bands]]\n[[bands]]", "active=True: must be a list"),
        ("edges_hz = [100]\nactive = [1]\n[[bands]]\n[[bands]]", "active=[1]: must be true or false for"),
        ("all_pass = 1", "all_pass=1: must be one of True, False"),
        ("band_look_ahead_ms = '1'", "band_look_ahead_ms='1': must be a number, from 0.1 to 10"),
        ("[[bands]]\nratio = nan", "bands[0].ratio=nan: must be 1 or more"),
        ("[[bands]]\nratio = -inf", "bands[0].ratio=-inf: must be 1 or more"),
        ("[[bands]]\nratio = 0.99", "bands[0].ratio=0.99: must be 1 or more"),
        ("[[bands]]\nratio = '4:1'", "bands[0].ratio='4:1': must be a number, 1 or more"),
        ("[[bands]]\nratio = 2020-01-01", "ratio=datetime.date(2020, 1, 1): must be a number, 1 or more"),
        ("[[bands]]\nattack_ms = 0", "bands[0].attack_ms=0: must be from 0.05 to 5000"),
        ("[[bands]]\nattack_ms = inf", "bands[0].attack_ms=inf: must be from 0.05 to 5000"),
        ("[[bands]]\ndetector = 'RMS'", "bands[0].detector='RMS': must be one of peak, rms"),
        ("[[bands]]\ndetector = \"a\\nb\"", "bands[0].detector='a\\nb': must be one of peak, rms"),
        ("[[bands]]\nlimiter_threshold_dbfs = 1", "bands[0].limiter_threshold_dbfs=1: must be from -60 to 0"),
        ("[limiter]\nlook_ahead_ms = nan", "limiter.look_ahead_ms=nan: must be from 0.1 to 10"),
        ("edges_hz = [", "not TOML: "),
        ("a = 1\na = 2", "not TOML: "),
        ("ratio: 2", "not TOML: "),
        ("a = " + 5000 * "[", "not TOML: "),
        ("a = " + 5000 * "1", "not TOML: "),
        ("[[bands]]\nratio = 1" + 20 * "0", "ratio=100000000000000000000: must be a number, 1 or more"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(text, says):
    assert says in problems(text)


def test_an_edge_may_be_right_at_one_rate_and_wrong_at_another():
    text = "edges_hz = [100, 9000]\n[[bands]]\n[[bands]]\n[[bands]]"
    assert parse_profile(text, 44100, 1).edges_hz == (100, 9000)
    assert "edges_hz: 9000 found; at 16000 Hz must be from 20 to" in problems(text, 16000)


def test_everything_wrong_is_named_at_once():
    line = problems(
        """
        edges_hz = [5000, 100]
        nonsense = 1
        [limiter]
        release_ms = 0
        [[bands]]
        ratio = 0
        [[bands]]
        knee_db = nan
        attack_ms = -1
        [[bands]]
        kneedb = 3
        """
    )
    wrong = (
        "nonsense",
        "limiter.release_ms=0",
        "bands[0].ratio=0",
        "bands[1].knee_db=nan",
        "bands[1].attack_ms=-1",
        "bands[2].kneedb",
        "edges_hz: 100 after 5000",
    )
    assert [name for name in wrong if name not in line] == [], line


def test_all_pass_is_named_beside_other_bad_values():
    line = problems("all_pass = 3\nedges_hz = [1]\n[[bands]]\n[[bands]]")
    assert "all_pass=3" in line
    assert "edges_hz: 1 found" in line


def test_a_key_with_a_line_break_is_named_in_one_line():
    assert "unknown key" in problems('"a\\nb" = 1')


def test_a_wrong_type_does_not_make_other_settings_wrong():
    assert problems("edges_hz = 5\n[[bands]]\n[[bands]]") == "edges_hz=5: must be a list"


@pytest.mark.parametrize("name", ["", "smart", "Transparent", "mine.tom", "transparent.json"])
def test_unknown_profiles_are_refused(name):
    with pytest.raises(
        ConfigError, match=r"must be conventional, smart-speaker, headset, transparent, or a file"
    ):
        load_profile(name, 48000, 1)


def test_files_that_cannot_be_read_are_named(tmp_path):
    missing, folder, binary, bad = (
        str(tmp_path / f"{name}.toml") for name in ("missing", "folder", "bin", "bad")
    )
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "bin.toml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "bad.toml").write_text("[[bands]]\nratio = 0", "utf-8")
    for path, says in (
        (missing, "cannot be read: No such file or directory"),
        (folder, "cannot be read: Is a directory"),
        (binary, "not UTF-8 text; a TOML file is needed"),
        (bad, "bands[0].ratio=0: must be 1 or more"),
    ):
        with pytest.raises(ConfigError) as error:
            load_profile(path, 48000, 1)
        assert str(error.value) == f"{path}: {says}"
