"""Every operation against CMSIS-DSP; planted differences are named; what the package would take wrongly."""

import numpy as np
import pytest

from firmware_model.golden.conformance import cmsis
from firmware_model.golden.conformance.operations import OPERATIONS, Operation, compare, pairs_of
from firmware_model.golden.frozen_random import FrozenRandom
from fixedpoint._jit import registered_kernels
from fixedpoint.errors import ConfigError

needs_cmsis = pytest.mark.skipif(not cmsis.installed(), reason="cmsisdsp 1.10.1 has no wheel for this Python")

# Largest differences where the bits differ on purpose, measured.
MEASURED_LSB = {
    "mult_q15, rounded": 1,
    "mult_q31, rounded": 2,
    "q31_to_q15, rounded": 1,
    "fir_q15, rounded": 1,
    "fir_q31, rounded": 1,
    "sqrt_q31": 6,
}


@needs_cmsis
@pytest.mark.parametrize("name", OPERATIONS)
def test_operation_keeps_its_claim(name):
    match = compare(name)
    assert match.first is None, match.first
    assert match.holds
    assert match.compared > 3
    assert match.largest_lsb == MEASURED_LSB.get(name, 0)
    assert (match.different > 0) == (name in MEASURED_LSB)


def test_every_operation_names_a_kernel_and_a_function():
    assert len(OPERATIONS) == 34
    for operation in OPERATIONS.values():
        assert operation.kernel in registered_kernels()
        assert operation.function.startswith("arm_")
        assert operation.note or not operation.bound_lsb, "a difference has a reason"


def test_an_operation_that_is_not_known_is_refused():
    with pytest.raises(ConfigError, match="operation 'mult_q7': must be one of add_q15, sub_q15"):
        compare("mult_q7")


def planted(bound_lsb, apart):
    """An operation whose second input has differences of this many LSB from index 2 on."""

    def pairs(rng):
        x = rng.integers(-100, 100, 5)
        yield "calm", x, x.copy()
        yield "loud", x + np.array([0, 0, apart, 0, 3 * apart]), x

    return Operation("planted", "arm_planted", "fixedpoint.arith.sat16", bound_lsb, "", pairs)


def test_a_planted_difference_is_named(monkeypatch):
    monkeypatch.setitem(OPERATIONS, "planted", planted(0, 1))
    match = compare("planted")
    x = FrozenRandom("planted").integers(-100, 100, 5)
    assert match.first == ("loud", 2, x[2], x[2] + 1)
    assert (match.compared, match.different, match.largest_lsb) == (10, 2, 3)
    assert not match.holds


def test_differences_within_the_bound_are_counted_and_accepted(monkeypatch):
    monkeypatch.setitem(OPERATIONS, "planted", planted(3, -1))
    match = compare("planted")
    assert match.holds
    assert (match.different, match.largest_lsb) == (2, 3)
    monkeypatch.setitem(OPERATIONS, "planted", planted(2, -1))
    assert compare("planted").first[1] == 4


@needs_cmsis
@pytest.mark.parametrize("name", [name for name, operation in OPERATIONS.items() if not operation.bound_lsb])
def test_one_lsb_in_any_result_is_seen(name, monkeypatch):
    """The last value of the last input off by one, whatever the operation."""
    operation = OPERATIONS[name]

    def pairs(rng):
        every = list(operation.pairs(rng))
        label, ours, theirs = every[-1]
        ours = ours.astype(np.int64)
        ours[-1] += 1
        yield from [*every[:-1], (label, ours, theirs)]

    monkeypatch.setitem(OPERATIONS, name, operation._replace(pairs=pairs))
    match = compare(name)
    assert match.different == 1
    assert match.first[3] == match.first[2] + 1


@pytest.mark.parametrize("dtype", [np.int16, np.int32])
def test_inputs_hold_every_pair_of_extremes(dtype):
    info = np.iinfo(dtype)
    x, y = pairs_of(dtype, FrozenRandom("any"))
    assert x.dtype == y.dtype == dtype
    pairs = set(zip(x.tolist(), y.tolist(), strict=True))
    for a in (info.min, info.min + 1, -1, 0, 1, info.max):
        assert {(a, b) for b in (info.min, -1, 0, 1, info.max)} <= pairs
    assert len(pairs) > 3800


# --- the package behind its checks -----------------------------------------------------------


def test_without_the_package_everything_says_so(monkeypatch):
    monkeypatch.setattr(cmsis, "installed", lambda: "")
    with pytest.raises(cmsis.CmsisError, match="cmsisdsp: not installed; pip install"):
        compare("add_q15")


@needs_cmsis
def test_version_is_the_one_that_was_measured():
    assert cmsis.installed() == "1.10.1"


X16, X32 = np.arange(8, dtype=np.int16), np.arange(8, dtype=np.int32)


@needs_cmsis
@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        # The package would cast these silently.
        (lambda: cmsis.call("arm_add_q15", X16, X32), r"arm_add_q15: int32 \(8,\) found; \(n,\) int16"),
        (lambda: cmsis.call("arm_negate_q31", X16), r"arm_negate_q31: int16 \(8,\) found; \(n,\) int32"),
        (lambda: cmsis.call("arm_negate_q15", [1, 2]), "arm_negate_q15: list found"),
        # It would read beyond the shorter, and there is nothing to read in the empty.
        (lambda: cmsis.call("arm_add_q15", X16, X16[:5]), "arm_add_q15: arrays of 8, 5 found; equal"),
        (lambda: cmsis.call("arm_abs_q15", X16[:0]), r"arm_abs_q15: int16 \(0,\) found"),
        (lambda: cmsis.call("arm_shift_q15", X16, scalars=(1 << 15,)), r"arm_shift_q15: scalars \(32768,\)"),
        (lambda: cmsis.fir(X16[:3], [X16]), "arm_fir_q15: 3 taps found; an even number needed"),
        (lambda: cmsis.fir(X32[:3], [X16]), r"x: int16 \(8,\) found; \(n,\) int32"),
        (lambda: cmsis.biquad_df1(X16.reshape(2, 4), 0, [X16]), r"coef: int16 \(2, 4\) found"),
        (lambda: cmsis.biquad_df1(X16[:5].reshape(1, 5), 15, [X16]), "postShift: 15 found; 0 to 14 needed"),
        (lambda: cmsis.rfft(X16), "arm_rfft: 8 points found; one of 32, 64"),
    ],
)
def test_what_the_package_would_take_wrongly_is_refused(attempt, says):
    with pytest.raises(cmsis.CmsisError, match=says):
        attempt()


@needs_cmsis
def test_rfft_leaves_its_input_unchanged():
    x = np.zeros(256, np.int16)
    x[0] = 32767
    spectrum = cmsis.rfft(x)
    assert spectrum.shape == (129, 2)
    # 32767 / 256 = 127.996, truncated, in places more than once.
    assert set(spectrum[:, 0].tolist()) == {126, 127}
    assert x.tolist() == [32767] + [0] * 255
