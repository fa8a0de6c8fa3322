"""The altered copy of the kernels: what it alters, what it leaves, and its primitives."""

import ast

import numpy as np
import pytest

from firmware_model.golden.causes.faults import primitives as faulty
from firmware_model.golden.causes.faults import sites as fault_sites
from firmware_model.golden.causes.faults.rewriting import PRIMITIVES, Site
from firmware_model.golden.causes.faults.search import groups
from firmware_model.product import BUILT_IN
from fixedpoint.arith import rnd_shift32
from fixedpoint.filters.fft import mean, sum_of_products

ROOT_FILES = {
    "fixedpoint/__init__.py": '"""Doc."""\n',
    "fixedpoint/_jit.py": (
        '"""Doc."""\nOPTIONS = {\'forceinline\': True, \'boundscheck\': False}\n\n\n'
        "def kernel(f):\n    return f\n"
    ),
    "fixedpoint/arith.py": (
        '"""Doc."""\nfrom fixedpoint._jit import kernel\n\n\n'
        "@kernel\ndef rnd_shift(x, n):\n    return x >> n\n\n\n"
        "@kernel\ndef mul(a, b):\n    return rnd_shift(a * b, 15)\n"
    ),
    "firmware_model/__init__.py": '"""Doc."""\n',
    "firmware_model/golden/__init__.py": '"""Doc."""\n',
    "firmware_model/golden/causes/__init__.py": '"""Doc."""\n',
    "firmware_model/golden/causes/faults/__init__.py": '"""Doc."""\n',
    "firmware_model/golden/causes/faults/search.py": (
        '"""Doc."""\nfrom firmware_model.golden.causes.faults import primitives\n'
        "from firmware_model.product import work\n"
    ),
    "firmware_model/golden/causes/faults/primitives.py": (
        '"""Doc."""\nimport numpy as np\n\n\ndef faulty_f(x, mode):\n    return x\n'
    ),
    "firmware_model/product/__init__.py": '"""Doc."""\n',
    "firmware_model/product/work.py": (
        '"""Doc."""\nfrom fixedpoint._jit import kernel\nfrom fixedpoint.arith import mul, rnd_shift\n\n\n'
        "@kernel\ndef step(x):\n    return rnd_shift(mul(x, 3), 2)\n\n\n"
        "def border(x):\n    return step(x)\n"
    ),
    "firmware_model/unrelated.py": '"""Doc."""\n',
}


@pytest.fixture
def root(tmp_path):
    for file, text in ROOT_FILES.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text, "utf-8")
    return tmp_path


def test_kernels_hand_the_faults_on_and_primitives_take_their_mode(root):
    made = fault_sites.rewrite(root=root, operators=False)
    assert made.sites == [
        Site("firmware_model/product/work.py", "step", 8, "rnd_shift"),
        Site("fixedpoint/arith.py", "mul", 12, "rnd_shift"),
    ]
    work = made.files["firmware_model/product/work.py"]
    assert "def step(x, fault):\n    return site_rnd_shift(mul(x, 3, fault), 2, fault, 0)" in work
    assert "def border(x):\n    return step(x, FAULT)" in work
    assert "FAULT = np.zeros((3, 2), np.int64)" in made.files["fixedpoint/fault.py"]
    assert "@kernel\ndef faulty_f(x, mode):" in made.files["fixedpoint/fault.py"]
    assert "@kernel\ndef site_f(x, fault, i):" in made.files["fixedpoint/fault.py"]


def test_the_copy_holds_what_the_search_imports_and_nothing_else(root):
    assert set(fault_sites.rewrite(root=root).files) == set(ROOT_FILES) - {"firmware_model/unrelated.py"} | {
        "fixedpoint/fault.py"
    }


def test_sites_that_a_product_cannot_reach_are_left_out(root):
    made = fault_sites.rewrite(root=root, operators=False)
    assert made.reachable("firmware_model/product") == [0, 1]
    assert made.reachable("firmware_model/other") == []


def test_the_same_sources_give_the_same_folder_and_others_another(root, tmp_path_factory):
    base = tmp_path_factory.mktemp("copies")
    first = fault_sites.write(fault_sites.rewrite(root=root), base, root=root)
    assert fault_sites.write(fault_sites.rewrite(root=root), base, root=root) == first
    work = root / "firmware_model/product/work.py"
    work.write_text(work.read_text("utf-8").replace("mul(x, 3)", "mul(x, 5)"), "utf-8")
    second = fault_sites.write(fault_sites.rewrite(root=root), base, root=root)
    assert second != first
    assert sorted(base.iterdir()) == sorted([first, second])  # nothing half-written is left


def test_every_rounding_of_the_real_kernels_is_a_site():
    for product, entry in zip(BUILT_IN, ("weigh", "to_q15"), strict=True):
        made = fault_sites.rewrite(product)
        reached = [made.sites[i] for i in made.reachable(product.package.replace(".", "/"))]
        assert entry in {site.kernel for site in reached}
        assert {"rnd_shift"} <= {site.primitive for site in reached}
        for file, text in made.files.items():
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    assert node.func.id not in PRIMITIVES or file == "fixedpoint/fault.py", file


def test_primitives_are_one_kernel_each_and_whatever_rounds_a_shift_is_one():
    kernels = [kernel for _, kernel in fault_sites.rewrite(BUILT_IN[0]).calls]
    assert {name: kernels.count(name) for name in PRIMITIVES} == dict.fromkeys(PRIMITIVES, 1)
    assert {name for name in kernels if name.startswith("rnd_shift")} <= set(PRIMITIVES)


def test_the_roundings_of_the_fft_are_sites_of_the_detector():
    made = fault_sites.rewrite(BUILT_IN[0])
    reached = [made.sites[i] for i in made.reachable("firmware_model/watermark")]
    assert {
        (site.kernel, site.primitive)
        for site in reached
        if site.file == "fixedpoint/filters/fft.py" and site.primitive in PRIMITIVES
    } == {
        ("scale_to_28", "rnd_shift32"),
        ("stage_radix4", "rnd_shift32"),
        ("stage_radix4", "sum_of_products"),
        ("split_real", "mean"),
        ("split_real", "rnd_shift"),
    }


def test_groups_are_everywhere_files_kernels_and_lines_each_set_once():
    sites = (
        Site("a.py", "f", 1, "rnd_shift"),
        Site("a.py", "f", 2, "rnd_shift"),
        Site("b.py", "g", 3, "sat16"),
    )
    assert groups(sites, [0, 1, 2]) == {
        frozenset({0, 1, 2}): "everywhere",
        frozenset({0, 1}): "in f (a.py)",
        frozenset({2}): "at b.py:3, sat16 in g",
        frozenset({0}): "at a.py:1, rnd_shift in f",
        frozenset({1}): "at a.py:2, rnd_shift in f",
    }


# The primitives, against Python's unbounded integers


def wrapped(x, bits):
    return (x + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)


def nearest(x, n, tie):
    """x / 2**n to nearest, `tie` choosing between the two at a tie."""
    low, rest = divmod(x, 2**n)
    if 2 * rest == 2**n:
        return tie(low, low + 1)
    return low + (2 * rest > 2**n)


ROUNDINGS = {
    faulty.EXACT: lambda x, n: nearest(x, n, max),
    faulty.TRUNCATE: lambda x, n: x // 2**n,
    faulty.TOWARDS_ZERO: lambda x, n: x // 2**n if x >= 0 else -(-x // 2**n),
    faulty.AWAY: lambda x, n: nearest(x, n, lambda low, high: high if x > 0 else low),
    faulty.EVEN: lambda x, n: nearest(x, n, lambda low, high: low if low % 2 == 0 else high),
    faulty.WORD_32: lambda x, n: nearest(wrapped(x, 32), n, max),
    faulty.WORD_40: lambda x, n: nearest(wrapped(x, 40), n, max),
}
VALUES = (*range(-20, 21), 2**31 - 1, 2**31, -(2**31) - 5, 3 * 2**38 + 7, -(2**45) + 2**30)


@pytest.mark.parametrize("mode", sorted(ROUNDINGS))
def test_faulty_rounding(mode):
    for x in VALUES:
        for n in (0, 1, 2, 3, 16):
            want = ROUNDINGS[mode](x, n) if n else (wrapped(x, {5: 32, 6: 40}.get(mode, 64)))
            assert faulty.faulty_rnd_shift(np.int64(x), n, mode) == want, (x, n)


FACTORS = (0, 1, -1, 3, 2**30 + 1, -(2**30) - 3, 1407000000, -1407000000)


def test_without_a_fault_the_roundings_of_words_are_those_of_the_kernels():
    exact = faulty.EXACT
    for a in map(np.int64, FACTORS):
        for n in (1, 2, 7, 30):
            assert faulty.faulty_rnd_shift32(a, n, exact) == rnd_shift32(a, n)
        for b in map(np.int64, FACTORS):
            for shift in (0, 1, 2):
                products = a, b, b >> 1, np.int64(2**29 - 5), np.int64(shift)
                assert faulty.faulty_sum_of_products(*products, exact) == sum_of_products(*products)
                sums = a, b, np.int64(shift), np.int64(shift == 0), np.int64((1 << shift) >> 1)
                assert faulty.faulty_mean(*sums, exact) == mean(*sums)


def test_a_fault_of_the_roundings_of_words_is_that_of_the_shift():
    """-3/2 and 5/2: floor, towards zero, halves away from zero, halves to even."""
    modes = faulty.TRUNCATE, faulty.TOWARDS_ZERO, faulty.AWAY, faulty.EVEN
    for x, want in ((-3, [-2, -1, -2, -2]), (5, [2, 2, 3, 2])):
        value, zero, one = np.int64(x), np.int64(0), np.int64(1)
        assert [faulty.faulty_rnd_shift32(value, 1, mode) for mode in modes] == want
        assert [faulty.faulty_mean(value, zero, zero, one, zero, mode) for mode in modes] == want
        products = value, np.int64(1 << 30), value, np.int64(1 << 30), zero
        assert [faulty.faulty_sum_of_products(*products, mode) for mode in modes] == want


@pytest.mark.parametrize(
    ("mode", "x", "want"),
    [
        (faulty.EXACT, -5, -2),
        (faulty.TOWARDS_ZERO, -5, -1),
        (faulty.ROUND, -5, -1),
        (faulty.ROUND, 6, 2),
        (faulty.WORD_32, 2**31 + 8, -(2**29) + 2),
    ],
)
def test_faulty_truncation_by_two_bits(mode, x, want):
    assert faulty.faulty_trn_shift(np.int64(x), 2, mode) == want


@pytest.mark.parametrize(
    ("mode", "x", "want"),
    [
        (faulty.EXACT, 40000, 32767),
        (faulty.EXACT, -40000, -32768),
        (faulty.WRAP, 40000, 40000 - 65536),
        (faulty.WRAP, -5, -5),
        (faulty.WORD_32, 2**31, -32768),
    ],
)
def test_faulty_saturation_to_16_bits(mode, x, want):
    assert faulty.faulty_sat16(np.int64(x), mode) == want


def test_faulty_saturation_to_32_bits():
    assert faulty.faulty_sat32(np.int64(2**31), faulty.EXACT) == 2**31 - 1
    assert faulty.faulty_sat32(np.int64(2**31), faulty.WRAP) == -(2**31)
    assert faulty.faulty_sat32(np.int64(2**39), faulty.WORD_40) == -(2**31)


def test_a_clip_around_zero_wraps_and_one_of_an_index_does_not():
    assert faulty.faulty_clip(np.int64(130), -127, 127, faulty.EXACT) == 127
    assert faulty.faulty_clip(np.int64(130), -127, 127, faulty.WRAP) == 130 - 256
    assert faulty.faulty_clip(np.int64(-1), 0, 9, faulty.WRAP) == 0


def test_calls_of_one_primitive_are_a_group_wherever_they_are():
    sites = (Site("a.py", "f", 1, "mean"), Site("a.py", "f", 2, "rnd_shift"), Site("b.py", "g", 3, "mean"))
    assert groups(sites, [0, 1, 2])[frozenset({0, 2})] == "in mean, wherever it is called"
