"""Freezing: every golden of a product computed afresh, as `store.write` takes it."""

from collections.abc import Iterator
from typing import Any

from firmware_model.case import Case
from firmware_model.golden import case_goldens, kernel_cases, kernel_goldens, stimuli
from firmware_model.golden.cases import own_cases
from firmware_model.golden.store import Frozen, facts_of, store_of
from firmware_model.product import LIBRARY, Product
from fixedpoint.qformat import Q15


def goldens(product: Product, remake_stimuli: bool = False) -> Iterator[Frozen]:
    """All goldens of a product; of `LIBRARY` those of the kernels that products share.

    Parameters
    ----------
    remake_stimuli : make the stimuli by their formulas even where they are frozen already; another machine's
        sine may then move a sample by an LSB
    """
    cases = () if product == LIBRARY else own_cases(product)
    frozen_stimuli = list(_stimuli(product, cases, remake_stimuli))
    yield from frozen_stimuli
    samples = {stimulus.name: stimulus.arrays[stimulus.name] for stimulus in frozen_stimuli}
    for case in cases:
        yield from case_goldens.freeze(case, stimuli.fitting(case, samples[f"stimulus:{case.stimulus}"]))
    for name in sorted(kernel_cases.CASES.of(product)):
        yield kernel_goldens.freeze(name)


def _stimuli(product: Product, cases: tuple[Case, ...], remake: bool) -> Iterator[Frozen]:
    rates = {case.stimulus: case.fs_hz for case in cases}
    store = store_of(product)
    for name, fs_hz in rates.items():
        key = f"stimulus:{name}"
        frozen = not remake and store is not None and key in store.entries
        samples = store.array(key) if frozen and store is not None else stimuli.synthesise(product, name)
        words = stimuli.in_words(product, name)
        configuration: dict[str, Any] = {"fs_hz": fs_hz, "what": words}
        yield Frozen(key, "stimuli.npz", {key: samples}, facts_of(samples, str(Q15), configuration))
