"""Dumps that went wrong between the device's memory and the file are named, and what a gap holds is said."""

import numpy as np
import pytest

from firmware_model.golden.cases import find_case
from firmware_model.golden.causes import suspects
from tests.firmware_model.golden.causes.plants import causes_of

MONO, STEREO = find_case("mbdp-smart-speaker"), find_case("mbdp-headset")
N = 4800
RNG = np.random.default_rng(7)
WAV_HEADER = np.frombuffer(
    b"RIFF\x24\x00\x02\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"
    b"\x80\xbb\x00\x00\x00\x77\x01\x00\x02\x00\x10\x00data\x00\x00\x02\x00",
    "<i2",
)


@pytest.fixture(autouse=True)
def no_search(monkeypatch):
    """The search for faults compiles for half a minute."""
    monkeypatch.setattr(suspects, "search_faults", lambda *_: [])


@pytest.fixture(scope="module")
def outputs():
    """(input, output) of each case on noise."""
    found = {}
    for case in (MONO, STEREO):
        x = RNG.integers(-12000, 12000, (case.channels, N)).astype(np.int16)
        found[case.name] = x, case.trace(x)["output"]
    return found


def flat(y):
    return np.ascontiguousarray(y.T).ravel()


def backwards(y, group):
    return flat(y).reshape(-1, group)[:, ::-1].reshape(1, -1)


def of_bytes(change):
    """A change of the dump's bytes, cut to whole steps."""

    def changed(y):
        content = np.frombuffer(bytes(change(flat(y).astype("<i2").tobytes())), np.uint8)
        size = 2 * len(y)
        return content[: len(content) // size * size].view("<i2").reshape(-1, len(y)).T

    return changed


def front(values):
    return lambda y: np.hstack([np.tile(np.asarray(values, np.int16), (len(y), 1)), y[:, : -len(values)]])


def interleave(y, *slots):
    return np.stack([flat(y) if s == "y" else s(y) for s in slots], axis=1).reshape(1, -1)


def zeros(y):
    return np.zeros(y.size, np.int16)


def garbage(y):
    return np.random.default_rng(1).integers(-9, 9, y.size).astype(np.int16)


def every(y, n, c=0):
    return np.delete(y, np.arange(c, y.shape[1], n), axis=1)


def twice(y, n):
    counts = np.ones(y.shape[1], int)
    counts[n - 1 :: n] = 2
    return np.repeat(y, counts, axis=1)


@pytest.mark.parametrize(
    ("case", "change", "kind", "text"),
    [
        (
            MONO,
            lambda y: backwards(y, 2),
            "word order",
            "values swapped in pairs",
        ),
        (
            MONO,
            lambda y: backwards(y, 4),
            "word order",
            "swapped in groups of 4",
        ),
        (
            MONO,
            lambda y: flat(y).view("<i4").byteswap().view("<i2").reshape(1, -1),
            "word order",
            "bytes of each 32-bit word in the other order",
        ),
        (
            MONO,
            lambda y: interleave(y, "y", "y"),
            "slots",
            "in both slots of a frame: mono in stereo",
        ),
        (MONO, lambda y: interleave(y, "y", zeros), "slots", "slot 1 of 2 of a frame; the others hold zeros"),
        (MONO, lambda y: interleave(y, zeros, "y"), "slots", "slot 2 of 2 of a frame; the others hold zeros"),
        (MONO, lambda y: interleave(y, zeros, zeros, "y", zeros), "slots", "slot 3 of 4 of a frame"),
        (STEREO, lambda y: np.stack([y[0], y[0]]), "slots", "right: holds left once more"),
        (
            STEREO,
            lambda y: np.stack([y[0], 0 * y[1] - 1]),
            "slots",
            "right: nothing but -1",
        ),
        (STEREO, lambda y: np.hstack([y.T, 0 * y.T]).reshape(-1, 2).T, "slots", "in slot 1 of 4 of a frame"),
        (STEREO, lambda y: np.repeat(y, 2, axis=1), "slots", "each value in 2 places in turn"),
        (MONO, lambda y: np.roll(y, 1234, axis=1), "ring", "rotated: begins with the model's sample 3566"),
        (
            STEREO,
            lambda y: np.roll(y, -1500, axis=1),
            "ring",
            "the model's sample 1500, whose",
        ),
        (
            MONO,
            front([1234] * 480),
            "values in front",
            "(960 bytes) in front of the first: hold 1234",
        ),
        (
            MONO,
            front(WAV_HEADER),
            "values in front",
            "(44 bytes) in front of the first: a WAV header",
        ),
        (MONO, lambda y: every(y, 7), "values lost", "every 7th value is lost"),
        (MONO, lambda y: every(y, 2), "values lost", "every 2nd value is lost"),
        (STEREO, lambda y: every(y, 48, 5), "values lost", "every 48th step is lost"),
        (MONO, lambda y: y[:, 2::3], "values lost", "only every 3rd value is there"),
        (MONO, lambda y: twice(y, 5), "values twice", "every 5th value is twice"),
        (
            MONO,
            of_bytes(lambda b: b[:2001] + b[2002:]),
            "values lost",
            "1 byte lost at sample 1000: values are misal",
        ),
        (
            MONO,
            of_bytes(lambda b: b[:2000] + b"x" + b[2000:]),
            "values twice",
            "1 byte too many at sample 1000",
        ),
        (STEREO, of_bytes(lambda b: b[:4000] + b[4002:]), "values lost", "rows are exchanged from there on"),
        (
            MONO,
            lambda y: np.delete(y, [500, 501, 900, 2000, 3001], axis=1),
            "values lost",
            "5 values lost at sample 500 and in 3 more places; of text, lines",
        ),
    ],
)
def test_what_went_wrong_on_the_way_is_named(outputs, case, change, kind, text):
    x, y = outputs[case.name]
    dump = np.ascontiguousarray(change(y))
    causes = causes_of(case, x, {"output": dump})
    assert causes, "nothing found"
    assert (causes[0].kind, text in causes[0].text) == (kind, True), causes
    assert causes[0].stated
    assert len(causes) == 1, causes


def test_garbage_in_front_or_in_a_slot_is_said_and_not_claimed(outputs):
    x, y = outputs[MONO.name]
    noise = garbage(y[:, :777])
    causes = causes_of(MONO, x, {"output": front(noise)(y)})
    shown = ", ".join(map(str, noise[:3]))
    assert causes[0].text == f"777 values (1554 bytes) in front of the first: hold {shown}, ..."
    assert not causes[0].complete
    causes = causes_of(MONO, x, {"output": interleave(y, "y", garbage)})
    assert causes[0].text.startswith("the values in slot 1 of 2 of a frame; the others hold other values, ")
    assert not causes[0].complete


def test_halves_of_32_bit_values(outputs):
    x, _ = outputs[MONO.name]
    band = MONO.trace(x)["band"]
    halves = (
        np.ascontiguousarray(band).view("<i2").reshape(*band.shape, 2)[..., ::-1].copy().view("<i4")[..., 0]
    )
    causes = causes_of(MONO, x, {"band": halves})
    assert (causes[0].kind, causes[0].text) == ("word order", "16-bit halves of each value swapped")


def test_a_delay_whose_gap_is_zeros_stays_a_delay(outputs):
    x, y = outputs[MONO.name]
    causes = causes_of(MONO, x, {"output": front([0] * 480)(y)})
    assert causes[0].kind == "delay"
