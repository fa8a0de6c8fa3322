"""Other coefficients are planted in a run's parameters and must be named, field and form."""

import numpy as np
import pytest

from firmware_model.dynamics.settings.profiles import load_profile
from firmware_model.dynamics.settings.tuning import quantise
from firmware_model.golden.causes.coefficient_suspects import coefficients, fields
from tests.firmware_model.golden.causes.runs import MONO, STEREO, named, noise

X = noise(STEREO, 4000)


def output_with(change, case=STEREO, x=X):
    run = case.start()
    run.params = change(run.params)
    return {"output": run.push(x)["output"]}


def with_curve(**fields):
    return lambda params: params._replace(
        curve=params.curve._replace(**{k: f(params.curve) for k, f in fields.items()})
    )


def upper(values):
    return (values // 65536 * 65536).astype(np.int32)


@pytest.mark.parametrize(
    ("change", "kind", "text"),
    [
        (
            lambda params: params._replace(section=upper(params.section)),
            "16-bit coefficients",
            "section: truncated to 16 bits",
        ),
        (
            with_curve(attack_q31=lambda c: upper(c.attack_q31 + 32768)),
            "16-bit coefficients",
            "curve.attack_q31: rounded to 16 bits",
        ),
        (
            with_curve(release_q31=lambda c: c.attack_q31),
            "one coefficient for another",
            "attack_q31 in place of curve.release_q31",
        ),
        (
            with_curve(makeup_q24=lambda c: c.makeup_q24[[1, 0, 2]]),
            "coefficient order",
            "curve.makeup_q24: rows 0 and 1 swapped",
        ),
        (
            lambda params: params._replace(section=quantise(load_profile("headset", 44100, 2)).section),
            "coefficients of another configuration",
            "section: those of profile headset at 44100 Hz",
        ),
    ],
)
def test_other_coefficients_are_named(monkeypatch, change, kind, text):
    found = named(monkeypatch, STEREO, X, output_with(change))
    assert found[0] == (kind, text), found


def test_a_profile_that_has_more_bands_is_no_suspect():
    texts = [text for _, text, _ in coefficients(STEREO)]
    assert any("profile conventional" in text for text in texts)
    assert not any("section: those of profile smart-speaker" in text for text in texts)


def test_no_two_suspects_have_the_same_parameters_or_those_of_the_model():
    seen = {_bits(MONO.start().params)}
    for _, text, start in coefficients(MONO):
        bits = _bits(start().params)
        assert bits not in seen, text
        seen.add(bits)


def _bits(params):
    return b"".join(np.asarray(value).tobytes() for _, value in fields(params))
