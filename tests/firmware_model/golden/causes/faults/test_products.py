"""Named faults: which there are, that they do what they say, and a process that dies."""

import re

import numpy as np
import pytest

from firmware_model.dynamics.faults import process_faulty
from firmware_model.dynamics.settings.profiles import load_profile
from firmware_model.dynamics.stream import process
from firmware_model.golden.causes.faults import primitives as faulty
from firmware_model.golden.causes.faults import products as faulty_products
from firmware_model.golden.causes.faults.products import FAULTS
from firmware_model.golden.causes.faults.products import parse_fault as parse
from firmware_model.product import find_product
from firmware_model.watermark.detector import detect
from firmware_model.watermark.faults import detect_faulty
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import WatermarkConfig
from fixedpoint.errors import BittrueError, ConfigError

SMALL = WatermarkConfig(
    fft_size=512, hop=128, slots=4, slot_hops=8, low_hz=500, high_hz=3500, max_marks=2, threshold=4.0
)
SHORT = 1600  # samples for interpreted kernels
KEYS = [Key(b"\x01\x02"), Key(b"\x03\x04")]


def parse_fault(text, product):
    return parse(text, find_product(product))


@pytest.fixture(scope="module")
def pcm():
    rng = np.random.default_rng(6)
    return (3000 * rng.standard_normal(20000)).astype(np.int16)


def test_every_mode_that_primitives_have_has_a_name():
    assert sorted(FAULTS.values()) == list(range(faulty.EXACT + 1, faulty.WRAP + 1))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("trunc", "fault 'trunc': must be one of truncate, towards-zero,"),
        ("trunc", "; did you mean truncate?"),
        ("", "fault '': must be one of truncate"),
        ("wrap@score", "fault 'wrap@score': the kernel must be one of band_levels,"),
        ("wrap@score", "; did you mean score_from?"),
        ("wrap@limit_block", "fault 'wrap@limit_block': the kernel must be one of"),
        ("truncate@", "fault 'truncate@': the kernel must be one of"),
    ],
)
def test_an_unknown_fault_is_refused_with_those_there_are(text, says):
    with pytest.raises(ConfigError, match=re.escape(says)) as error:
        parse_fault(text, "watermark")
    assert "\n" not in str(error.value)


def test_a_kernel_narrows_a_fault_down():
    everywhere, there = parse_fault("wrap", "watermark"), parse_fault("wrap@score_from", "watermark")
    assert set(there.sites) < set(everywhere.sites)
    assert there.mode == everywhere.mode == faulty.WRAP


def test_without_a_site_the_copy_gives_the_models_bits(pcm):
    none = parse_fault("truncate", "watermark")._replace(sites=())
    got, want = detect_faulty(pcm, KEYS, SMALL, none), detect(pcm, KEYS, SMALL)
    assert np.array_equal(got.scores, want.scores)
    assert np.array_equal(got.integrated, want.integrated)
    assert got.detections == want.detections


def test_truncation_lowers_scores_by_a_little_and_narrow_sums_spoil_them(pcm):
    exact = detect(pcm, KEYS, SMALL).scores
    truncated = detect_faulty(pcm, KEYS, SMALL, parse_fault("truncate", "watermark")).scores
    narrow = detect_faulty(pcm, KEYS, SMALL, parse_fault("word32", "watermark")).scores
    assert 0 < np.abs(truncated - exact).max() < 0.5
    assert np.abs(narrow - exact).max() > 1


def test_a_fault_of_one_request_does_not_stay_for_the_next(pcm):
    first = detect_faulty(pcm, KEYS, SMALL, parse_fault("truncate", "watermark")).scores
    detect_faulty(pcm, KEYS, SMALL, parse_fault("word32", "watermark"))
    assert np.array_equal(detect_faulty(pcm, KEYS, SMALL, parse_fault("truncate", "watermark")).scores, first)


@pytest.fixture
def interpreted(monkeypatch):
    """A process whose kernels are not compiled, which takes the processor's longer than a short signal."""
    faulty_products._close_workers()
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    yield
    faulty_products._close_workers()


def test_the_dynamics_processor_with_a_fault_is_in_step_with_its_input(pcm, interpreted):
    assert_dynamics_are_in_step(pcm[:SHORT])


@pytest.mark.slow
def test_the_compiled_dynamics_processor_with_a_fault_is_in_step(pcm):
    assert_dynamics_are_in_step(pcm)


def assert_dynamics_are_in_step(pcm):
    config = load_profile("headset", 16000, 1)
    want = process(pcm, config).y_q15
    none = parse_fault("truncate", "mbdp")._replace(sites=())
    assert np.array_equal(process_faulty(pcm[None], config, none), want)
    truncated = process_faulty(pcm[None], config, parse_fault("truncate", "mbdp"))
    assert truncated.shape == want.shape
    assert 1 <= np.abs(truncated.astype(int) - want).max() <= 2, "1 LSB when written"


def test_an_error_in_the_process_is_one_line_and_the_next_request_is_served(pcm):
    fault = parse_fault("truncate", "watermark")
    with pytest.raises(BittrueError, match=r"^fault 'truncate': AudioError: pcm: float64") as error:
        detect_faulty(pcm.astype(float), KEYS, SMALL, fault)
    assert "\n" not in str(error.value)
    assert detect_faulty(pcm, KEYS, SMALL, fault).scores.size


def test_a_process_that_died_is_named_and_another_takes_its_place(pcm):
    fault = parse_fault("truncate", "watermark")
    want = detect_faulty(pcm, KEYS, SMALL, fault).scores
    (worker,) = faulty_products._workers.values()
    worker._process.kill()
    worker._process.wait()
    with pytest.raises(BittrueError, match="fault 'truncate': the process with the altered kernels ended"):
        detect_faulty(pcm, KEYS, SMALL, fault)
    assert np.array_equal(detect_faulty(pcm, KEYS, SMALL, fault).scores, want)
