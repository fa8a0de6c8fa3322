"""The exported product: where its memory lies, and that its vectors are the model's."""

import re
import subprocess
from functools import cache

import numpy as np
import pytest

from firmware_model.device.export import configured, vectors
from firmware_model.device.export.product import product_of, product_of_case
from firmware_model.dynamics.firmware import of_dynamics
from firmware_model.dynamics.settings.profiles import load_profile
from firmware_model.golden import store
from firmware_model.golden.cases import CASES, find_case
from firmware_model.watermark.firmware import of_watermark
from firmware_model.watermark.params import WatermarkConfig
from fixedpoint.errors import ConfigError
from tests.firmware_model.device.export.exported import KEYS, SETUPS, SMALL, exported, needs_cc


@cache
def product_named(name):
    return product_of(SETUPS[name]())


@needs_cc
@pytest.mark.parametrize("name", SETUPS)
def test_memory_lies_where_the_product_says(tmp_path, name):
    made, folder = product_named(name), exported(tmp_path / "out", name)
    of_memory = f"{made.prefix}_memory"
    prints = "".join(
        f'    printf("%d %d\\n", (int)offsetof({of_memory}, {field.member}), '
        f"(int)sizeof(({of_memory} *)0)->{field.member});\n"
        for field in made.memory
    )
    (folder / "layout.c").write_text(
        f'#include <stddef.h>\n#include <stdio.h>\n#include "{made.prefix}.h"\n'
        f"int main(void)\n{{\n{prints}"
        f'    printf("%d\\n", (int)sizeof({of_memory}));\n    return 0;\n}}\n'
    )
    subprocess.run(["cc", "layout.c", "-o", "layout"], cwd=folder, check=True)
    told = subprocess.run([folder / "layout"], capture_output=True, text=True, check=True).stdout.split()
    fields = made.memory_dtype.fields
    expected = [
        number
        for field in made.memory
        for number in (fields[field.member][1], np.prod(field.shape) * field.dtype.itemsize)
    ]
    assert list(map(int, told)) == [*expected, made.memory_dtype.itemsize]


@pytest.mark.parametrize("name", CASES)
def test_the_product_of_a_case_names_all_of_its_state(name):
    case = find_case(name)
    product, run = product_of_case(case), case.start()
    assert (product.fs_hz, product.channels, product.block) == (case.fs_hz, case.channels, case.block)
    assert (product.init, product.process) == (f"{product.prefix}_init", f"{product.prefix}_process")
    for field in product.memory:
        values = {"state": run.state, "output": getattr(run, "output", None)}
        for part in field.path.split("."):
            values = values[part] if isinstance(values, dict) else getattr(values, part)
        assert (values.dtype, values.shape) == (field.dtype, field.shape)
    held = sum(np.prod(f.shape) * f.dtype.itemsize for f in product.memory if f.path.startswith("state."))
    assert f"_STATE_BYTES {held} " in re.sub(" +", " ", product.header)


def test_an_empty_array_points_nowhere():
    setup = SETUPS["one band"]()
    product = product_of(setup)
    empty = [array.path for array in setup.memory if not array.values.size]
    assert "state.bank.split_q54" in empty
    assert not {field.path for field in product.memory} & set(empty)
    assert "self->state.bank.split_q54 = 0; /* of no element */" in product.source


@pytest.mark.parametrize("name", SETUPS)
def test_no_line_of_the_c_is_longer_than_110_columns(name):
    product = product_named(name)
    vectors_header = vectors.header(SETUPS[name](), vectors.compute(SETUPS[name]()))
    lines = (product.header + product.source + vectors_header).split("\n")
    assert [line for line in lines if len(line) > 110] == []


def test_the_same_configuration_gives_the_same_text():
    config = load_profile("headset", 16000, 2)
    assert product_of(of_dynamics(config, "headset, stereo")) == product_named("headset")
    assert product_of(of_watermark(SMALL, KEYS)) == product_named("two keys")


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ((), "keys: 0 found, 1 to 1024"),
        (("5eed",) * 1025, "keys: 1025 found"),
        (("xy",), "key 'xy': 'x' is not"),
    ],
)
def test_keys_that_cannot_be_are_refused(keys, says):
    with pytest.raises(ConfigError, match=re.escape(says)):
        of_watermark(SMALL, keys)


# The model's side


@pytest.mark.parametrize("name", CASES)
def test_the_vectors_of_a_case_hold_its_golden(name):
    computed = vectors.compute(configured.of_case(find_case(name)))
    found = computed.outputs["y"] if "y" in computed.outputs else computed.outputs["integrated_q9"].T
    np.testing.assert_array_equal(found, store.golden(find_case(name)))


@pytest.mark.parametrize("name", SETUPS)
def test_computing_vectors_leaves_the_start_as_it_was(name):
    setup = SETUPS[name]()
    before = [array.values.copy() for array in setup.memory]
    after = vectors.compute(setup).memory
    for array, values in zip(setup.memory, before, strict=True):
        np.testing.assert_array_equal(array.values, values)
    assert any(not np.array_equal(a.values, b) for a, b in zip(after, before, strict=True))


@pytest.mark.parametrize("config", [SMALL, WatermarkConfig()])
def test_the_detectors_input_has_a_mark_that_is_reported_and_both_rails(config):
    computed = vectors.compute(of_watermark(config, KEYS))
    report = computed.outputs["report"].reshape(-1, len(KEYS), 4)
    assert report[:, 0, 0].sum() == 1
    assert report[:, 1, 0].sum() == 0
    assert (computed.x_q15.min(), computed.x_q15.max()) == (-32768, 32767)


def test_the_processors_input_reaches_the_rails_and_every_limiter():
    setup = of_dynamics(load_profile("smart-speaker", 48000, 1), "smart-speaker")
    computed = vectors.compute(setup)
    x_q15 = computed.x_q15
    assert x_q15.shape == (1, 17280)
    assert (x_q15.min(), x_q15.max()) == (-32768, 32767)
    held = {array.path: array.values for array in computed.memory}
    assert held["state.limiter.released_q62"][0] > 0
    assert (held["state.bank.limiter.released_q62"] > 0).any()
