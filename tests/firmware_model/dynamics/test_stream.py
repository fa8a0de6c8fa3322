"""The processor at its border: blocks of any size, recordings in step with their input, what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_model.dynamics.settings.params import BandConfig, DynamicsConfig, LimiterConfig
from firmware_model.dynamics.state import state_bytes
from firmware_model.dynamics.stream import Processor, pad_for_latency, process
from fixedpoint.errors import AudioError
from tests.firmware_model.dynamics.twin import RATES, SETUPS, programme, run


def assert_equal_states(a, b):
    """Bit for bit, all arrays, work areas too."""
    assert type(a) is type(b)
    for name, x, y in zip(a._fields, a, b, strict=True):
        if isinstance(x, tuple):
            assert_equal_states(x, y)
        else:
            np.testing.assert_array_equal(x, y, err_msg=name)


def pushed(processor, x, sizes):
    """Output for x pushed in blocks of these sizes, over and over."""
    parts, start, i = [], 0, 0
    while start < x.shape[1]:
        size = sizes[i % len(sizes)]
        parts.append(processor.push(x[:, start : start + size]))
        start, i = start + size, i + 1
    return np.concatenate(parts, axis=1)


# --- split invariance ------------------------------------------------------------------------


@pytest.mark.parametrize("fs_hz", RATES)
@pytest.mark.parametrize("setup", SETUPS)
def test_random_blocks_give_what_one_gives(setup, fs_hz, rng):
    channels = 1 + len(setup) % 2
    config = DynamicsConfig(fs_hz=fs_hz, channels=channels, **SETUPS[setup])
    x = programme("drums", 0.25, fs_hz, channels)
    whole = run(config, x)
    for sizes in ([1], [7, 0, 1], rng.integers(0, 300, 50).tolist(), [config.control_samples], [10**6]):
        processor = Processor(config)
        np.testing.assert_array_equal(pushed(processor, x, sizes), whole.y_q15)
        assert_equal_states(processor.state, whole.state)


@settings(max_examples=50)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=30).filter(any))
def test_any_sizes(sizes):
    config = DynamicsConfig(channels=2, **SETUPS["hard knees"])
    x = np.random.default_rng(sum(sizes)).integers(-32768, 32768, (2, 400)).astype(np.int16)
    np.testing.assert_array_equal(pushed(Processor(config), x, sizes), run(config, x).y_q15)


def test_samples_are_held_back_until_a_control_block_is_whole():
    processor = Processor(DynamicsConfig())
    counts = [processor.push(np.zeros((1, n), np.int16)).shape for n in (7, 1, 0, 17, 7)]
    assert counts == [(1, 0), (1, 8), (1, 0), (1, 16), (1, 8)]


def test_the_input_is_not_written_to_and_not_kept(rng):
    x = rng.integers(-32768, 32768, (1, 100)).astype(np.int16)
    kept, processor = x.copy(), Processor(DynamicsConfig(**SETUPS["hard knees"]))
    first = processor.push(x)
    np.testing.assert_array_equal(x, kept)
    x[:] = 0  # the caller's buffer is the caller's: the four samples held back are copies
    second = processor.push(kept[:, :60])
    both = run(processor.config, np.concatenate([kept, kept[:, :60]], axis=1)).y_q15
    np.testing.assert_array_equal(np.concatenate([first, second], axis=1), both)


def test_strided_and_mono_arrays_are_taken(rng):
    x = rng.integers(-32768, 32768, (400, 2)).astype(np.int16)
    config = DynamicsConfig(channels=2, **SETUPS["hard knees"])
    np.testing.assert_array_equal(Processor(config).push(x.T), run(config, x.T.copy()).y_q15)
    mono = DynamicsConfig(**SETUPS["hard knees"])
    np.testing.assert_array_equal(Processor(mono).push(x[::2, 0]), run(mono, x[::2, 0].copy()).y_q15)


# --- recordings ------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 1000, 4801])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_recording_comes_out_in_step_and_of_its_length(n, channels, rng):
    config = DynamicsConfig(channels=channels, bands=(BandConfig(limiter_threshold_dbfs=0),))
    x = rng.integers(-32767, 32768, (channels, n)).astype(np.int16)
    done = process(x, config, probes=True)
    np.testing.assert_array_equal(done.y_q15, x)
    padded = pad_for_latency(x, config).shape[1]
    assert padded % 8 == 0
    assert n + config.latency_samples <= padded < n + config.latency_samples + 8
    assert done.probes.bus_q27.shape == (channels, padded)
    assert done.probes.level_q24.shape == (1, padded // 8)


def test_recording_and_stream_give_the_same_bits():
    config = DynamicsConfig(channels=2, **SETUPS["six bands"])
    x = programme("music", 0.3, 48000, 2)
    late = config.latency_samples
    stream = Processor(config).push(np.pad(x, ((0, 0), (0, late))))
    done = process(x, config)
    np.testing.assert_array_equal(done.y_q15, stream[:, late : late + x.shape[1]])
    assert done.probes is None


def test_probes_do_not_change_the_output():
    config = DynamicsConfig(**SETUPS["six bands"])
    x = programme("voice", 0.3, 48000, 1)
    np.testing.assert_array_equal(process(x, config).y_q15, process(x, config, probes=True).y_q15)


def test_ram_is_that_of_the_state():
    processor = Processor(DynamicsConfig(**SETUPS["six bands"]))
    before = processor.ram_bytes
    assert (
        before == state_bytes(processor.state) == process(np.zeros(8, np.int16), processor.config).ram_bytes
    )
    processor.push(np.ones((1, 1000), np.int16))
    assert processor.ram_bytes == before


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (np.zeros((1, 8)), "dtype float64: must be int16"),
        (np.zeros((1, 8), np.int32), "dtype int32: must be int16"),
        (np.zeros((1, 8), np.uint16), "dtype uint16: must be int16"),
        (np.zeros((1, 8), ">i2"), "dtype >i2: must be int16"),
        (np.zeros((2, 8), np.int16), r"shape \(2, 8\): must be \(1, n\)"),
        (np.zeros((8, 1), np.int16), r"shape \(8, 1\): must be \(1, n\)"),
        (np.zeros((1, 1, 8), np.int16), r"shape \(1, 1, 8\): must be \(1, n\)"),
    ],
)
def test_what_is_not_pcm_of_its_channels_is_refused(x, says):
    for take in (Processor(DynamicsConfig()).push, lambda x: process(x, DynamicsConfig())):
        with pytest.raises(AudioError, match=says):
            take(x)


def test_one_row_is_not_two_channels():
    with pytest.raises(AudioError, match=r"shape \(1, 8\): must be \(2, n\)"):
        process(np.zeros(8, np.int16), DynamicsConfig(channels=2, limiter=LimiterConfig()))


def test_a_refused_block_leaves_the_stream_as_it_was(rng):
    x = rng.integers(-32768, 32768, (1, 203)).astype(np.int16)
    config = DynamicsConfig(**SETUPS["hard knees"])
    processor = Processor(config)
    first = processor.push(x[:, :101])
    with pytest.raises(AudioError):
        processor.push(x.astype(np.int32))
    second = processor.push(x[:, 101:])
    np.testing.assert_array_equal(np.concatenate([first, second], axis=1), run(config, x).y_q15)
