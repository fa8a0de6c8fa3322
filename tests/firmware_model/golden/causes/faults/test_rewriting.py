"""Operators of a kernel as sites: each errs as its mode says, and all together change nothing while exact."""

import json
import subprocess
import sys

import numpy as np
import pytest

from firmware_model.golden.causes.faults import primitives as faulty
from firmware_model.golden.causes.faults import sites as fault_sites
from tests.firmware_model.golden.causes.faults.test_sites import ROOT_FILES

WORK = '''"""Doc."""
import numpy as np
from fixedpoint._jit import kernel
from fixedpoint.arith import mul

TABLE = np.array([[50, 60], [70, 80]])
LIMIT = 100


@kernel
def work(x, w, z):
    acc = np.int64(0)
    for i in range(4):
        acc += x * w
    z[0] += acc
    if x < LIMIT:
        acc = acc + TABLE[x & 1, 1]
    while x > 1000:
        x -= 300
    return acc >> 4


def border(*arguments):
    return work(*arguments)
'''
ARGUMENTS = ((3, 5), (100, 7), (-70000, 50000), (1 << 20, 1 << 18))
_PROCESS = """
import json, sys
import numpy as np
from fixedpoint.fault import FAULT
from firmware_model.product.work import border
results = []
for changes, x, w in json.load(sys.stdin):
    FAULT[:] = 0
    for row, column, value in changes:
        FAULT[row, column] = value
    z = [np.int64(0)]
    results.append([int(border(np.int64(x), np.int64(w), z)), int(z[0]), FAULT[1].tolist()])
json.dump(results, sys.stdout)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(columns by site, ask): ask([(changes of FAULT, x, w), ...]) gives what the copy does, interpreted."""
    root = tmp_path_factory.mktemp("root")
    primitives = (fault_sites.ROOT / "firmware_model/golden/causes/faults/primitives.py").read_text("utf-8")
    files = ROOT_FILES | {
        "firmware_model/product/work.py": WORK,
        "firmware_model/golden/causes/faults/primitives.py": primitives,
    }
    for file, text in files.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        constants = {"TABLE": np.array([[50, 60], [70, 80]]), "LIMIT": 100}
        patch.setattr(
            fault_sites, "module_constants", lambda name: constants if name.endswith("work") else {}
        )
        copy = fault_sites.rewrite(root=root)
    for file, text in copy.files.items():
        (root / file).write_text(text, "utf-8")
    columns = {
        (site.primitive, site.text): i for i, site in enumerate(copy.sites) if site.file.endswith("work.py")
    }

    def ask(requests):
        ran = subprocess.run(
            [sys.executable, "-P", "-c", _PROCESS],
            input=json.dumps(requests),
            env={"PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)

    return columns, ask


def right(x, w):
    acc = 4 * x * w
    return (acc + (60 + 20 * (x & 1) if x < 100 else 0)) >> 4, acc


def wrapped(v, bits):
    return (v + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)


def test_what_may_err_is_a_site_and_what_bounds_loops_and_memory_is_none(made):
    assert sorted(made[0]) == [
        ("constant", "4"),
        ("constant", "LIMIT"),
        ("entry", "TABLE"),
        ("less", "x < LIMIT"),
        ("product", "x * w"),
        ("shift_right", "acc >> 4"),
        ("sum", "acc + TABLE[x & 1, 1]"),
        ("sum", "acc += x * w"),
        ("sum", "z[0] += acc"),
    ]


def test_without_a_fault_the_copy_computes_what_the_original_does(made):
    _, ask = made
    results = ask([([], x, w) for x, w in ARGUMENTS])
    assert [tuple(result[:2]) for result in results] == [right(x, w) for x, w in ARGUMENTS]


def test_a_watched_site_changes_nothing_and_says_which_modes_would(made):
    """-70000 * 50000 is past 32 bits, its sums past 32 and below 40; the shift is of a negative sum."""
    columns, ask = made
    entries = max(columns.values()) + 1
    watched = [(0, column, faulty.WATCHED) for column in columns.values()]
    ((*result, seen),) = ask([([*watched, (2, columns["entry", "TABLE"], entries)], -70000, 50000)])
    assert tuple(result) == right(-70000, 50000)

    def modes(*key):
        return {mode for mode in range(1, faulty.WATCHED) if seen[columns[key]] >> mode & 1}

    assert modes("sum", "acc += x * w") == {faulty.WORD_32, faulty.SATURATED}
    assert modes("product", "x * w") == {faulty.NARROW}
    assert {faulty.LOGICAL_32, faulty.LOGICAL_64, faulty.TOWARDS_ZERO} >= modes("shift_right", "acc >> 4")
    assert {faulty.LOGICAL_32, faulty.LOGICAL_64} <= modes("shift_right", "acc >> 4")
    assert modes("less", "x < LIMIT") == set()
    assert modes("constant", "LIMIT") == {faulty.ALTERED}
    assert seen[entries : entries + 4] == [0, 1, 0, 0]  # row 0, column 1


@pytest.mark.parametrize(
    ("key", "change", "x", "w", "want"),
    [
        (("sum", "acc += x * w"), faulty.WORD_32, 1 << 20, 3 << 10, 0),
        (("sum", "acc += x * w"), faulty.SATURATED, 1 << 20, 3 << 10, (2**31 - 1) >> 4),
        (("sum", "acc += x * w"), faulty.WORD_40, 1 << 20, 1 << 17, wrapped(1 << 39, 40) >> 4),
        (("product", "x * w"), faulty.NARROW, 1 << 20, (1 << 12) + 1, (4 << 20) >> 4),
        (("less", "x < LIMIT"), faulty.NEIGHBOUR, 100, 8, (3200 + 60) >> 4),
        (("shift_right", "acc >> 4"), faulty.LOGICAL_32, -20, 8, (2**32 - 640 + 60) >> 4),
        (("shift_right", "acc >> 4"), faulty.LOGICAL_64, -20, 8, (2**64 - 640 + 60) >> 4),
    ],
)
def test_a_site_errs_as_its_mode_says(made, key, change, x, w, want):
    columns, ask = made
    ((got, *_),) = ask([([(0, columns[key], change)], x, w)])
    assert got == want


def test_a_constant_and_an_entry_of_a_table_take_another_value(made):
    columns, ask = made
    limit, table = columns["constant", "LIMIT"], columns["entry", "TABLE"]
    entry = [(0, table, faulty.ALTERED), (1, table, 1000), (2, table, 3)]
    results = ask(
        [
            ([(0, limit, faulty.ALTERED), (1, limit, 3)], 3, 0),
            (entry, 3, 0),  # row 1, column 1: the fourth
            (entry, 2, 0),  # row 0 is another entry
        ]
    )
    assert [result[0] for result in results] == [0, 1000 >> 4, 60 >> 4]
