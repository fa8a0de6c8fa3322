"""The whole float64 dynamics reference: against its equations written loop by loop, and what it keeps."""

import dataclasses
import math

import numpy as np
import pytest

from firmware_model.reference.dynamics_model import BandModel, DynamicsModel, LimiterModel
from firmware_model.reference.processor import Result, process
from tests.firmware_model.reference.test_crossover import RATES_HZ, crossover_model

EVERYTHING = DynamicsModel(
    fs_hz=16000,
    channels=2,
    edges_hz=(150.0, 900.0, 4000.0),
    bands=(
        BandModel(
            threshold_dbfs=-24,
            ratio=4,
            knee_db=8,
            makeup_db=9,
            attack_ms=2,
            release_ms=20,
            detector="rms",
            rms_ms=3,
            upward_threshold_dbfs=-50,
            upward_ratio=2,
            upward_range_db=6,
            limiter_threshold_dbfs=-9,
            limiter_release_ms=10,
        ),
        BandModel(threshold_dbfs=-30, ratio=math.inf, makeup_db=6, attack_ms=0.5, release_ms=8),
        BandModel(threshold_dbfs=-20, ratio=2, knee_db=3, makeup_db=12, limiter_threshold_dbfs=-6),
        BandModel(threshold_dbfs=-40, ratio=3, knee_db=6, makeup_db=6, detector="rms"),
    ),
    active=(True, True, True),
    all_pass=True,
    band_look_ahead_ms=0.75,
    limiter=LimiterModel(threshold_dbfs=-3, look_ahead_ms=1.25, release_ms=15),
)


def bursts(rng, channels, n):
    """Noise that comes and goes, louder in turn in either channel."""
    envelope = np.repeat(rng.choice([0, 1e-4, 0.03, 0.3, 1], n // 200 + 1), 200)[:n]
    balance = np.array([[1.0], [0.5]])[:channels]
    return envelope * balance * rng.uniform(-1, 1, (channels, n))


# Loop by loop


def slow_biquad(x, b, a):
    """Direct form I, a = [1, a1, a2]."""
    y = []
    for n, value in enumerate(x):
        past_x = [x[n - k] if n >= k else 0.0 for k in (1, 2)]
        past_y = [y[n - k] if n >= k else 0.0 for k in (1, 2)]
        forward = b[0] * value + b[1] * past_x[0] + b[2] * past_x[1]
        y.append(forward - a[1] * past_y[0] - a[2] * past_y[1])
    return y


def slow_band(x, index, model):
    for j, edge_hz in enumerate(model.edges_hz):
        k = math.tan(math.pi * edge_hz / model.fs_hz)
        n = 1 + math.sqrt(2) * k + k**2
        a = [1, 2 * (k**2 - 1) / n, (1 - math.sqrt(2) * k + k**2) / n]
        if j < index:
            x = slow_biquad(slow_biquad(x, [1 / n, -2 / n, 1 / n], a), [1 / n, -2 / n, 1 / n], a)
        elif j == index:
            low = [k**2 / n, 2 * k**2 / n, k**2 / n]
            x = slow_biquad(slow_biquad(x, low, a), low, a)
        else:
            x = slow_biquad(x, a[::-1], a)
    return x


def slow_compress(b, band, h, fs_hz):
    """b: lists of samples by channel. Output, levels, gains."""
    unit = math.log2(10) / 20
    attack, release, rms = (
        1 - math.exp(-h / (fs_hz * ms / 1000)) for ms in (band.attack_ms, band.release_ms, band.rms_ms)
    )
    y1 = y2 = power = 0.0
    last = 10 ** (band.makeup_db / 20)
    y, levels, gains = [[] for _ in b], [], []
    for start in range(0, len(b[0]), h):
        blocks = [channel[start : start + h] for channel in b]
        if band.detector == "peak":
            peak = max(abs(v) for block in blocks for v in block)
            level = math.log2(peak) if peak > 0 else -math.inf
        else:
            power += rms * (max(sum(v * v for v in block) / h for block in blocks) - power)
            level = math.log2(power) / 2 if power > 0 else -math.inf
        level = max(level, -20.0)
        db = level / unit
        over, s = db - band.threshold_dbfs, 1 - 1 / band.ratio
        if over <= -band.knee_db / 2:
            down = 0.0
        elif over >= band.knee_db / 2:
            down = s * over
        else:
            down = s * (over + band.knee_db / 2) ** 2 / (2 * band.knee_db)
        under = max(0, band.upward_threshold_dbfs - db)
        r = down - min(band.upward_range_db, (1 - 1 / band.upward_ratio) * under)
        y1 = max(r, y1 + release * (r - y1))
        y2 += attack * (y1 - y2)
        gain = 10 ** ((band.makeup_db - y2) / 20)
        for out, block in zip(y, blocks, strict=True):
            out += [v * (last + (gain - last) * (i + 1) / h) for i, v in enumerate(block)]
        last = gain
        levels.append(level)
        gains.append(gain)
    return y, levels, gains


def slow_limit(x, threshold, look, release_ms, h, fs_hz):
    release = 1 - math.exp(-h / (fs_hz * release_ms / 1000))
    wanted, envelope, gains, y = [], [], [1.0], [[] for _ in x]
    for step in range(len(x[0]) // h):
        peak = max(abs(v) for channel in x for v in channel[step * h : (step + 1) * h])
        wanted.append(max(0, 1 - threshold / peak) if peak > 0 else 0.0)
        held = max(wanted[max(0, step - look) :])
        last = envelope[-1] if envelope else 0.0
        envelope.append(max(held, last + release * (held - last)))
        gains.append(1 - sum(envelope[max(0, step - look + 1) :]) / look)
        for out, channel in zip(y, x, strict=True):
            for i in range(h):
                at = (step - look) * h + i
                gain = gains[-2] + (gains[-1] - gains[-2]) * (i + 1) / h
                out.append(channel[at] * gain if at >= 0 else 0.0)
    return y, [1 - gain for gain in gains[1:]]


def slow_process(x, model, h, band_look, look):
    """Every node; x (channels, n), all splits active, with all-passes."""
    nodes = {name: [] for name in ("band", "level", "gain", "limited", "band_attenuation")}
    for index, band in enumerate(model.bands):
        b = [slow_band(channel, index, model) for channel in x.tolist()]
        y, level, gain = slow_compress(b, band, h, model.fs_hz)
        if band.limiter_threshold_dbfs is None:
            limited = [([0.0] * band_look * h + channel)[: len(channel)] for channel in y]
            attenuation = [0.0] * len(level)
        else:
            threshold = 10 ** (band.limiter_threshold_dbfs / 20)
            limited, attenuation = slow_limit(
                y, threshold, band_look, band.limiter_release_ms, h, model.fs_hz
            )
        for name, value in zip(nodes, (b, level, gain, limited, attenuation), strict=True):
            nodes[name].append(value)
    bus = np.sum(nodes["limited"], axis=0)
    threshold = math.floor(32768 * 10 ** (model.limiter.threshold_dbfs / 20)) / 32768
    y, attenuation = slow_limit(bus.tolist(), threshold, look, model.limiter.release_ms, h, model.fs_hz)
    return Result(y=np.array(y), bus=bus, attenuation=np.array(attenuation), **nodes)


# Twice the measured errors: 8.9e-15, 2.0e-14, 8.3e-13 of 20, 3.8e-14 of 5, 8.9e-15, ...
WORST = {"y": 1.8e-14, "band": 4e-14, "level": 1.7e-12, "gain": 7.6e-14, "limited": 1.8e-14}
WORST |= {"band_attenuation": 2.7e-14, "bus": 1.6e-14, "attenuation": 1.1e-14}


def test_every_node_follows_the_equations_loop_by_loop():
    """0.75 ms are 3 blocks of 4 at 16 kHz, 1.25 ms 5."""
    x = bursts(np.random.default_rng(0), 2, 4000)
    result = process(x, EVERYTHING)
    expected = slow_process(x, EVERYTHING, 4, 3, 5)
    for name in Result._fields:
        found, wanted = getattr(result, name), np.array(getattr(expected, name))
        assert found.shape == wanted.shape
        assert np.abs(found - wanted).max() < WORST[name], f"{name}: measured half of it"
    # Every part was at work.
    assert result.attenuation.max() > 0.1
    assert (result.band_attenuation.max(axis=1) > 0.1).tolist() == [True, False, True, False]
    assert np.all(np.ptp(20 * np.log10(result.gain), axis=1) > 6)
    assert 20 * math.log10(result.gain[0].max()) > 9.5, "raised above the make-up"


# Shapes and invariants


@pytest.mark.parametrize("fs_hz", RATES_HZ)
@pytest.mark.parametrize("channels", [1, 2])
def test_shapes(fs_hz, channels):
    model = dataclasses.replace(EVERYTHING, fs_hz=fs_hz, channels=channels)
    blocks = 40
    n = blocks * model.control_samples
    result = process(bursts(np.random.default_rng(0), channels, n), model)
    assert result.y.shape == result.bus.shape == (channels, n)
    assert result.band.shape == result.limited.shape == (4, channels, n)
    assert result.level.shape == result.gain.shape == result.band_attenuation.shape == (4, blocks)
    assert result.attenuation.shape == (blocks,)


def test_what_is_still_to_come_changes_nothing():
    """The first 1000 samples of 2000 are those of 1000 alone, at every node."""
    x = bursts(np.random.default_rng(1), 2, 2000)
    whole, half = process(x, EVERYTHING), process(x[:, :1000], EVERYTHING)
    for name in Result._fields:
        found = getattr(half, name)
        assert np.array_equal(getattr(whole, name)[..., : found.shape[-1]], found), name


@pytest.mark.parametrize("look_ahead_ms", [0.0, 2.0])
def test_one_neutral_band_is_an_exact_delay(look_ahead_ms):
    """With a band limiter above all there is, both delays."""
    model = dataclasses.replace(
        crossover_model(()),
        bands=(BandModel(limiter_threshold_dbfs=0.0),),
        band_look_ahead_ms=look_ahead_ms,
    )
    x = bursts(np.random.default_rng(2), 1, 4000) * 0.99
    latency = model.latency_samples
    assert latency == {0.0: 8 + 96, 2.0: 96 + 96}[look_ahead_ms]
    y = process(x, model).y
    assert np.array_equal(y[:, latency:], x[:, : 4000 - latency])
    assert not y[:, :latency].any()


def test_neutral_bands_keep_the_spectrum():
    """Sum of the bands: a product of all-passes, so an impulse keeps its energy at every frequency."""
    x = np.zeros(48000)
    x[0] = 0.5
    y = process(x, crossover_model()).y[0]
    spectrum_db = 20 * np.log10(np.abs(np.fft.rfft(y)) / 0.5)
    assert np.abs(spectrum_db).max() < 1e-12, "dB: measured 4.8e-13"


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_without_a_split_all_is_as_without_the_band_below_it(lost):
    active = tuple(j != lost for j in range(3))
    model = dataclasses.replace(EVERYTHING, active=active)
    smaller = dataclasses.replace(
        EVERYTHING,
        edges_hz=EVERYTHING.edges_hz[:lost] + EVERYTHING.edges_hz[lost + 1 :],
        bands=EVERYTHING.bands[:lost] + EVERYTHING.bands[lost + 1 :],
        active=(True, True),
    )
    x = bursts(np.random.default_rng(3), 2, 2000)
    for found, expected in zip(process(x, model), process(x, smaller), strict=True):
        assert np.array_equal(found, expected)


def test_a_pair_of_equal_channels_is_twice_the_one():
    x = bursts(np.random.default_rng(4), 1, 2000)
    pair = process(np.concatenate([x, -x]), EVERYTHING)
    one = process(x[0], dataclasses.replace(EVERYTHING, channels=1))
    assert np.array_equal(pair.y, np.concatenate([one.y, -one.y]))
    assert np.array_equal(pair.gain, one.gain)


def test_output_stays_at_or_below_the_threshold():
    """Full-scale noise and 30 dB of make-up in every band."""
    bands = tuple(dataclasses.replace(band, makeup_db=30.0) for band in EVERYTHING.bands)
    model = dataclasses.replace(EVERYTHING, bands=bands)
    result = process(np.random.default_rng(5).choice([-1.0, 1.0], (2, 8000)), model)
    assert np.abs(result.bus).max() > 2
    peak = np.abs(result.y).max() / model.limiter.threshold
    assert 0.9 < peak <= 1 + 5e-15, "measured 2.4e-15 over"
    for index, limit_dbfs in ((0, -9), (2, -6)):
        band_peak = np.abs(result.limited[index]).max() / 10 ** (limit_dbfs / 20)
        assert 0.9 < band_peak <= 1 + 8e-15, "measured 1.6e-15 and 4.0e-15 over"


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((2, 10)), "10 samples found, a multiple of 4 needed"),
        (np.zeros((2, 0)), "0 samples found, a multiple of 4 needed"),
        (np.zeros(8), r"shape \(1, 8\): must be \(2, n\)"),
        (np.zeros((2, 8), dtype=np.int16), "int16 found, floats needed"),
        (np.full((2, 8), np.nan), "not finite"),
    ],
)
def test_process_refuses(x, message):
    with pytest.raises(ValueError, match=message):
        process(x, EVERYTHING)
