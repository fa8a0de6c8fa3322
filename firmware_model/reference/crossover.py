"""Linkwitz-Riley crossover of fourth order (LR4) in float64, for any number of bands."""

import math

import numpy as np
import scipy  # its parts are loaded at their first use
from numpy.typing import NDArray

from firmware_model.reference.dynamics_model import DynamicsModel

Array = NDArray[np.float64]


def butterworth(edge_hz: float, fs_hz: float) -> tuple[Array, Array, Array]:
    """Low-pass, high-pass and all-pass section of second order that share their poles.

    Parameters
    ----------
    edge_hz : float, in (0, fs_hz / 2); the Butterworth sections are 3.01 dB down there
    fs_hz : float, sample rate

    Returns
    -------
    low, high, all_pass : (6,) float64, b0 b1 b2 a0 a1 a2 with a0 = 1

    Notes
    -----
    K = tan(pi f / fs), n = 1 + sqrt(2) K + K^2:
    a = [1, 2 (K^2 - 1) / n, (1 - sqrt(2) K + K^2) / n]
    low b = K^2 / n [1, 2, 1];  high b = 1 / n [1, -2, 1];  all-pass b = [a2, a1, 1]
    => low^2 + high^2 = all-pass: two equal sections in cascade on either side of a split sum to an all-pass.
    Source: Linkwitz, JAES 24(1), 1976; bilinear transform with the edge pre-warped.
    """
    k = math.tan(math.pi * edge_hz / fs_hz)
    n = 1 + math.sqrt(2) * k + k * k
    a1, a2 = 2 * (k * k - 1) / n, (1 - math.sqrt(2) * k + k * k) / n
    low = np.array([1, 2, 1]) * k * k / n
    high = np.array([1, -2, 1]) / n
    return np.r_[low, 1, a1, a2], np.r_[high, 1, a1, a2], np.array([a2, a1, 1, 1, a1, a2])


def band_sections(index: int, model: DynamicsModel) -> Array:
    """Second-order sections of one band.

    Parameters
    ----------
    index : int, in [0, bands), among the bands that are left without the inactive splits
    model : DynamicsModel

    Returns
    -------
    (sections, 6) float64, as scipy.signal.sosfilt takes them

    Notes
    -----
    B_i = prod_{j<i} HP(f_j)^2 . LP(f_i)^2 . prod_{j>i} AP(f_j), without LP in the highest band.
    The all-passes do to band i what the splits above do to the rest, so that sum_i B_i = prod_j AP(f_j).
    Without all_pass they are left out and the sum ripples.
    Source: Yang, Chhetri, Murgia, Hilmes, ICASSP 2019 (arXiv 1903.06392).
    """
    sections = [np.array([1.0, 0, 0, 1, 0, 0])]  # one band alone is the input itself
    for j, edge_hz in enumerate(model.active_edges_hz):
        low, high, all_pass = butterworth(edge_hz, model.fs_hz)
        if j < index:
            sections += [high, high]
        elif j == index:
            sections += [low, low]
        elif model.all_pass:
            sections += [all_pass]
    return np.array(sections)


def split(x: Array, model: DynamicsModel) -> Array:
    """Split into bands.

    Parameters
    ----------
    x : (channels, n) float64
    model : DynamicsModel

    Returns
    -------
    (bands, channels, n) float64, lowest band first; filters start at rest
    """
    return Splitter(model).push(x)


class Splitter:
    """`split` of a signal that comes in pieces."""

    def __init__(self, model: DynamicsModel) -> None:
        self._sections = [band_sections(index, model) for index in range(len(model.active_bands))]
        self._states = [np.zeros((len(each), model.channels, 2)) for each in self._sections]

    def push(self, x: Array) -> Array:
        """The next samples, (channels, n) float64 -> (bands, channels, n)."""
        bands = []
        for i, sections in enumerate(self._sections):
            band, self._states[i] = scipy.signal.sosfilt(sections, x, axis=-1, zi=self._states[i])
            bands.append(band)
        return np.stack(bands)


def band_response(freqs_hz: Array, model: DynamicsModel) -> NDArray[np.complex128]:
    """(bands, len(freqs_hz)) complex128, response of every band, evaluated on the unit circle."""
    indices = range(len(model.active_bands))
    return np.stack(
        [scipy.signal.sosfreqz(band_sections(index, model), freqs_hz, fs=model.fs_hz)[1] for index in indices]
    )


def sum_response(freqs_hz: Array, model: DynamicsModel) -> NDArray[np.complex128]:
    """(len(freqs_hz),) complex128, response of all bands added up."""
    return band_response(freqs_hz, model).sum(axis=0)
