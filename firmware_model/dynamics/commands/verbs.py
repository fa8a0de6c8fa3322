"""The dynamics processor's own command: `bittrue process`. It imports what takes long when it runs."""

from contextlib import ExitStack
from typing import Annotated

import typer

from firmware_model.cli.terminal import output
from firmware_model.cli.terminal.options import AUDIO_SUFFIXES, PLOT_SUFFIXES, Arithmetic, Gain, In, Json, Out
from firmware_model.cli.terminal.status import DETECTED, NOT_DETECTED
from firmware_model.dynamics.commands.options import ProfileName, ResampleToAccepted

app = typer.Typer(add_completion=False, rich_markup_mode=None)


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
    gain: Gain = 0.0,
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
    from firmware_model.cli.terminal import audio as sound
    from firmware_model.dynamics.commands import processing, processing_report

    output.check_writable(out)
    if plot is not None:
        output.check_writable(plot)
        from firmware_model.dynamics.commands import processing_plot
    picture = b""
    with output.progress("process", 1 + (plot is not None)) as step:
        with ExitStack() as files:
            done = processing.process_file(
                path, out, profile, arith.value, resample, plot is not None, step, files
            )
            if plot is not None:
                step("draw")
                picture = processing_plot.draw(plot, path, done)  # before OUT takes its place
        if plot is not None:
            output.replace_file(plot, picture)
    if json:
        output.emit_json(done.facts)
    elif out == output.STDIO:
        output.note(processing_report.in_words(out, done.facts))
    else:
        output.emit(processing_report.report(out, done.facts))
    sound.note_clipping(path, done.clipped, out, 0)
    raise typer.Exit(DETECTED if done.equal else NOT_DETECTED)
