"""The benchmark of the probes times kernels that have none."""

import ast

from benchmarks.harness.report import ROOT
from benchmarks.probes import without_probes


def test_a_probe_is_cut_out_and_nothing_else():
    text, cut = without_probes("if probes is not None:\n    p = 1\nif x is not None:\n    q = 2\n")
    assert cut == 1
    assert ast.dump(ast.parse(text)) == ast.dump(ast.parse("if x is not None:\n    q = 2\n"))


def test_both_products_have_probes_to_cut_out():
    for path in ("dynamics/processor.py", "watermark/frontend.py"):
        assert without_probes((ROOT / "firmware_model" / path).read_text("utf-8"))[1] > 0
