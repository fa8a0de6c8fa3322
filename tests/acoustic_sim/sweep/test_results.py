"""The results file: what goes in comes out, and what cannot be used is refused without being touched."""

import contextlib
import hashlib
import math
import os
import resource
import shutil
import sqlite3
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from acoustic_sim.sweep.results import Results, Timing
from acoustic_sim.sweep.results_file import ResultsError
from firmware_model.report.plans import load
from fixedpoint.errors import BittrueError, ConfigError
from tests.acoustic_sim.sweep import toy

TIMING = Timing(0.25, "here:1", 2)


@pytest.fixture
def plan(tmp_path):
    return load(toy.write_plan(tmp_path))


@pytest.fixture
def folder(tmp_path, plan):
    """Results with three rows, the second an error."""
    folder = tmp_path / "out"
    with Results.open(folder, plan, toy.OUTCOME) as results:
        first, second, third, *_ = plan.conditions()
        results.add(first, toy.outcome(first), TIMING)
        results.add(second, "rir='a.wav': no such file", TIMING)
        results.add(third, toy.outcome(third), TIMING)
    return folder


def digest(folder):
    return hashlib.sha256((folder / "results.sqlite").read_bytes()).hexdigest()


def test_what_goes_in_comes_out(folder, plan):
    with Results.read(folder) as results:
        rows = results.rows()
        assert results.meta["plan"] == plan.text
        assert results.meta["digest"] == plan.digest
        assert results.meta["axes"]["distance_m"] == [1, 2, 3, 4, 5]
        assert results.meta["rows"] == 40
        assert results.meta["versions"][0]["numpy"] == np.__version__
        assert results.timings() == dict.fromkeys((1, 2, 3), TIMING)
        assert results.counts() == (3, 1)
    condition = plan.conditions()[0]
    expected = {"row": 1, "programme": "music", "repeat": 0, "seed": condition.seed, "error": None}
    assert rows[0] == expected | condition.values | toy.outcome(condition)
    assert rows[1]["error"] == "rir='a.wav': no such file"
    assert all(rows[1][name] is None for name in toy.OUTCOME)
    assert rows[2]["found"] is False


def test_numbers_that_sql_and_json_do_not_have_are_none(tmp_path, plan):
    condition = plan.conditions()[0]
    values = {
        "score": np.float64(math.nan),
        "marks": np.int64(3),
        "found": np.bool_(True),
        "scores": [1.5, math.inf, None, [np.float64(2.5), math.nan, (3, [])], np.array([[4], [5]])],
        "says": "a",
    }
    with Results.open(tmp_path / "out", plan, toy.OUTCOME) as results:
        results.add(condition, values, TIMING)
        (row,) = results.rows()
    lists = [1.5, None, None, [2.5, None, [3, []]], [[4], [5]]]
    assert (row["score"], row["marks"], row["found"], row["scores"]) == (None, 3, True, lists)


def test_an_outcome_of_another_shape_is_an_error_of_its_row(tmp_path, plan):
    condition = plan.conditions()[0]
    with Results.open(tmp_path / "out", plan, toy.OUTCOME) as results:
        results.add(condition, {"score": 1.0, "loudness": 2.0}, TIMING)
        (row,) = results.rows()
    assert row["error"] == "outcome: found, loudness, marks, says, scores missing or unknown"


def test_a_folder_that_is_done_holds_no_journal(folder):
    assert sorted(path.name for path in folder.iterdir()) == ["results.lock", "results.sqlite"]


def test_opened_again_it_misses_what_is_missing_and_no_more(folder, plan):
    with Results.open(folder, plan, toy.OUTCOME) as results:
        assert [c.row for c in results.missing()] == list(range(4, 41))
        assert results.forget_errors() == 1
        assert [c.row for c in results.missing()] == [2, *range(4, 41)]
        assert len(results.meta["versions"]) == 1


def test_a_row_cannot_be_there_twice(folder, plan):
    condition = plan.conditions()[0]
    before = Results.read(folder).rows()
    with (
        Results.open(folder, plan, toy.OUTCOME) as results,
        pytest.raises(ResultsError, match="UNIQUE constraint failed"),
    ):
        results.add(condition, "again", TIMING)
    assert Results.read(folder).rows() == before


def test_a_name_that_an_axis_has_is_refused(tmp_path, plan):
    with pytest.raises(ValueError, match="outcome row, rt60_s: an axis has this name"):
        Results.open(tmp_path / "out", plan, {"rt60_s": float, "row": int})


def other_plan(folder, plan):
    return load(toy.write_plan(folder, repeats=3)), toy.OUTCOME, {}


def other_outcome(folder, plan):
    return plan, toy.OUTCOME | {"more": float}, {}


def other_code(folder, plan):
    return plan, toy.OUTCOME, {"code": "0123456789abcdef"}


def test_a_table_with_other_columns_is_of_another_version(folder, plan):
    """As where an axis has come to a product, which leaves the digest of plans without it."""
    with sqlite3.connect(folder / "results.sqlite") as connection:
        connection.execute("ALTER TABLE rows RENAME COLUMN drift_ppm TO drift")
    connection.close()
    before = digest(folder)
    with pytest.raises(ConfigError, match="holds results of another version"):
        Results.open(folder, plan, toy.OUTCOME)
    assert digest(folder) == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (other_plan, "holds results of another plan"),
        (other_outcome, "holds results of another version"),
        (other_code, "code None.*this is bittrue .*, code 0123456789ab; give another folder"),
    ],
)
def test_results_of_another_plan_or_version_are_refused_and_left_alone(folder, tmp_path, plan, change, says):
    before = digest(folder)
    with pytest.raises(ConfigError, match=says) as caught:
        Results.open(folder, *change(tmp_path, plan))
    assert "\n" not in str(caught.value)
    assert digest(folder) == before


def damage_text(path):
    path.write_text("this is no database\n" * 100)


def damage_header(path):
    path.write_bytes(b"\0" * 100 + path.read_bytes()[100:])


def damage_page(path):
    with sqlite3.connect(path) as connection:
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'rows'").fetchone()[0]
    connection.close()
    content = bytearray(path.read_bytes())
    content[(page - 1) * 4096 : (page - 1) * 4096 + 64] = bytes(range(100, 164))
    path.write_bytes(content)


def damage_cut(path):
    path.write_bytes(path.read_bytes()[:6000])


def damage_meta(path):
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = '{' WHERE key = 'digest'")
    connection.close()


def damage_other_tables(path):
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE addresses (name TEXT)")
    connection.close()


@pytest.mark.parametrize(
    "damage", [damage_text, damage_header, damage_page, damage_cut, damage_meta, damage_other_tables]
)
def test_a_damaged_file_is_named_and_left_alone(folder, plan, damage):
    damage(folder / "results.sqlite")
    before = digest(folder)
    with pytest.raises(BittrueError, match=r"results\.sqlite: not a results file, or damaged") as caught:
        Results.open(folder, plan, toy.OUTCOME)
    assert "\n" not in str(caught.value)
    assert digest(folder) == before


def test_a_file_of_others_or_without_rows_is_named_where_it_is_read(tmp_path):
    (tmp_path / "results.sqlite").touch()
    with pytest.raises(ConfigError, match=r"results\.sqlite: no rows yet"):
        Results.read(tmp_path)
    damage_other_tables(tmp_path / "results.sqlite")
    with pytest.raises(ConfigError, match=r"damaged \(it holds other tables\); give"):
        Results.read(tmp_path)


def test_a_file_of_the_plan_that_has_changed_is_named(tmp_path):
    text = toy.PLAN.format(repeats=1).replace("synthesise = [", 'files = ["b.wav", "a.wav"]\nsynthesise = [')
    (tmp_path / "plan.toml").write_text(text)
    for name, value in (("a.wav", 0.1), ("b.wav", 0.2)):
        soundfile.write(tmp_path / name, np.full(100, value), 16000)
    path = tmp_path / "plan.toml"
    Results.open(tmp_path / "out", load(path), toy.OUTCOME).close()
    soundfile.write(tmp_path / "b.wav", np.full(100, 0.3), 16000)
    says = f"^{tmp_path}/out: holds results of {path} as it was before b.wav changed; give another folder$"
    with pytest.raises(ConfigError, match=says):
        Results.open(tmp_path / "out", load(path), toy.OUTCOME)
    path.write_text(text.replace("seed = 7", "seed = 8"))
    with pytest.raises(ConfigError, match=r"another plan .*; b\.wav changed as well; give another folder$"):
        Results.open(tmp_path / "out", load(path), toy.OUTCOME)


def test_an_empty_file_is_one_that_was_killed_as_it_was_made(tmp_path, plan):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "results.sqlite").touch()
    with Results.open(tmp_path / "out", plan, toy.OUTCOME) as results:
        assert len(results.missing()) == 40


def test_two_sweeps_do_not_write_to_one_folder(folder, plan):
    with Results.open(folder, plan, toy.OUTCOME):
        with pytest.raises(ResultsError, match="another sweep is writing to it"):
            Results.open(folder, plan, toy.OUTCOME)
        with Results.read(folder) as results:
            assert len(results.rows()) == 3
    Results.open(folder, plan, toy.OUTCOME).close()


def test_a_folder_without_results_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"no results\.sqlite found"):
        Results.read(tmp_path)


def test_a_folder_that_is_a_file_is_named(tmp_path, plan):
    (tmp_path / "out").touch()
    with pytest.raises(ResultsError, match="out: cannot be made: File exists"):
        Results.open(tmp_path / "out", plan, toy.OUTCOME)


def add_all(folder, plan):
    with Results.open(folder, plan, toy.OUTCOME) as results:
        for condition in results.missing():
            results.add(condition, toy.outcome(condition), TIMING)


def killed_copies(folder, tmp_path):
    """As kill -9 can leave them: a file in WAL mode alone; one with rows in its journal, and no -shm."""
    alone, journal = tmp_path / "alone", tmp_path / "journal"
    shutil.copytree(folder, alone)
    with contextlib.closing(sqlite3.connect(alone / "results.sqlite", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("DELETE FROM timing")
        journal.mkdir()
        for name in ("results.sqlite", "results.sqlite-wal", "results.lock"):
            shutil.copy(alone / name, journal / name)
    assert sorted(os.listdir(alone)) == ["results.lock", "results.sqlite"]
    return alone, journal


@pytest.mark.skipif(os.name == "nt", reason="another system's permissions")
def test_a_folder_that_cannot_be_written_to_is_named_and_left_alone_and_read(folder, plan, tmp_path):
    """In a process of its own, which gives up the rights of root where it has them."""
    before = digest(folder)
    lines = (
        "import os, sys",
        "from firmware_model.report.plans import load",
        "from acoustic_sim.sweep.results import Results",
        "from fixedpoint.errors import BittrueError",
        "from tests.acoustic_sim.sweep import toy",
        "plan = load(sys.argv[1])",
        "Results.open(sys.argv[3], plan, toy.OUTCOME).close()  # once, to have imported everything",
        "os.getuid() == 0 and os.setuid(65534)",
        "try: Results.open(sys.argv[2], plan, toy.OUTCOME)",
        "except BittrueError as error: print(error, file=sys.stderr)",
        "for folder in sys.argv[4:]:",
        "    try: print(len(Results.read(folder).rows()))",
        "    except BittrueError as error: print(error)",
    )
    killed = killed_copies(folder, tmp_path)
    above = [path for path in folder.parents if "pytest-of-" in str(path)]
    modes = {path: path.stat().st_mode for path in (folder, *killed, *above)}
    for path in modes:
        path.chmod(0o555)  # pytest's folders above are for its user's eyes alone
    command = [sys.executable, "-c", "\n".join(lines), plan.path, str(folder), str(folder) + "2"]
    command += map(str, [folder, *killed])
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    for path, mode in modes.items():
        path.chmod(mode)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "3",
        "3",
        f"{killed[1]}/results.sqlite: a sweep that was killed left rows in results.sqlite-wal, "
        "and you cannot write to the folder; read a copy of it",
    ]
    assert done.stderr.startswith(f"{folder}/results."), done.stderr
    assert done.stderr.count("\n") == 1
    assert digest(folder) == before


def full_by_page_count(folder, plan):
    with Results.open(folder, plan, toy.OUTCOME) as results:
        pages = results._connection.execute("PRAGMA page_count").fetchone()[0]
        results._connection.execute(f"PRAGMA max_page_count = {pages}")
        for condition in results.missing():
            results.add(condition, toy.outcome(condition), TIMING)


def full_by_quota(folder, plan):
    """A write past the limit fails as on a full disk; SIGXFSZ is ignored by Python."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, hard))
    try:
        add_all(folder, plan)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("fill", [full_by_page_count, full_by_quota])
def test_a_full_disk_is_named_and_rows_so_far_are_kept(tmp_path, folder, fill):
    plan = load(toy.write_plan(tmp_path, repeats=50))
    folder = tmp_path / "big"
    with Results.open(folder, plan, toy.OUTCOME) as results:
        first = plan.conditions()[0]
        results.add(first, toy.outcome(first), TIMING)
    with pytest.raises(ResultsError, match=r"results\.sqlite: cannot be written") as caught:
        fill(folder, plan)
    assert "\n" not in str(caught.value)
    with Results.open(folder, plan, toy.OUTCOME) as results:
        kept = results.rows()
        assert 1 <= len(kept) < 1000
        left = results.missing()
        assert len(left) == 1000 - len(kept)
        for condition in left:
            results.add(condition, toy.outcome(condition), TIMING)
        assert [row["score"] for row in results.rows()] == [
            toy.outcome(c)["score"] for c in plan.conditions()
        ]


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root can have a small file system"
)
def test_a_full_file_system_is_named_and_rows_so_far_are_kept(tmp_path):
    plan = load(toy.write_plan(tmp_path, repeats=50))
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(small)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        with pytest.raises(ResultsError, match=r"results\.sqlite: cannot be written: .*full"):
            add_all(small / "out", plan)
        with Results.read(small / "out") as results:
            kept = results.rows()
        shutil.copytree(small / "out", tmp_path / "saved")
    finally:
        subprocess.run(["umount", str(small)], check=True)
    assert 1 <= len(kept) < 1000
    add_all(tmp_path / "saved", plan)
    with Results.read(tmp_path / "saved") as results:
        assert [row["score"] for row in results.rows()] == [
            toy.outcome(c)["score"] for c in plan.conditions()
        ]
