"""Switches in C: where they go, and that text between them stays."""

import pytest

from firmware_model.device.mutants.sites import CONSTANT, PRODUCT, SUM, with_switches

SOURCE = """#include "p.h"

#define SHIFT 27  /* of a product */

static const int16_t TABLE[2] = {
    5, -6,
};

/* Sum of products. */
static int64_t gather(const int32_t *x, int64_t n)
{
    int64_t acc = 0;
    for (int32_t i = 0; i < n; i++) {
        acc += (int64_t)x[i + 1] * (int64_t)x[i];
    }
    return asr(acc, SHIFT);
}

/* ==== The configuration: tables, coefficients, initial values */

static const p_Params configuration = {
    .size = 3,
    .inner = {
        .rate = INT64_C(2147483648),
    },
};

/* ==== The instance */

void p_init(p *self)
{
    self->n = 7;
}
"""


@pytest.fixture(scope="module")
def planted():
    return with_switches(SOURCE)


def test_constants_are_defines_literals_of_kernels_and_the_configuration(planted):
    found = [(site.where, site.value) for site in planted.sites if site.kind == CONSTANT]
    in_kernel = [("gather", 0), ("gather", 0), ("gather", 1)]
    assert found == [("SHIFT", 27), ("configuration", 3), ("configuration", 1 << 31), *in_kernel]


def test_a_sum_has_a_switch_around_what_it_becomes_and_a_product_around_itself(planted):
    (total,) = [i for i, site in enumerate(planted.sites) if site.kind == SUM]
    (product,) = [i for i, site in enumerate(planted.sites) if site.kind == PRODUCT]
    assert f"acc = PLANTED_WIDTH({total}, acc + ( PLANTED_WIDTH({product}, (int64_t)x[" in planted.source
    assert "* (int64_t)x[i])));" in planted.source


def test_tables_can_be_changed_and_the_instance_is_left_alone(planted):
    assert [(table.name, table.bits) for table in planted.tables] == [("TABLE", 16)]
    assert "\nint16_t TABLE[2] = {" in planted.source
    assert "self->n = 7;" in planted.source
    assert "configuration.inner.rate = PLANTED_CONSTANT(" in planted.source
