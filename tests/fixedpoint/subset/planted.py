"""Modules written to disk, since the checker reads sources: one function f, and what it may refer to."""

import importlib
import textwrap
from collections import namedtuple
from itertools import count

import numpy as np

_numbers = count()
FIRST = 19  # line of the first statement of f
Pair = namedtuple("Pair", "a b")
X16, X32 = np.zeros(3, np.int16), np.zeros(3, np.int32)

PREAMBLE = """\
import math
import numpy as np
from fixedpoint import arith
from fixedpoint.arith import clip, clz32, narrow32, neg32, norm32, rnd_shift, sat16, shl, shl32, sign_changes
TABLE = np.arange(4, dtype=np.int32)
FLOATS = np.zeros(3)
WORDS = np.zeros(3, np.uint32)
HALF = 0.5
SIZE = 3
LIST = [1, 2]
BIG = 1 << 63


def plain(x):
    return x


"""


def planted(folder, monkeypatch, signature, body):
    """f with these arguments and statements, of a module of its own."""
    name = f"planted{next(_numbers)}"
    text = f"{PREAMBLE}def f({signature}):\n{textwrap.indent(body, '    ')}\n"
    (folder / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(folder))
    return importlib.import_module(name).f
