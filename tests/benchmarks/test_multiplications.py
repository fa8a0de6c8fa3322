"""The counter of multiplications, against kernels counted by hand."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.dynamics.multiplications import Counting, as_data, count_multiplications, counting
from benchmarks.harness.report import ROOT
from firmware_model.dynamics.processor import process_frame
from firmware_model.dynamics.settings.params import BandConfig, DynamicsConfig
from firmware_model.dynamics.settings.profiles import load_profile
from firmware_model.dynamics.settings.tuning import quantise
from firmware_model.dynamics.state import init_state

INTERPRETED = """
import pickle, sys
from benchmarks.dynamics.multiplications import counting
from fixedpoint import elementary
from fixedpoint.filters import biquad
cases = {
    "svf": (biquad.svf, (1000, 3 << 40, 5 << 40, 7 << 20, 11 << 24, 13 << 24)),
    "allpass_of": (biquad.allpass_of, (1000, 2000, 3000)),
    "smooth": (biquad.smooth, (3 << 40, 5 << 40, 12345)),
    "log2_q24": (elementary.log2_q24, (12345,)),
    "reciprocal": (elementary.reciprocal, (12345,)),
}
found = {}
for name, (kernel, values) in cases.items():
    import numpy as np
    with counting() as counted:
        kernel(*(counted(value) for value in values))
        found[name] = counted.products
sys.stdout.buffer.write(pickle.dumps(found))
"""


def test_kernels_counted_by_hand():
    """svf: into the first integrator, from it to itself, into the second. smooth: 64 by 31 bits in two. log2:
    a parabola. reciprocal: three Newton steps of two."""
    done = subprocess.run(
        [sys.executable, "-c", INTERPRETED],
        cwd=ROOT,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        stdout=subprocess.PIPE,
        check=True,
    )
    found = pickle.loads(done.stdout)
    assert found == {"svf": 3, "allpass_of": 1, "smooth": 2, "log2_q24": 2, "reciprocal": 6}


@pytest.mark.parametrize(
    ("product", "counts"),
    [
        (lambda: Counting(3) * Counting(5), 1),
        (lambda: Counting(3) * 5, 1),
        (lambda: 5 * Counting(3), 1),
        (lambda: np.int32(5) * Counting(3), 0),  # NumPy's own: kernels widen on load, so there is none
        (lambda: Counting(3) * 4096, 0),
        (lambda: -2 * Counting(3), 0),
        (lambda: Counting(3) * (Counting(1) << Counting(7)), 0),
        (lambda: Counting(3) * Counting(4), 1),  # data that happens to be a power of two
        (lambda: (Counting(3) + Counting(1)) * Counting(7), 1),
        (lambda: (Counting(8) >> 1) * Counting(7), 1),
    ],
)
def test_what_counts_as_a_multiplication(product, counts):
    Counting.products = 0
    product()
    assert Counting.products == counts


def test_numbers_that_count_stay_the_numbers_they_are():
    a, b = Counting(13), Counting(-6)
    assert (a + b, a - b, 1 - a, a * b, a >> 1, a << 2, a & 7, a | 2, a ^ 1, -a) == (
        7, 19, -12, -78, 6, 52, 5, 15, 12, -13,
    )  # fmt: skip
    assert all(type(v) is Counting for v in (a + b, 1 + a, a - b, 1 - a, a * b, a >> 1, a << 2, a & 7, -a))


def test_only_scalars_in_a_format_are_data():
    params = as_data(quantise(load_profile("transparent", 48000, 1)))
    assert type(params.channels) is int
    assert type(params.limiter.blocks) is int
    assert type(params.limiter.inverse_q31) is Counting


def test_compiled_kernels_cannot_be_counted():
    with pytest.raises(RuntimeError, match="NUMBA_DISABLE_JIT=1"), counting():
        pass


def test_one_band_counted_by_hand():
    """One band, no crossover, no band limiter; 8 samples in a control block.

    A sample: gain, limiter: 2. A block: level (log2: 2), attack and release (2 + 2), gain (exp2: 2), the
    limiter's release and mean (2 + 1), two ramps: 13. At 0.1 of full scale no threshold is met.
    """
    config = DynamicsConfig(bands=(BandConfig(),))
    params = quantise(config)
    state = init_state(params)
    x_q15 = (3277 * np.sin(np.arange(64))).astype(np.int16)[None]
    multiplications, y_q15 = count_multiplications(params, state, x_q15)
    assert multiplications == 64 * 2 + 8 * 13
    compiled = np.empty_like(x_q15)
    process_frame(params, init_state(params), x_q15, compiled, None)
    assert np.array_equal(y_q15, compiled)
    assert all(not field.any() for field in state.bank.split_q54)
