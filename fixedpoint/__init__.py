"""Fixed-point arithmetic that Numba, an interpreter and a C compiler compute to the same bits.

The arithmetic contract
-----------------------
Formats
    Qm.n counts the sign bit in m: Q1.15 is an int16, Q1.31 an int32, Q8.24 an int32 that reaches
    from -128 to 128. A value v stands for v * 2**-n. The suffix of a name gives the fractional
    bits: ``gain_q31``, ``coef_q30``, ``level_q24``. `fixedpoint.qformat` converts from and to floats.
Width
    Every operand is widened to int64 when it is loaded. Accumulators are int64, and the docstring
    of the kernel shows that they cannot overflow. Only a named primitive narrows a value.
Rounding
    RND is the default: add half an LSB, then shift right arithmetically, that is
    floor(v * 2**-n + 1/2): to nearest, ties towards +infinity. TRN, floor(v * 2**-n), only where
    the name says ``trn``.
Overflow
    SAT is the default: the nearest value of the format. Two's complement WRAP only where the name
    says ``wrap``. ``narrow32`` is for values proven to fit: it does nothing but narrow, and the
    audit checks the proof.
Kernels
    Decorated with ``fixedpoint._jit.kernel`` and written in the subset that C99 export needs: integer
    scalars, contiguous 1-D and 2-D integer arrays, NamedTuples of these; ``for`` over ``range``, ``while``
    with a proven bound, ``if``, ``break``; calls of kernels; ``np.int16/32/64(x)``;
    ``+ - * << >> & | ^ ~``, comparisons, ``and or not``; return of scalars or a tuple of scalars.
    No float, no ``/ // %`` on signed data, no bare shift on data that will be stored, no allocation, no
    unbounded loop, no exception. A left shift of signed data is `arith.shl`, a multiplication, since
    C99 leaves ``<<`` of a negative value undefined and NumPy does not report its overflow.
    Arguments in the order params, state, x, y, probes; outputs are filled in place.
    Checks live in plain-Python functions at the border, once; kernels do not check.
    `fixedpoint.subset` refuses a kernel outside of this, when it is registered, and with types in ``check``.
    Counts of shifts and turns of ``while`` that it cannot see are stated: ``0 <= n <= 31``, ``5 turns at
    most``.
CMSIS-DSP
    Where the same operation exists there, the docstring says whether this one gives the same bits as
    the scalar C path, which is what the ``cmsisdsp`` package computes, and the tests compare them.
    CMSIS-DSP truncates where RND rounds; the ``_trn`` primitives are the ones with the same bits.

Three executions hold the contract: compiled by Numba; interpreted under `fixedpoint._jit.audit`,
where integer overflow and every narrowing that loses bits is an error; and exported to C99.
"""
