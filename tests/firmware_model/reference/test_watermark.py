import cmath
import dataclasses
import itertools
import math
import tracemalloc

import numpy as np
import pytest

from firmware_model.reference import watermark
from firmware_model.reference.watermark import Detection, detect, features, score, trace
from firmware_model.reference.watermark_model import WatermarkModel

SHIPPED = WatermarkModel()
FS_HZ = SHIPPED.fs_hz
SLOT_SAMPLES = SHIPPED.slot_hops * SHIPPED.hop
MARK_S = SHIPPED.slots * SLOT_SAMPLES / FS_HZ
# Bins 2 to 13 of 16 in six bands, a mark of 8 hops: small enough for loops.
TINY = WatermarkModel(
    fft_size=32,
    hop=8,
    slots=4,
    slot_hops=2,
    first_bin=2,
    bands=6,
    band_bins=2,
    max_marks=3,
    threshold=2.0,
    hold_hops=4,
    lockout_hops=4,
)


def random_signs(rng, keys, model=SHIPPED):
    """(keys, max_marks, slots, bands), each column a random order of as many +1 as -1."""
    column = np.repeat([1, -1], model.slots // 2).astype(np.int8)[:, None]
    return rng.permuted(np.broadcast_to(column, (keys, model.max_marks, model.slots, model.bands)), axis=2)


def noise(rng, seconds):
    return np.clip(0.1 * rng.standard_normal(round(seconds * FS_HZ)), -1, 1)


def drums(rng, seconds, period_samples):
    """One bar, a kick and two noise bursts that decay, repeated sample for sample."""
    t = np.arange(period_samples) / FS_HZ
    bar = 0.5 * np.sin(2 * np.pi * 60 * t) * np.exp(-t / 0.08)
    for onset_s, gain in ((0.25 * t[-1], 0.2), (0.6 * t[-1], 0.3)):
        since = np.maximum(t - onset_s, 0)
        bar += gain * rng.standard_normal(period_samples) * np.exp(-since / 0.04) * (t >= onset_s)
    return np.resize(np.clip(bar, -1, 1), round(seconds * FS_HZ))


def embed_crudely(x, signs, gain_db):
    """Marks from sample 0, patterns in turn; each STFT cell scaled by the gain of its centre's slot."""
    n, hop = SHIPPED.fft_size, SHIPPED.hop
    window = np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n))
    padded = np.concatenate([np.zeros(n), x, np.zeros(n)])
    y = np.zeros_like(padded)
    bins = slice(SHIPPED.first_bin, SHIPPED.end_bin)
    # Centres halfway between the edges of hops: then the gain steps at the edges of slots.
    for start in range(hop // 2, len(padded) - n + 1, hop):
        centre = max(start - n + n // 2, 0)
        spectrum = np.fft.rfft(padded[start : start + n] * window)
        mark, slot = divmod(centre // SLOT_SAMPLES, SHIPPED.slots)
        row = np.repeat(signs[mark % SHIPPED.max_marks, slot], SHIPPED.band_bins)
        spectrum[bins] *= 10 ** (gain_db * row / 20)
        y[start : start + n] += np.fft.irfft(spectrum) * window
    # sqrt-Hann squared at a quarter of its length adds up to 2.
    return y[n : n + len(x)] / 2


def slow_trace(x, signs, model):
    """The equations as they stand, loop by loop: B, S, X, z, score as nested lists, and (key, hop, marks)."""
    size, hop, h, slots, bands = model.fft_size, model.hop, model.slot_hops, model.slots, model.bands
    patterns, mark_hops = model.max_marks, slots * h
    hops = len(x) // hop

    def sample(n):
        return x[n] if n >= 0 else 0.0

    def power(t, k):
        y = 0
        for n in range(size):
            w = 0.5 - 0.5 * math.cos(2 * math.pi * n / size)
            y += w * sample((t + 1) * hop - size + n) * cmath.exp(-2j * math.pi * k * n / size)
        return abs(y) ** 2

    def at(rows, t, b, before):
        return rows[t][b] if t >= 0 else before

    level, slot, feature, mean, activity = [], [], [], [0.0] * bands, [0.0] * bands
    for t in range(hops):
        level.append([])
        for b in range(bands):
            k0 = model.first_bin + b * model.band_bins
            logs = [math.log2(power(t, k0 + i) * 2**30 + 64) for i in range(model.band_bins)]
            level[t].append(sum(logs) / model.band_bins)
        slot.append([sum(at(level, t - i, b, 6.0) for i in range(h)) / h for b in range(bands)])
        feature.append([])
        for b in range(bands):
            near = [slot[t][min(max(b + d, 0), bands - 1)] for d in (-2, -1, 1, 2)]
            f = slot[t][b] - sum(near) / 4
            mean[b] += (f - mean[b]) / 32
            feature[t].append(min(max(f - mean[b], -127 / 64), 127 / 64))
            activity[b] += (feature[t][b] ** 2 - activity[b]) / 128
        for b in range(bands):
            around = sum(activity[min(max(b + d, 0), bands - 1)] for d in range(-8, 9)) / 17
            feature[t][b] *= min(max(0.3 + (around - 0.45) / 0.25, 0.3), 1.0)
            feature[t][b] = min(max(feature[t][b], -127 / 96), 127 / 96)
    z = []
    for t in range(hops):
        z.append([])
        for key in range(len(signs)):
            z[t].append([])
            for p in range(patterns):
                c, energy, square = 0.0, 0.0, 0.0
                for b in range(bands):
                    column = [at(feature, t - (slots - 1 - r) * h, b, 0.0) for r in range(slots)]
                    c += sum(signs[key][p][r][b] * column[r] for r in range(slots))
                    energy += sum(v * v for v in column)
                    square += sum(column) ** 2
                v = (slots * energy - square) / (slots - 1)
                z[t][key].append(c / math.sqrt(v + slots * bands * (3 / 96) ** 2))
    integrated = [[0.0] * len(signs) for _ in range(hops)]
    reports = []
    for key in range(len(signs)):
        candidate, last = None, -(10**9)
        for t in range(hops):
            found = []
            for m in range(1, model.max_marks + 1):
                if m > 1 and (m - 1) * mark_hops > t - last - model.lockout_hops:
                    continue
                for p in range(patterns):
                    past = [(t - i * mark_hops, (p - i) % patterns) for i in range(m)]
                    found.append((sum(z[u][key][q] if u >= 0 else 0.0 for u, q in past) / math.sqrt(m), m))
            best = integrated[t][key] = max(value for value, _ in found)
            higher = candidate is None or best > candidate[0]
            if best >= model.threshold and t - last >= model.lockout_hops and higher:
                candidate = (best, t, min(m for value, m in found if value >= model.threshold))
            if candidate is not None and t - candidate[1] >= model.hold_hops:
                reports.append((t, key, *candidate))
                last, candidate = candidate[1], None
        if candidate is not None:
            reports.append((hops, key, *candidate))
    return level, slot, feature, z, integrated, sorted(reports)


# By hand


def test_score_by_hand_of_two_slots_and_two_bands(monkeypatch):
    """X = (1, -1) and (1/2, -1/2), s = (+, -) and (-, +): c = 2 - 1, v = (2 * 5/2 - 0) / 1, z = 1/sqrt 5."""
    monkeypatch.setattr(watermark, "SILENCE_FEATURE", 0.0)
    model = dataclasses.replace(SHIPPED, slots=2, slot_hops=1, bands=2)
    z = score(np.array([[1, 0.5], [-1, -0.5]]), np.array([[[1, -1], [-1, 1]]]), model)
    assert z.tolist() == [[pytest.approx(1 / math.sqrt(5), abs=1e-15)]]


def test_score_by_hand_of_four_slots_takes_the_mean_over_slots_away(monkeypatch):
    """X = 3/2, 1, 1, 1/2, s = + + - -: c = 1, v = (4 * 9/2 - 16) / 3 = 2/3, z = sqrt 3/2."""
    monkeypatch.setattr(watermark, "SILENCE_FEATURE", 0.0)
    model = dataclasses.replace(SHIPPED, slots=4, slot_hops=1, bands=1)
    x = np.array([[1.5], [1.0], [1.0], [0.5]])
    signs = np.array([[[1], [1], [-1], [-1]]])
    assert score(x, signs, model)[0, 0] == pytest.approx(math.sqrt(1.5), abs=1e-15)


def test_levels_and_features_by_hand_of_an_impulse_and_a_constant():
    """Hann of 4 is 0, 1/2, 1, 1/2; with a hop of 2 sample 0 has weight 1 in frame 0, and 0 in frame 1.

    An impulse a has |Y| = a in all bins: B = log2(a^2 2^30 + 64) = 14 for a = sqrt(2^14 - 64) / 2^15,
    then 6. All bands alike => F = 0. A constant a has Y(0) = 2a, Y(1) = -a, Y(2) = 0; neighbours of
    band 0 in three bands are 0, 0, 1, 2: F(0) = S(0) - (2 S(0) + S(1) + S(2)) / 4, and X = F - F/32.
    """
    model = WatermarkModel(fft_size=4, hop=2, slots=2, slot_hops=1, first_bin=0, bands=3, band_bins=1)
    model = dataclasses.replace(model, max_marks=1)
    a = math.sqrt(2**14 - 64) / 2**15
    signs = np.array([[[[1, 1, 1], [-1, -1, -1]]]])
    nodes = trace(np.array([a, 0, 0, 0]), signs, model)
    assert nodes.band_level == pytest.approx(np.array([[14.0] * 3, [6.0] * 3]), abs=1e-12)
    assert nodes.feature == pytest.approx(np.zeros((2, 3)), abs=1e-12)
    nodes = trace(np.full(4, a), signs, dataclasses.replace(model, hop=4))
    s0, s1, s2 = math.log2(4 * (2**14 - 64) + 64), 14.0, 6.0
    assert nodes.slot_level == pytest.approx(np.array([[s0, s1, s2]]), abs=1e-12)
    f = np.array([s0 - (2 * s0 + s1 + s2) / 4, s1 - (2 * s0 + 2 * s2) / 4, s2 - (s0 + s1 + 2 * s2) / 4])
    # The mean square has seen one hop of 128, so that every weight is the least, 0.3.
    assert nodes.feature[0] == pytest.approx(0.3 * np.clip(31 / 32 * f, -127 / 64, 127 / 64), abs=1e-12)
    assert nodes.feature[0, 0] == pytest.approx(0.3 * 127 / 64, abs=1e-12)  # 31/32 * 2.998 is clipped


def test_the_score_fades_where_features_are_their_own_rounding():
    """X = +-a in one of two bands, a = 3/96: v = 4 a^2, R bands (3/96)^2 = 4 a^2, c = 2 a: z = 1/sqrt(2)."""
    model = dataclasses.replace(SHIPPED, slots=2, slot_hops=1, bands=2)
    x, signs = np.array([[3, 0], [-3, 0]]) / 96, np.array([[[1, 1], [-1, -1]]])
    assert score(x, signs, model) == pytest.approx(math.sqrt(0.5), abs=1e-15)
    assert score(0 * x, signs, model).tolist() == [[0.0]]
    assert score(1000 * x, signs, model) == pytest.approx(1.0, abs=1e-6)


# Extremes


def test_silence_scores_zero(rng):
    found = detect(np.zeros(10 * FS_HZ), random_signs(rng, 3))
    assert found.scores.shape == (312, 3, 4)
    assert not found.scores.any()
    assert not found.integrated.any()
    assert found.detections == []


def test_full_scale_square_and_a_click_stay_finite(rng):
    square = np.where(np.arange(3 * FS_HZ) // 80 % 2, 1.0, -1.0)
    click = np.zeros(3 * FS_HZ)
    click[FS_HZ] = -1.0
    for x in (square, click):
        nodes = trace(x, random_signs(rng, 2))
        assert all(np.isfinite(node).all() for node in nodes)
        assert np.abs(nodes.feature).max() <= 127 / 96


@pytest.mark.parametrize("samples", [0, 1, 511])
def test_less_than_a_hop_gives_nothing(samples, rng):
    found = detect(np.zeros(samples), random_signs(rng, 2))
    assert found.detections == []
    assert found.scores.shape == (0, 2, 4)
    assert found.integrated.shape == (0, 2)
    assert features(np.zeros(samples)).shape == (0, SHIPPED.bands)


def test_a_trailing_part_of_a_hop_is_ignored(rng):
    x, signs = noise(rng, 4.01), random_signs(rng, 2)
    whole = len(x) // SHIPPED.hop * SHIPPED.hop
    assert whole < len(x)
    assert np.array_equal(detect(x, signs).scores, detect(x[:whole], signs).scores)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"fft_size": 2047}, "fft_size=2047: must be even"),
        ({"hop": 4096}, "hop=4096: must be at most fft_size=2048"),
        ({"slots": 0}, "slots=0: must be at least 2"),
        ({"slots": 7}, "slots=7: must be even"),
        ({"bands": 503}, "bands=503: reach bin 1025, must be <= 1024"),
        ({"max_marks": 0}, "max_marks=0: must be at least 1"),
        ({"threshold": 0.0}, "threshold=0.0: must be positive and finite"),
        ({"hold_hops": -1}, "hold_hops=-1: must be at least 0"),
    ],
)
def test_layouts_that_cannot_be_are_refused(change, says):
    with pytest.raises(ValueError, match=says):
        WatermarkModel(**change)


def test_wrong_audio_and_wrong_signs_are_refused(rng):
    signs = random_signs(rng, 1)
    for x, says in (
        (np.zeros(512, np.int16), "x: int16 of shape"),
        (np.zeros((512, 2)), "x: float64 of shape"),
        ([0.0], "x: list found"),
        (np.array([0.0, 1.5]), "x: samples from 0 to 1.5"),
        (np.array([0.0, np.nan]), "x: samples from nan to nan"),
    ):
        with pytest.raises(ValueError, match=says):
            detect(x, signs)
    lopsided = signs.copy()
    lopsided[0, 2, :, 3] = 1
    for wrong, says in ((signs[0], "signs of shape"), (2 * signs, "must be"), (lopsided, "must sum to 0")):
        with pytest.raises(ValueError, match=says):
            detect(np.zeros(512), wrong)


# Against the equations, loop by loop


def test_every_node_equals_the_loops(monkeypatch):
    """121 hops in blocks of 7, so that all that blocks hand on is used; levels swing by 40 dB."""
    monkeypatch.setattr(watermark, "BLOCK_HOPS", 7)
    rng = np.random.default_rng(0)  # detections of one, two and three marks
    x = 0.5 * rng.uniform(-1, 1, 121 * TINY.hop + 5)
    x *= 10 ** (-np.repeat(rng.uniform(0, 2, 122), TINY.hop)[: len(x)])
    signs = random_signs(rng, 3, TINY)
    level, slot, feature, z, integrated, reports = slow_trace(x.tolist(), signs.tolist(), TINY)
    nodes = trace(x, signs, TINY)
    found = detect(x, signs, TINY)
    errors = {
        name: np.abs(getattr(nodes, name) - expected).max()
        for name, expected in zip(nodes._fields, (level, slot, feature, z), strict=True)
    }
    errors["integrated"] = np.abs(found.integrated - integrated).max()
    assert max(errors.values()) < 1.35e-13, f"{errors}, at most 6.8e-14 when written"
    assert np.array_equal(features(x, TINY), nodes.feature)
    assert np.array_equal(found.scores, nodes.score)
    # In the order of the hop, then the key; marks of 8 hops of 8 samples, frames 12 longer on each side.
    expected = [
        Detection(key, max((t + 1) * 8 - 4 * 2 * 8 - 12, 0) / FS_HZ, pytest.approx(value), marks)
        for _, key, value, t, marks in reports
    ]
    assert {marks for *_, marks in reports} == {1, 2, 3}
    assert len(expected) == 21
    assert found.detections == expected


# Statistics over keys


AUDIO = {
    "noise": lambda rng: noise(rng, 12),
    "drums, 0.5 s bar": lambda rng: drums(rng, 12, 8000),
    "drums, 1/3 s bar": lambda rng: drums(rng, 12, 5333),
    "pauses": lambda rng: noise(rng, 12) * np.repeat(rng.integers(0, 2, 24), 8000),
}


@pytest.mark.parametrize("name", AUDIO)
def test_over_keys_the_score_of_any_audio_is_standard(name, rng):
    """500 keys of four patterns at five hops 1.8 s apart: mean 0, variance 1, tail at most exp(-a^2/2)."""
    signs = random_signs(rng, 500)
    z = detect(AUDIO[name](rng), signs).scores[100:375:55].reshape(5, -1)
    n = z.shape[1]
    mean, variance, largest = z.mean(axis=1), z.var(axis=1), np.abs(z).max()
    # When written: |mean| up to 0.038, variance 0.839 to 1.065, largest 4.80.
    figures = f"mean {mean}, variance {variance}, largest {largest}"
    # Five standard errors of a normal sample.
    assert np.abs(mean).max() < 5 / math.sqrt(n), figures
    assert variance.max() - 1 < 5 * math.sqrt(2 / n), figures
    # Less than 1 where pauses leave little but rounding, and the score fades.
    assert variance.min() > 0.7, figures
    # P(|z| > a) <= 2 exp(-a^2/2): one in a thousand for the largest of all.
    assert largest < math.sqrt(2 * math.log(2 * z.size * 1000)), figures


def test_a_rhythm_as_long_as_a_mark_does_not_add_up(rng):
    """Z_4 over 500 keys and four orders of patterns has variance 1; with one pattern it would have 4."""
    signs = random_signs(rng, 500)
    x = drums(rng, 16, 8 * SLOT_SAMPLES)
    ends = -1 - SHIPPED.mark_hops * np.arange(4)
    z = detect(x, signs).scores[ends]  # (marks, keys, patterns)
    others = sum(np.roll(row, i, axis=1) for i, row in enumerate(z)) / 2
    same = z.sum(axis=0) / 2
    figures = f"variance {others.var()}, with one pattern {same.var()}; 1.008 and 4.19 when written"
    assert abs(others.var() - 1) < 5 * math.sqrt(2 / 2000), figures
    assert same.var() > 3.5, figures


def test_variance_is_exact_over_all_keys_of_a_small_layout(rng, monkeypatch):
    """Three bands of four slots: all 6^3 keys."""
    monkeypatch.setattr(watermark, "SILENCE_FEATURE", 0.0)
    model = dataclasses.replace(SHIPPED, slots=4, slot_hops=1, bands=3)
    columns = [c for c in itertools.product((1, -1), repeat=4) if sum(c) == 0]
    signs = np.array(list(itertools.product(columns, repeat=3))).transpose(0, 2, 1)
    z = score(rng.uniform(-2, 2, (4, 3)), signs, model)
    assert len(signs) == 216
    assert z.mean() == pytest.approx(0, abs=1e-15)
    assert z.var() == pytest.approx(1, abs=1e-14)


def test_a_band_is_sub_gaussian_with_its_variance_over_all_columns(rng):
    """E exp(c) <= exp(v/2) over all 70 columns of eight slots: hence P(z >= a) <= exp(-a^2/2) for any audio.

    Checked here on 40000 random bands, dense, sparse and of two values, not proven.
    """
    columns = np.array([c for c in itertools.product((1, -1), repeat=8) if sum(c) == 0])
    x = rng.standard_normal((40000, 8)) * 10 ** rng.uniform(-1, 0.6, (40000, 1))
    x[:10000] = np.sign(x[:10000]) * np.abs(x[:10000, :1])
    x[10000:20000] *= rng.random((10000, 8)) < 0.3
    c = x @ columns.T
    v = (8 * np.sum(x**2, axis=1) - np.sum(x, axis=1) ** 2) / 7
    top = c.max(axis=1)
    cumulant = np.log(np.mean(np.exp(c - top[:, None]), axis=1)) + top
    excess = np.max(cumulant - v / 2)
    assert len(columns) == 70
    assert excess <= 1e-12, f"log E exp(c) - v/2 reaches {excess}, 2e-16 when written, rounding"


# Invariants


def test_negation_changes_nothing_and_a_negated_key_negates_the_score(rng):
    x, signs = noise(rng, 6), random_signs(rng, 2)
    z = detect(x, signs).scores
    assert np.array_equal(detect(-x, signs).scores, z)
    assert np.array_equal(detect(x, -signs).scores, -z)


def test_gain_does_not_matter_above_the_floor(rng):
    """20 dB less: only the floor of 64 LSB^2, far below this noise, tells the difference."""
    x, signs = noise(rng, 12), random_signs(rng, 5)
    # The first two seconds hold the step from silence, whose height is the gain.
    loud, soft = (detect(g * x, signs).scores[150:] for g in (1.0, 0.1))
    difference = np.abs(loud - soft).max()
    assert difference < 0.0087, f"scores differ by up to {difference}, 0.00437 when written"


def test_leading_silence_only_delays(rng):
    """37 hops of silence leave the detector as it started."""
    x, signs = noise(rng, 5), random_signs(rng, 2)
    z = detect(x, signs).scores
    late = detect(np.concatenate([np.zeros(37 * SHIPPED.hop), x]), signs).scores
    assert not late[:37].any()
    error = np.abs(late[37:] - z).max()
    assert error <= 4.5e-15, f"{error}, 2.3e-15 when written"


def test_a_beat_that_repeats_every_slot_is_not_heard(rng):
    """Equal in all slots => v = 0, and c = 0, once the running mean, 32 hops, has settled."""
    z = detect(drums(rng, 40, SLOT_SAMPLES), random_signs(rng, 5)).scores
    assert z[:64].any()
    largest = np.abs(z[-200:]).max()
    assert largest < 2e-13, f"{largest}, 1e-13 when written"


@pytest.mark.parametrize("block_hops", [1, 100])
def test_blocks_do_not_show(block_hops, rng, monkeypatch):
    x, signs = noise(rng, 8), random_signs(rng, 2)
    whole = trace(x, signs)
    monkeypatch.setattr(watermark, "BLOCK_HOPS", block_hops)
    split = trace(x, signs)
    for name, one, many in zip(whole._fields, whole, split, strict=True):
        # Matrix products may depend in their last bits on the number of rows.
        error = np.abs(one - many).max()
        assert error < 5.3e-15, f"{name}: {error}, at most 2.7e-15 when written"


def test_an_hour_needs_no_more_memory_than_a_minute(rng):
    """Beside x; five minutes stand for the hour, which tracing would make long."""
    signs = random_signs(rng, 1)
    x = np.tile(noise(rng, 60), 5)
    peak_mb = []
    for seconds in (60, 300):
        tracemalloc.start()
        detect(x[: seconds * FS_HZ], signs)
        peak_mb.append(tracemalloc.get_traced_memory()[1] / 1e6)
        tracemalloc.stop()
    assert peak_mb[1] < 1.1 * peak_mb[0], f"{peak_mb} MB, 36.0 and 36.3 when written"
