"""No message is over 300 characters: what does not fit is counted, and --json says all of it."""

import pytest

from firmware_model.cli import main
from firmware_model.cli.terminal.messages import MOST_CHARACTERS, shortened
from firmware_model.golden.cases import CASES

NAMES = [f"node_{k:03}" for k in range(100)]


@pytest.mark.parametrize(
    ("message", "begins", "ends"),
    [
        (
            f"dump.npz: found {', '.join(NAMES)}; output needed",
            "dump.npz: found node_000, node_001",
            " needed",
        ),
        (f"x: accepted: {', '.join(NAMES)}", "x: accepted: node_000, node_001", "more (--json says all)"),
        (f"{'a' * 500}: no such file", f"{'a' * 40}...{'a' * 19}: no such file", "file"),
        ("word " * 100, "word word", " ... (--json says all)"),
        (
            "\n".join(f"kernel.py:{k}: a shift of 99" for k in range(40)),
            "kernel.py:0: a",
            "(--json says all)",
        ),
    ],
)
def test_a_long_message_is_cut_where_it_lists(message, begins, ends):
    cut = shortened(message)
    assert len(cut) <= MOST_CHARACTERS
    assert cut.startswith(begins)
    assert cut.endswith(ends)


def test_what_is_left_out_is_counted():
    cut = shortened(f"x: {', '.join(NAMES)}; y needed")
    shown = cut.count("node_")
    assert f"and {100 - shown} more" in cut
    assert shown > 20


def test_a_short_message_stays():
    message = f"x: {', '.join(NAMES[:20])}"
    assert shortened(message) == message


@pytest.mark.parametrize(
    "arguments",
    [
        ["compare", next(iter(CASES)), "{folder}"],
        ["compare", next(iter(CASES)), "{folder}/many.csv"],
        ["compare", next(iter(CASES)), "{folder}/many.csv", "--columns", "z" * 400],
        ["compare", next(iter(CASES)), "{folder}/" + "d" * 200 + "/" + "e" * 200 + ".bin"],
        ["compare", "c" * 400, "x.bin"],
        ["ranges", *["q" * 90] * 5],
        ["check", "--filter", "f" * 400],
        ["vectors", "{folder}/v", "n" * 400],
        ["device", "{case}", "--elf", "{folder}/" + "e" * 240, "--symbol", "s", "--map", "{folder}/map.toml"],
        ["device", "{case}", "--host-lib", "x.so", "--symbol", "s", "--map", "{folder}/map.toml"],
    ],
)
def test_every_command_keeps_to_it(arguments, tmp_path, capsys):
    for name in NAMES:
        (tmp_path / f"{name}_that_nobody_knows.bin").write_bytes(b"")
    (tmp_path / "many.csv").write_text(",".join(NAMES) + "\n" + ",".join("1" * 100) + "\n", "utf-8")
    (tmp_path / "map.toml").write_text(f"[call]\n{'k' * 500} = 1\n[buffers]\n", "utf-8")
    filled = [each.format(folder=tmp_path, case=next(iter(CASES))) for each in arguments]
    assert main.run(filled) == 2
    err = capsys.readouterr().err
    assert err
    assert all(len(line) <= MOST_CHARACTERS + len("bittrue: ") for line in err.splitlines()), err
    main.run([*filled, "--json"])
    assert len(capsys.readouterr().err) >= len(err) - len(" (--json says all)")
