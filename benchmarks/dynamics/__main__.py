"""The dynamics processor: accuracy, limits, the loudspeaker it is made for, and cost.

Crossover and whole chain are held against float64; threshold and silence are facts of the integers; a profile
and its baseline play on the loudspeaker model at equal excursion. `--profiles` names the measured profile,
its baseline and any others, as names or TOML files.
"""

import argparse
from typing import Any

from benchmarks.dynamics import chain, cost, crossover, limits, loudspeaker
from benchmarks.dynamics.programmes import PROFILES, check_profiles, music_files, programmes
from benchmarks.harness.pool import run_tasks
from benchmarks.harness.report import TRIALS, Table, arguments, publish, run
from firmware_model.dynamics.settings.params import SAMPLE_RATES
from fixedpoint.errors import ConfigError

RANDOM_SETS, QUICK_SETS = 60, 4

Section = tuple[list[Table], dict[str, Any]]


def measure_crossover(profiles: tuple[str, ...], quick: bool, jobs: int) -> Section:
    """Flatness of the sum, closeness of the bands."""
    groups = crossover.edge_sets(QUICK_SETS if quick else RANDOM_SETS, profiles)
    rows = run_tasks("crossover", crossover.measure_group, list(groups.items()), jobs)
    return [crossover.tabulate(rows)], {"crossover": rows}


def measure_chain(profiles: tuple[str, ...], quick: bool, jobs: int) -> Section:
    """A table of profiles, and one of recordings for the first profile."""
    chosen = programmes(quick)
    tasks = [(name, paths, profile) for name, paths in chosen.items() for profile in profiles]
    tasks.sort(key=lambda task: -len(task[1]))  # the longest first, or the last would run alone
    rows = run_tasks("whole chain", chain.measure_programme, tasks, jobs)
    rows.sort(key=lambda row: list(chosen).index(row["programme"]))
    totals = [chain.total(rows, profile) for profile in profiles]
    tables = [chain.tabulate_totals(totals), chain.tabulate_programmes(rows, profiles[0])]
    data = {"total": list(map(chain.facts, totals)), "recordings": list(map(chain.facts, rows))}
    return tables, {"chain": data}


def measure_limits(profiles: tuple[str, ...], quick: bool, jobs: int) -> Section:
    """Adversarial input, and silence after loud input."""
    tasks = [
        (profile, fs_hz, channels, quick)
        for profile in (*profiles, limits.HOSTILE)
        for fs_hz in SAMPLE_RATES
        for channels in (1, 2)
    ]
    limiter = run_tasks("threshold", limits.measure_limiter, tasks, jobs)
    tasks_of_silence = [(profile, fs_hz) for profile in profiles for fs_hz in SAMPLE_RATES]
    silence = run_tasks("silence", limits.measure_silence, tasks_of_silence, jobs)
    data = {"limiter": limiter, "silence": silence}
    return [limits.tabulate(limiter, silence)], data


def measure_loudspeaker(profile: str, baseline: str, quick: bool, jobs: int) -> Section:
    """Recordings at equal excursion, then steady tones at the gains that these took."""
    files = [(path, profile, baseline) for path in music_files(quick)]
    rows = run_tasks("loudspeaker", loudspeaker.measure_file, files, jobs)
    summary = loudspeaker.summarise(rows)
    tables = [loudspeaker.tabulate(rows, summary, profile, baseline)]
    found = loudspeaker.summary_as_json(summary)
    recordings = [loudspeaker.as_json(row, profile, baseline) for row in rows]
    gains = {name: loudspeaker.median_gain_db(rows, name) for name in (baseline, profile)}
    tones = [
        (name, gain_db, freq_hz)
        for name, gain_db in gains.items()
        if gain_db is not None
        for freq_hz in loudspeaker.TONES_HZ
    ]
    thd = run_tasks("tones", loudspeaker.measure_tone, tones, jobs) if tones else []
    if thd:
        tables.append(loudspeaker.tabulate_tones(thd))
    return tables, {"loudspeaker": {"summary": found, "recordings": recordings, "tones": thd}}


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--profiles", nargs="+", help="the measured profile, its baseline, others (a trial); names or TOML"
    )


def main() -> None:
    """Measure and publish."""
    options = arguments(__doc__, _options)
    profiles, quick, jobs = PROFILES, options.quick, options.jobs
    if options.profiles is not None:
        profiles = tuple(options.profiles)
        options.folder = (options.out or TRIALS).resolve()
    if len(set(profiles)) != len(profiles) or len(profiles) < 2:
        raise ConfigError(f"--profiles {' '.join(profiles)}: must be two or more, each once")
    check_profiles(profiles)
    programmes(quick)  # a folder that is missing is said now

    cost_table, cost_rows = cost.measure(profiles, quick)  # first, while the machine is quiet
    flat, flat_data = measure_crossover(profiles, quick, jobs)
    (totals, recordings), chain_data = measure_chain(profiles, quick, jobs)
    bounds, bounds_data = measure_limits(profiles, quick, jobs)
    played, played_data = measure_loudspeaker(*profiles[:2], quick, jobs)

    shown = [*flat, totals, *bounds, *played, cost_table]
    data = {"profiles": profiles, **flat_data, **chain_data, **bounds_data, **played_data, "cost": cost_rows}
    publish("dynamics", options.folder, [*shown, recordings], data, in_readme=len(shown))


if __name__ == "__main__":
    run(main)
