"""Profiles at equal loudness: what each costs in bass, distortion and travel where all are as loud."""

from collections.abc import Sequence

import numpy as np

from firmware_model.report.factors import Factor
from firmware_model.report.measures import Measure, medians_of, short
from firmware_model.report.page import Picture, Section, Table, chart
from firmware_model.report.style import MARKERS, colours, dress, label_ends, new_figure, png

LOUDNESS = "loudness_lufs"
RESIDUAL = "distortion_db"
# Outcome -> words, unit, what it is.
MEASURES = {
    "loudness_lufs": ("loudness", "LUFS", "of the sound pressure, 1 Pa being full scale"),
    "gain_db": ("gain", "dB", "of the processor"),
    "bass_db": ("bass", "dB", "sound pressure from 20 to 200 Hz"),
    "thd_db": ("THD", "dB", "harmonics of a 100 Hz tone over its fundamental"),
    RESIDUAL: ("residual", "dB", "what no linear gain explains, which an echo canceller is left with"),
    "compression_db": ("compression", "dB", "that gain over the loudspeaker's at small signals"),
    "peak_mm": ("peak excursion", "mm", "of the cone"),
    "clipped": ("clipped", "share", "samples at the amplifier's rail"),
    "brown_out_s": ("amplifier off", "s", "for want of supply"),
}


_OVER_LOUDNESS = ("bass_db", "thd_db", RESIDUAL, "peak_mm")


def at_equal_loudness(measures: Sequence[Measure], along: Factor, by: Factor) -> Section | None:
    """Measures over loudness, a curve for each level of `by`; None where these share no loudness.

    Parameters
    ----------
    along : what makes it louder, numbers such as volumes

    Notes
    -----
    Compared at the highest loudness that all of them reach, by straight lines between the medians: at equal
    volume the louder profile would be blamed for its loudness.
    """
    known = {measure.name: measure for measure in measures}
    if LOUDNESS not in known or along.places is None:
        return None
    loudness = _curves(known[LOUDNESS], along, by)
    if not all(len(x) > 1 and np.isfinite(x).all() and (np.diff(x) > 0).all() for x in loudness):
        return None
    common = min(x[-1] for x in loudness)
    if common < max(x[0] for x in loudness):
        return None
    names = [by.of_level(j) for j in range(len(by.labels))]
    shown = [known[name] for name in _OVER_LOUDNESS if name in known]
    curves = [_curves(measure, along, by) for measure in shown]
    at_common = [
        [float(np.interp(common, x, y)) for x, y in zip(loudness, over, strict=True)] for over in curves
    ]
    title = f"At {short(common)} LUFS, the most that every {by.words} reaches"
    caption = (
        f"Medians at each {along.words}. {title}: dashed. THD is that of the tone at this {along.words}."
    )
    finding = f"{title}: {'; '.join(map(_ends, shown, at_common, [names] * len(shown)))}."
    alt = chart(", ".join(measure.title for measure in shown), "loudness", names, finding)
    return Section(
        "At equal loudness",
        [finding],
        [Picture("equal-loudness", _draw(shown, curves, loudness, at_common, names, common), alt, caption)],
        [
            Table(
                [by.words, *(measure.title for measure in shown), f"loudest, {MEASURES[LOUDNESS][1]}"],
                [
                    [name, *(short(values[j]) for values in at_common), short(loudness[j][-1])]
                    for j, name in enumerate(names)
                ],
                note=f"{title}; medians.",
            )
        ],
    )


def _curves(measure: Measure, along: Factor, by: Factor) -> list[np.ndarray]:
    """Medians at each level of `along`, of each level of `by`."""
    return [
        np.array(medians_of(np.where(by.level == j, measure.value, np.nan), along))
        for j in range(len(by.labels))
    ]


def _ends(measure: Measure, values: Sequence[float], names: Sequence[str]) -> str:
    """Who has least and who most."""
    words, unit, _ = MEASURES[measure.name]
    least, most = int(np.argmin(values)), int(np.argmax(values))
    return f"{words} {short(values[least])} {unit} {names[least]}, {short(values[most])} {names[most]}"


def _draw(
    shown: Sequence[Measure],
    curves: Sequence[Sequence[np.ndarray]],
    loudness: Sequence[np.ndarray],
    at_common: Sequence[Sequence[float]],
    names: Sequence[str],
    common: float,
) -> bytes:
    columns = min(2, len(shown))
    n_rows = -(-len(shown) // columns)
    figure, axes = new_figure(5.6 * columns, 3.4 * n_rows, n_rows, columns)
    for one, measure, over, values in zip(axes.ravel(), shown, curves, at_common, strict=False):
        ends = []
        for j, (x, y) in enumerate(zip(loudness, over, strict=True)):
            colour = colours(len(names), False)[j]
            one.plot(x, y, color=colour, marker=MARKERS[j % len(MARKERS)], markersize=5, linewidth=1.6)
            ends.append((x[-1], y[-1], names[j], colour))
        one.axvline(common, color="#888888", linewidth=0.8, linestyle="--")
        words = _ends(measure, values, names)
        dress(one, f"{words[0].upper()}{words[1:]}")
        one.set_xlabel("loudness (LUFS)")
        one.set_ylabel(measure.title)
        label_ends(one, ends)
    for one in axes.ravel()[len(shown) :]:
        one.set_axis_off()
    return png(figure)
