"""A recording through the dynamics processor: in Q15, in float64, and how far the two are apart."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np

from firmware_model.dynamics.cases.configurations import reference_model
from firmware_model.dynamics.processor import init_probes, process_frame
from firmware_model.dynamics.settings.params import SAMPLE_RATES, DynamicsConfig
from firmware_model.dynamics.settings.tuning import quantise
from firmware_model.dynamics.state import init_state
from firmware_model.pcm import to_q15
from firmware_model.reference import processor as reference

_SEGMENT = 1 << 16  # samples at a time: the probes of every sample need not be kept


class Gains(NamedTuple):
    """What was done to each control block of the input, dB.

    bands_db : (bands, blocks) float32, compressor with make-up, and band limiter
    limiter_db : (blocks,) float32, full-band limiter
    """

    bands_db: np.ndarray
    limiter_db: np.ndarray


Piece = tuple[np.ndarray, Gains]


class Run:
    """One arithmetic over a recording that comes in pieces, its output in step with its input.

    Parameters
    ----------
    arith : "q15", or "float": the float64 reference, its output rounded to 16 bits
    config : DynamicsConfig
    n : samples of the recording
    """

    def __init__(self, arith: str, config: DynamicsConfig, n: int) -> None:
        self._config, self._missing = config, n
        self._core: _Core = _Q15(config) if arith == "q15" else _Float(config)
        self._x = _Line(config.channels, np.int16)
        self._y = _Line(config.channels, np.int16, config.latency_samples, n)
        # At the end of a block of time a limiter's gain is of a block that came in so much earlier.
        late, blocks = config.band_blocks, -(-n // config.control_samples)
        bands = len(config.working_bands)
        self._gains = (
            _Line(bands, np.float64, 0, blocks),
            _Line(bands, np.float64, late, blocks),
            _Line(1, np.float64, late + config.limiter_blocks, blocks),
        )

    def push(self, x_q15: np.ndarray) -> Iterator[Piece]:
        """Take samples, (channels, k) int16, Q1.15; yield what became certain, and the gains that did.

        After the last of the n samples all of the output is out.
        """
        self._x.add(x_q15)
        self._missing -= x_q15.shape[1]
        if self._missing == 0:
            held = self._x.held
            extra = self._config.latency_samples + -held % self._config.control_samples
            self._x.add(np.zeros((self._config.channels, extra), np.int16))
        while self._x.held >= _SEGMENT or (self._missing == 0 and self._x.held):
            yield self._run(self._x.take(min(_SEGMENT, self._x.held)))

    def _run(self, x_q15: np.ndarray) -> Piece:
        y_q15, *nodes = self._core.push(x_q15)
        self._y.add(y_q15)
        for line, gain in zip(self._gains, nodes, strict=True):
            line.add(gain)
        blocks = min(line.held for line in self._gains)
        compressor, band_limiter, limiter = (line.take(blocks) for line in self._gains)
        gains = Gains(_to_db(compressor * band_limiter), _to_db(limiter[0]))
        return self._y.take(self._y.held), gains


class _Core(Protocol):
    def push(self, x_q15: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Whole blocks -> output, Q1.15; gains of compressors, band limiters and, (1, blocks), limiter."""


class _Q15:
    """The firmware."""

    def __init__(self, config: DynamicsConfig) -> None:
        self._params = quantise(config)
        self._state = init_state(self._params)

    def push(self, x_q15: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        y_q15 = np.empty_like(x_q15)
        probes = init_probes(self._params, x_q15.shape[1])
        process_frame(self._params, self._state, x_q15, y_q15, probes)
        band_limiter, limiter = probes.band_attenuation_q31, probes.attenuation_q31[:1]
        return y_q15, probes.gain_q27 * 2.0**-27, 1 - band_limiter * 2.0**-31, 1 - limiter * 2.0**-31


class _Float:
    """The float64 reference."""

    def __init__(self, config: DynamicsConfig) -> None:
        self._processor = reference.Processor(reference_model(config))

    def push(self, x_q15: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        result = self._processor.push(x_q15 / 32768.0)
        y_q15 = np.ascontiguousarray(to_q15(result.y.T).T)
        return y_q15, result.gain, 1 - result.band_attenuation, 1 - result.attenuation[None]


class _Line:
    """First in, first out, (rows, k); without the first `late` columns, and at most `most` behind them."""

    def __init__(self, rows: int, dtype: type, late: int = 0, most: int | None = None) -> None:
        self._values: np.ndarray = np.zeros((rows, 0), dtype)
        self._late, self._left = late, most

    @property
    def held(self) -> int:
        """Columns."""
        return self._values.shape[1]

    def add(self, values: np.ndarray) -> None:
        late = min(self._late, values.shape[1])
        self._late -= late
        values = values[:, late:]
        if self._left is not None:
            values = values[:, : self._left]
            self._left -= values.shape[1]
        self._values = np.concatenate([self._values, values], axis=1)

    def take(self, columns: int) -> np.ndarray:
        """The next columns, contiguous."""
        values, self._values = self._values[:, :columns], self._values[:, columns:]
        return np.ascontiguousarray(values)


class Comparison:
    """Two outputs, Q1.15, against each other, in pieces: sums of integers, which are exact."""

    def __init__(self) -> None:
        self._largest = self._noise = self._signal = 0

    def add(self, y_q15: np.ndarray, reference_q15: np.ndarray) -> None:
        """The next samples of both, of one shape."""
        r = reference_q15.astype(np.int64)
        d = y_q15 - r
        self._largest = max(self._largest, int(np.abs(d).max(initial=0)))
        self._noise += int(np.sum(d * d))
        self._signal += int(np.sum(r * r))

    def result(self) -> tuple[int, float | None]:
        """Largest difference in LSB; signal to noise ratio, dB, None where the bits are equal."""
        if self._noise == 0:
            return 0, None
        snr_db = 10 * np.log10(self._signal / self._noise) if self._signal else -np.inf
        return self._largest, float(snr_db)


def accepted_rate(fs_hz: int) -> int:
    """The rate that a file is converted to: the next of the processor's, or its highest.

    44100 Hz serves only what divides it: 32000 Hz becomes 48000 Hz, in the ratio 2 to 3.
    """
    above = [rate for rate in SAMPLE_RATES if rate >= fs_hz and (rate != 44100 or rate % fs_hz == 0)]
    return above[0] if above else SAMPLE_RATES[-1]


def run_q15(x_q15: np.ndarray, config: DynamicsConfig) -> tuple[np.ndarray, Gains]:
    """The firmware's output, in step with the input, and its gains.

    x_q15 : (channels, n) int16, Q1.15
    """
    return _whole(x_q15, Run("q15", config, x_q15.shape[1]))


def run_float(x_q15: np.ndarray, config: DynamicsConfig) -> tuple[np.ndarray, Gains]:
    """The same of the float64 reference, its output rounded to 16 bits."""
    return _whole(x_q15, Run("float", config, x_q15.shape[1]))


def _whole(x_q15: np.ndarray, run: Run) -> tuple[np.ndarray, Gains]:
    ys, gains = zip(*run.push(x_q15), strict=True)
    bands_db, limiter_db = (np.concatenate(nodes, axis=-1) for nodes in zip(*gains, strict=True))
    return np.concatenate(ys, axis=1), Gains(bands_db, limiter_db)


def _to_db(gain: np.ndarray) -> np.ndarray:
    """dB, no less than -200."""
    return (20 * np.log10(np.maximum(gain, 1e-10))).astype(np.float32)
