"""What bittrue checks of this product, and what only its author knows."""

import numpy as np
import pytest
from dcgate.product import PRODUCT

from firmware_model.golden.conformance import check

ITEMS = check.items(product=PRODUCT)


@pytest.mark.parametrize("item", ITEMS)
def test_bittrue_finds_nothing_wrong(item):
    result = check.run(item)
    assert result.status == check.PASSED, result.says


def test_a_constant_leaves_nothing_and_no_limit_cycle():
    case = PRODUCT.cases[0]
    y = case.plain(np.full((2, 48 * 2000), 12345, np.int16))
    assert not y[:, -48000:].any()


def test_the_gate_opens_on_the_loud_and_is_closed_in_silence():
    case = PRODUCT.cases[0]
    x = np.zeros((2, 48 * 400), np.int16)
    x[0, : 48 * 200 : 2] = 8000
    gain = case.trace(x)["gain"][0] / 2**31
    assert gain[150] > 0.99
    assert gain[-1] < 0.1
