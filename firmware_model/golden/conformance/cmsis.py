"""The `cmsisdsp` package behind checks: it casts arrays of another type silently and reads past short ones.

It computes what the scalar C path of CMSIS-DSP computes. It is optional, and has no wheels for Python 3.13
on.
"""

import importlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from fixedpoint.errors import BittrueError

NOT_INSTALLED = "not installed"
_FFT_SIZES = (32, 64, 128, 256, 512, 1024, 2048, 4096, 8192)


class CmsisError(BittrueError):
    """CMSIS-DSP is not installed, refused its arguments, or would have been given what it cannot take."""


@cache
def installed() -> str:
    """Version of the `cmsisdsp` package, or "" where there is none."""
    try:
        importlib.import_module("cmsisdsp")
        return version("cmsisdsp")
    except (ImportError, PackageNotFoundError):
        return ""


def _library() -> Any:
    if not installed():
        raise CmsisError(f"cmsisdsp: {NOT_INSTALLED}; pip install 'bittrue[dev]' on Python 3.11 or 3.12")
    return importlib.import_module("cmsisdsp")


def _checked(x: Any, dtype: type, name: str) -> np.ndarray:
    if not isinstance(x, np.ndarray) or x.dtype != dtype or x.ndim != 1 or not len(x):
        found = f"{x.dtype} {x.shape}" if isinstance(x, np.ndarray) else type(x).__name__
        raise CmsisError(f"{name}: {found} found; (n,) {np.dtype(dtype)} with n > 0 needed")
    return np.ascontiguousarray(x)


def _dtype(function: str) -> type:
    return np.int16 if function.endswith("_q15") else np.int32


def call(function: str, *arrays: np.ndarray, scalars: tuple[int, ...] = (), dtype: type | None = None) -> Any:
    """A function of one or two arrays of equal length and scalars: call("arm_shift_q15", x, scalars=(3,)).

    Parameters
    ----------
    function : its name in C
    arrays : (n,) of the type that the name ends in
    scalars : int, in range
    dtype : of the arrays, where it is not that of the name

    Returns
    -------
    (n,) array, or int for a sum

    Raises
    ------
    CmsisError
    """
    dtype = dtype or _dtype(function)
    checked = [_checked(x, dtype, function) for x in arrays]
    if len({len(x) for x in checked}) != 1:
        lengths = ", ".join(str(len(x)) for x in checked)
        raise CmsisError(f"{function}: arrays of {lengths} found; equal lengths needed")
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    if any(not low <= scalar <= high for scalar in scalars):
        raise CmsisError(f"{function}: scalars {scalars} found; must be {np.dtype(dtype)}")
    return getattr(_library(), function)(*checked, *scalars)


def fir(h: np.ndarray, blocks: list[np.ndarray]) -> np.ndarray:
    """arm_fir_q15 or _q31 from rest, block by block; h in order of time, in Q1.15 an even number of taps."""
    q15 = h.dtype == np.int16
    dtype: type = np.int16 if q15 else np.int32
    suffix = "q15" if q15 else "q31"
    h = _checked(h, dtype, "h")
    if q15 and len(h) % 2:
        # Arm asks for an even number from 4 up, its own tests use 2; with 3 or 7 it reads beyond the taps.
        raise CmsisError(f"arm_fir_q15: {len(h)} taps found; an even number needed")
    library = _library()
    instance = getattr(library, f"arm_fir_instance_{suffix}")()
    # numTaps + blockSize - 1, and one more for the word-wise reads of the C code.
    state: np.ndarray = np.zeros(len(h) + max(len(x) for x in blocks), dtype)
    reverse = np.ascontiguousarray(h[::-1])
    _accepted(getattr(library, f"arm_fir_init_{suffix}")(instance, len(h), reverse, state), "arm_fir_init")
    run = getattr(library, f"arm_fir_{suffix}")
    return np.concatenate([run(instance, _checked(x, dtype, "x")) for x in blocks])


def biquad_df1(coef: np.ndarray, post_shift: int, blocks: list[np.ndarray]) -> np.ndarray:
    """arm_biquad_cascade_df1_q15 or _q31 from rest, block by block; coef : (sections, 5), b0 b1 b2 a1 a2."""
    q15 = coef.dtype == np.int16
    dtype: type = np.int16 if q15 else np.int32
    suffix = "q15" if q15 else "q31"
    if coef.ndim != 2 or coef.shape[1] != 5 or coef.dtype != dtype:
        raise CmsisError(f"coef: {coef.dtype} {coef.shape} found; (sections, 5) int16 or int32 needed")
    if not 0 <= post_shift <= (14 if q15 else 30):
        raise CmsisError(f"postShift: {post_shift} found; 0 to {14 if q15 else 30} needed")
    # In Q1.15 a 0 follows b0, so that the coefficients come in pairs.
    stored = np.insert(coef, 1, 0, axis=1) if q15 else coef
    library = _library()
    instance = getattr(library, f"arm_biquad_casd_df1_inst_{suffix}")()
    init = getattr(library, f"arm_biquad_cascade_df1_init_{suffix}")
    init(
        instance, len(coef), np.ascontiguousarray(stored.ravel()), np.zeros(4 * len(coef), dtype), post_shift
    )
    run = getattr(library, f"arm_biquad_cascade_df1_{suffix}")
    return np.concatenate([run(instance, _checked(x, dtype, "x")) for x in blocks])


def rfft(x: np.ndarray) -> np.ndarray:
    """arm_rfft_q15 or _q31 of a frame: (n/2 + 1, 2) integers, real and imaginary, of the DFT over n."""
    q15 = x.dtype == np.int16
    suffix = "q15" if q15 else "q31"
    x = _checked(x, np.int16 if q15 else np.int32, "x")
    if len(x) not in _FFT_SIZES:
        raise CmsisError(f"arm_rfft: {len(x)} points found; one of {', '.join(map(str, _FFT_SIZES))} needed")
    library = _library()
    instance = getattr(library, f"arm_rfft_instance_{suffix}")()
    _accepted(getattr(library, f"arm_rfft_init_{suffix}")(instance, len(x), 0, 1), "arm_rfft_init")
    # The C function works in its input: it gets a copy.
    pairs = np.asarray(getattr(library, f"arm_rfft_{suffix}")(instance, x.copy())).reshape(-1, 2)
    return pairs[: len(x) // 2 + 1]


def sqrt_q31(x: np.ndarray) -> np.ndarray:
    """arm_sqrt_q31 of each of x, (n,) int32."""
    library = _library()
    return np.array([library.arm_sqrt_q31(int(v))[1] for v in _checked(x, np.int32, "x")], np.int32)


def _accepted(status: int | None, function: str) -> None:
    if status:
        raise CmsisError(f"{function}: refused its arguments with status {status}")
