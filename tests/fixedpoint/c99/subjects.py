"""Small functions in the kernel subset, not registered as kernels, for the tests of the translation to C."""

import numpy as np

SIZE = 3


def sign(x):
    """-1, 0 or 1."""
    if x < 0:
        y = np.int64(-1)
    elif x > 0:
        y = np.int64(1)
    else:
        y = np.int64(0)
    return y


def remember(n):
    """Sum of the largest even number so far over n turns."""
    acc = np.int64(0)
    for i in range(n):
        if i & 1 == 0:
            kept = np.int64(i)
        acc += kept
    return acc


def shift_register(x):
    """Three samples, the newest in front."""
    x0, x1, x2 = np.int64(1), np.int64(2), np.int64(3)
    x0, x1, x2 = x, x0, x1
    return x0, x1, x2


def moving_bound(count):
    """Turns of a loop that moves its own bound."""
    turns = np.int64(0)
    for _ in range(count[0]):
        count[0] += 1
        turns += 1
    return turns


def probed(x, probes):
    """Add 1 to each."""
    last = x.shape[0] - 1
    for i in range(x.shape[0]):
        x[i] += 1
    if probes is not None:
        probes.last[0] = x[last]


def grouping(a, b, c):
    """Operators of every precedence."""
    d = a - (b - c) - (a - b) * (c - 2)
    e = (a & b) + (b | c) * (a ^ ~c) - -b
    f = ((a + b) >> 2) - (a + (b >> 1)) * c
    g = d if a > b and not (b > c or c > 5) else e
    return g - (f - (d & 0xFFFF)) + ((1 << 3) if a else (1 << 40))


def halve(x, n):
    """x * 2**-n."""
    return x >> n


def copy(x, y):
    """The first row."""
    for row in range(x.shape[0]):
        for k in range(x.shape[1]):
            y[k] = x[row, k]


def constant(x):
    """x + 3."""
    return x + SIZE


def shadow(x):
    """x + 1."""
    SIZE = x
    return SIZE + 1
