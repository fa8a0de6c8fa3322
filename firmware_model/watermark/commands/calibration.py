"""What `calibrate` does: false alarms on unmarked audio with many keys, the threshold for a wanted rate."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from acoustic_sim.sweep.statistics import counted_threshold
from acoustic_sim.sweep.tails import (
    BLOCK_SECONDS,
    Estimate,
    Fit,
    block_hops,
    block_maxima,
    fit_block_maxima,
    fit_exponential,
    fitted_peaks,
    peaks_above,
    poisson_limits,
)
from firmware_model.cli.terminal.output import Step, counted, table
from firmware_model.pcm_stream import AudioStream
from firmware_model.watermark.commands.calibration_files import check_files
from firmware_model.watermark.detector import Detector
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import SCORE_FRAC_BITS, WatermarkConfig
from firmware_model.watermark.state import init_state
from fixedpoint.errors import AudioError, ConfigError

LEAST_SECONDS = 10 * BLOCK_SECONDS  # less says nothing about how one block of it differs from the next
LEAST_PEAKS = 20
PEAKS_FROM = 3.0  # peaks of the score are kept from here on
LARGEST_PER_HOUR = 10.0  # at rates far beyond it peaks below PEAKS_FROM would count
STEP = 0.01  # of a threshold; always rounded up
SHOWN_BELOW, SHOWN_ABOVE = 1.0, 0.5  # thresholds beside the shipped one, in the table of counts


class Heard(NamedTuple):
    """Unmarked audio through the detector.

    score : (hops, keys) int16, Q7.9, all files one after the other, the detector's state cleared before each
    files : rows of name, seconds, largest score of any key
    clipped : samples that the resampler pushed past full scale, by file
    """

    score: np.ndarray
    files: list[dict[str, Any]]
    clipped: list[int]


class Alarms(NamedTuple):
    """What the scores say of false alarms.

    peaks : (n, 2) float, block and score of each peak from PEAKS_FROM on
    hours, key_hours : of audio, and times the keys
    blocks : of audio, whole ones, that are drawn again
    fits : of the block maxima (Gumbel, GEV), and of the highest peaks (exponential), in this order
    """

    peaks: np.ndarray
    hours: float
    key_hours: float
    blocks: int
    fits: list[Fit]

    def counted(self, threshold: float) -> tuple[int, Estimate]:
        """Peaks that reach a threshold, and their rate per hour with exact Poisson limits."""
        count = int(np.count_nonzero(self.peaks[:, 1] >= threshold))
        return count, Estimate(count / self.key_hours, *poisson_limits(count, self.key_hours))


class Choice(NamedTuple):
    """threshold;  from_counts, from_fit : the thresholds that either asks for, None where it cannot say."""

    threshold: float
    from_counts: float | None
    from_fit: float | None

    @property
    def by_fit(self) -> bool:
        """Whether it is the fit that decides, and not what was counted."""
        return self.from_counts is None or (self.from_fit is not None and self.from_fit > self.from_counts)


def calibrate(
    paths: Sequence[str], keys: int, per_hour: float, seed: int, resample: bool, step: Step
) -> tuple[dict[str, Any], list[int]]:
    """Measure false alarms and choose a threshold.

    Parameters
    ----------
    paths : files without a mark
    keys : number of keys, drawn from `seed`
    per_hour : false alarms wanted, at most, for a device that listens for one key
    resample : convert audio of another rate

    Returns
    -------
    facts : what --json prints ;  clipped samples of each file

    Raises
    ------
    ConfigError, AudioError
        A rate outside (0, 10], unreadable audio, audio given twice, or less than ten times 30 s in all.
    """
    if not 0 < per_hour <= LARGEST_PER_HOUR:
        raise ConfigError(f"--false-alarms-per-hour {per_hour:g}: must be in (0, {LARGEST_PER_HOUR:g}]")
    config = WatermarkConfig()
    check_files(paths, config.fs_hz, config.hop, resample)
    rng = np.random.default_rng(seed)
    secrets = [Key(rng.bytes(8)) for _ in range(keys)]
    heard = hear(paths, secrets, config, resample, step)
    step("fit")
    alarms = measure(heard.score / 2**SCORE_FRAC_BITS, config, rng)
    return _facts(heard, alarms, keys, per_hour, config), heard.clipped


def hear(
    paths: Sequence[str], keys: Sequence[Key], config: WatermarkConfig, resample: bool, step: Step
) -> Heard:
    """Integrated scores of all keys, in one pass of the detector over each file, hop by hop."""
    detector = Detector(keys, config)
    scores, files, clipped = [], [], []
    for path in paths:
        step(path)
        detector.state = init_state(detector.params)  # not a new detector: the signs take long to derive
        audio = AudioStream(path, config.fs_hz, 1, config.hop, resample)
        rows = []
        for frame in audio:
            for pcm in frame[0].reshape(-1, config.hop):
                detector.push(pcm)
                rows.append(detector.output.integrated_q9.astype(np.int16))
        scores.append(np.stack(rows))
        top = float(scores[-1].max()) / 2**SCORE_FRAC_BITS
        files.append({"file": path, "seconds": len(rows) * config.hop / config.fs_hz, "largest_score": top})
        clipped.append(audio.clipped)
    seconds = sum(file["seconds"] for file in files)
    # The part of a hop at the end of each file is not heard, and not asked for.
    if seconds + len(files) * config.hop / config.fs_hz <= LEAST_SECONDS:
        raise AudioError(
            f"{paths[0]}{' and others' if len(paths) > 1 else ''}: {math.floor(seconds * 10) / 10} s of "
            f"audio found; {LEAST_SECONDS:g} s or more in all needed, for hours rather than minutes show "
            "false alarms"
        )
    return Heard(np.concatenate(scores), files, clipped)


def measure(score: np.ndarray, config: WatermarkConfig, rng: np.random.Generator) -> Alarms:
    """Peaks, and the laws fitted to them.

    Parameters
    ----------
    score : (hops, keys) float
    rng : draws blocks of audio again, for the limits
    """
    hops = block_hops(config.fs_hz, config.hop)
    hop_hours = config.hop / config.fs_hz / 3600
    maxima = block_maxima(score, hops)
    peaks = peaks_above(score, PEAKS_FROM, config.lockout_hops, hops)
    if len(peaks) < LEAST_PEAKS:
        raise AudioError(
            f"{counted(len(peaks), 'score')} above {PEAKS_FROM:g} found; {LEAST_PEAKS} or more needed for a "
            "fit: more audio, or more --keys"
        )
    peaks[:, 0] = np.minimum(peaks[:, 0], len(maxima) - 1)  # what comes after the last whole block
    hours = len(score) * hop_hours
    fits = fit_block_maxima(maxima, hops * hop_hours, rng)
    fits.append(fit_exponential(peaks, len(maxima), hours * score.shape[1], rng))
    return Alarms(peaks, hours, hours * score.shape[1], len(maxima), fits)


def choose(alarms: Alarms, per_hour: float) -> Choice:
    """The smallest threshold that keeps the rate, by the upper limits of what was counted and of the fit.

    Notes
    -----
    Where enough was heard, the upper Poisson limit of the counted rate must keep to it. The exponential fit's
    upper limit must do so in any case: Poisson's limits take keys over the same audio as independent, which
    redrawn blocks do not. Below the peaks that it was fitted to it says nothing. The larger of both.
    """
    most = range(math.ceil(per_hour * alarms.key_hours) + 1)
    allowed = bisect_right(most, per_hour, key=lambda n: poisson_limits(n, alarms.key_hours)[1]) - 1
    from_counts, from_fit = None, None
    if allowed >= 0:
        from_counts = max(counted_threshold(alarms.peaks[:, 1], allowed), PEAKS_FROM)
    if allowed < 0 or per_hour * alarms.key_hours < fitted_peaks(len(alarms.peaks)):
        from_fit = alarms.fits[-1].threshold(per_hour).high
    threshold = max(value for value in (from_counts, from_fit) if value is not None)
    return Choice(math.ceil(threshold / STEP - 1e-9) * STEP, from_counts, from_fit)


def report(facts: dict[str, Any]) -> str:
    """The facts as tables and lines."""
    shipped, wanted = facts["shipped"], facts["wanted_per_hour"]
    audio = [
        [row["file"], f"{row['seconds'] / 60:.1f}", f"{row['largest_score']:.2f}"] for row in facts["files"]
    ]
    counts = [[f"{row['threshold']:g}", str(row["count"]), _rate(row)] for row in facts["counts"]]
    fits = [[row["fit"], _limits(row["threshold"], 2), _rate(row["at_shipped"])] for row in facts["fits"]]
    lines = [
        table(["file", "minutes", "largest score"], audio),
        "",
        f"{facts['audio_hours']:.2f} h of audio, {counted(facts['keys'], 'key')}: "
        f"{facts['key_hours']:.1f} key-hours, largest score {facts['largest_score']:.2f}",
        "",
        table(["threshold", "false alarms counted", "per hour (95 %)"], counts),
        "",
        table(
            ["fit", f"threshold for {wanted:g} per hour (95 %)", f"per hour at {shipped['threshold']:g}"],
            fits,
        ),
        "",
        f"Threshold for {wanted:g} per hour: {facts['chosen_threshold']:.2f}, {facts['chosen_by']}.",
        _shipped_in_words(facts),
        *facts["limits"],
    ]
    return "\n".join(lines)


def _facts(
    heard: Heard, alarms: Alarms, keys: int, per_hour: float, config: WatermarkConfig
) -> dict[str, Any]:
    """What --json prints."""
    choice = choose(alarms, per_hour)
    thresholds = config.threshold + np.arange(-SHOWN_BELOW, SHOWN_ABOVE + 0.01, 0.25)
    by_threshold = [(round(float(t), 2), *alarms.counted(float(t))) for t in thresholds]
    count, shipped = alarms.counted(config.threshold)
    fits = [
        {
            "fit": fit.name,
            "threshold": fit.threshold(per_hour)._asdict(),
            "at_shipped": fit.per_hour(config.threshold)._asdict(),
        }
        for fit in alarms.fits
    ]
    return {
        "files": heard.files,
        "audio_hours": alarms.hours,
        "keys": keys,
        "key_hours": alarms.key_hours,
        "largest_score": float(heard.score.max()) / 2**SCORE_FRAC_BITS,
        "wanted_per_hour": per_hour,
        "chosen_threshold": round(choice.threshold, 2),
        "chosen_by": _reason(choice),
        "needed_key_hours": poisson_limits(0, 1.0)[1] / per_hour,
        "shipped": {
            "threshold": config.threshold,
            "keeps_the_rate": config.threshold >= choice.threshold,
            "decided_by": alarms.fits[-1].name if choice.by_fit else "count",
            "fits_that_disagree": _disagreeing(alarms, choice, config.threshold, per_hour),
            "count": count,
            **shipped._asdict(),
        },
        "counts": [{"threshold": t, "count": n, **rate._asdict()} for t, n, rate in by_threshold],
        "fits": fits,
        "limits": _limits_of_it(alarms, per_hour),
    }


def _disagreeing(alarms: Alarms, choice: Choice, shipped: float, per_hour: float) -> list[str]:
    """Fits whose own upper limit says otherwise of the shipped threshold than the choice does."""
    known = alarms.fits if choice.from_fit is not None else alarms.fits[:-1]  # see `choose`
    keeps = shipped >= choice.threshold
    others = [fit for fit in known if not (choice.by_fit and fit is alarms.fits[-1])]
    return [fit.name for fit in others if (shipped >= fit.threshold(per_hour).high) != keeps]


def _reason(choice: Choice) -> str:
    if choice.from_counts is None:
        return "the upper limit of the exponential fit: too little was heard to count"
    if not choice.by_fit:
        return "where the upper limit of the counted rate keeps to it"
    return "the upper limit of the exponential fit, above what the counts alone ask for"


def _limits_of_it(alarms: Alarms, per_hour: float) -> list[str]:
    """How far the figures carry, one sentence each."""
    needed = poisson_limits(0, 1.0)[1] / per_hour
    factor = needed / alarms.key_hours
    if factor > 1:
        reach = (
            f"Counting needs {needed:.0f} key-hours for {per_hour:g} per hour, {alarms.key_hours:.1f} were "
            f"heard: the fits extrapolate by a factor of {factor:.1f}."
        )
    else:
        reach = f"Counting needs {needed:.0f} key-hours for {per_hour:g} per hour: nothing is extrapolated."
    return [
        reach,
        f"Limits are from {alarms.blocks} blocks of {BLOCK_SECONDS:g} s of audio, drawn again with "
        "replacement; more keys over the same audio are no other audio, and what was not played has no part "
        "in it.",
        "A Gaussian tail falls faster than an exponential or a Gumbel law: both err on the safe side.",
    ]


def _shipped_in_words(facts: dict[str, Any]) -> str:
    """The verdict with the figure that it rests on, and who says otherwise."""
    shipped, wanted = facts["shipped"], facts["wanted_per_hour"]
    at_shipped = {row["fit"]: _rate(row["at_shipped"]) for row in facts["fits"]}
    alarms = f"{counted(shipped['count'], 'false alarm')} in {facts['key_hours']:.1f} key-hours"
    if shipped["decided_by"] == "count":
        figure, rest = f"the count, {_rate(shipped)} per hour from {alarms}", ""
    else:
        figure = f"the {shipped['decided_by']}, {at_shipped[shipped['decided_by']]} per hour"
        rest = f" Counted alone, {alarms}, it could be up to {shipped['high']:.4f} per hour."
    verdict = "keeps" if shipped["keeps_the_rate"] else "does not keep"
    others = [f"{name}, {at_shipped[name]}" for name in shipped["fits_that_disagree"]]
    contrary = " does not" if shipped["keeps_the_rate"] else " does"
    disagree = f" By another fit it{contrary}: {'; '.join(others)}." if others else " No other fit disagrees."
    return f"The shipped {shipped['threshold']:g} {verdict} to {wanted:g} by {figure}.{rest}{disagree}"


def _rate(row: dict[str, float]) -> str:
    return _limits(row, 4)


def _limits(row: dict[str, float], digits: int) -> str:
    return " ".join((f"{row['value']:.{digits}f}", f"({row['low']:.{digits}f}–{row['high']:.{digits}f})"))
