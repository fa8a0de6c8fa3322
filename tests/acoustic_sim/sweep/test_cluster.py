"""The same plan on a Dask cluster over TCP, with a worker killed half-way: the same table."""

import contextlib
import logging
import os
import signal
import subprocess
import sys

import pytest

from acoustic_sim.sweep.pools import ClusterPool
from acoustic_sim.sweep.results import Results
from firmware_model.report.plans import load
from fixedpoint.errors import BittrueError, ConfigError
from tests.acoustic_sim.sweep import toy
from tests.acoustic_sim.sweep.test_run import rows, sweep

distributed = pytest.importorskip("distributed")

START = """
import time
from distributed import LocalCluster

if __name__ == "__main__":
    # Workers of one thread, in processes of their own, that are started anew when they die.
    options = {"host": "127.0.0.1", "protocol": "tcp://", "dashboard_address": ":0", "silence_logs": 60}
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, **options) as cluster:
        print(cluster.scheduler_address, flush=True)
        time.sleep(600)
"""


@contextlib.contextmanager
def cluster(folder):
    """Scheduler and workers in a process group of their own: (address, process)"""
    (folder / "start.py").write_text(START)
    with subprocess.Popen(
        [sys.executable, str(folder / "start.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
    ) as process:
        try:
            yield process.stdout.readline().strip(), process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with cluster(tmp_path_factory.mktemp("cluster")) as (address, _):
        assert address.startswith("tcp://127.0.0.1:")
        yield address


def test_a_worker_killed_half_way_leaves_the_same_table(tmp_path, address):
    plan = load(toy.write_plan(tmp_path, repeats=10))
    toy.write_undisturbed(plan, tmp_path / "undisturbed")
    killed = []

    def kill_one(progress):
        if progress.done == 60 and not killed:
            with distributed.Client(address, set_as_default=False) as client:
                killed.extend(client.run(os.getpid).values())
            os.kill(killed[0], signal.SIGKILL)

    done = sweep(plan, tmp_path / "out", toy.evaluate_slowly, cluster=address, progress=kill_one)
    assert (done.done, done.errors) == (200, 0)
    assert len(killed) == 2
    assert rows(tmp_path / "out") == rows(tmp_path / "undisturbed")
    with Results.read(tmp_path / "out") as results:
        assert len({timing.worker for timing in results.timings().values()}) == 3, (
            "two, and the one started anew"
        )


def dies_in_row_7(conditions):
    for condition in conditions:
        if condition.row == 7:
            os._exit(1)
        yield condition, toy.outcome(condition)


@pytest.mark.slow
def test_a_row_in_which_workers_die_is_an_error_and_harms_no_others(tmp_path, address):
    plan = load(toy.write_plan(tmp_path, repeats=1))
    sweep(plan, tmp_path / "undisturbed", jobs=2)
    done = sweep(plan, tmp_path / "out", dies_in_row_7, cluster=address)
    assert (done.done, done.errors) == (20, 1)
    found, expected = rows(tmp_path / "out"), rows(tmp_path / "undisturbed")
    assert found[6]["error"] == "worker died"
    assert found[:6] + found[7:] == expected[:6] + expected[7:]


def here_alone():
    """Another value in each process."""
    return os.getpid()


def test_a_worker_with_another_program_is_named(address):
    with pytest.raises(ConfigError, match=r"--cluster tcp://.*: another bittrue found on tcp://"):
        ClusterPool(address, here_alone)


def code_of_a_worker():
    """In workers alone: raises, as where a module is missing; or what `TOY_CODE` has become there."""
    code = os.environ.get("TOY_CODE", "")
    if code == "broken":
        raise ModuleNotFoundError("bittrue")
    return code


def set_code(code):
    os.environ["TOY_CODE"] = code


@pytest.mark.parametrize(("code", "says"), [("foreign", "another bittrue found on tcp"), ("broken", "load")])
def test_workers_that_change_or_join_after_the_start_are_refused(address, code, says):
    """As they join: what each says with a batch counts, not what those said that were there at the start."""
    pool = ClusterPool(address, code_of_a_worker)
    with distributed.Client(address, set_as_default=False) as client:
        assert pool.result(pool.submit(len, "abc")) == 3
        client.run(set_code, code)
        try:
            future = pool.submit(len, "abc")
            with pytest.raises(ConfigError, match=f"--cluster {address}: .*{says}"):
                pool.result(future)
        finally:
            client.run(set_code, "")
            pool.close()


def test_no_logger_of_dask_says_what_is_said_here_as_well(address):
    """At an ERROR of these it writes a traceback."""
    ClusterPool(address).close()
    for name in ("distributed", "distributed.client", "distributed.comm.tcp"):
        assert not logging.getLogger(name).isEnabledFor(logging.ERROR)


def test_a_cluster_without_workers_is_told_waited_for_and_named(tmp_path, monkeypatch, address):
    told, there = [], distributed.Client.nthreads
    plan = load(toy.write_plan(tmp_path, repeats=1))
    monkeypatch.setattr("acoustic_sim.sweep.pools.WORKERS_SECONDS", 0.3)
    monkeypatch.setattr(distributed.Client, "nthreads", lambda self: {})
    says = f"^--cluster {address}: no workers found; start one with: dask worker {address}$"
    with pytest.raises(ConfigError, match=says):
        sweep(plan, tmp_path / "out", cluster=address, note=told.append)
    assert told == [f"--cluster {address}: no workers; waiting for 0.3 s"]
    assert not (tmp_path / "out").exists()
    # The same where all of them go away in the middle of a sweep, and where some come while it waits.
    monkeypatch.setattr(distributed.Client, "nthreads", there)
    pool = ClusterPool(address, note=told.append)
    pool.look()
    assert len(told) == 1
    monkeypatch.setattr(distributed.Client, "nthreads", lambda self: {})
    pool.look()
    assert len(told) == 2
    monkeypatch.setattr(distributed.Client, "nthreads", there)
    pool.look()
    monkeypatch.setattr("acoustic_sim.sweep.pools.WORKERS_SECONDS", 0.0)
    monkeypatch.setattr(distributed.Client, "nthreads", lambda self: {})
    pool.look()
    with pytest.raises(ConfigError, match=says):
        pool.look()
    pool.close()


def test_an_address_without_a_scheduler_is_named(monkeypatch):
    monkeypatch.setattr("acoustic_sim.sweep.pools._CONNECT_SECONDS", 0.5)
    says = "--cluster tcp://127.0.0.1:9: no Dask scheduler answers there"
    with pytest.raises(ConfigError, match=says) as caught:
        ClusterPool("tcp://127.0.0.1:9")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        *(
            (address, "tcp://HOST:PORT or tls://HOST:PORT needed")
            for address in ("foo", "foo://bar:1", "tcp://bar", "bar:1", "tcp://:1", "tcp://bar:0", "")
        ),
        ("tcp://bar:65536", "tcp://HOST:PORT or tls://HOST:PORT needed"),
        ("tls://127.0.0.1:9", "tls needs certificates"),
    ],
)
def test_an_address_that_cannot_be_one_is_refused_before_a_client_is_made(monkeypatch, address, says):
    monkeypatch.setattr(distributed, "Client", None)  # which would end with a traceback of its own
    with pytest.raises(ConfigError, match=f"^--cluster {address}: {says}"):
        ClusterPool(address)


def test_a_refused_cluster_leaves_nothing_new(tmp_path):
    plan = load(toy.write_plan(tmp_path, repeats=1))
    (tmp_path / "there").mkdir()
    before = sorted(tmp_path.rglob("*"))
    for out in ("new/deep", "there"):
        with pytest.raises(ConfigError, match="--cluster foo: tcp"):
            sweep(plan, tmp_path / out, cluster="foo")
        assert sorted(tmp_path.rglob("*")) == before
    toy.write_undisturbed(plan, tmp_path / "there")
    kept = rows(tmp_path / "there")
    assert len(kept) == 20
    with pytest.raises(ConfigError), Results.open(tmp_path / "there", plan, toy.OUTCOME):
        ClusterPool("foo")
    assert rows(tmp_path / "there") == kept


@pytest.mark.slow
def test_a_scheduler_that_goes_away_ends_the_sweep_and_rows_so_far_are_kept(tmp_path):
    plan = load(toy.write_plan(tmp_path, repeats=10))
    with cluster(tmp_path) as (address, process):

        def kill(progress):
            if progress.done == 40:
                os.killpg(process.pid, signal.SIGKILL)

        with pytest.raises(BittrueError, match=f"--cluster {address}: connection lost"):
            sweep(plan, tmp_path / "out", toy.evaluate_slowly, cluster=address, progress=kill)
    kept = len(rows(tmp_path / "out"))
    assert 40 <= kept < 200
    sweep(plan, tmp_path / "out", jobs=2)
    assert len(rows(tmp_path / "out")) == 200
