"""Runs with faults on a product of one sum: they begin where it acts, and end where there is no hope."""

import numpy as np
import pytest

from firmware_model.case import Case, Node
from firmware_model.golden.causes.faults import primitives as faulty
from firmware_model.golden.causes.faults.trials import NEVER, Fault, Trials
from firmware_model.golden.dumps.divergence import compare
from firmware_model.golden.dumps.dump_values import Held
from firmware_model.golden.dumps.evidence import gather
from fixedpoint.qformat import Q31

SUM, STEP = 0, 1
FAULT = np.zeros((3, 2), np.int64)


class Running:
    """acc += 1000 x, in 64 bits; the output is acc. `pushed` counts samples."""

    params = output = None
    pushed = 0

    def __init__(self):
        self.state = np.zeros(1, np.int64)

    def push(self, x):
        Running.pushed += x.shape[1]
        y = np.zeros(x.shape, np.int64)
        for n in range(x.shape[1]):
            total = self.state[0] + np.int64(x[0, n]) * faulty.site_constant(1000, FAULT, STEP)
            mode = FAULT[0, SUM]
            if mode == faulty.WATCHED and faulty.faulty_sum(total, faulty.WORD_32) != total:
                FAULT[1, SUM] |= 1 << faulty.WORD_32
            self.state[0] = faulty.faulty_sum(total, 0 if mode == faulty.WATCHED else mode)
            y[0, n] = self.state[0]
        return {"output": y}


CASE = Case("running", "a sum", 8000, 1, 1, "none", (Node("output", Q31, ("mono",), 1),), Running, None, None)
# Past 2**31 with the sample at 300, and back below at 500.
X = np.concatenate([np.full(400, 7400), np.full(400, -7400)]).astype(np.int16)[None]


@pytest.fixture(params=[Fault(faulty.WORD_32, (SUM,)), Fault(faulty.ALTERED, (STEP,), 1001)])
def planted(request):
    """(fault, trials over a dump with it)."""
    FAULT[:] = 0
    FAULT[0, request.param.sites[0]], FAULT[1, request.param.sites[0]] = (
        request.param.mode,
        request.param.value,
    )
    dump = {"output": Held(CASE.trace(X)["output"])}
    FAULT[:] = 0
    found = compare(CASE, Held(X), dump)
    return request.param, Trials(gather(CASE, Held(X), dump, found), CASE, FAULT, (SUM, STEP), {})


def test_a_site_is_watched_for_where_it_first_acts(planted):
    _, trials = planted
    assert trials.first[SUM, faulty.WORD_32] == 290 // 4  # 290 * 7.4e6 is the last below 2**31
    assert trials.first[SUM, faulty.WORD_40] == NEVER
    assert trials.first[STEP, faulty.ALTERED] == 0


def test_what_was_planted_explains_all_and_nothing_else_does(planted):
    fault, trials = planted
    score = trials.weigh(fault)
    assert score.complete
    others = [Fault(faulty.WORD_32, (SUM,)), *(Fault(faulty.ALTERED, (STEP,), v) for v in (999, 1001, 2000))]
    assert [trials.weigh(other) for other in others if other != fault] == [None] * (4 - (fault in others))
    assert trials.look(fault) == (False, trials.wanted)


def test_a_run_with_a_fault_begins_where_it_acts_and_ends_without_hope(planted):
    _, trials = planted
    Running.pushed = 0
    trials.weigh(Fault(faulty.WORD_32, (SUM,)))
    assert Running.pushed <= X.shape[1] - 290 // 4 * 4
    Running.pushed = 0
    trials.weigh(Fault(faulty.ALTERED, (STEP,), -1000))
    assert Running.pushed < X.shape[1] / 2


def test_a_larger_mistake_has_a_larger_effect(planted):
    fault, trials = planted
    if fault.mode == faulty.ALTERED:
        assert trials.wanted == 7400
        looked = [trials.look(Fault(faulty.ALTERED, (STEP,), value)) for value in (1000, 1001, 1003)]
        assert looked == [(False, 0), (False, 7400), (False, 3 * 7400)]
