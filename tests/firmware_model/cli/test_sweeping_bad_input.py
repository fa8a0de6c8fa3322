"""`sweep`: whatever is wrong is one line and status 2, and results that are there stay as they are."""

import hashlib
import io
import subprocess
import sys

import pytest

from firmware_model.cli import sweeping
from fixedpoint.errors import ConfigError
from tests.firmware_model.cli.cases import call
from tests.firmware_model.cli.test_sweeping import MBDP, WATERMARK

AXIS = "distance_m = 1\n"
BAD_PLANS = {
    "not toml": ("product", "not TOML"),
    "unknown axis": (WATERMARK.replace("distance_m", "distance"), "did you mean distance_m?"),
    "too far": (
        WATERMARK.replace(AXIS, "distance_m = 7\nroom_m = [6, 4, 3]\n"),
        "axes.distance_m=7: must be in",
    ),
    "no audio": (WATERMARK.replace("synthesise", "files"), "programme.files='music': no such file"),
    "a key": (WATERMARK + 'key = "5eed5"\n', "axes.key='5eed5': must be 4 to 128 hexadecimal digits"),
    "a strength": (WATERMARK + "strength_db = 13\n", "axes.strength_db=13: must be in [-20, 12] dB"),
    "a bit rate": (WATERMARK + 'codec = "mp3-1"\n', "axes.codec='mp3-1': the rate of mp3 must be"),
    "a fault": (WATERMARK.replace('"float"', '"q15+rust"'), "q15+rust"),
    "a profile": (MBDP.replace("transparent", "tansparent"), "profile='tansparent': must be"),
    "another's axis": (MBDP + "rt60_s = 1\n", "axes.rt60_s: an axis of watermark"),
}


def refused(outcome):
    assert outcome.status == 2
    assert outcome.out == ""
    assert outcome.err.count("\n") == 1
    return outcome.err


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(MBDP.replace('["smart-speaker", "transparent"]', '"transparent"').replace("[-6, 0]", "0"))
    return path


@pytest.mark.parametrize(("text", "says"), BAD_PLANS.values(), ids=BAD_PLANS)
def test_a_bad_plan_is_named_and_nothing_is_made(capsys, tmp_path, text, says):
    path = tmp_path / "plan.toml"
    path.write_text(text)
    err = refused(call(capsys, "sweep", path, "--out", tmp_path / "out"))
    assert says in err
    assert err.startswith(f"{path}: ")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "--out: missing"),
        (("--out", "{}/out", "--jobs", 2, "--cluster", "tcp://a:1"), "--jobs: a cluster has its own"),
        (("--out", "{}/out", "--jobs", 0), "--jobs"),
        (("--out", "{}/out", "--wav", "a.wav"), "--wav: has no meaning with a whole plan"),
        (("--row", 2), "--row 2: must be in [1, 1]"),
        (("--row", 0), "--row"),
        (("--row", 1, "--out", "{}/out"), "--out: has no meaning with --row"),
        (("--row", 1, "--retry"), "--retry: has no meaning with --row"),
        (("--row", 1, "--wav", "{}/a.mp3"), "suffix '.mp3' found"),
        (("--row", 1, "--wav", "{}/none/a.wav"), "no such folder"),
        (("--row", 1, "--wav", "-", "--json"), "standard output holds the audio"),
        (("--out", "{}/plan.toml"), "plan.toml: is no folder; results need one"),
        (("--out", "{}/plan.toml", "--dry-run"), "plan.toml: is no folder"),
        (("--out", ""), "--out '': must be the name of a folder"),
        (("--out", "-"), "--out '-': must be the name of a folder"),
        (("--row", 1, "--dry-run"), "--dry-run: has no meaning with --row"),
        (("--out", "{}/out", "--cluster", "nowhere"), "--cluster nowhere: tcp://HOST:PORT or tls"),
    ],
)
def test_bad_options_are_named_and_nothing_is_made(capsys, monkeypatch, path, options, says):
    monkeypatch.chdir(path.parent)
    given = [str(option).format(path.parent) for option in options]
    assert says in refused(call(capsys, "sweep", path, *given))
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("limit", ["abc", "-5", "1e9"])
def test_a_limit_of_the_cache_that_cannot_be_read_makes_no_rows_of_errors(capsys, monkeypatch, path, limit):
    monkeypatch.setenv("BITTRUE_CACHE_LIMIT", limit)
    for option in ("--out", "--dry-run"):
        given = [option, path.parent / "out"][: 1 + (option == "--out")]
        assert f"BITTRUE_CACHE_LIMIT='{limit}'" in refused(call(capsys, "sweep", path, *given))
    assert list(path.parent.iterdir()) == [path]
    with pytest.raises(ConfigError, match="BITTRUE_CACHE_LIMIT"):
        sweeping.identity("watermark")  # as a worker of a cluster answers, in its own environment


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"product", "standard input: not TOML"),
        (b"\xff", "standard input: not UTF-8 text; a TOML file is needed"),
        (b"", "standard input: product: missing"),
        (None, "-: cannot be read: standard input is closed"),
    ],
)
def test_a_plan_from_standard_input_that_is_none_is_named(capsys, monkeypatch, content, says):
    stdin = None if content is None else io.TextIOWrapper(io.BytesIO(content))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert says in refused(call(capsys, "sweep", "-", "--dry-run"))


def test_a_plan_without_codecs_runs_without_pyav(path):
    other = path.with_name("other.toml")
    other.write_text(WATERMARK + 'codec = "mp3-128"\n')
    code = (
        "import sys; sys.modules['av'] = None; from firmware_model.cli.main import run; "
        "print([run(['sweep', plan, '--row', '1']) for plan in sys.argv[1:]])"
    )
    done = subprocess.run([sys.executable, "-c", code, path, other], capture_output=True, text=True)
    assert done.stderr == f"{other}: axes.codec: av not installed; pip install av\n"
    assert done.stdout.splitlines()[-1] == "[0, 2]"


def test_a_missing_plan_is_named(capsys, tmp_path):
    err = refused(call(capsys, "sweep", tmp_path / "plan.toml", "--out", tmp_path / "out"))
    assert err == f"{tmp_path}/plan.toml: cannot be read: No such file or directory\n"


def test_results_of_another_plan_or_damaged_ones_stay_as_they_are(capsys, path):
    folder = path.parent / "out"
    assert call(capsys, "sweep", path, "--out", folder).status == 0

    def digest():
        return hashlib.sha256((folder / "results.sqlite").read_bytes()).hexdigest()

    before = digest()
    path.write_text(path.read_text().replace("volume_db = 0", "volume_db = 1"))
    assert "holds results of another plan" in refused(call(capsys, "sweep", path, "--out", folder))
    assert digest() == before
    (folder / "results.sqlite").write_text("no database")
    before = digest()
    assert "not a results file" in refused(call(capsys, "sweep", path, "--out", folder))
    assert digest() == before
