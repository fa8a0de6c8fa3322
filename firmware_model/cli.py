"""The command line: `bittrue simulate | embed | room | detect | process | synthesise`; the rest joins below.

Exit status: 0 done, detected, equal; 1 not detected, different; 2 misuse or unreadable input, with one line
on stderr. What takes long to import is imported by the command that needs it.
"""

import signal
import sys
import warnings
from typing import Annotated

import typer

from firmware_model import cli_firmware, cli_golden, cli_study
from firmware_model import cli_output as output
from firmware_model import cli_status as status
from firmware_model.cli_options import (
    KEY_HELP,
    Arithmetic,
    Distance,
    Drift,
    In,
    Json,
    Mode,
    ModeOption,
    Noise,
    OneKey,
    Out,
    ProfileName,
    ResampleToAccepted,
    ResampleUp,
    Rir,
    Rt60,
    SceneName,
    Seed,
    Snr,
    Strength,
    only_one,
)
from firmware_model.cli_status import DETECTED, NOT_DETECTED

AUDIO_SUFFIXES = (".wav", ".flac")
PLOT_SUFFIXES = (".png", ".pdf", ".svg")

app = typer.Typer(
    help="Bit-true simulator of low-power audio DSP firmware: a watermark, found across a room in Q15, "
    "and a multiband dynamics processor ahead of a loudspeaker.",
    epilog="Exit status: 0 done, detected, equal; 1 not detected, different; 2 misuse or unreadable input. "
    "bittrue COMMAND --help says more.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        output.emit(f"bittrue {version('bittrue')}")
        raise typer.Exit(DETECTED)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        output.emit(context.get_help())


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
    from firmware_model import cli_report, cli_scene, cli_simulate
    from firmware_model.watermark.embedder import DEFAULT_STRENGTHS_DB
    from firmware_model.watermark.key import Key
    from firmware_model.watermark.params import WatermarkConfig

    config = WatermarkConfig()
    strength_db = DEFAULT_STRENGTHS_DB[mode.value] if strength is None else strength
    secret = Key.from_hex(only_one(key))
    where = cli_scene.from_options(distance, rt60, snr, noise, rir, drift, scene, seed)
    job = cli_simulate.Job(secret, where, mode.value, strength_db, config, seed, resample)
    traces = 0
    if plot is not None:
        from firmware_model import cli_plot

        traces = cli_plot.MAX_FILES
    steps = len(paths) * len(cli_simulate.STAGES) if jobs == 1 else len(paths) + 1
    with output.progress("simulate", steps) as step:
        response = impulse_response(where)  # a room that cannot be had shows before any file is read
        results = list(cli_simulate.simulate_all(paths, job, traces, jobs, step))
    rows = [result.row for result in results]
    settings = cli_scene.facts(where, response) | job.settings() | {"rir": rir, "scene": scene}
    caption = cli_scene.in_words(settings)
    if plot is not None:
        cli_plot.plot(plot, [result.trace for result in results if result.trace], caption)
    if json:
        output.emit_json({"files": rows, "settings": settings})
    else:
        output.emit(f"{caption}\n\n{cli_report.report(rows, config)}")
    if plot is not None and len(paths) > traces:
        output.note(f"{plot}: shows the first {traces} of {len(paths)} files")
    raise typer.Exit(DETECTED if cli_simulate.passed(rows) else NOT_DETECTED)


@app.command(short_help="Mark a file.")
def embed(
    path: In,
    out: Out,
    key: OneKey,
    mode: ModeOption = Mode.informed,
    strength: Strength = None,
    resample: ResampleUp = False,
    json: Json = False,
) -> None:
    """Mark a file: marks of 2.048 s back to back; OUT has IN's rate, channels and sample format."""
    output.check_streams(out, json)
    output.check_output(out, [path], AUDIO_SUFFIXES)
    from firmware_model import cli_audio
    from firmware_model.watermark import embedder
    from firmware_model.watermark.key import Key
    from firmware_model.watermark.params import WatermarkConfig

    config = WatermarkConfig()
    secret = Key.from_hex(only_one(key))
    with output.progress("embed", 3) as step:
        step("read")
        audio = cli_audio.read_programme(path, config, resample)
        step("mark")
        with output.naming(path):
            marked = embedder.embed(
                audio.samples, audio.fs_hz, secret, mode=mode.value, strength_db=strength, config=config
            )
        step("write")
        saturated = cli_audio.write(out, marked.y, audio.fs_hz, audio.subtype)
    if json:
        output.emit_json(
            {
                "marks": len(marked.marks_s),
                "mark_seconds": marked.mark_seconds,
                "strengths_db": marked.strengths_db.tolist(),
                "wsr_db": marked.wsr_db,
                "nmr_db": marked.nmr_db,
            }
        )
    else:
        output.say_beside(
            f"{out}: {output.counted(len(marked.marks_s), 'mark')} of {marked.mark_seconds} s "
            f"at {audio.fs_hz} Hz, watermark to signal {output.number(marked.wsr_db, 1, ' dB')}, "
            f"noise to mask {output.number(marked.nmr_db, 1, ' dB')}",
            out,
        )
    cli_audio.note_clipping(path, audio.clipped, out, saturated)


@app.command(short_help="Write what the microphone hears of a file.")
def room(
    path: In,
    out: Out,
    distance: Distance = None,
    rt60: Rt60 = None,
    snr: Snr = None,
    noise: Noise = None,
    rir: Rir = None,
    drift: Drift = None,
    scene: SceneName = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Play a file in a room and write what the microphone hears: mono, 16 bit, 16000 Hz.

    Channels are averaged: there is one loudspeaker. IN may have any rate.
    """
    output.check_streams(out, json)
    output.check_output(out, [path, rir, noise], AUDIO_SUFFIXES)
    from acoustic_sim.channel import propagate
    from firmware_model import cli_audio, cli_scene, pcm

    where = cli_scene.from_options(distance, rt60, snr, noise, rir, drift, scene, seed)
    with output.progress("room", 3) as step:
        step("read")
        audio = pcm.read_audio(path)
        step("room and microphone")
        with output.naming(path):
            heard = propagate(pcm.to_mono(audio.samples), audio.fs_hz, where)
        step("write")
        cli_audio.write(out, heard.pcm, heard.fs_hz, "PCM_16")
    facts = {name: getattr(heard, name) for name in ("distance_m", "rt60_s", "drr_db", "snr_db", "delay_s")}
    if json:
        output.emit_json(facts)
    else:
        seconds = len(heard.pcm) / heard.fs_hz
        output.say_beside(f"{out}: {seconds:.2f} s at {heard.fs_hz} Hz; {cli_scene.in_words(facts)}", out)


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
    json: Json = False,
) -> None:
    """Find marks in a recording at 16000 Hz. Stereo is averaged to mono, samples are rounded to 16 bits.

    time_s is where the (last) mark begins, marks how many consecutive marks were added up to reach the
    threshold, key counts the --key options from 0. With --arith both, the detections are those of Q15 and
    status 1 also says that the two report different ones.
    """
    from firmware_model import cli_audio, cli_detect
    from firmware_model.watermark.key import Key
    from firmware_model.watermark.params import WatermarkConfig

    secrets = [Key.from_hex(text) for text in key]
    config = WatermarkConfig() if threshold is None else WatermarkConfig(threshold=threshold)
    with output.progress("detect", 3) as step:
        found = cli_detect.detect_file(path, secrets, config, arith.value, resample, step)
    if json:
        output.emit_json(found.facts)
    else:
        output.emit(cli_detect.report(path, found.facts))
    cli_audio.note_clipping(path, found.clipped, path, 0)
    equal = not found.facts.get("differences")
    raise typer.Exit(DETECTED if found.facts["detections"] and equal else NOT_DETECTED)


@app.command(short_help="Run the multiband dynamics processor on a file.")
def process(
    path: In,
    out: Out,
    profile: ProfileName = "smart-speaker",
    arith: Annotated[
        Arithmetic,
        typer.Option("--arith", help="q15 as the firmware computes, the float reference, or q15 against it."),
    ] = Arithmetic.q15,
    plot: Annotated[
        str | None, typer.Option("--plot", metavar="FILE", help="Draw it: .png, .pdf or .svg.")
    ] = None,
    resample: ResampleToAccepted = False,
    json: Json = False,
) -> None:
    """Run the multiband dynamics processor on a file at 16000, 44100, 48000 or 96000 Hz.

    OUT has 16 bits, and IN's rate, channels and length; the processor's latency is taken away. Samples of IN
    are rounded to 16 bits, the firmware's input. With --arith both, OUT is that of Q15, and status 1 says
    that a sample differs from the float reference's, rounded to 16 bits, by more than 2 LSB.
    """
    output.check_streams(out, json)
    output.check_output(out, [path, profile], AUDIO_SUFFIXES)
    if plot is not None:
        output.check_output(plot, [path, profile], PLOT_SUFFIXES)
    from firmware_model import cli_audio, cli_process, cli_process_report

    cli_process.check_writable(out)
    if plot is not None:
        cli_process.check_writable(plot)
        from firmware_model import cli_process_plot
    steps = 4 + (arith == Arithmetic.both) + (plot is not None)
    with output.progress("process", steps) as step:
        done = cli_process.process_file(path, profile, arith.value, resample, step)
        picture = b""
        if plot is not None:
            step("draw")
            picture = cli_process_plot.draw(plot, path, done)  # before anything is written
        step("write")
        cli_audio.write(out, done.y_q15.T, done.config.fs_hz, "PCM_16")
        if plot is not None:
            output.replace_file(plot, picture)
    if json:
        output.emit_json(done.facts)
    elif out == output.STDIO:
        output.note(cli_process_report.in_words(out, done.facts))
    else:
        output.emit(cli_process_report.report(out, done.facts))
    cli_audio.note_clipping(path, done.clipped, out, 0)
    raise typer.Exit(DETECTED if done.equal else NOT_DETECTED)


@app.command(short_help="Make programme material to try the others on.")
def synthesise(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="music, drums, voice, tone, square, dc or silence.")
    ],
    out: Out,
    seconds: Annotated[float, typer.Option("--seconds", metavar="S", help="Length, up to 3600 s.")] = 20.0,
    rate: Annotated[
        int, typer.Option("--rate", metavar="HZ", help="Sample rate, 8000 to 192000 Hz.")
    ] = 44100,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Make programme material to try the other commands on: mono, 16 bit."""
    output.check_streams(out, json)
    output.check_output(out, [], AUDIO_SUFFIXES)
    from acoustic_sim.excitation import synthesise as make
    from firmware_model import cli_audio

    with output.progress("synthesise", 2) as step:
        step(kind)
        x = make(kind, seconds, rate, seed)
        step("write")
        cli_audio.write(out, x, rate, "PCM_16")
    if json:
        output.emit_json({"seconds": len(x) / rate, "fs_hz": rate})
    else:
        output.say_beside(f"{out}: {len(x) / rate:g} s of {kind} at {rate} Hz", out)


app.add_typer(cli_study.app)  # sweep, report, calibrate
app.add_typer(cli_golden.app)  # check, ranges, vectors, compare
app.add_typer(cli_firmware.app)  # export, device


def run(arguments: list[str]) -> int:
    """Run the command line, given without the program's name; returns the exit status."""
    if sys.stdout is None:
        output.note("standard output: is closed; open it, or send it to /dev/null")
        return status.MISUSE
    return status.run(app, arguments)


def main() -> None:
    """Entry point of `bittrue`."""
    # While modules load, Ctrl-C ends the process: a KeyboardInterrupt that falls into an import's clean-up is
    # lost. `progress` puts Python's handler back, which unwinds and so removes half-written files.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # of libraries; the user's own are raised as errors
    output.open_streams()
    sys.exit(run(sys.argv[1:]))
