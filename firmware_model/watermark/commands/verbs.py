"""The watermark's own commands: `bittrue simulate | embed | detect | calibrate`.

Each imports what takes long when it runs.
"""

from typing import Annotated

import typer

from firmware_model.cli.terminal import output
from firmware_model.cli.terminal.options import (
    AUDIO_SUFFIXES,
    PLOT_SUFFIXES,
    Arithmetic,
    Distance,
    Drift,
    Gain,
    In,
    Json,
    Noise,
    Out,
    Rir,
    Rt60,
    SceneName,
    Seed,
    Snr,
)
from firmware_model.cli.terminal.status import DETECTED, NOT_DETECTED
from firmware_model.watermark.commands.options import (
    KEY_HELP,
    Mode,
    ModeOption,
    OneKey,
    ResampleUp,
    Strength,
    only_one,
)

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(short_help="Mark, play through a room, detect in Q15 and in float, compare.")
def simulate(
    paths: Annotated[
        list[str], typer.Argument(metavar="IN...", help="WAV or FLAC files; channels are averaged.")
    ],
    key: OneKey,
    distance: Distance = None,
    rt60: Rt60 = None,
    snr: Snr = None,
    noise: Noise = None,
    rir: Rir = None,
    drift: Drift = None,
    scene: SceneName = None,
    mode: ModeOption = Mode.informed,
    strength: Strength = None,
    resample: ResampleUp = False,
    seed: Seed = 0,
    plot: Annotated[
        str | None, typer.Option("--plot", metavar="FILE", help="Draw the first files: .png, .pdf or .svg.")
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", metavar="N", min=1, max=256, help="Files worked on at a time.")
    ] = 1,
    gain: Gain = 0.0,
    json: Json = False,
) -> None:
    """Mark files, play them through a room, find the marks in Q15 and in float, and compare.

    Status 0: in every file a mark was found in Q15, and both arithmetics report the same detections.

    WSR: energy of the watermark to energy of the programme, dB.

    NMR: mean ratio of the watermark to the masked threshold, dB; a mean of ratios, so a few frames in pauses
    can dominate it.
    """
    if plot is not None:
        output.check_output(plot, [*paths, rir, noise], PLOT_SUFFIXES)
    from acoustic_sim.room import impulse_response
    from firmware_model.cli.sound import scene as scenes
    from firmware_model.watermark.commands import simulation, simulation_report
    from firmware_model.watermark.embedding.embedder import DEFAULT_STRENGTHS_DB
    from firmware_model.watermark.key import Key
    from firmware_model.watermark.params import WatermarkConfig

    config = WatermarkConfig()
    strength_db = DEFAULT_STRENGTHS_DB[mode.value] if strength is None else strength
    secret = Key.from_hex(only_one(key))
    where = scenes.from_options(distance, rt60, snr, noise, rir, drift, scene, seed)
    job = simulation.Job(secret, where, mode.value, strength_db, config, seed, resample, gain)
    traces = 0
    if plot is not None:
        from firmware_model.watermark.commands import simulation_plot

        traces = simulation_plot.MAX_FILES
    steps = len(paths) * len(simulation.STAGES) if jobs == 1 else len(paths) + 1
    with output.progress("simulate", steps) as step:
        response = impulse_response(where)  # a room that cannot be had shows before any file is read
        results = list(simulation.simulate_all(paths, job, traces, jobs, step))
    rows = [result.row for result in results]
    settings = scenes.facts(where, response) | job.settings() | {"rir": rir, "scene": scene}
    caption = scenes.in_words(settings)
    if plot is not None:
        simulation_plot.plot(plot, [result.trace for result in results if result.trace], caption)
    if json:
        output.emit_json({"files": rows, "settings": settings})
    else:
        output.emit(f"{caption}\n\n{simulation_report.report(rows, config)}")
    if plot is not None and len(paths) > traces:
        output.note(f"{plot}: shows the first {traces} of {len(paths)} files")
    raise typer.Exit(DETECTED if simulation.passed(rows) else NOT_DETECTED)


@app.command(short_help="Mark a file.")
def embed(
    path: In,
    out: Out,
    key: OneKey,
    mode: ModeOption = Mode.informed,
    strength: Strength = None,
    resample: ResampleUp = False,
    gain: Gain = 0.0,
    json: Json = False,
) -> None:
    """Mark a file: marks of 2.048 s back to back; OUT has IN's rate, channels and sample format."""
    output.check_streams(out, json)
    output.check_output(out, [path], AUDIO_SUFFIXES)
    from firmware_model.cli.terminal import audio as sound
    from firmware_model.pcm_file import open_audio
    from firmware_model.watermark.commands.programme import programme_of
    from firmware_model.watermark.embedding import embedder
    from firmware_model.watermark.key import Key
    from firmware_model.watermark.params import WatermarkConfig

    config = WatermarkConfig()
    secret = Key.from_hex(only_one(key))
    strength_db = embedder.default_strength_db(mode.value) if strength is None else strength
    with output.progress("embed", 1) as step, open_audio(path) as file:
        step("mark")
        programme = programme_of(path, file, config, resample)
        fs_hz, channels, frames = programme.fs_hz, programme.channels, programme.frames
        with output.naming(path):
            marked = embedder.Embedding(programme, secret, mode.value, strength_db, config, step.at)
            with sound.writing(out, fs_hz, channels, file.subtype, frames) as writer:
                for block in marked:
                    writer.write(block)
    marks = len(marked.marks_s)
    if json:
        output.emit_json(
            {
                "marks": marks,
                "mark_seconds": config.mark_seconds,
                "strengths_db": marked.strengths_db.tolist(),
                "wsr_db": marked.wsr_db,
                "nmr_db": marked.nmr_db,
            }
        )
    else:
        output.say_beside(
            f"{out}: {output.counted(marks, 'mark')} of {config.mark_seconds} s "
            f"at {fs_hz} Hz, watermark to signal {output.number(marked.wsr_db, 1, ' dB')}, "
            f"noise to mask {output.number(marked.nmr_db, 1, ' dB')}",
            out,
        )
    sound.note_clipping(path, programme.clipped, out, writer.saturated)


@app.command(short_help="Find marks in a recording.")
def detect(
    path: In,
    key: Annotated[
        list[str],
        typer.Option("--key", metavar="HEX", help=f"{KEY_HELP} Repeat it to look for several keys at once."),
    ],
    arith: Annotated[
        Arithmetic,
        typer.Option("--arith", help="q15 as the firmware computes, the float reference, or both."),
    ] = Arithmetic.q15,
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold",
            metavar="SCORE",
            help="Score of a detection, 1 to 60 standard deviations of unmarked audio.  [default: 5.5]",
        ),
    ] = None,
    resample: Annotated[
        bool, typer.Option("--resample", help="Convert input of another rate to 16000 Hz.")
    ] = False,
    gain: Gain = 0.0,
    json: Json = False,
) -> None:
    """Find marks in a recording at 16000 Hz. Stereo is averaged to mono, samples are rounded to 16 bits.

    time_s is where the (last) mark begins, marks how many consecutive marks were added up to reach the
    threshold, key counts the --key options from 0. With --arith both, the detections are those of Q15 and
    status 1 also says that the two report different ones.
    """
    from firmware_model.cli.terminal import audio as sound
    from firmware_model.watermark.commands import detection
    from firmware_model.watermark.key import Key
    from firmware_model.watermark.params import WatermarkConfig

    secrets = [Key.from_hex(text) for text in key]
    config = WatermarkConfig() if threshold is None else WatermarkConfig(threshold=threshold)
    with output.progress("detect", 1) as step:
        found = detection.detect_file(path, secrets, config, arith.value, resample, step)
    if json:
        output.emit_json(found.facts)
    else:
        output.emit(detection.report(path, found.facts))
    sound.note_clipping(path, found.clipped, path, 0)
    equal = not found.facts.get("differences")
    raise typer.Exit(DETECTED if found.facts["detections"] and equal else NOT_DETECTED)


@app.command(short_help="False alarms on long unmarked audio, and the threshold for a wanted rate.")
def calibrate(
    paths: Annotated[
        list[str], typer.Argument(metavar="AUDIO...", help="WAV or FLAC without a mark, 5 minutes or more.")
    ],
    keys: Annotated[
        int, typer.Option("--keys", metavar="N", min=1, max=1024, help="Listened for, all in one pass.")
    ] = 64,
    per_hour: Annotated[
        float,
        typer.Option(
            "--false-alarms-per-hour", metavar="R", help="Wanted, at most, with one key; over 0, up to 10."
        ),
    ] = 0.1,
    resample: Annotated[
        bool, typer.Option("--resample", help="Convert input of another rate to 16000 Hz.")
    ] = False,
    seed: Seed = 0,
    gain: Gain = 0.0,
    json: Json = False,
) -> None:
    """Measure false alarms on unmarked audio with many keys, and choose the threshold for a wanted rate.

    Counts have exact Poisson limits. A Gumbel law and a generalised extreme value law are fitted to the
    largest scores of 30 s, an exponential to the highest peaks; their limits come from blocks of audio drawn
    again. The threshold is the smallest whose upper limit keeps the rate.
    """
    from firmware_model.cli.terminal import audio
    from firmware_model.watermark.commands import calibration

    with output.progress("calibrate", len(paths) + 1) as step:
        facts, clipped = calibration.calibrate(paths, keys, per_hour, seed, resample, step)
    if json:
        output.emit_json(facts)
    else:
        output.emit(calibration.report(facts))
    for path, count in zip(paths, clipped, strict=True):
        audio.note_clipping(path, count, path, 0)
