"""Freezing: every golden computed afresh, as `store.write` takes it."""

from collections.abc import Iterator
from typing import Any

from firmware_model.golden import case_goldens, kernel_cases, kernel_goldens, stimuli
from firmware_model.golden.cases import CASES
from firmware_model.golden.store import FOLDER, MANIFEST, Frozen, Store, facts_of
from fixedpoint.qformat import Q15


def goldens(remake_stimuli: bool = False) -> Iterator[Frozen]:
    """All goldens.

    Parameters
    ----------
    remake_stimuli : make the stimuli by their formulas even where they are frozen already; another machine's
        sine may then move a sample by an LSB
    """
    frozen_stimuli = list(_stimuli(remake_stimuli))
    yield from frozen_stimuli
    samples = {stimulus.name: stimulus.arrays[stimulus.name] for stimulus in frozen_stimuli}
    for case in CASES.values():
        yield from case_goldens.freeze(case, samples[f"stimulus:{case.stimulus}"])
    for name in sorted(kernel_cases.CASES):
        yield kernel_goldens.freeze(name)


def _stimuli(remake: bool) -> Iterator[Frozen]:
    rates = {case.stimulus: case.fs_hz for case in CASES.values()}
    for name, (words, _) in stimuli.FORMULAS.items():
        key = f"stimulus:{name}"
        samples = None if remake else _frozen_already(key)
        if samples is None:
            samples = stimuli.synthesise(name)
        configuration: dict[str, Any] = {"fs_hz": rates[name], "what": words}
        yield Frozen(key, "stimuli.npz", {key: samples}, facts_of(samples, str(Q15), configuration))


def _frozen_already(key: str) -> Any:
    """The frozen samples; None where there are none yet. Corrupted ones are an error, not made anew."""
    if not (FOLDER / MANIFEST).exists():
        return None
    store = Store(FOLDER)
    return store.array(key) if key in store.entries else None
