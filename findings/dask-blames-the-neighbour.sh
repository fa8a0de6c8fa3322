#!/bin/sh
# Dask blames a task for the death of workers that its neighbour killed, or not, by how many siblings it has.
#
# Package
#   distributed 2026.8.0 (Dask), at its defaults
# Behaviour
#   A task that kills its process is tried on 4 workers and then fails with KilledWorker. On workers
#   of two threads a harmless task that runs beside it fails with it, with a message that names it
#   and says "on 4 different workers, but all those workers died while running it". With 3 of them
#   or more, all finish: every death counts against whatever the worker had been given, they take
#   turns beside the killer, and it reaches its fourth death before any of them. The same two
#   functions, so, and another verdict.
# Output
#   1 harmless task:  killer error, harmless error
#                     KilledWorker names the harmless task
#   6 harmless tasks: killer error, harmless finished finished finished finished finished finished
# Why it matters here
#   One condition of a sweep that runs out of memory takes down good ones in a cluster, though not
#   on a trial with many rows. A worker's death is here no verdict on a batch: each is tried again
#   alone before a row is said to have failed.
# Date
#   2026-12-01
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    distributed==2026.8.0 dask==2026.8.0
cd "$folder"
venv/bin/python - <<'END'
import pathlib
import subprocess
import sys

# Worker processes import the main module, so it must be a file.
pathlib.Path("neighbours.py").write_text("""
import logging
import os
import signal
import time

from distributed import Client, LocalCluster, wait


def killer():
    time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGKILL)


def harmless(i):
    time.sleep(2)
    return i


def run(n):
    quiet = {"silence_logs": logging.CRITICAL + 1, "dashboard_address": None}
    with (
        LocalCluster(n_workers=1, threads_per_worker=2, processes=True, **quiet) as cluster,
        Client(cluster) as client,
    ):
        kills = client.submit(killer, priority=10, pure=False)
        others = [client.submit(harmless, i, pure=False) for i in range(n)]
        wait([kills, *others], timeout=120)
        errors = [(other.key, other.exception()) for other in others if other.status == "error"]
        return kills.status, [other.status for other in others], errors


if __name__ == "__main__":
    killed, alone, errors = run(1)
    print("1 harmless task:  killer", killed + ", harmless", *alone)
    assert (killed, alone) == ("error", ["error"]), "changed"
    ((key, error),) = errors
    assert type(error).__name__ == "KilledWorker" and f"'{key}' on 4 different workers" in str(error), error
    print(f"{'':18}KilledWorker names the harmless task")
    killed, many, _ = run(6)
    print("6 harmless tasks: killer", killed + ", harmless", *many)
    assert (killed, many) == ("error", ["finished"] * 6), "changed"
""")
sys.exit(subprocess.run([sys.executable, "neighbours.py"]).returncode)
END
