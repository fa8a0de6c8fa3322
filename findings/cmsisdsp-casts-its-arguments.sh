#!/bin/sh
# The CMSIS-DSP wheel casts any array to the kernel's type, without a word.
#
# Package
#   cmsisdsp 1.10.1 (wheels up to CPython 3.12), numpy 2.4.6
# Behaviour
#   Floats given to a q15 function are truncated to integers, a cast that NumPy's own functions
#   refuse ("same_kind"), so that a signal in [-1, 1) becomes nearly all zeros and the result is a
#   valid, silent int16 array; int32 values beyond 16 bits wrap instead of saturating, in a library
#   whose functions saturate; int64 values beyond 32 bits wrap in q31 functions.
# Output
#   arm_add_q15(0.5 + 0.5, 0.9 + 0.9, 3.7 + 3.7) = 0 0 6
#   arm_abs_q15(40000, 70000, -40000 as int32)   = 25536 4464 25536
#   arm_abs_q31(2**32 + 5 as int64)              = 5
# Why it matters here
#   The wheel is what fixed-point Python is compared with. A float signal, or an accumulator not yet
#   narrowed, gives a plausible array and a difference that looks like one of arithmetic. Here types
#   and ranges are checked ahead of each call.
# Date
#   2026-12-01
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    cmsisdsp==1.10.1 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import cmsisdsp
import numpy as np

floats = np.array([0.5, 0.9, 3.7])
assert not np.can_cast(floats.dtype, np.int16, "same_kind")
added = cmsisdsp.arm_add_q15(floats, floats)
wide = cmsisdsp.arm_abs_q15(np.array([40000, 70000, -40000], np.int32))
wider = cmsisdsp.arm_abs_q31(np.array([2**32 + 5], np.int64))
print("arm_add_q15(0.5 + 0.5, 0.9 + 0.9, 3.7 + 3.7) =", *added)
print("arm_abs_q15(40000, 70000, -40000 as int32)   =", *wide)
print("arm_abs_q31(2**32 + 5 as int64)              =", *wider)
assert added.tolist() == [0, 0, 6], "changed"
assert wide.tolist() == [25536, 4464, 25536], "changed"
assert wider.tolist() == [5], "changed"
END
