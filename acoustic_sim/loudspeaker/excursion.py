"""The gain at which a signal moves the cone a given way: two processors are compared at equal excursion."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq

from acoustic_sim.border.checks import require_number
from acoustic_sim.loudspeaker.driver import Driver
from acoustic_sim.loudspeaker.large_signal import simulate
from fixedpoint.errors import AudioError

_TOLERANCE_DB = 0.05  # of the peak excursion
_GAIN_RESOLUTION_DB = 1e-4  # a peak that is not met between two gains this close jumps
_SEARCH_DB = 30.0  # from the linear answer: the drive is a square wave long before
_FIRST_STEP_FACTOR = 1.5  # compression: the peak rises by less than the gain
_LEAST_EXCURSION_M = 1e-9  # below, a signal counts as silence


def gain_for_excursion(
    x: np.ndarray, fs_hz: float, driver: Driver, peak_m: float, *, linear: bool = False
) -> float:
    """The gain, dB, at which the peak excursion |x| of a signal is `peak_m` within 0.05 dB.

    Parameters
    ----------
    x : (n,) float, full scale 1.0
    fs_hz : float, Hz
    driver : Driver
    peak_m : float in [1e-6, 0.1], metres
    linear : True for the linear response, where the answer is a division

    Raises
    ------
    AudioError
        `x` is silent, or the rail does not let the cone reach `peak_m`, or the peak jumps past it.

    Notes
    -----
    The peak rises with the gain nearly always: more gain may move a crest that sags the rail ahead of a later
    one. The search steps from the linear answer until the peak is passed, then closes the bracket with
    Brent's method on dB; it keeps to the bracket, so that an exception to monotony cannot lead it astray, and
    the gain it returns has been simulated.
    """
    require_number("peak_m", peak_m, 1e-6, 0.1, "in [1e-6, 0.1] metres")
    rest_m = np.abs(simulate(x, fs_hz, driver, 0.0, linear=True).excursion_m).max()
    if rest_m < _LEAST_EXCURSION_M:
        raise AudioError(f"x moves the cone {rest_m:.2g} m at 0 dB: at least {_LEAST_EXCURSION_M:g} m needed")
    gain_db = 20 * float(np.log10(peak_m / rest_m))
    if linear:
        return gain_db

    excess_db: dict[float, float] = {}

    def excess(gain_db: float) -> float:
        """Peak over peak_m in dB, 0 within the tolerance: there the root finder stops."""
        if gain_db not in excess_db:
            peak = np.abs(simulate(x, fs_hz, driver, gain_db).excursion_m).max()
            excess_db[gain_db] = 20 * float(np.log10(peak / peak_m))
        return excess_db[gain_db] if abs(excess_db[gain_db]) > _TOLERANCE_DB else 0.0

    bracket = _bracket(excess, gain_db)
    if bracket is None:
        reached_m = peak_m * 10 ** (max(excess_db.values()) / 20)
        raise AudioError(
            f"peak_m={peak_m:g}: the amplifier's rail lets x move the cone {reached_m:.3g} m, no further"
        )
    gain_db = brentq(excess, *bracket, xtol=_GAIN_RESOLUTION_DB)
    if excess(gain_db) != 0:
        raise AudioError(f"peak_m={peak_m:g}: the peak jumps past it at a gain of {gain_db:.3f} dB")
    return gain_db


def _bracket(excess: Callable[[float], float], gain_db: float) -> tuple[float, float] | None:
    """Two gains between which `excess` changes sign or is zero; None where it keeps its sign."""
    here = excess(gain_db)
    direction = -1 if here > 0 else 1
    limit_db = gain_db + direction * _SEARCH_DB
    step_db = max(_FIRST_STEP_FACTOR * abs(here), _TOLERANCE_DB)
    while gain_db != limit_db:
        next_db = direction * min(direction * (gain_db + direction * step_db), direction * limit_db)
        if here * excess(next_db) <= 0:
            return gain_db, next_db
        gain_db, step_db = next_db, 2 * step_db
    return None
