"""What a watermark's sweep found, in words: findings and titles."""

from collections.abc import Sequence

import numpy as np

from acoustic_sim.sweep.statistics import Rate
from firmware_model.cli.terminal.output import counted
from firmware_model.report.factors import Factor
from firmware_model.watermark.report.trials import (
    FEW_MISSED,
    LEAST_EXCERPTS,
    Comparison,
    Findings,
    Operating,
    misses,
    misses_by_two,
    reach,
)

MOST_NAMED = 5  # of kinds, in a sentence


def reach_in_words(found: Findings, along: Factor | None) -> str:
    """Up to where few are missed, of an axis of numbers; the best and the worst, of kinds."""
    rates = misses(found.trials, found.trials.score, along, found.threshold)
    few = f"{100 * FEW_MISSED:g} %"
    if along is None:
        return f"{percent(found.overall)} of the marks are missed"
    known = [i for i, rate in enumerate(rates) if rate.total]
    if not found.overall.found and along.places is None:
        return f"With every {along.words} no mark is missed"
    if along.places is None:
        return _kinds_in_words(along, rates, known, few)
    last = reach(rates)
    if last == known[-1]:
        span = f"{along.of_level(known[0])} to {along.of_level(last)}"
        missed = f"at most {few} of the marks are" if found.overall.found else "no mark is"
        return f"At every {along.words} from {span} {missed} missed"
    if last is None and len({rates[i].value for i in known}) == 1:
        return f"Whatever the {along.words}, {percent(found.overall)} of the marks are missed"
    if last is None:
        return _from_in_words(along, rates, known, few) or spread_in_words(found, along)
    beyond = min(i for i in known if i > last)
    return (
        f"Up to {along.of_level(last)} of {along.words} at most {few} of the marks are missed, "
        f"at {along.of_level(beyond)} {percent(rates[beyond])}"
    )


def reach_by_in_words(found: Findings, by: Factor) -> str:
    """Up to where few are missed at each level of a factor: the finding of a picture with these curves."""
    assert found.along is not None
    rates = misses_by_two(found.trials, found.along, by, found.threshold)
    names = [by.of_level(j) for j in range(len(by.labels))]
    words = f"{found.along.words[0].upper()}{found.along.words[1:]}"
    return (
        f"{words} with at most {100 * FEW_MISSED:g} % of the marks missed, by {by.words}: "
        f"{limits_in_words(found.along, names, rates)}"
    )


def limits_in_words(along: Factor, names: Sequence[str], rates: Sequence[Sequence[Rate]]) -> str:
    """Where few are missed, of each curve: "20 dB up to 9 m, 0 dB nowhere"."""
    return ", ".join(f"{name} {_limit(along, curve)}" for name, curve in zip(names, rates, strict=True))


def _limit(along: Factor, rates: Sequence[Rate]) -> str:
    """Up to which level, or where it is the high ones that are good, from which on."""
    last, first = reach(rates), reach(rates[::-1])
    if last is not None and not any(rate.total for rate in rates[last + 1 :]):
        return "throughout"
    if last is not None:
        return f"up to {along.of_level(last)}"
    return "nowhere" if first is None else f"from {along.of_level(len(rates) - 1 - first)} on"


def _from_in_words(along: Factor, rates: Sequence[Rate], known: Sequence[int], few: str) -> str:
    """From where on few are missed, where more is better, such as of an SNR; "" if they are nowhere."""
    last = reach(rates[::-1])
    if last is None:
        return ""
    first = len(rates) - 1 - last
    below = max(i for i in known if i < first)
    return (
        f"From {along.of_level(first)} of {along.words} on at most {few} of the marks are missed, "
        f"at {along.of_level(below)} {percent(rates[below])}"
    )


def _kinds_in_words(along: Factor, rates: Sequence[Rate], known: Sequence[int], few: str) -> str:
    """The kinds that miss too many, the worst first."""
    bad = sorted((i for i in known if rates[i].value > FEW_MISSED), key=lambda i: -rates[i].value)
    if not bad:
        return f"With every {along.words} at most {few} of the marks are missed"
    listed = ", ".join(f"{along.of_level(i)} ({percent(rates[i])})" for i in bad[:MOST_NAMED])
    more = f" and {len(bad) - MOST_NAMED} more" if len(bad) > MOST_NAMED else ""
    rest = len(known) - len(bad)
    return f"More than {few} of the marks are missed with {along.words} {listed}{more}" + (
        f", with the other {rest} no more than that" if rest else ""
    )


def lowest_in_words(found: Findings) -> str:
    """The mark that is nearest to being missed, or furthest below."""
    lowest = int(np.argmin(found.trials.score))
    along, value = found.along, found.trials.score[lowest]
    where = (
        ""
        if along is None
        else f", with {along.words} {along.of_level(along.level[found.trials.row[lowest]])}"
    )
    return f"the lowest score of a mark is {value:.1f}{where}"


def spread_in_words(found: Findings, factor: Factor) -> str:
    """What a factor does, all else averaged."""
    rates = misses(found.trials, found.trials.score, factor, found.threshold)
    known = [i for i, rate in enumerate(rates) if rate.total]
    best, most = (pick(known, key=lambda i: rates[i].value) for pick in (min, max))
    if rates[best].value == rates[most].value:
        return f"By {factor.words}: no difference"
    return (
        f"By {factor.words}: {factor.of_level(best)} misses {percent(rates[best])}, "
        f"{factor.of_level(most)} {percent(rates[most])}"
    )


def comparison_in_words(comparison: Comparison) -> str:
    paired, other = comparison.paired, comparison.other
    differ = f"scores differ by at most {largest_difference(comparison):.2g}"
    if not paired.discordant:
        return f"q15 and {other} decide alike on {all_of(paired.trials, 'mark')}; {differ}."
    verdict = "more than chance explains" if paired.p < 0.05 else "no more than chance explains"
    if not paired.can_tell:
        verdict = "too few to tell"
    return (
        f"q15 and {other} decide differently on {paired.discordant} of {several(paired.trials, 'mark')} "
        f"({paired.first_only} found by q15 alone, {paired.second_only} by {other} alone): {verdict} "
        f"(McNemar, {p_in_words(paired.p)}); {differ}."
    )


def threshold_in_words(found: Findings) -> str:
    operating, hours = found.operating, found.trials.unmarked_hours
    value, low, high = operating.threshold
    excerpts, rate = found.trials.excerpts, _per_hour(operating)
    if operating.how == "shipped":
        counted_at = f"misses are counted at the shipped {value:g}"
        if not excerpts:
            return f"No key that marks nothing was listened for: {counted_at}."
        few = f" ({LEAST_EXCERPTS} are needed)" if excerpts < LEAST_EXCERPTS else ""
        return (
            f"{hours:.2g} h without a mark, of {several(excerpts, 'excerpt')}{few}, are too little to place "
            f"a threshold for {rate}: {counted_at}."
        )
    heard = (
        f"{len(found.trials.unmarked):,} stretches without a mark, {hours:.1f} h with one key, "
        f"of {several(excerpts, 'excerpt')}"
    )
    if len(found.trials.rows) > excerpts:
        heard += ", each in several rows"
    if operating.how == "counted":
        return f"A threshold of {value:.2f} gives {rate}, counted on {heard}."
    factor = 1 / (operating.per_hour * hours)
    return (
        f"A threshold of {value:.2f} ({low:.2f}–{high:.2f}) gives {rate}, by an exponential fit to the "
        f"highest scores of {heard}"
        + (f"; it reaches {factor:.1f} times beyond what was heard" if factor > 1 else "")
        + ". bittrue calibrate measures it on long audio."
    )


def at(operating: Operating) -> str:
    if operating.how == "shipped":
        return f"at the shipped threshold, {operating.threshold.value:g}"
    return f"at {_per_hour(operating)} (threshold {operating.threshold.value:.2f})"


def _per_hour(operating: Operating) -> str:
    return f"{operating.per_hour:g} false alarm{'' if operating.per_hour == 1 else 's'} per hour"


def percent(rate: Rate) -> str:
    """Two digits; 0 % and 100 % mean none and all."""
    share = _share(rate)
    return f"{share:.0f} %" if 10 <= share < 99.5 or share in (0, 100) else f"{share:.1f} %"


def with_limits(rate: Rate) -> str:
    """Rounded, of misses: cut off, as `Rate` writes what was found, they would look better than they are.

    0.0 and 100.0 mean none and all.
    """
    if not rate.total:
        return "-"
    low, high = (100 * limit for limit in rate.interval)
    return f"{_share(rate):.1f} % ({low:.1f}–{high:.1f})"


def _share(rate: Rate) -> float:
    """In per cent; what is neither none nor all is not rounded to them."""
    share = 100 * rate.value
    return min(max(share, 0.1), 99.9) if 0 < rate.found < rate.total else share


def probability(p: float) -> str:
    return f"{p:.2g}" if p >= 1e-4 else "< 0.0001"


def p_in_words(p: float) -> str:
    """For a sentence: "p = 0.25", "p < 0.0001"."""
    return f"p = {probability(p)}".replace("= <", "<")


def largest_difference(comparison: Comparison) -> float:
    return float(np.abs(comparison.first - comparison.second).max(initial=0.0))


def all_of(count: int, noun: str) -> str:
    """For a sentence: "all 972 marks", "the one mark"."""
    return f"the one {noun}" if count == 1 else f"all {several(count, noun)}"


def several(count: int, noun: str) -> str:
    """Thousands set apart: "12,000 marks"."""
    return counted(count, noun).replace(str(count), f"{count:,}", 1)
