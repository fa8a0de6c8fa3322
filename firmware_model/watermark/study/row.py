"""What a row of a watermark sweep computes: marks through the whole path, and who finds them."""

import hashlib
import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import scipy
import soxr

import fixedpoint
from acoustic_sim.border.array_store import cached, content_key, source_key
from acoustic_sim.border.one_thread import one_thread
from acoustic_sim.codec import parse_codec
from acoustic_sim.programmes.programme import Extent, blamed, excerpt, excerpt_key, rate_of
from acoustic_sim.scene import Scene
from acoustic_sim.sweep import playback
from acoustic_sim.sweep.design import Condition
from firmware_model import watermark
from firmware_model.golden.causes.faults.products import parse_fault
from firmware_model.product import find_product
from firmware_model.watermark.detector import detect
from firmware_model.watermark.embedding.embedder import embed
from firmware_model.watermark.embedding.embedder_input import check_settings, marks_that_fit
from firmware_model.watermark.faults import detect_faulty
from firmware_model.watermark.key import Key
from firmware_model.watermark.measures import metrics
from firmware_model.watermark.measures.float_twin import float_detect
from firmware_model.watermark.measures.mark_scores import (
    expected_hops,
    largest_in_stretches,
    mark_scores,
    report_latencies_s,
)
from firmware_model.watermark.params import WatermarkConfig
from fixedpoint.errors import AudioError, BittrueError

# Name and type of each part of an outcome; any of them may be None.
OUTCOME: dict[str, type] = {
    "marks": int,  # embedded and heard
    "found": int,  # alone, or as one of several whose scores were added
    "found_one": int,  # alone
    "strays": int,  # detections at no mark
    "score": float,  # largest of mark_scores
    "mark_scores": list,  # of each mark with those before it, at the hop where it is known to end
    "one_mark_scores": list,  # of each mark alone
    "impostor_scores": list,  # key after key of others: the largest in each stretch of a mark's length
    "latency_s": float,  # from a mark's end to its report, median over those found
    "mark_latencies_s": list,  # that of each mark, None of those not found
    "hops_differ": int,  # at which another decision is taken than in exact Q15; None in exact Q15
    "wsr_db": float,  # watermark to signal, as embedded
    "rt60_s_measured": float,
    "drr_db": float,
    "delay_s": float,  # of the room
    "snr_db_at_microphone": float,  # None without noise
    "seconds": float,  # heard
}
IMPOSTOR_SETS = 16  # sets of keys of others; which one is drawn by the row's seed
_CONFIG = WatermarkConfig()
_BEFORE_NOISE = ("key", "mode", "strength_db", *playback.BEFORE_NOISE)


class _KnownKey(Key):
    """A key whose signs are kept: deriving them takes ten times as long as using them."""

    def signs(self, patterns: int, slots: int, bands: int) -> np.ndarray:
        return _signs(self.octets, patterns, slots, bands)


class _Marked(NamedTuple):
    """y : (n,) float64 at fs_hz, decided by `key`;  marks_s : (marks,) starts;  wsr_db : None of silence."""

    y: np.ndarray
    fs_hz: int
    marks_s: np.ndarray
    wsr_db: float | None
    key: str


class _Arrived(NamedTuple):
    """What arrives at the microphone of a group of rows."""

    marked: _Marked
    arriving: playback.Arriving


class _Scores(NamedTuple):
    """What a detector says of own key and impostors; see `watermark.detector.Detected`."""

    detections: list[Any]
    scores: np.ndarray
    integrated: np.ndarray


def parse_arithmetic(text: str) -> Any:
    """None of "q15" and "float", a Fault of "q15+FAULT".

    Raises
    ------
    ConfigError
    """
    _, plus, fault = text.partition("+")
    return parse_fault(fault, find_product("watermark")) if plus else None


def check_programme(path: str) -> None:
    """Refuse a file whose rate is too low to be marked: AudioError."""
    check_settings(rate_of(path), "live", 0.0, _CONFIG)


def check_extent(extent: Extent) -> None:
    """Refuse an excerpt that is shorter than a mark: AudioError."""
    if extent.fs_hz >= _CONFIG.fs_hz and not marks_that_fit(extent.samples, extent.fs_hz, _CONFIG):
        needed = -(-_CONFIG.mark_samples * extent.fs_hz // _CONFIG.fs_hz)
        needed_s = -(-needed * 10_000 // extent.fs_hz) / 10_000  # rounded up, so that it suffices
        raise AudioError(f"a mark needs {needed_s:g} s")


CHECKS: dict[str, Callable[[Any], object]] = {
    "codec": parse_codec,
    "key": Key.from_hex,
    "arithmetic": parse_arithmetic,
    "programme": check_programme,
    "seconds": check_extent,
    "rir": playback.check_response,
}


def group_key(condition: Condition) -> Hashable:
    """Rows of one key share embedding, codec and room; they differ at the microphone or in the detector."""
    decisive = (condition.values[name] for name in _BEFORE_NOISE)
    return condition.programme, condition.seconds, condition.seed, *decisive


def evaluate(conditions: Sequence[Condition]) -> Iterator[tuple[Condition, dict[str, Any] | str]]:
    """Each row's outcome, or in one line why there is none; neighbours share what they have in common."""
    arrived: tuple[Hashable, _Arrived | BittrueError] | None = None
    heard: tuple[Hashable, _Recording] | None = None
    for condition in conditions:
        group, recording = group_key(condition), _recording_key(condition)
        with one_thread():
            if arrived is None or arrived[0] != group:
                arrived = group, _arrive_or_fail(condition)
            sound = arrived[1]
            try:
                if isinstance(sound, BittrueError):
                    raise sound
                if heard is None or heard[0] != recording:
                    heard = recording, _record(condition, sound)
                outcome: dict[str, Any] | str = _outcome(condition, sound, heard[1])
            except BittrueError as error:
                outcome = _line(error, condition)
        yield condition, outcome


def _line(error: BittrueError, condition: Condition) -> str:
    """An error by the plan's names: a scene calls the noise ambient."""
    return condition.in_plans_names(re.sub(r"^ambient=", "noise=", str(error)))


def heard(condition: Condition) -> tuple[np.ndarray, int]:
    """What the microphone of a row delivers: (n,) int16, Q1.15, and its rate, Hz."""
    try:
        with one_thread():
            return _record(condition, _arrive(condition)).pcm, _scene(condition).microphone.fs_hz
    except BittrueError as error:
        raise BittrueError(_line(error, condition)) from error


class _Recording:
    """A recording, its SNR in dB or None, and what each arithmetic makes of it, computed once."""

    def __init__(self, pcm: np.ndarray, snr_db: float | None, keys: list[Key]) -> None:
        self.pcm, self.snr_db, self._keys = pcm, snr_db, keys
        self._found: dict[str, _Scores] = {}

    def by(self, arithmetic: str) -> _Scores:
        """Own key and impostors in one pass."""
        if arithmetic not in self._found:
            self._found[arithmetic] = self._detect(arithmetic)
        return self._found[arithmetic]

    def _detect(self, arithmetic: str) -> _Scores:
        if arithmetic == "float":
            return _Scores(*float_detect(self.pcm, self._keys, _CONFIG))
        fault = parse_arithmetic(arithmetic)
        found = (
            detect(self.pcm, self._keys, _CONFIG)
            if fault is None
            else detect_faulty(self.pcm, self._keys, _CONFIG, fault)
        )
        return _Scores(found.detections, found.scores, found.integrated)


def _scene(condition: Condition) -> Scene:
    return playback.scene_of(condition.values, condition.seed)


def _recording_key(condition: Condition) -> Hashable:
    at_the_microphone = (condition.values[name] for name in playback.AT_THE_MICROPHONE)
    return group_key(condition), condition.impostor_keys, *at_the_microphone


def _record(condition: Condition, arrived: _Arrived) -> _Recording:
    with blamed(condition.programme):
        recorded = playback.record(arrived.arriving, _scene(condition), condition.values)
    return _Recording(recorded.pcm, recorded.snr_db, _keys(condition))


def _arrive(condition: Condition) -> _Arrived:
    values, programme = condition.values, condition.programme
    with blamed(programme):
        marked = _mark(
            programme,
            condition.seconds,
            condition.seed,
            values["key"],
            values["mode"],
            values["strength_db"],
        )
        if marked.wsr_db is None:  # marks that are not there would count as missed
            raise AudioError("silent in this excerpt; a mark needs a sound to hide in")
        x = playback.at_the_loudspeaker(marked.y, marked.fs_hz, marked.key, values)
        return _Arrived(marked, playback.before_noise(x, marked.fs_hz, _scene(condition)))


def _arrive_or_fail(condition: Condition) -> _Arrived | BittrueError:
    """A room that cannot be built takes long to find out: once for a group."""
    try:
        return _arrive(condition)
    except BittrueError as error:
        return error


@lru_cache(maxsize=8)
def _mark(
    programme: str, seconds: float, seed: int, key_hex: str, mode: str, strength_db: float | None
) -> _Marked:
    """A marked excerpt, made once for all processes."""
    versions = source_key(watermark, fixedpoint), np.__version__, scipy.__version__, soxr.__version__
    facts = (
        excerpt_key(programme, seconds, seed),
        key_hex.lower(),
        mode,
        strength_db,
        repr(_CONFIG),
        *versions,
    )
    key = content_key("marked", *facts)

    def build() -> dict[str, np.ndarray]:
        x, fs_hz = excerpt(programme, seconds, seed)
        done = embed(x, fs_hz, _known(key_hex), mode=mode, strength_db=strength_db, config=_CONFIG)
        wsr_db = [] if done.wsr_db is None else [done.wsr_db]
        return {
            "y": done.y,
            "fs_hz": np.array(fs_hz),
            "marks_s": done.marks_s,
            "wsr_db": np.array(wsr_db, np.float64),
        }

    kept = cached("marked", key, build)
    wsr_db = float(kept["wsr_db"][0]) if kept["wsr_db"].size else None
    return _Marked(kept["y"], int(kept["fs_hz"]), kept["marks_s"], wsr_db, key)


def _keys(condition: Condition) -> list[Key]:
    """Own key, then those of others, which no row embeds."""
    which = condition.seed % IMPOSTOR_SETS
    others = (f"impostor {which} {index}".encode() for index in range(condition.impostor_keys))
    return [
        _known(condition.values["key"]),
        *(_KnownKey(hashlib.sha256(text).digest()[:8]) for text in others),
    ]


def _known(key_hex: str) -> _KnownKey:
    return _KnownKey(Key.from_hex(key_hex).octets)


@lru_cache(maxsize=512)
def _signs(octets: bytes, patterns: int, slots: int, bands: int) -> np.ndarray:
    signs = Key(octets).signs(patterns, slots, bands)
    signs.setflags(write=False)
    return signs


def _outcome(condition: Condition, arrived: _Arrived, heard: _Recording) -> dict[str, Any]:
    found, config = heard.by(condition.values["arithmetic"]), _CONFIG
    response = arrived.arriving.response
    drift_ppm, delay_s = condition.values["drift_ppm"], response.delay_s
    marks_s = arrived.marked.marks_s
    # The marks leave the loudspeaker on true time; the detector counts seconds on the microphone's clock.
    heard_s = (marks_s + delay_s) * (1 + drift_ppm * 1e-6)
    own = [detection for detection in found.detections if detection.key == 0]
    tolerance_s = metrics.match_tolerance_s(config)
    hits = metrics.match_marks(own, heard_s, config.mark_seconds, tolerance_s)
    latencies_s = report_latencies_s(own, heard_s, len(found.integrated), tolerance_s, config)
    reported_s = latencies_s[~np.isnan(latencies_s)]
    hops = expected_hops(marks_s, delay_s, drift_ppm, config)
    one, run = mark_scores(found.scores[:, 0], hops, config.max_marks, config.mark_hops)
    return {
        "marks": len(marks_s),
        "found": int(hits.found.sum()),
        "found_one": int(hits.one_mark.sum()),
        "strays": hits.strays,
        "score": float(run.max()) if run.size else None,
        "mark_scores": run.tolist(),
        "one_mark_scores": one.tolist(),
        "impostor_scores": largest_in_stretches(found.integrated[:, 1:], config.mark_hops).ravel().tolist(),
        "latency_s": float(np.median(reported_s)) if reported_s.size else None,
        "mark_latencies_s": [None if np.isnan(each) else each for each in latencies_s.tolist()],
        "hops_differ": _hops_differ(condition.values["arithmetic"], heard),
        "wsr_db": arrived.marked.wsr_db,
        "rt60_s_measured": response.rt60_s,
        "drr_db": response.drr_db,
        "delay_s": delay_s,
        "snr_db_at_microphone": heard.snr_db,
        "seconds": len(heard.pcm) / config.fs_hz,
    }


def _hops_differ(arithmetic: str, heard: _Recording) -> int | None:
    """Of the own key."""
    if arithmetic == "q15":
        return None
    exact, other = heard.by("q15").integrated[:, :1], heard.by(arithmetic).integrated[:, :1]
    if arithmetic == "float":
        return metrics.decisions_differ(exact, other, _CONFIG.threshold)
    return int(np.count_nonzero((exact >= _CONFIG.threshold) != (other >= _CONFIG.threshold)))
