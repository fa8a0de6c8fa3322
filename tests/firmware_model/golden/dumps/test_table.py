"""Tables as spreadsheets, scripts and logic analysers write them hold the same integers, or are refused."""

import codecs

import numpy as np
import pytest

from firmware_model.golden.cases import find_case
from firmware_model.golden.dumps.dump import AS_THE_NODE, Form, read_dump
from fixedpoint.errors import BittrueError

MONO = find_case("mbdp-smart-speaker")  # 48 kHz
STEREO = find_case("mbdp-headset")  # 16 kHz
Y = np.array([[1, -2, 300, -32768, 5, 40], [6, 7, -8, 32767, -10, 7]], np.int16)  # (rows, steps)
X = Y[0]
PLAIN = "".join(f"{v}\n" for v in X)


def lines(template, **more):
    """A line for each step, of i (from 0), t (seconds), x, y, and unsigned u, w of 16 bits."""
    out = []
    for i, (x, y) in enumerate(Y.T.tolist()):
        t = i / more.get("rate", 48000)
        out.append(template.format(i=i, t=t, x=x, y=y, u=x & 0xFFFF, w=y & 0xFFFF))
    return "\n".join(out) + "\n"


def values_of(path, case, form=AS_THE_NODE):
    with read_dump(str(path), case, form) as dump:
        values = dump.nodes["output"]
        return values.read(0, 99), values.guess


SAYS_COLUMN = "column 2 after an index in column 1"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (PLAIN, ""),
        (PLAIN.replace("\n", "\r\n"), ""),
        (PLAIN.replace("\n", "\r"), ""),
        (PLAIN.replace("\n", ",\n"), ""),
        ("output\n" + PLAIN, ""),
        (lines("{x:06d}"), "zero-padded decimal integers"),
        (lines("{u}"), "unsigned integers are two's complement of 16 bits"),
        (lines("{u:05d}"), "zero-padded decimal integers; unsigned integers are two's complement of 16 bits"),
        (lines("0x{u:04x}"), "unsigned integers are two's complement of 16 bits"),
        (
            lines("{u:04X}"),
            "hexadecimal words of 4 digits; unsigned integers are two's complement of 16 bits",
        ),
        ("".join(f"{int(v) & 0xFFFFFFFF}\n" for v in X), "unsigned integers are two's complement of 32 bits"),
        (lines("{i},{x}"), SAYS_COLUMN),
        (lines("{i};{x}"), SAYS_COLUMN),
        (lines("{i}\t{x}"), SAYS_COLUMN),
        (lines("{i} {x}"), SAYS_COLUMN),
        ("index,value\n" + lines("{i},{x}"), "column 2 after an index"),
        ('"n";"value"\n' + lines('"{i}";"{x}"'), "column 2 after an index"),
        ("Time [s],Value\n" + lines("{t:.9f},{x}"), "column 2 after a time"),
        (lines("{t:.9f},{x}"), "column 2 after a time in column 1"),
        (
            "name,type,start_time,duration,channel,data\n" + lines('"I2S","data",{t:.9f},2e-05,0,{x}'),
            "column 6 of a logic analyser's export, channels 0",
        ),
        ("left,output,right\n" + lines("{i},{x},7"), "column 2 by its heading"),
    ],
)
def test_one_row(tmp_path, text, says):
    (tmp_path / "board.csv").write_bytes(text.encode())
    values, guess = values_of(tmp_path / "board.csv", MONO)
    np.testing.assert_array_equal(values, Y[:1])
    assert guess == says


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
    ],
)
@pytest.mark.parametrize("name", ["board.csv", "board.txt", "board.log", "board.bin"])
def test_a_byte_order_mark_eats_no_sample(tmp_path, mark, encoding, name):
    (tmp_path / name).write_bytes(mark + PLAIN.encode(encoding))
    np.testing.assert_array_equal(values_of(tmp_path / name, MONO)[0], Y[:1])


I2S = "Time [s],Channel,Value\n"


@pytest.mark.parametrize(
    ("text", "columns", "says"),
    [
        (lines("{x},{y}"), (), ""),
        (lines("{i},{x},{y}"), (), "columns 2-3 after an index in column 1"),
        (lines("{i},{x},9,{y}"), ("2,4",), "columns 2, 4"),
        ("t,Left,b,Right\n" + lines("{t},{x},9,{y}", rate=16000), ("left,right",), "columns 2, 4"),
        ("t,Right,b,Left\n" + lines("{t},{y},9,{x}", rate=16000), (), "columns 4, 2 by their headings"),
        (
            I2S + lines("{t:.9f},1,{x}\n{t:.9f},2,{y}", rate=16000),
            (),
            "column 3 of a logic analyser's export, channels 1, 2",
        ),
        (
            I2S + "0.0,2,99\n" + lines("{t:.9f},1,{x}\n{t:.9f},2,{y}", rate=16000),
            (),
            "begins with channel 2, whose value is left out; "
            "column 3 of a logic analyser's export, channels 1, 2",
        ),
        (I2S + lines("{t:.9f},1,{y}\n{t:.9f},2,{x}", rate=16000), ("Value@2,Value@1",), None),
    ],
)
def test_two_rows(tmp_path, text, columns, says):
    (tmp_path / "board.csv").write_text(text, "utf-8")
    values, guess = values_of(tmp_path / "board.csv", STEREO, Form(columns=columns))
    if says is None:  # the order of the channels is the user's: steps begin with channel 2
        np.testing.assert_array_equal(values, np.stack([Y[0, :-1], Y[1, 1:]]))
        return
    np.testing.assert_array_equal(values, Y)
    assert guess == says


def test_a_channel_of_two_is_named_by_the_user(tmp_path):
    (tmp_path / "board.csv").write_text(I2S + lines("{t:.9f},1,{x}\n{t:.9f},2,{y}"), "utf-8")
    for channel in (1, 2):
        values, _ = values_of(tmp_path / "board.csv", MONO, Form(columns=(f"Value@{channel}",)))
        np.testing.assert_array_equal(values, Y[channel - 1 : channel])


def test_columns_of_several_nodes(tmp_path):
    bands = len(STEREO.nodes[0].rows)
    head = ",".join(f"b{k}" for k in range(bands))
    body = "\n".join(
        ",".join(map(str, [*range(i, i + bands), x, y])) for i, (x, y) in enumerate(Y.T.tolist())
    )
    (tmp_path / "board.csv").write_text(f"{head},x,y\n{body}\n", "utf-8")
    form = Form(columns=(f"{STEREO.nodes[0].name}=1-{bands}", "output=x,y"))
    with read_dump(str(tmp_path / "board.csv"), STEREO, form) as dump:
        np.testing.assert_array_equal(dump.nodes["output"].read(0, 9), Y)
        found = dump.nodes[STEREO.nodes[0].name].read(0, 9)
        np.testing.assert_array_equal(found, np.arange(bands)[:, None] + np.arange(6))


@pytest.mark.parametrize(
    ("text", "columns", "says"),
    [
        (lines("{x},{i}"), (), "2 columns found, 1 needed for output; --columns says which"),
        (lines("{i},{i}"), (), "2 columns found, 1 needed for output; --columns says which"),
        (lines("{i},{x},{y}"), (), "3 columns found, 1 needed for output; --columns says which"),
        (lines("{i},{x}").replace("3,", "5,", 1), (), "2 columns found, 1 needed"),
        (lines("{i},{x}"), (), None),
        (
            "Time [s],Value\n" + lines("{t:.9f},{x}", rate=44100),
            (),
            "44100 steps a second found by the times",
        ),
        ("Time [s],Value\n" + lines("{t:.9f},{x}").replace("5\n", "5.5\n"), (), "integers needed"),
        (
            I2S + lines("{t:.9f},1,{x}\n{t:.9f},2,{y}"),
            (),
            "channels 1, 2 found, 1 needed for output; --columns",
        ),
        (lines("{x},{y}"), ("3",), "--columns 3: must be in [1, 2], the columns of the file"),
        (lines("{x},{y}"), ("1-2",), "--columns 1-2: 2 columns named, 1 needed for output"),
        (lines("{x},{y}"), ("1,1",), "--columns 1,1: a column twice"),
        (lines("{x},{y}"), ("left",), "--columns left: no such heading; the file has no headings"),
        ("lefd,right\n" + lines("{x},{y}"), ("left",), "--columns left: no such heading; did you mean lefd?"),
        (lines("{x},{y}"), ("bass=1",), "--columns: node 'bass': must be one of band"),
        ("0,5\n" + PLAIN, (), "2 columns found, 1 needed"),
        (lines("{x}") + "12 34\n", (), "line 7: 2 columns found, 1 needed"),
        (lines("{u:04X}") + "12345\n", (), "4 hex digits needed"),
        ("1\n\x002\n", (), "line 2: a zero byte found"),
        (lines("{x}.0"), (), "integers needed"),
        (lines("1_{i}"), (), "integers needed"),
    ],
)
def test_what_a_table_does_not_say_is_refused_in_one_line(tmp_path, text, columns, says):
    (tmp_path / "board.csv").write_text(text, "utf-8")
    if says is None:  # an index that leaves one out
        text = lines("{i},{x}").splitlines()
        (tmp_path / "board.csv").write_text("\n".join([*text[:3], *text[4:]]), "utf-8")
        says = "index 4 found after 2, 3 needed: lines are lost"
    with pytest.raises(BittrueError) as error:
        values_of(tmp_path / "board.csv", MONO, Form(columns=columns))
    assert says in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300


def test_bytes_that_are_no_text_are_refused(tmp_path):
    for content in (b"1\n2\n\xff\xfe\xfd\n", b"\xff\xfe1"):
        (tmp_path / "board.csv").write_bytes(content)
        with pytest.raises(BittrueError, match="text"):
            values_of(tmp_path / "board.csv", MONO)


@pytest.mark.parametrize("order", [">", "<"])
def test_bytes_of_spi_are_values_of_the_type_that_is_named(tmp_path, order):
    content = X.astype(f"{order}i2").tobytes()
    rows = "".join(
        f'"SPI","result",{k * 1e-6:.9f},1e-7,0x{byte:02X},0x00\n' for k, byte in enumerate(content)
    )
    heads = 'name,type,start_time,duration,"mosi","miso"'
    ends = '"SPI","enable",0,1e-9,,\n', '"SPI","disable",1,1e-9,,\n'
    text = f"{heads}\n{ends[0]}{rows}{ends[1]}"
    (tmp_path / "board.csv").write_text(text, "utf-8")
    form = Form(columns=("mosi",), dtype="int16-be" if order == ">" else "int16")
    values, guess = values_of(tmp_path / "board.csv", MONO, form)
    np.testing.assert_array_equal(values, Y[:1])
    assert "bytes of int16" in guess
    with pytest.raises(
        BittrueError, match="bytes of SPI found; --dtype says of what, such as --dtype int16-be"
    ):
        values_of(tmp_path / "board.csv", MONO, Form(columns=("mosi",)))
