"""Benchmarks on real audio: each prints its tables and writes them as JSON and Markdown.

Run one as `python -m benchmarks.detection` (or `make bench-detection`), with BITTRUE_DATA set. `--quick` runs
a small part in about a minute; that, and any run with settings other than what ships, writes to
build/benchmarks instead of benchmarks/results.

detection     marks found: every host, room, noise level and clock drift; Q15 against float
false_alarms  unmarked audio against many keys at once
quality       ViSQOL, PESQ, clipped samples, mark-to-mask and mark-to-signal ratios
cost          speed, memory, constancy in length, FFT
dynamics      dynamics processor: accuracy, threshold, silence, loudspeaker at equal excursion, cost
exactness     check and compare: seconds, memory; what probes cost
device        the exported C on emulated cores and this host
sweep         rows, processes, overhead, memory; against a loop by hand
readme        puts the Markdown tables between their markers in README.md and docs/
summary       the few figures of README.md
"""

import os

# One process per core: a linear-algebra library that starts threads of its own only makes them queue.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
