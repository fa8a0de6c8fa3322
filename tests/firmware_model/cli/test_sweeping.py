"""`sweep`: rows of both products, one row alone, Ctrl-C."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from acoustic_sim.sweep.results import Results
from firmware_model.cli import sweep_progress, sweeping
from firmware_model.product import find_product
from firmware_model.report import plans
from tests.firmware_model.cli.cases import call

WATERMARK = """
product = "watermark"
seed = 1
impostor_keys = 1
[programme]
synthesise = ["music"]
seconds = 4.5
[axes]
distance_m = 1
rt60_s = 0.2
snr_db = [20, "none"]
arithmetic = ["q15", "float"]
"""
MBDP = """
product = "mbdp"
[programme]
synthesise = ["music"]
seconds = 1
[axes]
profile = ["smart-speaker", "transparent"]
volume_db = [-6, 0]
"""

ONE_ROW = {
    WATERMARK: WATERMARK.replace('snr_db = [20, "none"]\narithmetic = ["q15", "float"]', "snr_db = 20"),
    MBDP: MBDP.replace('profile = ["smart-speaker", "transparent"]\nvolume_db = [-6, 0]', "volume_db = 0"),
}


@pytest.fixture(scope="module", params=[WATERMARK, MBDP], ids=["watermark", "mbdp"])
def swept(request, tmp_path_factory):
    """A plan that has been run, one of the two by two workers: (path, folder of results)."""
    folder = tmp_path_factory.mktemp("sweep")
    path = folder / "plan.toml"
    path.write_text(request.param)
    jobs = 2 if request.param == MBDP else 1
    done = sweeping.sweep(str(path), str(folder / "out"), jobs, None, False, lambda progress: None)
    assert (done.progress.done, done.progress.errors, done.errors) == (4, 0, [])
    return path, folder / "out"


def table(folder):
    with Results.read(folder) as results:
        return results.rows()


def test_a_row_alone_is_the_row_of_the_table(capsys, swept, tmp_path):
    path, folder = swept
    for number in (1, 4):
        found = call(capsys, "sweep", path, "--row", number, "--json")
        assert (found.status, found.err) == (0, "")
        expected = table(folder)[number - 1]
        assert expected.pop("error") is None
        assert found.json == expected


def test_what_a_row_heard_is_written_and_printed_beside(capsys, swept, tmp_path):
    path, _ = swept
    found = call(capsys, "sweep", path, "--row", 2, "--wav", tmp_path / "a.wav")
    assert (found.status, found.err) == (0, "")
    assert found.out.splitlines()[0].split() == ["row", "2"]
    pcm, fs_hz = soundfile.read(tmp_path / "a.wav", dtype="int16")
    assert pcm.ndim == 1
    assert 1.0 <= len(pcm) / fs_hz <= 6.0
    assert np.abs(pcm.astype(int)).max() > 1000


def test_a_plan_that_is_done_computes_nothing(capsys, swept):
    path, folder = swept
    before = table(folder)
    found = call(capsys, "sweep", path, "--out", folder, "--jobs", 2, "--json")
    assert (found.status, found.err) == (0, "")
    seconds = found.json["seconds"]
    assert found.json == {"folder": str(folder), "rows": 4, "computed": 0, "errors": [], "seconds": seconds}
    assert table(folder) == before
    assert call(capsys, "sweep", path, "--out", folder).out == f"{folder}: 4 rows, 0 of them now\n"


def test_rows_with_errors_are_counted_named_and_computed_again_on_demand(capsys, tmp_path):
    path = tmp_path / "plan.toml"
    one_profile = MBDP.replace('profile = ["smart-speaker", "transparent"]\n', "")
    path.write_text(one_profile.replace('"music"', '"music", "silence"'))
    found = call(capsys, "sweep", path, "--out", tmp_path / "out")
    assert found.status == 0, "a row that fails is a row"
    first, second, third = found.out.splitlines()
    assert first.startswith(f"{tmp_path}/out: 4 rows, 4 of them now in ")
    assert second == "2 rows with an error; --retry computes them again:"
    assert third.startswith("  2: programme='silence': silent")
    assert [row["row"] for row in table(tmp_path / "out") if row["error"]] == [2, 4]
    again = call(capsys, "sweep", path, "--out", tmp_path / "out", "--retry", "--jobs", 1, "--json").json
    assert (again["computed"], again["errors"][0]["rows"]) == (2, 2)


def test_where_every_row_failed_the_status_says_so(capsys, tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(ONE_ROW[MBDP].replace('"music"', '"silence"'))
    found = call(capsys, "sweep", path, "--out", tmp_path / "out")
    assert (found.status, found.err) == (1, "")
    assert found.out.splitlines()[1] == "every row failed; --retry computes them again:"
    again = call(capsys, "sweep", path, "--out", tmp_path / "out", "--json")
    assert (again.status, again.json["errors"][0]["rows"]) == (1, 1)
    assert again.err == f"{tmp_path}/out: every row failed\n"


def test_a_dry_run_counts_and_checks_and_writes_nothing(capsys, swept, tmp_path):
    path, folder = swept
    before = {file: file.stat().st_mtime_ns for file in folder.parent.rglob("*")}
    found = call(capsys, "sweep", path, "--out", folder, "--dry-run", "--json")
    assert (found.status, found.err) == (0, "")
    assert {name: found.json[name] for name in ("rows", "done", "errors")} == dict(rows=4, done=4, errors=0)
    assert all(len(values) == 2 for values in found.json["axes"].values())
    assert len(found.json["axes"]) == 2
    fresh = call(capsys, "sweep", path, "--dry-run", "--out", tmp_path / "new", "--jobs", 2)
    assert (fresh.status, fresh.err) == (0, "")
    assert fresh.out.splitlines()[0].startswith(f"{path}: 4 rows of ")
    assert "already" not in fresh.out
    assert not (tmp_path / "new").exists()
    assert {file: file.stat().st_mtime_ns for file in folder.parent.rglob("*")} == before
    (tmp_path / "other.toml").write_text(path.read_text() + "[other]\n")
    assert call(capsys, "sweep", tmp_path / "other.toml", "--dry-run").status == 2
    (tmp_path / "other.toml").write_text(ONE_ROW[path.read_text()])
    other = call(capsys, "sweep", tmp_path / "other.toml", "--dry-run", "--out", folder)
    assert (other.status, "holds results of another plan" in other.err) == (2, True)


def test_a_dry_run_shows_the_ends_of_many_values_and_the_plans_own_word_for_none(capsys, tmp_path):
    text = WATERMARK.replace("distance_m = 1", "distance_m = {from = 1, to = 5, steps = 21}")
    (tmp_path / "plan.toml").write_text(text + 'strength_db = ["default", 3]\n')
    lines = call(capsys, "sweep", tmp_path / "plan.toml", "--dry-run").out.splitlines()
    assert lines[0] == f"{tmp_path}/plan.toml: 168 rows of watermark, factorial; nothing is computed"
    assert [line.split() for line in lines if line.startswith(("distance", "strength", "snr"))] == [
        ["distance_m", "21", "1,", "1.2,", "1.4,", "...,", "5"],
        ["snr_db", "2", "20,", "none"],
        ["strength_db", "2", "default,", "3"],
    ]


def test_a_plan_from_standard_input_finds_its_audio_from_the_working_folder(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "audio").mkdir()
    soundfile.write("audio/a.wav", np.full(16000, 0.1), 16000)
    text = ONE_ROW[MBDP].replace('synthesise = ["music"]', 'files = ["audio/a.wav"]')
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    found = call(capsys, "sweep", "-", "--dry-run", "--json")
    assert (found.status, found.json["rows"], found.json["programmes"]) == (0, 1, ["audio/a.wav"])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    row = call(capsys, "sweep", "-", "--row", 1, "--json")
    assert (row.status, row.json["programme"]) == (0, "audio/a.wav")


def test_sigterm_ends_as_ctrl_c_does(capsys, monkeypatch, tmp_path):
    """As from `docker stop`: after the first row, what is done is kept."""
    path = tmp_path / "plan.toml"
    path.write_text(MBDP.replace("[programme]", "repeats = 50\n[programme]", 1))
    monkeypatch.setattr(
        sweep_progress._Notes,
        "__call__",
        lambda self, progress: progress.done and os.kill(os.getpid(), signal.SIGTERM),
    )
    found = call(capsys, "sweep", path, "--out", tmp_path / "out")
    assert (found.status, found.out) == (143, "")
    assert found.err.splitlines()[-1] == (
        f"{tmp_path}/out: 1 row of 200 kept; the same command goes on from there"
    )
    assert len(table(tmp_path / "out")) == 1
    assert not (tmp_path / "out" / "results.sqlite-wal").exists()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_ctrl_c_keeps_what_is_done_and_says_so(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(MBDP.replace("[programme]", "repeats = 500\n[programme]", 1))
    code = "from firmware_model.cli.main import main; main()"
    command = [sys.executable, "-c", code, "sweep", str(path), "--out", str(tmp_path / "out")]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not rows_so_far(tmp_path / "out"):
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    try:
        out, err = process.communicate(timeout=60)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 130
    kept = rows_so_far(tmp_path / "out")
    assert kept > 0
    assert out == ""
    assert err.splitlines()[-1] == (
        f"{tmp_path}/out: {kept} rows of 2000 kept; the same command goes on from there"
    )


def test_a_cold_cache_is_told_before_the_first_row(capsys, monkeypatch, swept, tmp_path):
    path, folder = swept
    monkeypatch.setattr("fixedpoint._jit.compiled_before", lambda package: package == "fixedpoint")
    says = "compiling the kernels, once for this version; what follows is faster\n"
    (tmp_path / "one.toml").write_text(ONE_ROW[path.read_text()])
    assert call(capsys, "sweep", tmp_path / "one.toml", "--out", tmp_path / "out", "--jobs", 1).err == says
    assert call(capsys, "sweep", path, "--out", folder).err == "", "nothing is left to compute"


def rows_so_far(folder):
    try:
        return len(table(folder))
    except Exception:
        return 0


def test_the_sources_that_decide_a_row_are_in_the_digest_and_no_others():
    root = Path(plans.__file__).parents[2]
    shared = {file for file, _ in plans._files(root, plans._SHARED)}
    assert {
        "firmware_model/golden/causes/faults/worker.py",
        "firmware_model/golden/causes/faults/search.py",
        "firmware_model/golden/causes/faults/products.py",
        "firmware_model/pcm.py",
        "acoustic_sim/loudspeaker/driver.py",
        "acoustic_sim/sweep/playback.py",
        "fixedpoint/arith.py",
        "fixedpoint/filters/fft.py",
    } <= shared
    others = {"report/sweep_report.py", "golden/causes/suspects.py", "watermark/detector.py"}
    assert not {f"firmware_model/{name}" for name in others} & shared
    assert all(any(root.glob(pattern)) for pattern in plans._SHARED)
    own = {file for file, _ in plans._of_product(find_product("mbdp"))}
    assert {
        "firmware_model.dynamics/limiter.py",
        "firmware_model.dynamics/settings/profiles/headset.toml",
        "firmware_model.dynamics/study/row.py",
        "firmware_model.dynamics/measures/runs.py",
    } <= own
    assert not [file for file in own if "/commands/" in file or "/report/" in file]
