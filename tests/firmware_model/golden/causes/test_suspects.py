"""Every suspect is planted, by another route than the search takes, and must be named."""

import numpy as np
import pytest

from firmware_model.golden.cases import find_case
from firmware_model.golden.causes import suspects
from firmware_model.golden.causes.faults.primitives import TRUNCATE
from firmware_model.golden.causes.faults.search import Match
from firmware_model.golden.causes.ranking import Score
from firmware_model.golden.dumps.divergence import compare
from firmware_model.golden.dumps.dump_values import Held
from firmware_model.golden.dumps.evidence import Origin, gather
from tests.firmware_model.golden.causes.plants import causes_of, planted

MONO, STEREO = find_case("mbdp-smart-speaker"), find_case("mbdp-headset")


def noise(case, samples, amplitude=12000, seed=4):
    rng = np.random.default_rng(seed)
    return rng.integers(-amplitude, amplitude, (case.channels, samples)).astype(np.int16)


@pytest.fixture(autouse=True)
def no_search(request, monkeypatch):
    """The search for faults compiles for half a minute: tests that want it say so."""
    if "search" not in request.fixturenames:
        monkeypatch.setattr(suspects, "search_faults", lambda *_: [])


@pytest.fixture
def search():
    """Let the search for faults run."""


def the_cause(case, x, nodes):
    """The first cause, which must give all of the dump."""
    causes = causes_of(case, x, nodes)
    assert causes
    assert causes[0].complete, causes
    return causes[0]


# How the dump was written


def output_of(case, x):
    return case.trace(x)["output"]


def zeroed(y, first, stop):
    y = y.copy()
    y[:, first:stop] = 0
    return y


@pytest.mark.parametrize(
    ("change", "kind", "text"),
    [
        (lambda y: y.byteswap(), "byte order", "bytes of each value in the other order"),
        (lambda y: y >> 1, "Q format", "shifted right by 1 bit, truncated"),
        (lambda y: (y.astype(np.int32) + 8) >> 4, "Q format", "shifted right by 4 bits, rounded"),
        (lambda y: y << 3, "Q format", "shifted left by 3 bits, wrapped"),
        (
            lambda y: np.clip(y * 16.0, -32768, 32767).astype(int),
            "Q format",
            "shifted left by 4 bits, saturated",
        ),
        (lambda y: y.astype(np.int64) << 16, "Q format", "shifted left by 16 bits"),
        (lambda y: y[::-1], "channel swap", "rows in the reverse order"),
        (lambda y: np.hstack([y[:, :1] * 0, y[:, :-1]]), "off by one", "one sample late"),
        (lambda y: np.hstack([y[:, 1:], y[:, :1]]), "off by one", "one sample early"),
        (lambda y: np.hstack([y[:, :4] * 0, y[:, :-4]]), "off by one", "one block (4 samples) late"),
        (lambda y: -np.maximum(y, -32767), "polarity", "inverted, saturated"),
        (
            lambda y: zeroed(y, 800, 1600),
            "zeros",
            "nothing but zeros from sample 800 (0.050000 s) on: the board stopped",
        ),
        (
            lambda y: zeroed(y, 800, 900),
            "zeros",
            "zeros from sample 800 (0.050000 s) to 899: a buffer ran empty",
        ),
        (
            lambda y: zeroed(zeroed(y, 800, 900), 1000, 1100),
            "zeros",
            "zeros from sample 800 (0.050000 s) to 899, and in 1 more such holes: a buffer ran empty",
        ),
        (
            lambda y: y.astype(np.int64) & 0xFFFF,
            "unsigned",
            "negative values written as unsigned, 65536 too large",
        ),
        (lambda y: y * 0, "constant", "the same value throughout: the dump was never written"),
        (
            lambda y: np.hstack([y[:, :800], y[:, 804:], y[:, :4]]),
            "off by one",
            "one block (4 samples) early from the first difference on",
        ),
    ],
)
def test_a_dump_written_otherwise_is_named(change, kind, text):
    x = noise(STEREO, 1600)
    cause = the_cause(STEREO, x, {"output": change(output_of(STEREO, x))})
    assert (cause.kind, cause.text) == (kind, text)


@pytest.mark.parametrize("case", [MONO, STEREO])
@pytest.mark.parametrize("lag", [63, 65, 166, 1601, -63, -65, -100, -1333])
def test_any_lag_up_to_a_tenth_of_a_second_is_named(case, lag):
    x = noise(case, 9600)
    y = output_of(case, x)
    y = np.hstack([np.zeros_like(y[:, :lag]), y[:, :-lag]]) if lag > 0 else y[:, -lag:]
    if abs(lag) > case.fs_hz // 10:
        assert all(cause.kind != "delay" for cause in causes_of(case, x, {"output": y}))
        return
    cause = the_cause(case, x, {"output": y})
    assert cause.kind == "delay"
    assert f"{abs(lag)} samples" in cause.text
    assert cause.text.endswith("late" if lag > 0 else "early")


def test_a_slip_in_the_middle_is_named():
    x = noise(STEREO, 9600)
    y = output_of(STEREO, x)
    cause = the_cause(STEREO, x, {"output": np.hstack([y[:, :3000], y[:, 3065:]])})
    assert (cause.kind, cause.text) == ("delay", "65 samples early from the first difference on")


def test_a_sine_fits_at_many_lags_and_the_shortest_is_named():
    n = np.arange(9600)
    x = np.tile(np.round(9000 * np.sin(2 * np.pi * n / 160)).astype(np.int16), (2, 1))
    y = output_of(STEREO, x)
    cause = the_cause(STEREO, x, {"output": np.hstack([np.zeros_like(y[:, :37]), y[:, :-37]])})
    assert cause.text == "37 samples late"


def test_a_bypass_is_named():
    x = noise(STEREO, 1600)
    cause = the_cause(STEREO, x, {"output": x})
    assert (cause.kind, cause.text) == ("bypass", "the output is the input")


def test_a_single_zero_is_no_hole():
    x = noise(STEREO, 1600)
    assert causes_of(STEREO, x, {"output": zeroed(output_of(STEREO, x), 800, 801)}) == []


def test_a_shift_in_every_node_is_named_for_all():
    x = noise(STEREO, 1600)
    nodes = {name: array >> 2 for name, array in STEREO.trace(x).items()}
    cause = the_cause(STEREO, x, nodes)
    assert cause.text == "shifted right by 2 bits, truncated"
    assert set(cause.nodes) >= {"band", "output"}


def test_a_fault_of_one_node_alone_is_partial_where_another_differs_too():
    x = noise(STEREO, 1600)
    nodes = STEREO.trace(x)
    nodes["band"] = nodes["band"] >> 2
    nodes["output"] = nodes["output"] ^ 1
    causes = causes_of(STEREO, x, {name: nodes[name] for name in ("band", "output")})
    assert [(cause.text, cause.nodes, cause.complete) for cause in causes[:1]] == [
        ("shifted right by 2 bits, truncated", ("band",), False)
    ]


def test_a_bit_that_flipped_has_no_cause():
    x = noise(STEREO, 1600)
    y = output_of(STEREO, x)
    y[1, 700] ^= 4
    assert causes_of(STEREO, x, {"output": y}) == []


def test_the_widest_place_that_gives_the_same_bits_is_said_in_plain_words(monkeypatch):
    x = noise(STEREO, 1600)
    y = output_of(STEREO, x) ^ 1
    origin = Origin("output", 0, 0, 1, 0)
    score = Score(3200, 3200, 0, 0, ("output",), (0, 1599))
    where, widest = "at a.py:7, rnd_shift in apply_gain", "in apply_gain (a.py)"
    matches = [Match(TRUNCATE, (1,), where, score, origin, widest)]
    monkeypatch.setattr(suspects, "search_faults", lambda *_: matches)
    text = the_cause(STEREO, x, {"output": y}).text
    assert text == (
        "at a.py:7, rnd_shift in apply_gain; "
        "the same bits result if the same is wrong in all of apply_gain (a.py)"
    )


# What was run


@pytest.mark.parametrize(
    ("change", "kind", "text"),
    [
        (lambda x: np.hstack([x[:, :1] * 0, x[:, :-1]]), "off by one", "input one sample late"),
        (lambda x: np.hstack([x[:, 1:], x[:, -1:]]), "off by one", "input one sample early"),
        (lambda x: x[::-1], "channel swap", "channels of the input swapped"),
        (lambda x: x.byteswap(), "byte order of the input", "bytes of the input in the other order"),
        (lambda x: x >> 1, "Q format", "input shifted right by 1 bit"),
        (lambda x: x << 2, "Q format", "input shifted left by 2 bits, wrapped"),
    ],
)
def test_another_input_is_named(change, kind, text):
    x = noise(STEREO, 1600)
    nodes = STEREO.trace(np.ascontiguousarray(change(x)))
    cause = the_cause(STEREO, x, {name: nodes[name] for name in ("band", "level", "output")})
    assert (cause.kind, cause.text) == (kind, text)


def test_a_state_that_was_not_cleared_is_named():
    x = noise(MONO, 4800)
    run = MONO.start()
    run.push(x)
    cause = the_cause(MONO, x, {"output": run.push(x)["output"]})
    assert cause.kind == "state not cleared"
    assert cause.text == "all of the state as the same input had left it before"
    assert cause.origin is not None
    assert (cause.origin.node, cause.origin.step) == ("band", 0)


def test_one_array_of_the_state_that_was_not_cleared_is_named():
    x = noise(MONO, 4800)
    used, run = MONO.start(), MONO.start()
    used.push(x)
    run.state.bank.split_q54[...] = used.state.bank.split_q54
    cause = the_cause(MONO, x, {"output": run.push(x)["output"]})
    assert cause.text == "state.bank.split_q54 as the same input had left it before"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda p: p._replace(section=p.section[:, [0, 2, 1, 3]].copy()), "section: columns 1 and 2 swapped"),
        (lambda p: p._replace(section=p.section[::-1].copy()), "section: rows in the reverse order"),
        (
            lambda p: p._replace(
                curve=p.curve._replace(attack_q31=p.curve.release_q31, release_q31=p.curve.attack_q31)
            ),
            "curve.attack_q31 and release_q31 exchanged",
        ),
    ],
)
def test_coefficients_in_another_order_are_named(change, text):
    x = noise(MONO, 4800)
    run = MONO.start()
    run.params = change(run.params)
    cause = the_cause(MONO, x, {"output": run.push(x)["output"]})
    assert (cause.kind, cause.text) == ("coefficient order", text)


def test_far_from_the_beginning_the_search_starts_from_the_model_s_state():
    x = noise(MONO, 48000 * 2)
    y = MONO.trace(x)["output"]
    y[:, 90000:] = np.roll(y, 8, axis=1)[:, 90000:]
    dump = {"output": Held(y)}
    found = compare(MONO, Held(x), dump)
    evidence = gather(MONO, Held(x), dump, found, seconds=1.0)
    assert evidence.start == 48000
    assert evidence.run is not None
    np.testing.assert_array_equal(evidence.expected["output"], MONO.trace(x)["output"][:, 48000:])
    cause = suspects.find_causes(evidence, MONO, Held(x), dump)[0]
    assert cause.text == "one block (8 samples) late from the first difference on"


# How it was computed


def test_truncation_in_one_place_is_found_without_a_compiler(tmp_path, monkeypatch, search):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")  # in 64 samples it would not pay
    x = noise(STEREO, 64)
    nodes = planted(tmp_path, STEREO, x, "truncation", "firmware_model.dynamics.processor.rnd_shift")
    dump = {name: Held(nodes[name]) for name in ("bus", "output")}
    evidence = gather(STEREO, Held(x), dump, compare(STEREO, Held(x), dump))
    matches = suspects.search_faults(evidence, tmp_path, modes=(TRUNCATE,))
    match = min(matches, key=lambda match: len(match.sites))
    assert match.where.startswith("at firmware_model/dynamics/processor.py:")
    assert match.where.endswith("rnd_shift in to_q15")
    assert match.score.nodes == ("bus", "output")
    assert match.origin is not None
    assert (match.origin.node, match.origin.expected - match.origin.got) == ("output", 1)


BIQUAD, FRONTEND = "fixedpoint.filters.biquad", "firmware_model.watermark.frontend"
COMPRESSOR, LIMITER = "firmware_model.dynamics.compressor", "firmware_model.dynamics.limiter"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "place", "kind", "text", "node"),
    [
        ("truncation", "everywhere.rnd_shift", "truncation for rounding", "everywhere", "level"),
        (
            "rounded",
            f"{BIQUAD}.trn_shift",
            "rounding for truncation",
            "in fixedpoint/filters/biquad.py",
            "band",
        ),
        (
            "32 bits",
            f"{COMPRESSOR}.rnd_shift {COMPRESSOR}.trn_shift",
            "32-bit accumulator",
            "dynamics/compressor.py",
            "gain",
        ),
        (
            "40 bits",
            f"{COMPRESSOR}.rnd_shift {COMPRESSOR}.trn_shift",
            "40-bit accumulator",
            "dynamics/compressor.py",
            "gain",
        ),
        (
            "towards zero",
            f"{BIQUAD}.trn_shift",
            "rounding towards zero",
            "in fixedpoint/filters/biquad.py",
            "band",
        ),
        (
            "to even",
            "firmware_model.dynamics.processor.rnd_shift",
            "rounding of halves to even",
            "to_q15",
            "output",
        ),
        (
            "rounded",
            f"{LIMITER}.trn_shift",
            "rounding for truncation",
            "limiter.py",
            "band_attenuation",
        ),
    ],
)
def test_wrong_arithmetic_of_the_processor_is_named(tmp_path, search, fault, place, kind, text, node):
    x = noise(MONO, 8000, amplitude=30000, seed=15)  # of the 16-bit output five are halves over an even value
    nodes = planted(tmp_path, MONO, x, fault, *place.split())
    cause = the_cause(MONO, x, {name: nodes[name] for name in ("bus", "output")})
    assert cause.kind == kind
    assert text in cause.text
    assert cause.origin is not None
    assert cause.origin.node == node


@pytest.mark.slow
def test_halves_rounded_away_from_zero_are_named(tmp_path, search):
    x = noise(MONO, 8000, amplitude=30000, seed=15)  # of the 16-bit output two are halves below zero
    nodes = planted(tmp_path, MONO, x, "away", "firmware_model.dynamics.processor.rnd_shift")
    assert np.count_nonzero(nodes["output"] != output_of(MONO, x)) == 2
    cause = the_cause(MONO, x, {name: nodes[name] for name in ("bus", "output")})
    assert cause.kind == "rounding of halves away from zero"
    assert cause.text.endswith("in to_q15")
    assert cause.origin is not None
    assert (cause.origin.node, cause.origin.expected - cause.origin.got) == ("output", 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "place", "kind", "text", "node"),
    [
        ("wrapped", f"{FRONTEND}.clip", "wrap for saturation", "watermark/frontend.py", "feature"),
        (
            "40 bits",
            "fixedpoint.filters.fft.rnd_shift",
            "40-bit accumulator",
            "fixedpoint/filters/fft.py",
            "band_level",
        ),
        (
            "truncation",
            f"{FRONTEND}.rnd_shift {FRONTEND}.rnd_shift32",
            "truncation for rounding",
            "watermark/frontend.py",
            "band_level",
        ),
    ],
)
def test_wrong_arithmetic_of_the_detector_is_named(tmp_path, search, fault, place, kind, text, node):
    case = find_case("watermark-small")
    x = noise(case, 128 * 80, amplitude=100)
    for slot in range(10):  # a tone for each slot, so that features reach their limit
        n = np.arange(slot * 1024, slot * 1024 + 1024)
        x[0, n] += np.round(12000 * np.sin(2 * np.pi * (700 + 277 * slot) * n / case.fs_hz)).astype(np.int16)
    nodes = planted(tmp_path, case, x, fault, *place.split())
    cause = the_cause(case, x, {name: nodes[name] for name in ("score", "integrated")})
    assert cause.kind == kind
    assert text in cause.text
    assert cause.origin is not None
    assert cause.origin.node == node
