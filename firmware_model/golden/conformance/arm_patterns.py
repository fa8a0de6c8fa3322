"""Arm's published test patterns of CMSIS-DSP: read, run through our kernels and the `cmsisdsp` package.

The references among them are quantised results of float computations, and Arm's own tests accept some LSB of
difference: so they give figures, not a match of bits. Formats and parameters were read from the files and
from the test programs in Testing/Source/Tests of the CMSIS-DSP sources.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from firmware_model.golden.conformance import cmsis
from fixedpoint import arith
from fixedpoint.errors import AudioError
from fixedpoint.filters import biquad_df1, fir
from fixedpoint.filters.biquad_df1_design import from_integers
from fixedpoint.filters.fft import FFT_SIZES, init_fft, rfft_bfp
from fixedpoint.qformat import Q15, Q31, QFormat

FOLDER = Path("vectors/cmsis-dsp/Testing/Patterns/DSP")  # below $BITTRUE_DATA
_WIDTHS = {"B": 8, "H": 16, "W": 32, "D": 64}
_FORMATS = (("q15", Q15), ("q31", Q31))


def read_pattern(path: Path) -> np.ndarray:
    """Integers of a pattern file.

    Its first line is a letter for the width (B, H, W or D: 8 to 64 bits), the second the number of values;
    for each value follow a comment, "// 0.114766", and the word in hexadecimal, "0x0EB1".

    Raises
    ------
    AudioError
        The file cannot be read, or is not of this form.
    """
    try:
        lines = path.read_text("ascii").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise AudioError(f"{path}: {getattr(error, 'strerror', None) or 'is no text'}") from error
    bits = _WIDTHS.get(lines[0].strip())
    if bits is None:
        raise AudioError(f"{path}: first line {lines[0][:20]!r} found; must be one of {', '.join(_WIDTHS)}")
    words = [line.strip() for line in lines[2:] if line.strip() and not line.startswith("//")]
    try:
        count = int(lines[1])
        values = [int(word, 16) for word in words]
    except (IndexError, ValueError) as error:
        raise AudioError(f"{path}: is no pattern file: {error}") from error
    if count != len(words) or any(len(word) != 2 + bits // 4 for word in words):
        raise AudioError(
            f"{path}: {len(words)} words found; {count} of {bits // 4} hexadecimal digits needed"
        )
    return np.array(values, f"uint{bits}").view(f"int{bits}")


class Pattern(NamedTuple):
    """One of Arm's tests.

    name : what is computed
    kernel : of ours, with CMSIS-DSP's bits where there is such a one
    exact : whether it has CMSIS-DSP's bits
    ours, theirs, reference : () -> integers; `theirs` needs the package
    arm_snr_db, arm_lsb : what Arm's test accepts; None where it does not look
    """

    name: str
    kernel: str
    exact: bool
    ours: Callable[[], np.ndarray]
    theirs: Callable[[], np.ndarray]
    reference: Callable[[], np.ndarray]
    arm_snr_db: float | None
    arm_lsb: int | None


class Figures(NamedTuple):
    """Errors against Arm's reference.

    values : how many
    ours_lsb, ours_db, theirs_lsb, theirs_db : largest error and SNR; theirs None where the package is not
    there
    equal : whether the bits of both are the same; None where the package is not there
    """

    values: int
    ours_lsb: int
    ours_db: float
    theirs_lsb: int | None
    theirs_db: float | None
    equal: bool | None


def snr_db(got: np.ndarray, reference: np.ndarray) -> float:
    """10 log10 of the reference's power over the difference's, as Arm's tests define it; inf for none."""
    difference = np.sum((got.astype(float) - reference) ** 2)
    return math.inf if difference == 0 else 10 * math.log10(np.sum(reference.astype(float) ** 2) / difference)


def judge(pattern: Pattern) -> Figures:
    """Run one of Arm's tests."""
    ours, reference = pattern.ours(), pattern.reference()
    theirs = pattern.theirs() if cmsis.installed() else None
    apart = [None if y is None else int(np.abs(y.astype(np.int64) - reference).max()) for y in (ours, theirs)]
    return Figures(
        len(reference),
        apart[0] or 0,
        snr_db(ours, reference),
        apart[1],
        None if theirs is None else snr_db(theirs, reference),
        None if theirs is None else bool(np.array_equal(ours, theirs)),
    )


def patterns(folder: Path) -> Iterator[Pattern]:
    """All of Arm's tests that have a kernel here.

    Parameters
    ----------
    folder : that which holds BasicMaths, Filtering and Transform
    """
    for suffix, fmt in _FORMATS:
        yield from _basic(folder / f"BasicMaths/BasicMaths{suffix.upper()}", suffix, fmt)
    for suffix, _ in _FORMATS:
        yield from _fir(folder / f"Filtering/FIR/FIR{suffix.upper()}", suffix)
        yield from _biquad(folder / f"Filtering/BIQUAD/BIQUAD{suffix.upper()}", suffix)
    for suffix, _ in _FORMATS:
        for n in FFT_SIZES:
            yield _rfft(folder / f"Transform/Transform{suffix.upper()}", suffix, n)


# --- BasicMaths ------------------------------------------------------------------------------


def _basic(folder: Path, suffix: str, fmt: QFormat) -> Iterator[Pattern]:
    half = 1 << (fmt.n - 1)

    def of(name: str) -> np.ndarray:
        kind = f"s{fmt.bits}" if name.startswith("Max") else suffix
        return read_pattern(folder / f"{name}_{kind}.txt")

    def operands(inputs: tuple[str, ...], reference: str) -> list[np.ndarray]:
        count = len(of(reference))  # some inputs are longer
        return [of(name)[:count] for name in inputs]

    def test(
        what: str,
        function: str,
        kernel: str,
        inputs: tuple[str, ...],
        reference: str,
        constants: tuple[int, ...] = (),
        exact: bool = True,
        ours: Callable[..., int] | None = None,
    ) -> Pattern:
        scalar = getattr(arith, kernel)
        return Pattern(
            f"{what} {suffix}",
            f"fixedpoint.arith.{kernel}",
            exact,
            lambda: _elementwise(ours or scalar, operands(inputs, reference), constants),
            lambda: cmsis.call(f"arm_{function}_{suffix}", *operands(inputs, reference), scalars=constants),
            lambda: of(reference),
            (60 if function == "mult" else 70) if fmt == Q15 else 100,
            2 if fmt == Q15 else 4,
        )

    yield test("add", "add", f"add_{suffix}", ("Input1", "Input2"), "Reference1")
    yield test("add, saturating", "add", f"add_{suffix}", ("MaxPosInput12",) * 2, "PosSat12")
    yield test("add, saturating below", "add", f"add_{suffix}", ("MaxNegInput12",) * 2, "NegSat13")
    yield test("subtract", "sub", f"sub_{suffix}", ("Input1", "Input2"), "Reference2")
    yield test("subtract, saturating", "sub", f"sub_{suffix}", ("MaxPosInput12", "MaxNegInput12"), "PosSat14")
    negative = ("MaxNegInput12", "MaxPosInput12")
    yield test("subtract, saturating below", "sub", f"sub_{suffix}", negative, "NegSat15")
    # arm_mult_q31 keeps 31 bits of the product and a 0 below them.
    product = arith.mul_q15_trn if fmt == Q15 else lambda a, b: arith.mul_q31_trn(a, b) & ~1
    kernel = f"mul_{suffix}_trn"
    yield test("multiply", "mult", kernel, ("Input1", "Input2"), "Reference3", ours=product)
    yield test("multiply, saturating", "mult", kernel, ("MaxNeg2Input12",) * 2, "PosSat16", ours=product)
    yield test("multiply, rounded", "mult", f"mul_{suffix}", ("Input1", "Input2"), "Reference3", exact=False)
    yield test("negate", "negate", f"neg_{suffix}", ("Input1",), "Reference4")
    yield test("negate, saturating", "negate", f"neg_{suffix}", ("MaxNeg2Input12",), "PosSat17")
    yield test("add a constant", "offset", f"add_{suffix}", ("Input1",), "Reference5", (half,))
    yield test("absolute value", "abs", f"abs_{suffix}", ("Input1",), "Reference10")
    shifted = f"shl_sat{fmt.bits}"
    yield test("shift by 1", "shift", shifted, ("Input12",), "Shift21", (1,))
    yield test("shift by 1, saturating", "shift", shifted, ("MaxPosInput12",), "Shift22", (1,))
    yield test("shift by 1, saturating below", "shift", shifted, ("MaxNegInput12",), "Shift23", (1,))
    tenth = round(0.1 * 2**fmt.n)
    for reference, low, high in ((28, -half, -tenth), (29, -half, half), (30, tenth, half)):
        limits = f"{low / 2**fmt.n:.1f} to {high / 2**fmt.n:.1f}"
        yield test(f"clip, {limits}", "clip", "clip", ("Input28",), f"Reference{reference}", (low, high))


def _elementwise(
    kernel: Callable[..., int], arrays: list[np.ndarray], constants: tuple[int, ...]
) -> np.ndarray:
    rows = zip(*(x.tolist() for x in arrays), strict=True)
    return np.array([kernel(*row, *constants) for row in rows]).astype(arrays[0].dtype)


# --- Filtering -------------------------------------------------------------------------------


def _fir(folder: Path, suffix: str) -> Iterator[Pattern]:
    def outputs(run: Callable[[np.ndarray, list[np.ndarray]], np.ndarray]) -> np.ndarray:
        """Each configuration, (block size, taps), filters two blocks from the start of the input."""
        configurations = read_pattern(folder / "FirConfigs1_s16.txt").reshape(-1, 2).tolist()
        x = read_pattern(folder / f"FirInput1_{suffix}.txt")
        coefs = read_pattern(folder / f"FirCoefs1_{suffix}.txt")
        made, first = [], 0
        for block, taps in configurations:
            h = np.ascontiguousarray(coefs[first : first + taps][::-1])
            made.append(run(h, [x[:block], x[block : 2 * block]]))
            first += taps
        return np.concatenate(made)

    def ours(arithmetic: str) -> np.ndarray:
        def run(h: np.ndarray, blocks: list[np.ndarray]) -> np.ndarray:
            params = fir.FirParams(h)
            state = fir.init_state(params)
            return np.concatenate([fir.process_block(params, state, x, arithmetic) for x in blocks])

        return outputs(run)

    cmsis_kernel = (
        "fixedpoint.filters.fir.fir_q15_trn" if suffix == "q15" else "fixedpoint.filters.fir.fir_q31_trn_wrap"
    )
    for what, kernel, arithmetic in (
        ("FIR", cmsis_kernel, "cmsis"),
        ("FIR, rounded", f"fixedpoint.filters.fir.fir_{suffix}", "rnd"),
    ):
        yield Pattern(
            f"{what} {suffix}",
            kernel,
            arithmetic == "cmsis",
            partial(ours, arithmetic),
            lambda: outputs(cmsis.fir),
            lambda: read_pattern(folder / f"FirRefs1_{suffix}.txt"),
            59 if suffix == "q15" else 100,
            2,
        )


def _biquad(folder: Path, suffix: str) -> Iterator[Pattern]:
    """Three sections, post shift 2, in two blocks; in Q1.15 a 0 stands after each b0."""

    def parts() -> tuple[np.ndarray, list[np.ndarray]]:
        stored = read_pattern(folder / f"BiquadCoefs1_{suffix}.txt").reshape(3, -1)
        coef = np.delete(stored, 1, axis=1) if suffix == "q15" else stored
        return coef, np.split(read_pattern(folder / f"BiquadInput1_{suffix}.txt"), 2)

    def ours(arithmetic: str) -> np.ndarray:
        coef, blocks = parts()
        params = from_integers(coef, 2)
        state = biquad_df1.init_state(params)
        return np.concatenate([biquad_df1.process_block(params, state, x, arithmetic) for x in blocks])

    def theirs() -> np.ndarray:
        coef, blocks = parts()
        return cmsis.biquad_df1(coef, 2, blocks)

    module = "fixedpoint.filters.biquad_df1.biquad_df1_"
    cmsis_kernel = f"{module}q15_trn" if suffix == "q15" else f"{module}q31_trn_wrap"
    for what, kernel, arithmetic in (
        ("biquad cascade, form 1", cmsis_kernel, "cmsis"),
        ("biquad cascade, form 1, rounded", f"{module}{suffix}", "rnd"),
    ):
        yield Pattern(
            f"{what} {suffix}",
            kernel,
            arithmetic == "cmsis",
            partial(ours, arithmetic),
            theirs,
            lambda: read_pattern(folder / f"BiquadOutput1_{suffix}.txt"),
            30 if suffix == "q15" else 115,
            500 if suffix == "q15" else 1000,
        )


# --- Transform -------------------------------------------------------------------------------


def spectrum_over_n(x: np.ndarray) -> np.ndarray:
    """`rfft_bfp` over n, rounded to the frame's own format as arm_rfft gives it: (n/2 + 1, 2) integers."""
    n = len(x)
    z = np.empty(n + 2, np.int32)
    exponent = int(rfft_bfp(init_fft(n), x, z))
    fmt = Q15 if x.dtype == np.int16 else Q31
    return fmt.quantise(np.ldexp(z.reshape(-1, 2).astype(float), exponent - fmt.n) / n)


def _rfft(folder: Path, suffix: str, n: int) -> Pattern:
    number = {256: 5, 512: 6, 1024: 7, 2048: 8}[n]

    def values(of: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        x = read_pattern(folder / f"RealInputSamples_Noisy_{n}_{number}_{suffix}.txt")
        return of(x).ravel()[: n + 1]  # the reference leaves out the last imaginary part, which is 0

    return Pattern(
        f"real FFT, {n} points {suffix}",
        "fixedpoint.filters.fft.rfft_bfp",
        False,
        lambda: values(spectrum_over_n),
        lambda: values(cmsis.rfft),
        lambda: read_pattern(folder / f"RealFFTSamples_Noisy_{n}_{number}_{suffix}.txt")[: n + 1],
        40 if suffix == "q15" else 90,
        10 if suffix == "q15" else 33,
    )
