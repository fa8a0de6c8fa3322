"""Dumps that are damaged: one line, whichever part of which format it is."""

import io
import zipfile

import numpy as np
import pytest
import soundfile

from firmware_model.case import Case
from firmware_model.golden.cases import case_of
from firmware_model.golden.dumps.dump import read_dump
from fixedpoint.errors import AudioError


@pytest.fixture(scope="module")
def case() -> Case:
    return case_of("mbdp-smart-speaker")


def read_all(path, case):
    with read_dump(str(path), case) as dump:
        values = dump.nodes["output"]
        return values.read(0, values.steps)


def refused(path, case):
    """The line of a dump that cannot be read to its end."""
    with pytest.raises(AudioError) as raised:
        read_all(path, case)
    line = str(raised.value)
    assert line.startswith(f"{path}")
    assert "\n" not in line
    return line


def flac(n=60_000):
    x = np.random.default_rng(0).integers(-9000, 9000, n).astype(np.int16)
    buffer = io.BytesIO()
    soundfile.write(buffer, x, 48000, "PCM_16", format="FLAC")
    return bytearray(buffer.getvalue())


def test_a_flac_that_is_damaged_in_the_middle_is_named_when_it_is_read(tmp_path, case):
    content = flac()
    content[len(content) // 2 : len(content) // 2 + 400] = bytes(400)
    (tmp_path / "output.flac").write_bytes(content)
    assert "not audio, or damaged" in refused(tmp_path / "output.flac", case)


def test_a_flac_that_was_cut_is_named(tmp_path, case):
    (tmp_path / "output.flac").write_bytes(flac()[:-3000])
    assert "damaged" in refused(tmp_path / "output.flac", case)


@pytest.mark.parametrize(
    "header",
    ["{'descr': '<i2', 'fortran_order': False, 'shape': (", "[" * 900, "{1: }", "9" * 5000, "{'a': 1}"],
    ids=range(5),
)
def test_the_header_of_an_array_may_be_anything(tmp_path, case, header):
    text = header.encode()
    (tmp_path / "output.npy").write_bytes(b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text)
    assert "no NumPy array, or damaged: " in refused(tmp_path / "output.npy", case)


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_an_archive_that_is_damaged_inside_is_named(tmp_path, case, method):
    member = io.BytesIO()
    np.save(member, np.random.default_rng(1).integers(-99, 99, 5000).astype("<i2"))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("output.npy", member.getvalue())
    whole = buffer.getvalue()
    path = tmp_path / "dump.npz"
    for at in range(60, 1500, 97):
        content = bytearray(whole)
        content[at : at + 8] = b"\xff\0\xa5\xff\xff\x5a\0\xff"
        path.write_bytes(content)
        assert "no NPZ file, or damaged" in refused(path, case)


@pytest.mark.parametrize("flag", [1, 64])
def test_an_archive_with_a_password_is_named(tmp_path, case, flag):
    buffer = io.BytesIO()
    np.savez(buffer, output=np.zeros(10, "<i2"))
    content = bytearray(buffer.getvalue())
    content[content.rindex(b"PK\1\2") + 8] |= flag
    content[6] |= flag
    (tmp_path / "dump.npz").write_bytes(content)
    assert "no NPZ file, or damaged" in refused(tmp_path / "dump.npz", case)
