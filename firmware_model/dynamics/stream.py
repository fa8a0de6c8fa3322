"""The processor at its border: whole recordings, streams in blocks of any size, changes while running."""

from typing import NamedTuple

import numpy as np

from firmware_model.dynamics.change import ChangeState, carry_levels, init_change, process_change
from firmware_model.dynamics.processor import DynamicsProbes, init_probes, process_frame
from firmware_model.dynamics.settings.params import DynamicsConfig
from firmware_model.dynamics.settings.tuning import DynamicsParams, quantise
from firmware_model.dynamics.state import init_state, state_bytes
from fixedpoint.errors import AudioError, ConfigError


class Processor:
    """A running multiband dynamics processor.

    Parameters
    ----------
    config : DynamicsConfig

    Notes
    -----
    Samples may come in blocks of any size: the output is the same, bit for bit. It is
    `config.latency_samples` behind the input; up to a control block more is held back until it is whole.
    """

    def __init__(self, config: DynamicsConfig) -> None:
        self.config = config
        self.params = quantise(config)
        self.state = init_state(self.params)
        self._rest = np.zeros((config.channels, 0), np.int16)
        self._after: tuple[DynamicsConfig, DynamicsParams, ChangeState] | None = None

    @property
    def ram_bytes(self) -> int:
        """Memory of the firmware, bytes; while settings change, with that of the change."""
        return state_bytes(self.state) + (state_bytes(self._after[2]) if self._after else 0)

    @property
    def changing(self) -> bool:
        """Whether a change of settings is under way."""
        return self._after is not None

    def push(self, x_q15: np.ndarray) -> np.ndarray:
        """Process samples as they come.

        Parameters
        ----------
        x_q15 : (channels, n) int16, Q1.15; (n,) is taken for one channel

        Returns
        -------
        (channels, m) int16, Q1.15; m is n, less or more by what is held back

        Raises
        ------
        AudioError
            Another dtype or another number of channels.
        """
        x_q15 = np.concatenate([self._rest, as_channels(x_q15, self.config.channels)], axis=1)
        whole = x_q15.shape[1] >> self.params.control_shift << self.params.control_shift
        self._rest = x_q15[:, whole:]
        y_q15 = np.empty((self.config.channels, whole), np.int16)
        done = 0
        if self._after is not None:
            done = min(whole, self._samples_of_change_left())
            self._process_change(np.ascontiguousarray(x_q15[:, :done]), y_q15, done)
        if done < whole:
            tail = np.empty((self.config.channels, whole - done), np.int16)
            process_frame(self.params, self.state, np.ascontiguousarray(x_q15[:, done:whole]), tail, None)
            y_q15[:, done:] = tail
        return y_q15

    def configure(self, config: DynamicsConfig) -> None:
        """Go over to other settings without a click: edges, splits, bands, any parameter but the delays.

        Takes effect over the next tenth of a second (`change.SETTLE_S`, `FADE_S`) of pushed samples.

        Raises
        ------
        ConfigError
            Another sample rate, number of channels or latency; or the last change is still under way.
        """
        if self._after is not None:
            raise ConfigError("configure: the last change is still under way; push 0.1 s of samples first")
        for name in ("fs_hz", "channels", "band_blocks", "limiter_blocks"):
            now, wanted = getattr(self.config, name), getattr(config, name)
            if now != wanted:
                raise ConfigError(f"{name}={wanted}: must stay {now} while running")
        params = quantise(config)
        change = init_change(params, config.fs_hz)
        carry_levels(self.config, self.state.bank, config, change.bank)
        self._after = config, params, change

    def _samples_of_change_left(self) -> int:
        assert self._after is not None
        change, samples = self._after[2], 1 << self.params.control_shift
        left = int(change.fade[0]) + int(change.fade[1]) - int(change.clock[0])
        return -(-left // samples) * samples

    def _process_change(self, x_q15: np.ndarray, y_q15: np.ndarray, n: int) -> None:
        assert self._after is not None
        config, params, change = self._after
        head = np.empty((self.config.channels, n), np.int16)
        process_change(self.params, self.state, params, change, x_q15, head)
        y_q15[:, :n] = head
        if self._samples_of_change_left() <= 0:
            self.config, self.params, self._after = config, params, None
            self.state = self.state._replace(bank=change.bank)


class Processed(NamedTuple):
    """A recording that was processed.

    y_q15 : (channels, n) int16, Q1.15, in step with the input: the latency is taken away
    probes : DynamicsProbes or None, of the latency and the padding as well
    ram_bytes : memory of the firmware
    """

    y_q15: np.ndarray
    probes: DynamicsProbes | None
    ram_bytes: int


def process(x_q15: np.ndarray, config: DynamicsConfig, *, probes: bool = False) -> Processed:
    """Process a whole recording.

    Parameters
    ----------
    x_q15 : (channels, n) int16, Q1.15; (n,) is taken for one channel
    probes : whether to keep the internal nodes

    Raises
    ------
    AudioError
        Another dtype or another number of channels.
    """
    x_q15 = as_channels(x_q15, config.channels)
    n = x_q15.shape[1]
    params = quantise(config)
    state = init_state(params)
    padded = pad_for_latency(x_q15, config)
    y_q15 = np.empty_like(padded)
    nodes = init_probes(params, padded.shape[1]) if probes else None
    process_frame(params, state, padded, y_q15, nodes)
    late = config.latency_samples
    return Processed(y_q15[:, late : late + n], nodes, state_bytes(state))


def pad_for_latency(x: np.ndarray, config: DynamicsConfig) -> np.ndarray:
    """(channels, n) with zeros after it: for the latency, and up to a whole control block."""
    samples = config.control_samples
    extra = config.latency_samples + -x.shape[1] % samples
    return np.pad(x, ((0, 0), (0, extra)))


def as_channels(x_q15: np.ndarray, channels: int) -> np.ndarray:
    """(channels, n) int16, contiguous.

    Raises
    ------
    AudioError
    """
    if x_q15.dtype != np.int16:
        raise AudioError(f"x_q15 of dtype {x_q15.dtype}: must be int16")
    x_q15 = np.atleast_2d(x_q15)
    if x_q15.ndim != 2 or x_q15.shape[0] != channels:
        raise AudioError(f"x_q15 of shape {x_q15.shape}: must be ({channels}, n)")
    return np.ascontiguousarray(x_q15)
