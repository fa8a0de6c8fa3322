"""The commands about sound, of no one product: `bittrue room | synthesise | stream`.

Each imports what takes long when it runs.
"""

from dataclasses import asdict
from typing import Annotated

import typer

from firmware_model.cli.terminal import output
from firmware_model.cli.terminal.options import (
    AUDIO_SUFFIXES,
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

app = typer.Typer(add_completion=False, rich_markup_mode=None)


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
    gain: Gain = 0.0,
    json: Json = False,
) -> None:
    """Play a file in a room and write what the microphone hears: mono, 16 bit, 16000 Hz.

    Channels are averaged: there is one loudspeaker. IN may have any rate.
    """
    output.check_streams(out, json)
    output.check_output(out, [path, rir, noise], AUDIO_SUFFIXES)
    from acoustic_sim.long_channel import propagated
    from firmware_model import pcm
    from firmware_model.cli.sound import scene as scenes
    from firmware_model.cli.terminal import audio as sound
    from firmware_model.pcm_file import open_audio
    from firmware_model.pcm_stream import Converted

    where = scenes.from_options(distance, rt60, snr, noise, rir, drift, scene, seed)
    with output.progress("room", 1) as step, open_audio(path, mixed=True) as file:
        step("room and microphone")
        source = Converted(path, file, file.fs_hz)
        mono = (pcm.to_mono(block) for block in source)
        with (
            output.naming(path),
            propagated(mono, source.frames, file.fs_hz, where, step.at) as heard,
            sound.writing(out, heard.facts.fs_hz, 1, "PCM_16", heard.frames) as writer,
        ):
            for block in heard.blocks:
                writer.write(block)
    facts = asdict(heard.facts)
    fs_hz = facts.pop("fs_hz")
    if json:
        output.emit_json(facts)
    else:
        output.say_beside(f"{out}: {heard.frames / fs_hz:.2f} s at {fs_hz} Hz; {scenes.in_words(facts)}", out)


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
    from acoustic_sim.programmes.excitation import synthesise as make
    from firmware_model.cli.terminal import audio as sound

    with output.progress("synthesise", 2) as step:
        step(kind)
        x = make(kind, seconds, rate, seed)
        step("write")
        sound.write(out, x, rate, "PCM_16")
    if json:
        output.emit_json({"seconds": len(x) / rate, "fs_hz": rate})
    else:
        output.say_beside(f"{out}: {len(x) / rate:g} s of {kind} at {rate} Hz", out)


@app.command(short_help="Run the product of a golden case on a file.")
def stream(
    path: In,
    out: Annotated[
        str,
        typer.Argument(
            metavar="OUT", help=".wav or .flac, - is standard output, as WAV; .npz if it is no sound."
        ),
    ],
    name: Annotated[
        str, typer.Option("--case", metavar="CASE", help="Golden case, or a product: its first.")
    ],
    arith: Annotated[
        Arithmetic,
        typer.Option("--arith", help="q15 as the firmware computes, the float reference, or q15 against it."),
    ] = Arithmetic.q15,
    resample: Annotated[
        bool, typer.Option("--resample", help="Convert input of another rate to that of the case.")
    ] = False,
    gain: Gain = 0.0,
    json: Json = False,
) -> None:
    """Run a product in the configuration of a golden case on a file, as it would run in the device.

    OUT has IN's length: the product's latency is taken away. Of a product that gives no sound it holds the
    output node, one row for each of its rows. With --arith both, OUT is that of the firmware's integers, and
    the largest difference from the float reference is told.
    """
    from firmware_model.cli.sound import streaming
    from firmware_model.cli.terminal import audio as sound
    from firmware_model.golden.cases import case_of

    case = case_of(name)
    output.check_streams(out, json)
    streaming.check_stdout(out, case)
    output.check_output(out, [path], streaming.suffixes(case))
    output.check_writable(out)
    with output.progress("stream", 4 + (arith == Arithmetic.both)) as step:
        done = streaming.stream_file(case, path, arith.value, resample, step)
        step("write")
        if streaming.is_sound(case):
            sound.write(out, done.y.T, case.fs_hz, "PCM_16")
        else:
            output.replace_file(out, streaming.arrays(case, done.y))
    if json:
        output.emit_json(done.facts)
    else:
        output.say_beside(streaming.in_words(out, done.facts), out)
    sound.note_clipping(path, done.clipped, out, 0)
