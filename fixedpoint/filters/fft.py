"""Block-floating FFT of real frames: int32 mantissas, one exponent per frame."""

from typing import NamedTuple

import numpy as np

from fixedpoint._jit import kernel
from fixedpoint.arith import clz32, narrow32, neg32, rnd_shift, rnd_shift32, shl32, sign_changes, trn_shift32
from fixedpoint.errors import ConfigError
from fixedpoint.tables import bit_reversal, twiddles_q31

FFT_SIZES = (256, 512, 1024, 2048)


class FftParams(NamedTuple):
    """Tables of one FFT size, all constant; on the device they live in flash.

    size : (2,) int32, complex length m = n/2 and radix of the first stage (4, or 2 if log2 m is odd)
    place : (m,) int16, where complex sample c stands before the first stage
    twiddle_q31 : int32, Q1.31, for each later stage of span 4q and j = 0..q-1: real and imaginary part of
        W^j, W^2j and W^3j, W = exp(-j 2 pi / 4q); +1 saturates to 1 - 2**-31
    cosine_q31 : (m/2,) int32, Q1.31, cos(2 pi k / n), for the real split
    """

    size: np.ndarray
    place: np.ndarray
    twiddle_q31: np.ndarray
    cosine_q31: np.ndarray


def init_fft(n: int) -> FftParams:
    """Tables for a real FFT of n points.

    Parameters
    ----------
    n : int, samples per frame: 256, 512, 1024 or 2048

    Returns
    -------
    FftParams

    Raises
    ------
    ConfigError
        Another n.
    """
    if n not in FFT_SIZES:
        raise ConfigError(f"n={n}: must be one of {', '.join(map(str, FFT_SIZES))}")
    m = n // 2
    radix = 2 if m.bit_length() % 2 == 0 else 4  # m = radix * 4**k
    twiddles = []
    q = radix
    while q < m:
        # (q, 3 powers, re and im)
        twiddles.append(np.stack(twiddles_q31(4 * q, np.outer(np.arange(q), (1, 2, 3))), axis=2).ravel())
        q *= 4
    # The samples of a first-stage butterfly, m/radix apart, stand side by side.
    group = bit_reversal(m // radix).astype(np.int32)
    place = np.concatenate([radix * group + i for i in range(radix)])
    return FftParams(
        size=np.array([m, radix], dtype=np.int32),
        place=place.astype(np.int16),
        twiddle_q31=np.concatenate(twiddles),
        cosine_q31=twiddles_q31(n, np.arange(m // 2))[0],
    )


# --- first stage -----------------------------------------------------------------------------


@kernel
def scale_to_28(x, up):
    """x * 2**(up - 3), RND, of an int32 x of at most 31 - up magnitude bits: |.| <= 2**28.

    0 <= up <= 31.
    """
    return rnd_shift32(shl32(x, up), 3)


@kernel
def first_stage_radix2(params, z, up):
    """Scale the placed frame to |x| <= 2**28, RND; a stage of span 2; returns the OR of `sign_changes`.

    Range: sums of two, parts <= 2**29. 0 <= up <= 31.
    """
    mag = np.int64(1)
    for g in range(np.int64(params.size[0]) >> 1):
        k = 4 * g
        ar, ai = scale_to_28(z[k], up), scale_to_28(z[k + 1], up)
        br, bi = scale_to_28(z[k + 2], up), scale_to_28(z[k + 3], up)
        y0r, y0i = narrow32(ar + br), narrow32(ai + bi)
        y1r, y1i = narrow32(ar - br), narrow32(ai - bi)
        z[k], z[k + 1] = y0r, y0i
        z[k + 2], z[k + 3] = y1r, y1i
        mag = (
            mag | sign_changes(y0r) | sign_changes(y0i) | sign_changes(y1r) | sign_changes(y1i)
        ) & 0xFFFFFFFF
    return mag


@kernel
def first_stage_radix4(params, z, up):
    """Scale the placed frame to |x| <= 2**28, RND; a stage of span 4; returns the OR of `sign_changes`.

    Range: sums of four, parts <= 2**30. 0 <= up <= 31.
    """
    mag = np.int64(1)
    for g in range(np.int64(params.size[0]) >> 2):
        k = 8 * g
        ar, ai = scale_to_28(z[k], up), scale_to_28(z[k + 1], up)
        br, bi = scale_to_28(z[k + 2], up), scale_to_28(z[k + 3], up)
        cr, ci = scale_to_28(z[k + 4], up), scale_to_28(z[k + 5], up)
        dr, di = scale_to_28(z[k + 6], up), scale_to_28(z[k + 7], up)
        acr, aci = ar + cr, ai + ci
        amr, ami = ar - cr, ai - ci
        bdr, bdi = br + dr, bi + di
        bmr, bmi = br - dr, bi - di
        y0r, y0i = narrow32(acr + bdr), narrow32(aci + bdi)
        y1r, y1i = narrow32(amr + bmi), narrow32(ami - bmr)
        y2r, y2i = narrow32(acr - bdr), narrow32(aci - bdi)
        y3r, y3i = narrow32(amr - bmi), narrow32(ami + bmr)
        z[k], z[k + 1] = y0r, y0i
        z[k + 2], z[k + 3] = y1r, y1i
        z[k + 4], z[k + 5] = y2r, y2i
        z[k + 6], z[k + 7] = y3r, y3i
        mag = (
            mag | sign_changes(y0r) | sign_changes(y0i) | sign_changes(y1r) | sign_changes(y1i)
        ) & 0xFFFFFFFF
        mag = (
            mag | sign_changes(y2r) | sign_changes(y2i) | sign_changes(y3r) | sign_changes(y3i)
        ) & 0xFFFFFFFF
    return mag


# --- later stages ----------------------------------------------------------------------------


@kernel
def sum_of_products(a, b, c, d, shift):
    """(a b + c d) * 2**-(32 + shift), RND, of int32 factors and |sum| < 2**62, in int32.

    The half LSB is where a processor starts to accumulate; what is left is the upper word and one shift.
    0 <= shift <= 2.
    """
    return trn_shift32((a * b + c * d + (np.int64(1) << (31 + shift))) >> 32, shift)


@kernel
def stage_radix4(params, z, q, offset, shift):
    """One in-place stage of span 4q, scaled by 2**-(1 + shift), RND; returns the OR of `sign_changes`.

    Inputs times 2**-shift are within +-2**29, 0 <= shift <= 2; the bound on outputs stands in `rfft_bfp`.
    """
    mag = np.int64(1)
    step = 2 * np.int64(q)
    for base in range(0, 2 * np.int64(params.size[0]), 4 * step):
        for j in range(q):
            i0 = base + 2 * j
            i1 = i0 + step
            i2 = i1 + step
            i3 = i2 + step
            t = offset + 6 * j
            # Bit-reversed order puts residue 2 into the second quarter and residue 1 into the third.
            ar, ai = rnd_shift32(z[i0], 1 + shift), rnd_shift32(z[i0 + 1], 1 + shift)
            zr, zi = np.int64(z[i2]), np.int64(z[i2 + 1])
            wr, wi = np.int64(params.twiddle_q31[t]), np.int64(params.twiddle_q31[t + 1])
            br = sum_of_products(zr, wr, neg32(zi), wi, shift)
            bi = sum_of_products(zr, wi, zi, wr, shift)
            zr, zi = np.int64(z[i1]), np.int64(z[i1 + 1])
            wr, wi = np.int64(params.twiddle_q31[t + 2]), np.int64(params.twiddle_q31[t + 3])
            cr = sum_of_products(zr, wr, neg32(zi), wi, shift)
            ci = sum_of_products(zr, wi, zi, wr, shift)
            zr, zi = np.int64(z[i3]), np.int64(z[i3 + 1])
            wr, wi = np.int64(params.twiddle_q31[t + 4]), np.int64(params.twiddle_q31[t + 5])
            dr = sum_of_products(zr, wr, neg32(zi), wi, shift)
            di = sum_of_products(zr, wi, zi, wr, shift)
            acr, aci = ar + cr, ai + ci
            amr, ami = ar - cr, ai - ci
            bdr, bdi = br + dr, bi + di
            bmr, bmi = br - dr, bi - di
            y0r, y0i = narrow32(acr + bdr), narrow32(aci + bdi)
            y1r, y1i = narrow32(amr + bmi), narrow32(ami - bmr)
            y2r, y2i = narrow32(acr - bdr), narrow32(aci - bdi)
            y3r, y3i = narrow32(amr - bmi), narrow32(ami + bmr)
            z[i0], z[i0 + 1] = y0r, y0i
            z[i1], z[i1 + 1] = y1r, y1i
            z[i2], z[i2 + 1] = y2r, y2i
            z[i3], z[i3 + 1] = y3r, y3i
            mag = (
                mag | sign_changes(y0r) | sign_changes(y0i) | sign_changes(y1r) | sign_changes(y1i)
            ) & 0xFFFFFFFF
            mag = (
                mag | sign_changes(y2r) | sign_changes(y2i) | sign_changes(y3r) | sign_changes(y3i)
            ) & 0xFFFFFFFF
    return mag


@kernel
def mean(a, b, shift, odd, bias):
    """(a + b) * 2**-(1 + shift), RND, of int32 a and b whose sum does not fit a word.

    a + b = 2 (a & b) + (a ^ b). The bit below their mean counts only where nothing else is shifted away.

    0 <= shift <= 2; odd : 1 for shift 0, else 0; bias : 2**shift / 2, rounded down
    """
    apart = a ^ b
    whole = narrow32((a & b) + trn_shift32(apart, 1) + (apart & odd))
    return trn_shift32(whole + bias, shift)


@kernel
def split_real(params, z, shift):
    """From the m-point spectrum Z of even + j odd samples to bins 0..m of the frame, times 2**-shift.

    X[k] = E + W^k O and X[m-k] = conj(E - W^k O), with E = (Z[k] + conj Z[m-k])/2 and
    O = (Z[k] - conj Z[m-k])/2j. RND, 0 <= shift <= 2. Z times 2**-shift within +-2**29
    => |X| parts <= (1 + sqrt 2) 2**29 + 1.
    """
    m = np.int64(params.size[0])
    middle = m >> 1
    zr, zi = np.int64(z[0]), np.int64(z[1])
    z[0], z[1] = rnd_shift(zr + zi, shift), 0
    z[2 * m], z[2 * m + 1] = rnd_shift(zr - zi, shift), 0
    bias = (np.int64(1) << shift) >> 1
    odd = np.int64(0)
    if shift == 0:
        odd = np.int64(1)
    for k in range(1, middle):
        i, j = 2 * np.int64(k), 2 * (m - k)
        ar, ai = np.int64(z[i]), np.int64(z[i + 1])
        br, bi = np.int64(z[j]), np.int64(z[j + 1])
        # W^k = cos(2 pi k / n) - j cos(2 pi (m/2 - k) / n)
        wr, wi = np.int64(params.cosine_q31[k]), np.int64(params.cosine_q31[middle - k])
        er = mean(ar, br, shift, odd, bias)
        ei = mean(ai, neg32(bi), shift, odd, bias)
        our = narrow32(2 * mean(ai, bi, shift, odd, bias))
        oui = narrow32(2 * mean(br, neg32(ar), shift, odd, bias))
        tr = rnd_shift(our * wr + oui * wi, 32)
        ti = rnd_shift(oui * wr + neg32(our) * wi, 32)
        z[i], z[i + 1] = er + tr, ei + ti
        z[j], z[j + 1] = er - tr, ti - ei
    # Bin n/4.
    zr, zi = np.int64(z[m]), np.int64(z[m + 1])
    z[m], z[m + 1] = rnd_shift(zr, shift), rnd_shift(-zi, shift)


@kernel
def excess_bits(mag):
    """Right shift, 0 to 2, that brings a block with this OR of `sign_changes` (< 2**32) within +-2**29."""
    excess = 2 - clz32(mag)
    if excess < 0:
        return np.int64(0)
    return excess


@kernel
def rfft_in_place(params, z, mag):
    """`rfft_bfp` of a frame that is placed in z already: complex sample c at place[c].

    mag : OR of 1 and the `sign_changes` of all samples => 0 <= up <= 31. Returns the exponent.
    The stages after the first are 4 turns at most: m <= 1024.
    """
    m = np.int64(params.size[0])
    radix = np.int64(params.size[1])
    # First stage, with the frame moved up until only one sign bit is left, then to 28 bits.
    up = clz32(mag)
    exponent = 3 - up
    if radix == 2:
        mag = first_stage_radix2(params, z, up)
    else:
        mag = first_stage_radix4(params, z, up)
    # Radix-4 stages.
    q = radix
    offset = np.int64(0)
    while q < m:
        shift = excess_bits(mag)
        mag = stage_radix4(params, z, q, offset, shift)
        exponent += 1 + shift
        offset += 6 * q
        q *= 4
    # Real spectrum.
    shift = excess_bits(mag)
    split_real(params, z, shift)
    return exponent + shift


@kernel
def rfft_bfp(params, x, z):
    """Spectrum of a real frame, block floating: bins 0 to n/2 of the unscaled DFT.

    sum_i x[i] exp(-j 2 pi k i / n) = (z[2k] + j z[2k+1]) * 2**exponent

    Parameters
    ----------
    params : FftParams of n points
    x : (n,) int16 or int32, any integers: Q1.15 samples, or windowed ones up to Q1.31; unchanged
    z : (n + 2,) int32, output, real and imaginary part of bins 0 to n/2 in turn; the only work memory

    Returns
    -------
    exponent : int; for x in Qm.f the spectrum's value is mantissa * 2**(exponent - f)

    Notes
    -----
    Arithmetic: complex FFT of n/2 points (even + j odd samples), radix 4, decimation in time, after a
    first stage of span 2 or 4 without multiplications; then the real split. The frame is scaled so
    that max |x| is within 2**27..2**28: exact for up to 28 significant bits. Every later stage
    measures its input by the OR of `sign_changes` gathered while the stage before stored it, shifts
    right by s = 0, 1 or 2 so that parts are within B = 2**29, and halves. One RND per product and shift;
    no saturation, since nothing can overflow, whatever x:
      first stage, span 4: sums of four parts <= 2**28              => <= 2**30
      radix-4 stage, per part: a/2 + (W1 b + W2 c + W3 d)/2, where |part of W b| <= |b| <= sqrt(2) B
        => <= B/2 (1 + 3 sqrt 2) + 2 (four roundings of 1/2)         => <= 2.6214 B < 2**31
      products before rounding: parts <= 2.6214 B = 1.3107 * 2**30, |W| <= 1 + 2**-31
        => |wr zr - wi zi| <= sqrt(2) 1.3107 * 2**61 < 2**62, and < 2**63 with the half LSB
      real split: |E| <= B, |O| <= sqrt(2) B, parts of X <= (1 + sqrt 2) B + 1 => < 2**31
    Domain: all int32 values; silence gives zeros.
    Error: SNR against a double-precision FFT, worst over tones, squares and noise at 0, -12, -40 and
    -90 dBFS: 150 dB at n = 256, 146 at 512, 143 at 1024, 140 at 2048; single impulses at least 141 dB.
    Held by tests/fixedpoint/test_fft.py. Not bit-exact with arm_rfft_q15, which scales by 1/n in 16 bits
    and keeps 39 to 53 dB on tones at a quarter of full scale (203 tones for each size, same test).
    State: none; work memory 4 (n + 2) bytes; tables 6136 bytes at n = 1024.
    Source: Sorensen et al., "Real-valued fast Fourier transform algorithms", IEEE Trans. ASSP 35(6),
    1987 (real split); block floating point after Oppenheim and Weinstein, Proc. IEEE 60(8), 1972.
    """
    # Headroom of the frame.
    mag = np.int64(1)
    for c in range(params.size[0]):
        k = 2 * np.int64(params.place[c])
        xr, xi = np.int64(x[2 * c]), np.int64(x[2 * c + 1])
        z[k], z[k + 1] = xr, xi
        mag = (mag | sign_changes(xr) | sign_changes(xi)) & 0xFFFFFFFF
    return rfft_in_place(params, z, mag)
