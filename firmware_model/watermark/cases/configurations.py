"""Golden cases of the watermark detector."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise

import numpy as np

from firmware_model.case import Case, Form, Node
from firmware_model.reference import watermark as reference
from firmware_model.reference.watermark_model import WatermarkModel
from firmware_model.watermark.detector import process_frame
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import FEATURE_STEPS, SCORE_FRAC_BITS, WatermarkConfig, quantise
from firmware_model.watermark.state import init_output, init_probes, init_state
from fixedpoint.qformat import QFormat

_LEVEL = QFormat(24, 8)
_SCORE = QFormat(32 - SCORE_FRAC_BITS, SCORE_FRAC_BITS)
_INTEGER = QFormat(32, 0)


def _signs(config: WatermarkConfig, keys: tuple[str, ...]) -> np.ndarray:
    return np.stack([Key.from_hex(key).signs(config.max_marks, config.slots, config.bands) for key in keys])


class DetectorRun:
    """The detector with its probes on, hop by hop."""

    kernel = staticmethod(process_frame)

    def __init__(self, config: WatermarkConfig, keys: tuple[str, ...]) -> None:
        self.params = quantise(config, _signs(config, keys))
        self.state = init_state(self.params)
        self.output = init_output(self.params)
        self.probes = init_probes(self.params)

    def push(self, x_q15: np.ndarray) -> dict[str, np.ndarray]:
        """See `case.Run`."""
        hop = self.params.hop
        kept: dict[str, list[np.ndarray]] = {
            name: [] for name in ("band_level", "slot_level", "feature", "score", "integrated")
        }
        for start in range(0, x_q15.shape[1], hop):
            process_frame(self.params, self.state, x_q15[0, start : start + hop], self.output, self.probes)
            kept["band_level"].append(self.probes.band_level_q8.copy())
            kept["slot_level"].append(self.probes.slot_sum_q8.copy())
            kept["feature"].append(self.probes.feature.copy())
            kept["score"].append(self.output.score_q9.copy())
            kept["integrated"].append(self.output.integrated_q9.copy())
        return {name: np.ascontiguousarray(np.stack(hops, axis=1)) for name, hops in kept.items()}


def watermark_case(
    name: str, summary: str, stimulus: str, config: WatermarkConfig, keys: tuple[str, ...]
) -> Case:
    """A case of the watermark detector."""
    return Case(
        name=name,
        summary=summary,
        fs_hz=config.fs_hz,
        channels=1,
        block=config.hop,
        stimulus=stimulus,
        nodes=_nodes(config, keys),
        start=partial(DetectorRun, config, keys),
        plain=partial(_plain, config, keys),
        reference=partial(_reference, config, keys),
        form=Form.FIELDS,
        nodes_of={"score_q9": "score", "integrated_q9": "integrated"},
        alternatives=partial(_alternatives, config, keys),
    )


def _alternatives(
    config: WatermarkConfig, keys: tuple[str, ...]
) -> Iterator[tuple[str, Callable[[], DetectorRun]]]:
    """The keys in another order, of octets and of digits too, and the keys of the other cases."""
    octets = tuple(bytes.fromhex(key)[::-1].hex() for key in keys)
    swapped = tuple("".join(key[i + 1] + key[i] for i in range(0, len(key), 2)) for key in keys)
    known = [(key,) * len(keys) for key in (*_KNOWN_KEYS, *keys)]
    for others in dict.fromkeys([keys[::-1], octets, swapped, tuple(key[::-1] for key in keys), *known]):
        if others != keys:
            yield f"key {', '.join(others)}", partial(DetectorRun, config, others)


def _nodes(config: WatermarkConfig, keys: tuple[str, ...]) -> tuple[Node, ...]:
    edges = config.band_edges_hz
    bands = tuple(f"{low:g}-{high:g} Hz" for low, high in pairwise(edges))
    patterns = tuple(f"key {key} pattern {p}" for key in range(len(keys)) for p in range(config.max_marks))
    return (
        Node("band_level", _LEVEL, bands, config.hop),
        Node("slot_level", _LEVEL, bands, config.hop, scale=1 / config.slot_hops),
        Node("feature", _INTEGER, bands, config.hop, scale=1 / FEATURE_STEPS),
        Node("score", _SCORE, patterns, config.hop),
        Node("integrated", _SCORE, tuple(f"key {key}" for key in range(len(keys))), config.hop),
    )


def _plain(config: WatermarkConfig, keys: tuple[str, ...], x_q15: np.ndarray) -> np.ndarray:
    params = quantise(config, _signs(config, keys))
    state, output = init_state(params), init_output(params)
    integrated = []
    for start in range(0, x_q15.shape[1], config.hop):
        process_frame(params, state, x_q15[0, start : start + config.hop], output, None)
        integrated.append(output.integrated_q9.copy())
    return np.ascontiguousarray(np.stack(integrated, axis=1))


def _reference(config: WatermarkConfig, keys: tuple[str, ...], x: np.ndarray) -> dict[str, np.ndarray]:
    model = WatermarkModel(**{name: getattr(config, name) for name in WatermarkModel.__dataclass_fields__})
    signs = _signs(config, keys)
    nodes = reference.trace(x[0], signs, model)
    found = reference.detect(x[0], signs, model)
    return {
        "band_level": nodes.band_level.T,
        "slot_level": nodes.slot_level.T,
        "feature": nodes.feature.T,
        "score": nodes.score.reshape(len(nodes.score), -1).T,
        "integrated": found.integrated.T,
    }


_KNOWN_KEYS = ("5eed5eed5eed5eed", "5eed", "0123456789abcdef", "00" * 8, "ff" * 8)
_SMALL = WatermarkConfig(
    fft_size=512, hop=128, slots=4, slot_hops=8, low_hz=500, high_hz=3500, max_marks=2, threshold=4.0
)
# An FFT that begins with radix 2, wide bands, more patterns than share a row of signs, reports all the time.
_WIDE = WatermarkConfig(
    fft_size=1024,
    hop=128,
    slots=4,
    slot_hops=4,
    low_hz=200,
    high_hz=7900,
    band_bins=8,
    max_marks=5,
    threshold=1,
)

CASES = (
    watermark_case(
        "watermark-detector",
        "detector as shipped, one key, a marked recording with noise, 16 kHz",
        "marked-16k",
        WatermarkConfig(),
        ("5eed5eed5eed5eed",),
    ),
    watermark_case(
        "watermark-small",
        "small layout, two keys, noise and silence, 16 kHz",
        "silence-16k",
        _SMALL,
        ("5eed", "0123456789abcdef"),
    ),
    watermark_case(
        "watermark-wide",
        "wide bands, five patterns, two keys, noise at the rails and of an LSB, 16 kHz",
        "faint-16k",
        _WIDE,
        ("5eed", "0123456789abcdef"),
    ),
)
