"""Arm's pattern files: their form, what is wrong with one, and the figures of all tests on the real ones."""

import math

import numpy as np
import pytest

from firmware_model.golden.conformance import cmsis
from firmware_model.golden.conformance.arm_patterns import (
    FOLDER,
    Pattern,
    judge,
    patterns,
    read_pattern,
    snr_db,
    spectrum_over_n,
)
from fixedpoint.errors import AudioError

# --- files -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "dtype", "expected"),
    [
        ("H\n3\n// 0.5\n0x4000\n// -1\n0x8000\n// 0\n0xFFFF\n", np.int16, [16384, -32768, -1]),
        ("W\n2\n// x\n0x7FFFFFFF\n// y\n0x80000000\n", np.int32, [2147483647, -2147483648]),
        ("D\n1\n// z\n0xFFFFFFFFFFFFFFFE\n", np.int64, [-2]),
        ("B\n1\n// z\n0x80", np.int8, [-128]),
    ],
)
def test_words_become_integers(tmp_path, text, dtype, expected):
    path = tmp_path / "Input1.txt"
    path.write_text(text)
    values = read_pattern(path)
    assert values.dtype == dtype
    assert values.tolist() == expected


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "first line '' found; must be one of B, H, W, D"),
        (b"Q\n1\n0x0001\n", "first line 'Q' found"),
        (b"H\n2\n// a\n0x0001\n", "1 words found; 2 of 4 hexadecimal digits needed"),
        (b"H\n1\n// a\n0x00000001\n", "1 words found; 1 of 4 hexadecimal digits needed"),
        (b"H\n1\n// a\nfive\n", "is no pattern file: invalid literal"),
        (b"H\n", "is no pattern file"),
        (b"H\n1\n\xff\xfe\n", "is no text"),
    ],
)
def test_a_bad_file_is_named(tmp_path, content, says):
    path = tmp_path / "Bad.txt"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=f"Bad.txt: .*{says}"):
        read_pattern(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(AudioError, match=r"Gone\.txt: No such file"):
        read_pattern(tmp_path / "Gone.txt")


# --- figures ---------------------------------------------------------------------------------


def test_snr_by_hand():
    # 30^2 + 40^2 = 2500 over 3^2 + 4^2 = 25: 20 dB
    assert snr_db(np.array([33, 44]), np.array([30, 40])) == pytest.approx(20)
    assert snr_db(np.array([3, 4]), np.array([3, 4])) == math.inf


def pattern(ours, theirs, reference):
    arrays = [np.array(values, np.int16) for values in (ours, theirs, reference)]
    return Pattern("any", "any", True, *(lambda a=a: a for a in arrays), 30, 2)


@pytest.mark.skipif(not cmsis.installed(), reason="cmsisdsp 1.10.1 has no wheel for this Python")
def test_both_are_judged_side_by_side():
    figures = judge(pattern([30, 41], [33, 44], [30, 40]))
    assert (figures.values, figures.ours_lsb, figures.theirs_lsb, figures.equal) == (2, 1, 4, False)
    assert figures.theirs_db == pytest.approx(20)
    assert judge(pattern([1, 2], [1, 2], [-32768, 32767])).equal
    assert judge(pattern([32767], [32767], [-32768])).ours_lsb == 65535


def test_without_the_package_ours_is_judged_alone(monkeypatch):
    monkeypatch.setattr(cmsis, "installed", lambda: "")
    figures = judge(pattern([30, 41], [0, 0], [30, 40]))
    assert figures.ours_lsb == 1
    assert (figures.theirs_lsb, figures.theirs_db, figures.equal) == (None, None, None)


@pytest.mark.parametrize("dtype", [np.int16, np.int32])
def test_spectrum_over_n_of_a_constant(dtype):
    top = np.iinfo(dtype).max
    spectrum = spectrum_over_n(np.full(256, top, dtype))
    # In Q1.31 the FFT keeps 28 bits of the input: 2**31 - 1 becomes 2**31, which saturates.
    assert spectrum.dtype == dtype
    assert spectrum[0].tolist() == [top, 0]
    assert not spectrum[1:].any()


# --- Arm's own -------------------------------------------------------------------------------

# Largest error in LSB and SNR in dB of our kernels against Arm's references, measured; others are exact.
MEASURED = {
    "add q15": (1, 92.0),
    "subtract q15": (1, 91.1),
    "multiply q15": (1, 76.7),
    "multiply, rounded q15": (1, 83.9),
    "shift by 1 q15": (1, 83.1),
    "add q31": (1, 186.0),
    "subtract q31": (1, 186.2),
    "multiply q31": (2, 166.0),
    "multiply, saturating q31": (1, 186.6),
    "multiply, rounded q31": (1, 179.4),
    "negate q31": (1, 202.1),
    "absolute value q31": (1, 202.1),
    "shift by 1 q31": (1, 181.6),
    "FIR q15": (2, 60.5),
    "FIR, rounded q15": (1, 66.0),
    "FIR q31": (1, 156.6),
    "FIR, rounded q31": (1, 161.3),
    "biquad cascade, form 1 q15": (298, 35.2),
    "biquad cascade, form 1, rounded q15": (116, 46.3),
    "biquad cascade, form 1 q31": (234, 119.5),
    "biquad cascade, form 1, rounded q31": (60, 136.1),
    "real FFT, 256 points q15": (1, 75.2),
    "real FFT, 1024 points q15": (1, 73.4),
    "real FFT, 2048 points q15": (1, 72.8),
    "real FFT, 256 points q31": (4, 150.4),
    "real FFT, 512 points q31": (4, 147.8),
    "real FFT, 1024 points q31": (4, 145.1),
    "real FFT, 2048 points q31": (4, 142.2),
}


@pytest.mark.real
def test_figures_on_arms_patterns(real_data):
    folder = real_data / FOLDER
    if not folder.is_dir():
        pytest.skip(f"BITTRUE_DATA holds no {FOLDER}")
    judged = {test.name: (test, judge(test)) for test in patterns(folder)}
    assert len(judged) == 54
    assert set(MEASURED) <= set(judged)
    for name, (test, figures) in judged.items():
        lsb, db = MEASURED.get(name, (0, math.inf))
        assert figures.ours_lsb <= lsb, f"{name}: {figures.ours_lsb} LSB, was {lsb}"
        assert figures.ours_db > db - 0.2 or db == figures.ours_db, (
            f"{name}: {figures.ours_db:.1f} dB, was {db}"
        )
        assert figures.ours_lsb <= test.arm_lsb, "Arm would fail it"
        assert figures.ours_db >= test.arm_snr_db, "Arm would fail it"
        if cmsis.installed():
            assert figures.equal or not test.exact, name
            assert figures.ours_lsb <= figures.theirs_lsb, f"{name}: CMSIS-DSP is nearer"
