"""Two-word accumulators: against Python's integers, and the wrap of a 64-bit register."""

from hypothesis import given
from hypothesis import strategies as st

from fixedpoint.wide import mac_wide, shift_rnd_sat32, shift_wrap64_wrap32

INT32 = st.integers(-(1 << 31), (1 << 31) - 1)
PAIRS = st.lists(st.tuples(INT32, INT32), min_size=1, max_size=20)


def wrap(x, bits):
    return (x + (1 << (bits - 1))) % (1 << bits) - (1 << (bits - 1))


def accumulate(pairs):
    high, low = 0, 0
    for a, b in pairs:
        high, low = mac_wide(high, low, a, b)
    return int(high), int(low)


def test_minus_one_squared_three_times_wraps_by_hand():
    # 3 * 2**62 is -2**62 in 64 bits; TRN by 31 leaves -2**31.
    high, low = accumulate([(-(1 << 31), -(1 << 31))] * 3)
    assert (high << 32) + low == 3 << 62
    assert shift_wrap64_wrap32(high, low, 31) == -(1 << 31)
    # Twice is 2**63: the sign flips, and 2**32 has nothing in its low word.
    high, low = accumulate([(-(1 << 31), -(1 << 31))] * 2)
    assert shift_wrap64_wrap32(high, low, 31) == 0
    assert shift_wrap64_wrap32(high, low, 32) == -(1 << 31)


@given(PAIRS)
def test_sum_is_exact(pairs):
    high, low = accumulate(pairs)
    assert (high << 32) + low == sum(a * b for a, b in pairs)
    assert low >= 0


@given(PAIRS, st.integers(1, 32))
def test_narrowing_is_that_of_a_wrapped_64_bit_register(pairs, n):
    total = sum(a * b for a, b in pairs)
    assert shift_wrap64_wrap32(*accumulate(pairs), n) == wrap(wrap(total, 64) >> n, 32)


@given(st.integers(-(1 << 34), 1 << 34), st.integers(0, 1 << 61), st.integers(1, 32))
def test_narrowing_of_any_two_words(high, low, n):
    assert shift_wrap64_wrap32(high, low, n) == wrap(wrap((high << 32) + low, 64) >> n, 32)


@given(st.integers(-(1 << 34), 1 << 34), st.integers(0, 1 << 61), st.integers(1, 32))
def test_rounding_of_any_two_words(high, low, n):
    exact = (2 * ((high << 32) + low) + (1 << n)) >> (n + 1)
    assert shift_rnd_sat32(high, low, n) == max(-(1 << 31), min((1 << 31) - 1, exact))


@given(st.integers(-(1 << 31) - 2, (1 << 31) + 2), st.integers(-3, 3), st.integers(1, 32))
def test_rounding_at_the_rails(near, offset, n):
    total = (near << n) + (1 << (n - 1)) + offset
    exact = (2 * total + (1 << n)) >> (n + 1)
    assert shift_rnd_sat32(total >> 32, total & 0xFFFFFFFF, n) == max(-(1 << 31), min((1 << 31) - 1, exact))
