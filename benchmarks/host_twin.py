"""The exported C beside the Numba kernels on this host: time of every product case, pair by pair.

Both sides process the whole stimulus in one call from Python: the dynamics processor as it is, the detector
by a loop over its hops that is compiled with it, so that neither side's cost of a call from Python counts.
Probes are off.
Runs alternate, the order within a pair too; a run repeats the stimulus until it takes some milliseconds.
The ratio is the median over the pairs of Numba's time over C's. The states must be equal at the end.
"""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numba
import numpy as np

from firmware_model.dynamics.processor import process_frame as process_dynamics
from firmware_model.golden.cases import CASES
from firmware_model.golden.kernel_cases import flat
from firmware_model.golden.stimuli import load
from firmware_model.watermark.detector import process_frame as process_detector
from fixedpoint.c99.host import Library, build
from fixedpoint.c99.translator import translate
from fixedpoint.errors import ConfigError

PAIRS = 60
RUN_S = 0.004
HOPS_IN_C = """
void process_hops(const DetectorParams *params, const DetectorState *state, const int16_t *x, int32_t hops,
    int32_t hop, const DetectorOutput *y);
void process_hops(const DetectorParams *params, const DetectorState *state, const int16_t *x, int32_t hops,
    int32_t hop, const DetectorOutput *y)
{
    for (int32_t i = 0; i < hops; i++) {
        process_frame(params, state, &x[i * hop], y);
    }
}
"""


class Twin(NamedTuple):
    """Milliseconds of the whole stimulus, medians; median and quartiles of Numba's time over C's."""

    numba_ms: float
    c_ms: float
    ratio: float
    low: float
    high: float


@numba.njit
def process_hops(params, state, x, y):
    """The detector over x : (hops, hop) int16."""
    for i in range(x.shape[0]):
        process_detector(params, state, x[i], y, None)


def sides(name: str, folder: Path, flags: tuple[str, ...]) -> tuple[dict[str, Callable[[], Any]], Any, Any]:
    """What to call for a case, "numba" and "c", and their states."""
    case = CASES[name]
    x = case.whole_blocks(load(case))
    ours: Any = case.start()
    theirs: Any = case.start()
    if name.startswith("mbdp"):
        y = np.zeros_like(x)
        module = translate([(process_dynamics, (ours.params, ours.state, x, y, None))], name)
        library = Library(build(module, name, folder, flags))
        prepared = library.prepare(module.functions[0], theirs.params, theirs.state, x, y.copy())
        in_numba: Callable[[], Any] = lambda: process_dynamics(ours.params, ours.state, x, y, None)  # noqa: E731
    else:
        hops = x[0].reshape(-1, case.block)
        module = translate([(process_detector, (ours.params, ours.state, hops[0], ours.output, None))], name)
        library = Library(build(module._replace(source=module.source + HOPS_IN_C), name, folder, flags))
        function = module.functions[0]._replace(name="process_hops")
        prepared = library.prepare(function, theirs.params, theirs.state, hops, theirs.output)
        params, state, start, output = prepared.given
        prepared = prepared._replace(given=[params, state, start, *hops.shape, output])
        in_numba = lambda: process_hops(ours.params, ours.state, hops, ours.output)  # noqa: E731
    return {"numba": in_numba, "c": prepared.run}, ours.state, theirs.state


def seconds(call: Callable[[], Any], times: int) -> float:
    """Of one call, the mean of so many."""
    start = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - start) / times


def compare(name: str, folder: Path, flags: tuple[str, ...], pairs: int = PAIRS) -> Twin:
    """Both sides of a case, in turn."""
    calls, ours, theirs = sides(name, folder, flags)
    for call in calls.values():
        call()  # compiles, and fills the caches
    times = 1 + int(RUN_S / min(seconds(call, 1) for call in calls.values()))
    taken = []
    for i in range(pairs):
        order = ("numba", "c") if i % 2 else ("c", "numba")
        taken.append({side: seconds(calls[side], times) for side in order})
    if not np.array_equal(flat(ours), flat(theirs)):
        raise ConfigError(f"{name}: the states of Numba and C differ")
    low, ratio, high = np.quantile([pair["numba"] / pair["c"] for pair in taken], (0.25, 0.5, 0.75))
    numba_ms, c_ms = (1e3 * median(pair[side] for pair in taken) for side in ("numba", "c"))
    return Twin(numba_ms, c_ms, float(ratio), float(low), float(high))
