"""Whose fault an error is: file and line in a folder of sources."""

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError

from firmware_model.blame import in_a_line, place
from fixedpoint.errors import ConfigError


def raised(folder, text, name="f"):
    """What a function of a file raises; the file is compiled under its path."""
    path = folder / "own.py"
    path.write_text(text)
    names = {}
    exec(compile(text, str(path), "exec"), names)
    with pytest.raises((KeyError, ValueError, ZeroDivisionError)) as found:
        names[name]()
    return found.value


def test_the_innermost_line_of_the_folder_is_named_with_the_errors_kind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error = raised(tmp_path, "def f():\n    return g()\n\n\ndef g():\n    return {}['x']\n")
    assert in_a_line(error, str(tmp_path)) == "own.py:6: KeyError: 'x'"


def test_an_error_in_a_library_that_was_called_is_the_callers_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error = raised(tmp_path, "import numpy as np\n\n\ndef f():\n    np.concatenate([])\n")
    assert place(error, str(tmp_path)) == "own.py:5"


def test_other_folders_have_no_part_in_it(tmp_path):
    error = raised(tmp_path, "def f():\n    return 1 // 0\n")
    assert place(error, str(tmp_path / "elsewhere")) == ""
    assert place(error, "") == ""
    assert place(error, str(tmp_path)[:-1]) == ""  # a beginning of its name is another folder
    assert in_a_line(error) == "ZeroDivisionError: integer division or modulo by zero"


def test_what_was_raised_on_purpose_keeps_its_words():
    assert in_a_line(ConfigError("gain=3: must be\n in [0, 1]")) == "gain=3: must be in [0, 1]"


def test_numbas_error_names_the_line_that_it_could_not_compile(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "own.py"
    path.write_text("def f(x):\n    y = x + 1\n    return y.shape[0]\n")
    names = {}
    exec(compile(path.read_text(), str(path), "exec"), names)
    with pytest.raises(TypingError) as found:
        njit(names["f"])(np.int64(3))
    assert in_a_line(found.value, str(tmp_path)).startswith(
        "own.py:3: TypingError: Numba cannot compile this;"
    )
