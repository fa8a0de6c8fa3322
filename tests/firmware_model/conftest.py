"""Files that the command line tests share."""

import pytest

from firmware_model.cli import main
from tests.firmware_model.cli.cases import KEY, ROOM, programme, wav


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two marks in music: in.wav unmarked, marked.wav, heard.wav after a room; other.wav is a tone."""
    folder = tmp_path_factory.mktemp("main")
    (folder / "in.wav").write_bytes(wav(programme()))
    (folder / "other.wav").write_bytes(wav(0.5 * programme("tone")))
    assert main.run(["embed", f"{folder}/in.wav", f"{folder}/marked.wav", "--key", KEY]) == 0
    assert main.run(["room", f"{folder}/marked.wav", f"{folder}/heard.wav", *ROOM, "--snr", "25"]) == 0
    return folder
