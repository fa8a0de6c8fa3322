"""Crossover: flatness and slopes measured on the kernel, exact sums, room at every node, rest."""

import numpy as np
import pytest
from scipy.signal import lfilter

from firmware_model.dynamics.crossover import split
from firmware_model.dynamics.settings.tuning import quantise
from firmware_model.dynamics.state import init_bank
from firmware_model.reference import crossover as reference
from firmware_model.reference.crossover import band_response
from fixedpoint.filters.biquad import MAX_RATIO, REST_Q54, REST_Q58, allpass_of, butterworth, svf
from tests.firmware_model.dynamics.twin import Q27, RATES, flat, model_of, run


def random_edges(rng, count, low_hz, high_hz):
    return np.sort(np.exp(rng.uniform(np.log(low_hz), np.log(high_hz), count)))


# --- responses -------------------------------------------------------------------------------


class Multitone:
    """A periodic signal of 200 lines from 20 Hz to 0.45 fs, near full scale.

    Measured over its fourth period, so that lines fall on bins and filters have settled; the rounding of the
    bands lies 60 dB below a line that is itself 80 dB down (0.001 dB).
    """

    def __init__(self, fs_hz):
        self.period = 1 << (16 if fs_hz > 48000 else 15)
        lines_hz = np.geomspace(20, 0.45 * fs_hz, 200)
        self.bins = np.unique(np.round(lines_hz * self.period / fs_hz).astype(int))
        spectrum = np.zeros(self.period // 2 + 1, complex)
        spectrum[self.bins] = np.exp(-1j * np.pi * np.arange(len(self.bins)) ** 2 / len(self.bins))
        x = np.fft.irfft(spectrum)
        self.x_q15 = np.round(x / np.abs(x).max() * 32000).astype(np.int16)
        self.freqs_hz = self.bins * fs_hz / self.period

    def responses(self, config):
        """(bands, lines) complex, measured on the kernel; the same of the float64 bands."""
        band_q27 = run(config, np.tile(self.x_q15, 4)).nodes.band_q27[:, -self.period :]
        spectra = np.fft.rfft(band_q27 / Q27, axis=1)[:, self.bins]
        measured = spectra / np.fft.rfft(self.x_q15 / 32768)[self.bins]
        return measured, band_response(self.freqs_hz, model_of(config))


def decibels(x):
    return 20 * np.log10(np.abs(x))


def errors(multitone, config):
    """Ripple of the sum and largest error of a band down to -80 dB, both in dB."""
    measured, exact = multitone.responses(config)
    slopes = np.abs(decibels(measured) - decibels(exact))[np.abs(exact) > 1e-4]
    return np.abs(decibels(measured.sum(axis=0))).max(), slopes.max()


@pytest.mark.parametrize("fs_hz", RATES)
def test_sum_is_flat_and_slopes_are_right_at_random_edges(fs_hz, rng):
    multitone = Multitone(fs_hz)
    highest_hz = min(16000, 0.45 * fs_hz)
    ripple, slope = np.max(
        [errors(multitone, flat(fs_hz, random_edges(rng, 1 + i % 5, 60, highest_hz))) for i in range(25)],
        axis=0,
    )
    # Wanted: 0.001 and 0.01 dB. Measured at 16, 44.1, 48, 96 kHz: ripple 7.8e-7, 5.4e-7, 6e-7, 3.8e-7 dB,
    # slopes 0.002, 0.0021, 0.0013, 0.001 dB, which is rounding noise beside lines at -80 dB.
    assert ripple < 1.5e-6, f"sum: measured {ripple:.2g} dB"
    assert slope < 0.004, f"bands down to -80 dB: measured {slope:.2g} dB"


@pytest.mark.parametrize("fs_hz", RATES)
@pytest.mark.parametrize(
    "edges",
    [(20,), (20, 21, 22, 23, 24), (60, 61, 62, 63, 64), (20, 100, 500, 2000, 7000), (MAX_RATIO,)],
    ids=str,
)
def test_sum_and_slopes_at_extreme_edges(fs_hz, edges):
    edges_hz = [edge * fs_hz if edge < 1 else edge for edge in edges]
    ripple, slope = errors(Multitone(fs_hz), flat(fs_hz, edges_hz))
    # Measured: 1.1e-6 dB and 0.0023 dB.
    assert ripple < 2e-6, f"sum: measured {ripple:.2g} dB"
    assert slope < 0.004, f"bands down to -80 dB: measured {slope:.2g} dB"


@pytest.mark.parametrize(("fs_hz", "edge_hz"), [(48000, 1000), (48000, 16000), (16000, 5000)])
@pytest.mark.parametrize("below", [10.0, 17.8])
def test_high_slope_far_below_an_edge(fs_hz, edge_hz, below):
    """The high band is all-pass less low band: what is left of it at -80 to -120 dB, by a tone alone."""
    period = 1 << 15
    bin_ = round(edge_hz / below * period / fs_hz)
    x = np.round(32000 * np.sin(2 * np.pi * bin_ * np.arange(period) / period)).astype(np.int16)
    config = flat(fs_hz, [edge_hz])
    high_q27 = run(config, np.tile(x, 3)).nodes.band_q27[1, -period:]
    measured = np.fft.rfft(high_q27 / Q27)[bin_] / np.fft.rfft(x / 32768)[bin_]
    exact = band_response(np.array([bin_ * fs_hz / period]), model_of(config))[1, 0]
    assert -120 < decibels(exact) < -79
    error = abs(decibels(measured) - decibels(exact))
    assert error < 0.0004, f"at {decibels(exact):.1f} dB: measured {error:.2g} dB, largest 0.00024"


def rounded_high(section, z):
    """High band of a split, AP - LP^2, by the transfer functions of the rounded coefficients."""
    gain, bend = section.gain_q27 * 2.0**-27, section.bend_q29 * 2.0**-29
    first = section.drive_q31 * 2.0**-31 / (z - section.hold_q31 * 2.0**-31)  # s1 over x - s2
    second = gain * (1 + z) / 2 / (z - 1)  # s2 over s1
    s1 = first / (1 + first * second)
    band, low = s1 * (1 + z) / 2, second * s1 * (1 + z) / 2
    return 1 - bend * band - low * low


@pytest.mark.parametrize(
    ("lowest_hz", "fs_hz", "measured"),
    [
        (20, 96000, (0.0021, 0.018)),
        (20, 48000, (0.001, 0.0087)),
        (60, 96000, (0.00075, 0.006)),
        (60, 48000, (0.00051, 0.0043)),
        (20, 16000, (0.00051, 0.0043)),
    ],
)
def test_rounded_coefficients_keep_the_high_slope(lowest_hz, fs_hz, measured):
    """At -80 and -117 dB, of 4000 edges from the lowest that is given to 0.45 fs."""
    for w, largest_db in zip((0.1, 1 / 28.9), measured, strict=True):  # tan(pi f/fs) over that of the edge
        exact_db = decibels((w**2 / (1 + np.sqrt(2) * 1j * w - w * w)) ** 2)
        found = []
        for edge_hz in np.geomspace(lowest_hz, MAX_RATIO * fs_hz, 4000):
            angle = np.arctan(w * np.tan(np.pi * edge_hz / fs_hz))
            high = rounded_high(butterworth(edge_hz, fs_hz), np.exp(2j * angle))
            found.append(abs(decibels(high) - exact_db))
        worst = max(found)
        assert worst < 1.2 * largest_db, f"at {exact_db:.1f} dB: {worst:.2g} dB, was {largest_db}"


def test_without_all_pass_bands_keep_their_slopes_and_the_sum_ripples():
    config = flat(48000, [120, 240, 480, 960], all_pass=False)
    ripple, slope = errors(Multitone(48000), config)
    assert slope < 0.0003, f"measured {slope:.2g} dB, was 0.00016"
    assert ripple == pytest.approx(4.48, abs=0.01)


def test_the_measurement_sees_a_wrong_slope():
    """One edge a thousandth higher passes for flat, and is far from the band that is wanted."""
    multitone = Multitone(48000)
    measured, _ = multitone.responses(flat(48000, [1001.0]))
    _, exact = multitone.responses(flat(48000, [1000.0]))
    assert np.abs(decibels(measured.sum(axis=0))).max() < 1e-6
    assert np.abs(decibels(measured) - decibels(exact))[np.abs(exact) > 1e-4].max() > 0.03


# --- exactness -------------------------------------------------------------------------------


def test_low_plus_high_is_the_all_pass_to_the_last_bit(rng):
    params = quantise(flat(48000, [800.0]))
    state = init_bank(params)
    section, bend = [np.int64(v) for v in params.section[0, :3]], np.int64(params.section[0, 3])
    s1, s2 = np.int64(REST_Q58), np.int64(REST_Q54)
    for _ in range(200):
        x_q27 = rng.integers(-1 << 27, 1 << 27, 8)
        state.band_q27[1] = x_q27
        split(params, state, 1, 0, 0, 0)
        for n, x in enumerate(x_q27):
            band, _, s1, s2 = svf(np.int64(x), s1, s2, *section)
            assert state.band_q27[0, n] + np.int64(state.band_q27[1, n]) == allpass_of(
                np.int64(x), band, bend
            )


@pytest.mark.parametrize("value", [-32768, 32767, 1, -1])
def test_a_constant_passes_the_lowest_band_alone(value):
    """But for limit cycles of sections of high corner, at 5 kHz: 3 LSB of Q5.27, 1/1365 of one of 16 bits."""
    nodes = run(flat(48000, [200, 1000, 5000]), np.full(24000, value, np.int16)).nodes
    left = np.abs(nodes.band_q27[:, -100:] - np.array([[value << 12], [0], [0], [0]])).max()
    assert left <= 5, f"measured {left} LSB of Q5.27, was 3"


def test_one_band_is_the_input():
    x = np.arange(-32768, 32768, dtype=np.int16)
    np.testing.assert_array_equal(run(flat(48000, []), x).nodes.band_q27[0], x.astype(np.int32) << 12)


def test_inactive_splits_are_as_if_they_were_not_there(rng):
    x = rng.integers(-32768, 32768, (1, 4000)).astype(np.int16)
    some = flat(48000, [100, 400, 1600, 6400], active=(False, True, False, True))
    few = flat(48000, [400, 6400])
    np.testing.assert_array_equal(run(some, x).nodes.band_q27, run(few, x).nodes.band_q27)


# --- room ------------------------------------------------------------------------------------


def float_nodes(edges_hz, fs_hz, x, all_pass=True):
    """Every node of the crossover in float64 for inputs x (trials, n): {name: (trials, n)}.

    A section's nodes are its input less the second integrator, the integrators, and its outputs.
    """
    nodes = {}

    def section(name, v, edge_hz):
        g = butterworth(edge_hz, fs_hz).gain_q27 * 2.0**-28
        scale = 1 + np.sqrt(2) * g + g * g
        a = [1, 2 * (g * g - 1) / scale, (1 - np.sqrt(2) * g + g * g) / scale]
        band = lfilter([g / scale, 0, -g / scale], a, v)
        low = lfilter([g * g / scale, 2 * g * g / scale, g * g / scale], a, v)
        s2 = low - g * band
        made = {"x - s2": v - s2, "s1": scale * band - g * (v - s2), "s2": s2, "band": band, "low": low}
        made["all-pass"] = v - 2 * np.sqrt(2) * band
        nodes.update({f"{name} {node}": values for node, values in made.items()})
        return made["all-pass"], low

    bands, v = [], x
    for edge, edge_hz in enumerate(edges_hz):
        passed, first = section(f"edge {edge} first", v, edge_hz)
        _, low = section(f"edge {edge} second", first, edge_hz)
        v = passed - low
        for band in range(edge if all_pass else 0):
            bands[band], _ = section(f"edge {edge} of band {band}", bands[band], edge_hz)
        bands.append(low)
        nodes |= {f"edge {edge} band {band}": b for band, b in enumerate([*bands, v])}
    return nodes


LOWEST = 20 / 96000  # edge over sample rate
# Found by search: the largest of an all-pass's output, and of any node where there are no all-passes.
ALL_PASS_WORST = (LOWEST, LOWEST, LOWEST, LOWEST, 0.0203)
WITHOUT_WORST = (LOWEST, LOWEST, LOWEST, LOWEST, MAX_RATIO)


@pytest.mark.parametrize("all_pass", [True, False])
@pytest.mark.parametrize(
    ("low", "high", "samples", "sets", "measured"),
    [
        (LOWEST, 1 / 3, 40000, 40, (6.45, 6.45)),
        (0.05, MAX_RATIO, 700, 250, (11.07, 7.99)),
        (LOWEST, MAX_RATIO, 40000, 40, (11.07, 9.22)),
    ],
)
def test_l1_norms_of_all_nodes_leave_room(low, high, samples, sets, measured, all_pass, rng):
    """Largest node of the crossover for |x| <= 1; edges as parts of the sample rate. Q5.27 holds 16.

    The largest is the difference in the last all-pass of the lowest band, all edges as high as can be; with
    edges up to a third it is an all-pass's output, behind four edges as low as can be.
    """
    edges = np.sort(np.exp(rng.uniform(np.log(low), np.log(high), (sets, 5))), axis=1)
    edges[:3] = np.full(5, high), np.linspace(0.9, 1, 5) * high, np.geomspace(low, high, 5)
    if low == LOWEST:
        edges[3:5] = ALL_PASS_WORST, np.minimum(WITHOUT_WORST, high)
    impulse, largest = np.eye(1, samples), (0.0, "")
    for each in edges:
        nodes = float_nodes(96000 * each, 96000, impulse, all_pass)
        largest = max(largest, *((np.abs(node).sum(), name) for name, node in nodes.items()))
    wanted = measured[0 if all_pass else 1]
    assert largest[0] == pytest.approx(wanted, rel=0.03), f"{largest[1]}: {largest[0]:.2f}, was {wanted}"
    assert largest[0] < 12


@pytest.mark.parametrize(
    ("fs_hz", "edges_hz", "measured"),
    [(48000, (60, 200, 700, 2000, 6000), 7.83), (96000, (20, 77, 264, 986, 3990), 8.93)],
)
def test_l1_norm_of_the_sum_leaves_room(fs_hz, edges_hz, measured):
    """What the bus needs at flat gains; the second set of edges is the worst that a search found."""
    h = np.eye(1, fs_hz // 2)[0]
    for edge_hz in edges_hz:
        _, _, section = reference.butterworth(edge_hz, fs_hz)
        h = lfilter(section[:3], section[3:], h)
    norm = np.abs(h).sum()
    assert norm == pytest.approx(measured, abs=0.01)
    assert norm < 16


@pytest.mark.parametrize(
    ("fs_hz", "edges_hz"),
    [
        (16000, (900.0, 1500.0, 2500.0, 4000.0, 6000.0)),
        (16000, (7199.6, 7199.7, 7199.8, 7199.9, 7200.0)),
        (48000, (2000.0, 2020.0, 2040.0, 2060.0, 21600.0)),
        (96000, (4000.0, 6000.0, 12000.0, 30000.0, 43000.0)),
    ],
)
def test_kernel_does_not_wrap_on_the_worst_inputs(fs_hz, edges_hz):
    """Rails with the signs of each of 16 nodes' reversed impulse response: bands as in float64 to the end."""
    samples, count = 800, 16
    responses = {k: h[0] for k, h in float_nodes(edges_hz, fs_hz, np.eye(1, samples)).items()}
    worst = sorted(responses, key=lambda name: -np.abs(responses[name]).sum())[:count]
    reversed_signs = np.array([responses[name][::-1] for name in worst]) >= 0
    x_q15 = np.where(reversed_signs, 32767, -32768).astype(np.int16)
    exact = float_nodes(edges_hz, fs_hz, x_q15 / 32768)
    for i, name in enumerate(worst):
        assert exact[name][i, -1] == pytest.approx(np.abs(responses[name]).sum(), rel=1e-3)
        got = run(flat(fs_hz, edges_hz), x_q15[i]).nodes.band_q27 / Q27
        wanted = np.array([exact[f"edge 4 band {band}"][i] for band in range(6)])
        error = np.abs(got - wanted).max() * 2**15
        assert error < 0.04, f"{name}: {error:.3f} LSB of 16 bits, largest measured 0.0223"
