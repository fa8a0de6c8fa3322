"""Crossover of the float64 dynamics reference: slopes by the closed form of LR4, and the sum."""

import math

import numpy as np
import pytest

from firmware_model.reference.crossover import band_response, band_sections, butterworth, split, sum_response
from firmware_model.reference.dynamics_model import BandModel, DynamicsModel, LimiterModel

EDGES_HZ = (120.0, 500.0, 2000.0, 6000.0)
RATES_HZ = (16000, 44100, 48000, 96000)


def crossover_model(edges_hz=EDGES_HZ, fs_hz=48000, all_pass=True, active=None, channels=1):
    return DynamicsModel(
        fs_hz=fs_hz,
        channels=channels,
        edges_hz=edges_hz,
        bands=(BandModel(),) * (len(edges_hz) + 1),
        active=active or (True,) * len(edges_hz),
        all_pass=all_pass,
        band_look_ahead_ms=1.0,
        limiter=LimiterModel(),
    )


def random_edges(rng, count):
    """Ascending, 60 Hz to 16 kHz, even in octaves."""
    return tuple(sorted(60 * 2 ** rng.uniform(0, math.log2(16000 / 60), count)))


def db(response):
    return 20 * np.log10(np.abs(response))


def closed_form(freqs_hz, edges_hz, fs_hz):
    """(bands, len) float64, |B_i|: LP^2 is 1 / (1 + w^4), HP^2 w^4 / (1 + w^4), w = tan(pi f / fs) / K."""
    warped = np.tan(np.pi * freqs_hz / fs_hz)
    bands = np.ones((len(edges_hz) + 1, len(freqs_hz)))
    for j, edge_hz in enumerate(edges_hz):
        w4 = (warped / math.tan(math.pi * edge_hz / fs_hz)) ** 4
        bands[j] /= 1 + w4
        bands[j + 1 :] *= w4 / (1 + w4)
    return bands


# One edge


def test_sections_by_hand_at_a_quarter_of_the_rate():
    """K = tan(pi / 4) = 1, n = 2 + sqrt 2: a1 = 0, a2 = (2 - sqrt 2) / (2 + sqrt 2)."""
    a2 = (2 - math.sqrt(2)) / (2 + math.sqrt(2))
    b0 = 1 / (2 + math.sqrt(2))
    low, high, all_pass = butterworth(12000, 48000)
    assert low == pytest.approx([b0, 2 * b0, b0, 1, 0, a2], abs=1e-15)
    assert high == pytest.approx([b0, -2 * b0, b0, 1, 0, a2], abs=1e-15)
    assert all_pass == pytest.approx([a2, 0, 1, 1, 0, a2], abs=1e-15)


@pytest.mark.parametrize("edge_hz", [20, 60, 1000, 16000, 23000])
def test_both_bands_are_half_at_the_edge(edge_hz):
    """A half is -6.02 dB."""
    response = np.abs(band_response(np.array([float(edge_hz)]), crossover_model((edge_hz,))))
    assert response == pytest.approx(np.full((2, 1), 0.5), abs=1.4e-12), "measured 6.8e-13, at 20 Hz"


def test_slopes_are_24_db_an_octave():
    """80 log10 2 = 24.08 dB, less 20 log10 (1 + (1/4)^4) = 0.034 dB at the end two octaves from the edge,
    where the bilinear transform does not bend yet."""
    response = db(band_response(np.array([25.0, 50.0, 800.0, 1600.0]), crossover_model((200.0,), 96000)))
    low, high = response
    assert high[1] - high[0] == pytest.approx(80 * math.log10(2), abs=0.04), "measured 0.032 less"
    assert low[2] - low[3] == pytest.approx(80 * math.log10(2), abs=0.016), "measured 0.008 less"


# All bands


@pytest.mark.parametrize("fs_hz", RATES_HZ)
def test_every_band_has_the_magnitude_of_the_closed_form(fs_hz):
    edges_hz = tuple(edge for edge in EDGES_HZ if edge < 0.45 * fs_hz)
    freqs_hz = np.geomspace(20, 0.49 * fs_hz, 4001)
    expected = db(closed_form(freqs_hz, edges_hz, fs_hz))
    error = np.abs(db(band_response(freqs_hz, crossover_model(edges_hz, fs_hz))) - expected)
    assert error[expected > -80].max() < 1e-9, (
        "dB: measured 2.9e-11 at 16 kHz, 8.5e-10 at 96 kHz, 20 Hz worst"
    )
    assert expected.min() < -500, "the slopes go on"


@pytest.mark.parametrize("bands", range(2, 7))
def test_the_sum_is_flat(bands):
    rng = np.random.default_rng(bands)
    freqs_hz = np.geomspace(20, 23900, 4001)
    ripple = [
        np.abs(db(sum_response(freqs_hz, crossover_model(random_edges(rng, bands - 1))))).max()
        for _ in range(8)
    ]
    assert max(ripple) < 1.5e-10, "dB: measured 2.2e-11 to 7.6e-11"


def test_the_sum_is_the_product_of_the_all_passes():
    freqs_hz = np.geomspace(20, 23900, 4001)
    z = np.exp(-2j * np.pi * freqs_hz / 48000)
    product = np.ones(len(freqs_hz), dtype=complex)
    for edge_hz in EDGES_HZ:
        _, _, (b0, b1, b2, a0, a1, a2) = butterworth(edge_hz, 48000)
        product *= (b0 + b1 * z + b2 * z**2) / (a0 + a1 * z + a2 * z**2)
    assert np.abs(sum_response(freqs_hz, crossover_model()) - product).max() < 3e-12, "measured 1.5e-12"


@pytest.mark.parametrize(("edges_hz", "ripple_db"), [(EDGES_HZ, 1.29), ((120, 240, 480, 960), 4.48)])
def test_without_all_passes_the_sum_ripples(edges_hz, ripple_db):
    sum_db = db(sum_response(np.geomspace(20, 23900, 4001), crossover_model(edges_hz, all_pass=False)))
    assert sum_db.max() - sum_db.min() == pytest.approx(ripple_db, abs=0.0013), "measured 1.28982 and 4.47880"
    assert sum_db.max() == pytest.approx(0, abs=1.6e-14), "measured 7.7e-15: nowhere above the input"


def test_all_passes_do_not_change_the_magnitude_of_a_band():
    freqs_hz = np.geomspace(20, 23900, 1001)
    with_them, without = (
        np.abs(band_response(freqs_hz, crossover_model(all_pass=flag))) for flag in (True, False)
    )
    assert np.abs(with_them - without).max() < 7e-14, "measured 3.4e-14"


# Signals


def test_impulse_responses_have_the_frequency_responses():
    """Over 1 s: of the slowest part, at 120 Hz, exp(-2 pi 120 / sqrt 2) is left, nothing."""
    model = crossover_model()
    impulse = np.zeros((1, 48000))
    impulse[0, 0] = 1
    spectrum = np.fft.rfft(split(impulse, model)[:, 0], axis=1)
    expected = band_response(np.fft.rfftfreq(48000, 1 / 48000), model)
    assert np.abs(spectrum - expected).max() < 1.6e-12, "measured 7.9e-13"


def test_channels_are_split_alike_and_one_band_is_the_input():
    x = np.random.default_rng(0).uniform(-1, 1, (2, 800))
    bands = split(x, crossover_model(channels=2))
    assert bands.shape == (5, 2, 800)
    assert np.array_equal(bands[:, 1:], split(x[1:], crossover_model()))
    assert np.array_equal(split(x, crossover_model((), channels=2)), x[None])


@pytest.mark.parametrize("active", [(False, True, True, True), (True, False, False, True), (False,) * 4])
def test_inactive_splits_are_as_if_they_were_not_there(active):
    edges_hz = tuple(edge for edge, flag in zip(EDGES_HZ, active, strict=True) if flag)
    model, smaller = crossover_model(active=active), crossover_model(edges_hz)
    assert len(smaller.bands) == sum(active) + 1
    for index in range(len(smaller.bands)):
        assert np.array_equal(band_sections(index, model), band_sections(index, smaller))
    freqs_hz = np.geomspace(20, 23900, 101)
    assert np.array_equal(band_response(freqs_hz, model), band_response(freqs_hz, smaller))
