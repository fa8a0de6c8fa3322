"""`channel.propagate` of a signal of any length: block by block, what it needs twice lying on disk."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np

from acoustic_sim.blocks.filters import convolved, resampled
from acoustic_sim.blocks.spool import Spool, in_blocks
from acoustic_sim.channel import MICROPHONE_STREAM, NOISE_STREAM, Facts, facts_of, seed_of
from acoustic_sim.loudspeaker import Player
from acoustic_sim.microphone import Converter
from acoustic_sim.noise import ambient_in_blocks
from acoustic_sim.room import impulse_response
from acoustic_sim.scene import Scene
from fixedpoint.errors import AudioError

Tell = Callable[[float], None]
_FIRST_SHARE, _NOISE_SHARE = 0.4, 0.4  # of the work, before noise and microphone


@dataclass(frozen=True)
class LongHeard:
    """What the microphone delivers.

    facts : Facts
    frames : samples at the ADC's own clock
    blocks : of them, (n,) int16, Q1.15; iterate once, while `propagated` is open
    """

    facts: Facts
    frames: int
    blocks: Iterator[np.ndarray]


@contextmanager
def propagated(
    x: Iterable[np.ndarray], n: int, fs_hz: float, scene: Scene, tell: Tell = lambda share: None
) -> Iterator[LongHeard]:
    """Play a signal in the scene and record it.

    Parameters
    ----------
    x : blocks (k,) float, full scale 1.0, the loudspeaker's input; n samples in all
    fs_hz : float, Hz
    tell : called with the share of the work that is done

    Raises
    ------
    AudioError
        As `channel.propagate`; no room for temporary files.

    Notes
    -----
    The samples are those of `channel.propagate` but for the rounding of sums, and of pink noise beyond 131 s
    (`blocks.synthesis.pink_of`): one 16-bit step apart where they differ.
    """
    response, fs_mic_hz = impulse_response(scene), scene.microphone.fs_hz
    player = Player(fs_hz, scene.loudspeaker)
    with ExitStack() as spools:
        y = spools.enter_context(Spool())
        played = (player.push(block) for block in _told(x, n, tell, 0.0, _FIRST_SHARE))
        for block in convolved(in_blocks(resampled(played, fs_hz, fs_mic_hz)), response.h):
            y.add(block)
        if scene.ambient.snr_db is not None:
            _add_noise(y, scene, scene.ambient.snr_db)
        tell(_FIRST_SHARE + _NOISE_SHARE)
        adc_fs_hz = fs_mic_hz * (1 + scene.microphone.drift_ppm * 1e-6)
        if adc_fs_hz != fs_mic_hz:
            at_adc = spools.enter_context(Spool())
            for block in resampled(y.blocks(), fs_mic_hz, adc_fs_hz):
                at_adc.add(block)
            y = at_adc
        converter = Converter(scene.microphone, seed_of(scene, MICROPHONE_STREAM), _peak(y, scene))
        blocks = (converter.push(block) for block in y.blocks())
        yield LongHeard(
            facts_of(response, scene), len(y), _told(blocks, len(y), tell, _FIRST_SHARE + _NOISE_SHARE, 1.0)
        )


def _add_noise(y: Spool, scene: Scene, snr_db: float) -> None:
    """`noise.scale_to_snr`, in place."""
    if y.energy == 0:
        raise AudioError("x is silent: an SNR needs power on both sides")
    ambient, seed = scene.ambient, seed_of(scene, NOISE_STREAM)
    with ambient_in_blocks(ambient.path or ambient.kind, len(y), scene.microphone.fs_hz, seed) as noise:
        scale = np.sqrt(y.power / noise.power * 10 ** (-snr_db / 10))
        y.rewrite(a + scale * b for a, b in zip(y.blocks(), noise.blocks(), strict=True))


def _peak(y: Spool, scene: Scene) -> float:
    """Loudest sample, where the gain depends on it."""
    if scene.microphone.gain_db is not None:
        return 0.0
    return max(float(np.abs(block).max()) for block in y.blocks())


def _told(
    blocks: Iterable[np.ndarray], n: int, tell: Tell, done: float, until: float
) -> Iterator[np.ndarray]:
    """The blocks, and how far they have come, from `done` to `until`."""
    taken = 0
    for block in blocks:
        yield block
        taken += len(block)
        tell(done + (until - done) * taken / n)
