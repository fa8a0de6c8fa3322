"""Goldens of kernels: a fault of one LSB in any of them is found, named and placed."""

import numpy as np
import pytest

from firmware_model.golden import freeze, kernel_cases, kernel_goldens, store
from firmware_model.golden.conformance import check
from firmware_model.golden.frozen_random import FrozenRandom
from firmware_model.golden.kernel_cases import arguments, calls, flat, named_parts
from firmware_model.golden.kernel_goldens import Difference, first_difference
from firmware_model.product import BUILT_IN, LIBRARY
from fixedpoint._jit import registered_kernels


def arrays_in(value):
    """The arrays of a kernel's arguments themselves, which the kernel and the fault write to."""
    if isinstance(value, tuple):
        return [array for item in value for array in arrays_in(item)]
    return [value] if isinstance(value, np.ndarray) else []


class Faulty:
    """A kernel that is wrong by one LSB in one of its calls, in what it returns or else in what it wrote."""

    def __init__(self, name):
        self.kernel = registered_kernels()[name]
        self.py_func = getattr(self.kernel, "py_func", self.kernel)
        self.left = FrozenRandom(name).integers(len(arguments(name)))

    def __call__(self, *args):
        before = [array.copy() for array in arrays_in(args)]
        returned = self.kernel(*args)
        self.left -= 1
        if self.left != -1:
            return returned
        if isinstance(returned, tuple):
            return (returned[0] + 1, *returned[1:])
        if returned is not None:
            return returned + 1
        written = [(a, b) for a, b in zip(arrays_in(args), before, strict=True) if not np.array_equal(a, b)]
        array, old = (written or [(arrays_in(args)[-1],) * 2])[0]
        place = int(np.flatnonzero((array != old).ravel())[0]) if written else 0
        array.flat[place] ^= 1
        return None


@pytest.mark.parametrize("name", sorted(kernel_cases.CASES))
def test_one_lsb_in_any_kernel_fails_the_check_and_names_it(name, monkeypatch):
    faulty = registered_kernels() | {name: Faulty(name)}
    monkeypatch.setattr(kernel_cases, "registered_kernels", lambda: faulty)
    result = check.run(f"kernel:{name}")
    assert result.status == check.FAILED
    assert result.name == name
    first = result.first_difference
    assert abs(first.expected - first.got) == 1, first


def test_differences_are_placed_by_argument_index_and_call(monkeypatch):
    name = "fixedpoint.filters.fft.rfft_bfp"

    class WrongInCallThree(Faulty):
        def __call__(self, params, x, z):
            exponent = self.kernel(params, x, z)
            self.left -= 1
            z[7] += self.left == 0
            return exponent

    wrong = WrongInCallThree(name)
    wrong.left = 4
    monkeypatch.setattr(kernel_cases, "registered_kernels", lambda: {name: wrong})
    found = first_difference(name, store.shipped())
    assert (found.node, found.row, found.step) == ("z", "7", 3)
    assert found.got - found.expected == 1


def test_other_arguments_are_told_apart_from_other_results(monkeypatch):
    name = "fixedpoint.arith.sat16"
    cases = {**kernel_cases.CASES, name: lambda rng: [(np.int64(5),)]}
    monkeypatch.setattr(kernel_cases, "CASES", cases)
    assert first_difference(name, store.shipped()) == Difference("arguments", "", 0, None, None)
    assert check.run(f"kernel:{name}").says.startswith("its arguments are not those that were frozen")


def test_every_kernel_has_a_golden_and_every_golden_a_kernel():
    frozen = {name.removeprefix("kernel:") for name in store.shipped().entries if name.startswith("kernel:")}
    assert frozen == set(kernel_cases.CASES) == set(registered_kernels())


def test_arguments_are_the_same_each_time_and_are_changed_by_calls():
    name = "firmware_model.watermark.frontend.load_frame"
    one, two = arguments(name), arguments(name)
    np.testing.assert_array_equal(flat(tuple(one)), flat(tuple(two)))
    assert all((call.before != call.after).any() for call in calls(name))


def test_flat_and_named_parts_go_through_tuples_in_order():
    value = (np.array([[1, 2], [3, 4]], np.int16), (np.int64(5), None), 6)
    assert flat(value).tolist() == [1, 2, 3, 4, 5, 6]
    assert [name for name, _ in named_parts(value, "x")] == ["x.0", "x.1.0", "x.2"]


def test_freezing_again_changes_nothing():
    goldens = [golden for product in (LIBRARY, *BUILT_IN) for golden in freeze.goldens(product)]
    assert {golden.name for golden in goldens} == set(store.shipped().entries)
    for golden in goldens:
        entry = store.shipped().entry(golden.name)
        assert golden.facts.items() <= entry.items(), golden.name


def test_frozen_changes_are_small():
    name = "fixedpoint.filters.fft.rfft_bfp"
    frozen = kernel_goldens.freeze(name)
    (kept,) = frozen.arrays.values()
    assert np.count_nonzero(kept) < 0.6 * len(kept)  # what a call leaves alone is 0
