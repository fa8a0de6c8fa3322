"""Coefficients for cascades of direct-form-1 biquads: Butterworth sections, and integers of any sections."""

import math

import numpy as np
import numpy.typing as npt

from fixedpoint.errors import ConfigError
from fixedpoint.filters.biquad_df1 import MAX_POST_SHIFT, BiquadParams, has_room
from fixedpoint.qformat import Q15, Q31, QFormat


def butterworth(kind: str, corner_hz: float, fs_hz: float) -> np.ndarray:
    """A second-order Butterworth section in SciPy's order, (6,) float64: b0 b1 b2 1 a1 a2.

    Parameters
    ----------
    kind : "lowpass" or "highpass"
    corner_hz : float, -3 dB point, above 0 and below fs_hz / 2
    fs_hz : float, sample rate, hertz

    Notes
    -----
    With K = tan(pi fc/fs), n = 1 + sqrt(2) K + K^2: a = 1, 2 (K^2 - 1)/n, (1 - sqrt(2) K + K^2)/n; low-pass
    b = K^2/n (1, 2, 1), high-pass b = 1/n (1, -2, 1).
    Source: bilinear transform, e.g. Oppenheim and Schafer, "Discrete-time signal processing", ch. 7.
    """
    if kind not in ("lowpass", "highpass"):
        raise ConfigError(f"kind={kind!r}: must be lowpass or highpass")
    if not 0 < corner_hz < fs_hz / 2:
        raise ConfigError(f"corner_hz={corner_hz}: must be above 0 and below {fs_hz / 2:g}")
    k = math.tan(math.pi * corner_hz / fs_hz)
    n = 1 + math.sqrt(2) * k + k * k
    b = np.array([1, 2, 1]) * (k * k / n) if kind == "lowpass" else np.array([1, -2, 1]) / n
    return np.array([*b, 1.0, 2 * (k * k - 1) / n, (1 - math.sqrt(2) * k + k * k) / n])


def quantise(sos: npt.ArrayLike, fmt: QFormat, post_shift: int | None = None) -> BiquadParams:
    """Integer coefficients of second-order sections, RND.

    Parameters
    ----------
    sos : (sections, 6) or (6,) float, SciPy's order b0 b1 b2 a0 a1 a2
    fmt : Q15 or Q31, of the signal
    post_shift : int 0 to 14; None for the smallest with which every coefficient fits and, in Q1.31, no input
    can
        overflow an accumulator

    Returns
    -------
    BiquadParams

    Raises
    ------
    ConfigError
        Another shape or format, a value not finite, a coefficient that does not fit, a section whose rounded
        numerator is nothing or whose rounded poles are not inside the unit circle.
    """
    _check_format(fmt)
    table = np.atleast_2d(np.asarray(sos, dtype=np.float64))
    if table.ndim != 2 or table.shape[1:] != (6,) or not len(table):
        raise ConfigError(f"sos: shape {np.shape(sos)} found; (sections, 6) needed")
    if not np.isfinite(table).all() or not table[:, 3].all():
        raise ConfigError("sos: must be finite, with a0 other than 0")
    table = table / table[:, 3:4]
    real = np.concatenate([table[:, :3], -table[:, 4:]], axis=1)
    if post_shift is None:
        post_shift = next((p for p in range(MAX_POST_SHIFT + 1) if _fits(real, fmt, p)), MAX_POST_SHIFT)
    _check_post_shift(post_shift)
    coef = _integers(real, fmt, post_shift)
    if coef.min() < fmt.min_int or coef.max() > fmt.max_int:
        raise ConfigError(
            f"sos: {np.abs(real).max():g} found; must be below {2**post_shift} for this post_shift"
        )
    params = from_integers(coef.astype(fmt.dtype), post_shift)
    _check_sections(params, fmt)
    return params


def from_integers(coef: np.ndarray, post_shift: int) -> BiquadParams:
    """Parameters of integers, coef : (sections, 5) int16 or int32, b0 b1 b2 a1 a2, as CMSIS-DSP has them."""
    if not isinstance(coef, np.ndarray) or coef.dtype not in (np.int16, np.int32):
        raise ConfigError(f"coef: {getattr(coef, 'dtype', type(coef).__name__)} found; int16 or int32 needed")
    if coef.ndim != 2 or coef.shape[1] != 5 or not len(coef):
        raise ConfigError(f"coef: shape {coef.shape} found; (sections, 5) needed")
    _check_post_shift(post_shift)
    return BiquadParams(np.ascontiguousarray(coef), int(post_shift))


def _check_post_shift(post_shift: int) -> None:
    if not 0 <= post_shift <= MAX_POST_SHIFT:
        raise ConfigError(f"post_shift={post_shift}: must be from 0 to {MAX_POST_SHIFT}")


def _check_format(fmt: QFormat) -> None:
    if fmt not in (Q15, Q31):
        raise ConfigError(f"fmt={fmt}: must be Q1.15 or Q1.31")


def _integers(real: np.ndarray, fmt: QFormat, post_shift: int) -> np.ndarray:
    return np.floor(np.ldexp(real, fmt.n - post_shift) + 0.5)


def _fits(real: np.ndarray, fmt: QFormat, post_shift: int) -> bool:
    coef = _integers(real, fmt, post_shift)
    fits = coef.min() >= fmt.min_int and coef.max() <= fmt.max_int
    return bool(fits and (fmt == Q15 or has_room(coef)))


def _check_sections(params: BiquadParams, fmt: QFormat) -> None:
    one = 1 << (fmt.n - params.post_shift)
    for k, (b0, b1, b2, a1, a2) in enumerate(params.coef.tolist()):
        if not (b0 or b1 or b2):
            raise ConfigError(f"sos[{k}]: the numerator rounds to nothing in {fmt}")
        if not (abs(a2) < one and abs(a1) < one - a2):
            raise ConfigError(f"sos[{k}]: poles are not inside the unit circle once rounded to {fmt}")
