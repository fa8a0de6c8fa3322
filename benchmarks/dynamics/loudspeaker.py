"""Two profiles on the loudspeaker model at equal peak excursion: bass, loudness and distortion."""

from pathlib import Path
from typing import Any

import numpy as np

from acoustic_sim.loudspeaker import Driver, gain_for_excursion, measure_played_tone, measure_playing
from benchmarks.dynamics.programmes import PEAK_DBFS, load_programme
from benchmarks.harness.report import Table, rounded, verdict
from firmware_model.dynamics.settings.profiles import load_profile
from firmware_model.dynamics.stream import process
from firmware_model.pcm import to_q15
from fixedpoint.errors import AudioError

PEAK_M = 3.0e-3
BASS_TARGET_DB, LOUDNESS_TARGET_LU, DISTORTION_TARGET_DB = 5.0, 0.0, 0.0
TONES_HZ = (63.0, 100.0, 200.0, 1000.0)
TONES_FS_HZ = 48000
SETTLE_S, WINDOW_S = 1.5, 1.0  # of a tone: the slowest release is over, whole periods of 63 Hz

Row = dict[str, Any]


def measure_profile(x_q15: np.ndarray, fs_hz: int, profile: str, driver: Driver) -> Row:
    """What the loudspeaker makes of a recording processed with a profile, at a peak excursion of PEAK_M.

    Returns
    -------
    gain_db, bass_db, loudness_lufs, distortion_db, compression_db, clipped (share of samples at the rail),
    brown_out_s; or `problem` where the excursion cannot be reached
    """
    y = process(x_q15, load_profile(profile, fs_hz, 1)).y_q15[0] / 32768.0
    try:
        gain_db = gain_for_excursion(y, fs_hz, driver, PEAK_M)
    except AudioError as error:
        return {"problem": str(error)}
    playing = measure_playing(y, fs_hz, driver, gain_db)._asdict()
    del playing["peak_m"]  # PEAK_M, within the search's tolerance
    return {"gain_db": gain_db, **playing}


def difference(profile: Row, baseline: Row) -> Row | None:
    """Bass, loudness and distortion of a profile less those of its baseline; None where one has none."""
    if "problem" in profile or "problem" in baseline:
        return None
    return {
        "bass_gain_db": profile["bass_db"] - baseline["bass_db"],
        "loudness_gain_lu": profile["loudness_lufs"] - baseline["loudness_lufs"],
        "distortion_change_db": profile["distortion_db"] - baseline["distortion_db"],
    }


def measure_file(path: Path, profile: str, baseline: str) -> Row:
    """Both profiles on one recording."""
    x_q15, fs_hz = load_programme(path)
    driver = Driver()
    found = {name: measure_profile(x_q15, fs_hz, name, driver) for name in (baseline, profile)}
    return {"recording": path.stem, **found, "difference": difference(found[profile], found[baseline])}


def median_gain_db(rows: list[Row], profile: str) -> float | None:
    """Median of the gains that the recordings took; None where none reached the excursion."""
    gains = [row[profile]["gain_db"] for row in rows if "gain_db" in row[profile]]
    return float(np.median(gains)) if gains else None


def measure_tone(profile: str, gain_db: float, freq_hz: float) -> Row:
    """Harmonics of a steady tone through profile and loudspeaker, and of the profile alone."""
    config = load_profile(profile, TONES_FS_HZ, 1)

    def processed(x: np.ndarray) -> np.ndarray:
        return process(to_q15(x)[None], config).y_q15[0] / 32768.0

    amplitude = 10 ** (PEAK_DBFS / 20)
    settling = {"settle_s": SETTLE_S, "window_s": WINDOW_S}
    tone = measure_played_tone(processed, TONES_FS_HZ, freq_hz, amplitude, Driver(), gain_db, **settling)
    return {
        "profile": profile,
        "freq_hz": freq_hz,
        "gain_db": rounded(gain_db),
        "thd_percent": rounded(tone.whole.thd_percent, 3),
        "profile_thd_percent": rounded(tone.alone.thd_percent, 3),
        "level_db": rounded(20 * float(np.log10(tone.whole.amplitude[0]))),
        "excursion_mm": rounded(1e3 * tone.peak_m, 3),
    }


_MEASURES = (
    ("bass_gain_db", "bass, dB more", BASS_TARGET_DB, True),
    ("loudness_gain_lu", "loudness, LU more", LOUDNESS_TARGET_LU, True),
    ("distortion_change_db", "distortion, dB more", DISTORTION_TARGET_DB, False),
)


def summarise(rows: list[Row]) -> Row:
    """Mean, median and worst of each difference, and how many recordings meet its target."""
    found = [row["difference"] for row in rows if row["difference"] is not None]
    out: Row = {"recordings": len(rows), "compared": len(found)}
    out["meet_all"] = sum(all(_meets(each[m[0]], m) for m in _MEASURES) for each in found)
    for measure in _MEASURES:
        name, _, target, at_least = measure
        values = [each[name] for each in found]
        if values:
            out[name] = {
                "mean": float(np.mean(values)),
                "median": float(np.median(values)),
                "worst": min(values) if at_least else max(values),
                "target": target,
                "met_by": sum(_meets(value, measure) for value in values),
            }
    return out


def _meets(value: float, measure: tuple[str, str, float, bool]) -> bool:
    _, _, target, at_least = measure
    return value >= target if at_least else value <= target


def tabulate(rows: list[Row], summary: Row, profile: str, baseline: str) -> Table:
    """A row for each recording, then mean, median, worst and how many meet the targets."""
    columns = ["recording"]
    columns += [cell for _, name, _, _ in _MEASURES for cell in (name, "target")]
    pair = f"{baseline} / {profile}"
    columns += [f"gain dB, {pair}", "distortion dB, each", "at the rail %", "brown-out s"]
    note = (
        f"{profile} less {baseline} on the default driver in its box, each at the gain at which the cone"
        f" peaks at {1e3 * PEAK_M:g} mm; recordings at {PEAK_DBFS:g} dBFS peak. Bass: 20 to 200 Hz of the"
        " sound pressure, loudness by BS.1770, distortion: what no gain explains of the linear response,"
        f" energy ratio. The last four columns: {pair}. Not reached: at the rail the cone moves less."
    )
    table = Table("At equal excursion on the loudspeaker model", columns, note)
    for row in rows:
        pair_of = (row[baseline], row[profile])
        sides = [
            _both(pair_of, "gain_db", "{:.1f}"),
            _both(pair_of, "distortion_db", "{:.1f}"),
            _both(pair_of, "clipped", "{:.2%}").replace("%", ""),
            _both(pair_of, "brown_out_s", "{:.2f}"),
        ]
        cells = ["-"] * (2 * len(_MEASURES))
        if row["difference"] is not None:
            cells = [c for m in _MEASURES for c in _judged(row["difference"][m[0]], m)]
        table.add(row["recording"], *cells, *sides)
    for which in ("mean", "median", "worst"):
        if summary["compared"]:
            cells = [c for m in _MEASURES for c in _judged(summary[m[0]][which], m)]
            table.add(which, *cells, *[""] * 4)
    if summary["compared"]:
        counts = (f"{summary[name]['met_by']} of {len(rows)}" for name, *_ in _MEASURES)
        table.add("met by", *(cell for count in counts for cell in ("", count)), *[""] * 4)
        all_three = f"{summary['meet_all']} of {len(rows)}"
        table.add("all three met by", "", all_three, *[""] * 8)
    return table


def _judged(value: float, measure: tuple[str, str, float, bool]) -> tuple[str, str]:
    return f"{value:+.1f}", verdict(value, measure[2], at_least=measure[3])


def _both(pair: tuple[Row, Row], name: str, form: str) -> str:
    return " / ".join("not reached" if "problem" in side else form.format(side[name]) for side in pair)


def tabulate_tones(rows: list[Row]) -> Table:
    """Total harmonic distortion of steady tones, a row for each frequency."""
    profiles = list(dict.fromkeys(row["profile"] for row in rows))
    forms = (
        ("THD %", "thd_percent", ".2f"),
        ("alone %", "profile_thd_percent", ".2f"),
        ("dB", "level_db", ".1f"),
        ("mm", "excursion_mm", ".2f"),
    )
    columns = ["tone Hz", *(f"{profile} {name}" for profile in profiles for name, _, _ in forms)]
    gain_of = {row["profile"]: row["gain_db"] for row in rows}
    note = (
        f"Sines at {PEAK_DBFS:g} dBFS through the profile and the loudspeaker at the median gain of the"
        f" recordings above ({', '.join(f'{p} {gain_of[p]:+.1f} dB' for p in profiles)}). Alone: of the"
        " profile without the loudspeaker. dB: amplitude of the tone at 1 m, re 1 Pa; mm: peak excursion."
    )
    table = Table("Total harmonic distortion of steady tones", columns, note)
    for freq_hz in dict.fromkeys(row["freq_hz"] for row in rows):
        at = {row["profile"]: row for row in rows if row["freq_hz"] == freq_hz}
        table.add(f"{freq_hz:g}", *(format(at[p][key], form) for p in profiles for _, key, form in forms))
    return table


def summary_as_json(summary: Row) -> Row:
    """The summary with its figures rounded; targets are judged before."""

    def rounded_in(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: rounded_in(each) for name, each in value.items()}
        return rounded(value, 3) if isinstance(value, float) else value

    return rounded_in(summary)


def as_json(row: Row, profile: str, baseline: str) -> Row:
    """A recording's row with its figures rounded."""
    out: Row = {"recording": row["recording"]}
    for name in (baseline, profile):
        side = row[name]
        out[name] = side if "problem" in side else {key: rounded(side[key], 4) for key in side}
    change = row["difference"]
    return out | {"difference": None if change is None else {k: rounded(v, 3) for k, v in change.items()}}
