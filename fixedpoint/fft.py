"""Block-floating FFT of real frames: int32 mantissas, one exponent per frame."""

from typing import NamedTuple

import numpy as np

from fixedpoint._jit import kernel
from fixedpoint.arith import magnitude_bits, narrow32, norm64, rnd_shift, shl
from fixedpoint.errors import ConfigError
from fixedpoint.tables import bit_reversal, twiddles_q31

FFT_SIZES = (256, 512, 1024, 2048)


class FftParams(NamedTuple):
    """Tables of one FFT size, all constant; on the device they live in flash.

    size : (2,) int32, complex length m = n/2 and radix of the first stage (4, or 2 if log2 m is odd)
    order : (m/radix,) int16, bit-reversed index of the first sample of each first-stage butterfly
    twiddle_re_q31, twiddle_im_q31 : int32, Q1.31, for each later stage of span 4q: W^j, W^2j, W^3j,
        j = 0..q-1, W = exp(-j 2 pi / 4q); +1 saturates to 1 - 2**-31
    split_re_q31, split_im_q31 : (m/2,) int32, Q1.31, exp(-j 2 pi k / n)
    """

    size: np.ndarray
    order: np.ndarray
    twiddle_re_q31: np.ndarray
    twiddle_im_q31: np.ndarray
    split_re_q31: np.ndarray
    split_im_q31: np.ndarray


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
    twiddle_re, twiddle_im = [], []
    q = radix
    while q < m:
        for power in (1, 2, 3):
            w_re, w_im = twiddles_q31(4 * q, power * np.arange(q))
            twiddle_re.append(w_re)
            twiddle_im.append(w_im)
        q *= 4
    split_re_q31, split_im_q31 = twiddles_q31(n, np.arange(m // 2))
    return FftParams(
        size=np.array([m, radix], dtype=np.int32),
        order=bit_reversal(m // radix),
        twiddle_re_q31=np.concatenate(twiddle_re),
        twiddle_im_q31=np.concatenate(twiddle_im),
        split_re_q31=split_re_q31,
        split_im_q31=split_im_q31,
    )


@kernel
def load_radix2(params, x, re, im, up, down):
    """Scale the frame by 2**(up - down), RND, to |x| <= 2**28, and do a first stage of span 2.

    Even samples are real parts, odd samples imaginary parts. Returns the OR of all magnitudes.
    Range: sums of two, |re|, |im| <= 2**29.
    """
    m = np.int64(params.size[0])
    half = m >> 1
    mag = np.int64(0)
    for g in range(half):
        i = 2 * np.int64(params.order[g])
        ar = rnd_shift(shl(np.int64(x[i]), up), down)
        ai = rnd_shift(shl(np.int64(x[i + 1]), up), down)
        br = rnd_shift(shl(np.int64(x[i + m]), up), down)
        bi = rnd_shift(shl(np.int64(x[i + m + 1]), up), down)
        y0r, y0i = ar + br, ai + bi
        y1r, y1i = ar - br, ai - bi
        re[2 * g], im[2 * g] = y0r, y0i
        re[2 * g + 1], im[2 * g + 1] = y1r, y1i
        mag |= magnitude_bits(y0r) | magnitude_bits(y0i) | magnitude_bits(y1r) | magnitude_bits(y1i)
    return mag


@kernel
def load_radix4(params, x, re, im, up, down):
    """Scale the frame by 2**(up - down), RND, to |x| <= 2**28, and do a first stage of span 4.

    Even samples are real parts, odd samples imaginary parts. Returns the OR of all magnitudes.
    Range: sums of four, |re|, |im| <= 2**30.
    """
    m = np.int64(params.size[0])
    quarter = m >> 2
    half = m >> 1
    mag = np.int64(0)
    for g in range(quarter):
        i = 2 * np.int64(params.order[g])
        ar = rnd_shift(shl(np.int64(x[i]), up), down)
        ai = rnd_shift(shl(np.int64(x[i + 1]), up), down)
        br = rnd_shift(shl(np.int64(x[i + half]), up), down)
        bi = rnd_shift(shl(np.int64(x[i + half + 1]), up), down)
        cr = rnd_shift(shl(np.int64(x[i + m]), up), down)
        ci = rnd_shift(shl(np.int64(x[i + m + 1]), up), down)
        dr = rnd_shift(shl(np.int64(x[i + m + half]), up), down)
        di = rnd_shift(shl(np.int64(x[i + m + half + 1]), up), down)
        acr, aci = ar + cr, ai + ci
        amr, ami = ar - cr, ai - ci
        bdr, bdi = br + dr, bi + di
        bmr, bmi = br - dr, bi - di
        y0r, y0i = acr + bdr, aci + bdi
        y1r, y1i = amr + bmi, ami - bmr
        y2r, y2i = acr - bdr, aci - bdi
        y3r, y3i = amr - bmi, ami + bmr
        k = 4 * g
        re[k], im[k] = y0r, y0i
        re[k + 1], im[k + 1] = y1r, y1i
        re[k + 2], im[k + 2] = y2r, y2i
        re[k + 3], im[k + 3] = y3r, y3i
        mag |= magnitude_bits(y0r) | magnitude_bits(y0i) | magnitude_bits(y1r) | magnitude_bits(y1i)
        mag |= magnitude_bits(y2r) | magnitude_bits(y2i) | magnitude_bits(y3r) | magnitude_bits(y3i)
    return mag


@kernel
def stage_radix4(params, re, im, q, offset, shift):
    """One in-place stage of span 4q, scaled by 2**-(1 + shift), RND; returns the OR of all magnitudes.

    Inputs times 2**-shift are within +-2**29; the bound on outputs stands in `rfft_bfp`.
    """
    m = np.int64(params.size[0])
    mag = np.int64(0)
    for base in range(0, m, 4 * q):
        for j in range(q):
            i0 = base + j
            i1 = i0 + q
            i2 = i1 + q
            i3 = i2 + q
            t = offset + j
            # Bit-reversed order puts residue 2 into the second quarter and residue 1 into the third.
            ar = rnd_shift(np.int64(re[i0]), 1 + shift)
            ai = rnd_shift(np.int64(im[i0]), 1 + shift)
            zr, zi = np.int64(re[i2]), np.int64(im[i2])
            wr, wi = np.int64(params.twiddle_re_q31[t]), np.int64(params.twiddle_im_q31[t])
            br = rnd_shift(zr * wr - zi * wi, 32 + shift)
            bi = rnd_shift(zr * wi + zi * wr, 32 + shift)
            zr, zi = np.int64(re[i1]), np.int64(im[i1])
            wr, wi = np.int64(params.twiddle_re_q31[t + q]), np.int64(params.twiddle_im_q31[t + q])
            cr = rnd_shift(zr * wr - zi * wi, 32 + shift)
            ci = rnd_shift(zr * wi + zi * wr, 32 + shift)
            zr, zi = np.int64(re[i3]), np.int64(im[i3])
            wr, wi = np.int64(params.twiddle_re_q31[t + 2 * q]), np.int64(params.twiddle_im_q31[t + 2 * q])
            dr = rnd_shift(zr * wr - zi * wi, 32 + shift)
            di = rnd_shift(zr * wi + zi * wr, 32 + shift)
            acr, aci = ar + cr, ai + ci
            amr, ami = ar - cr, ai - ci
            bdr, bdi = br + dr, bi + di
            bmr, bmi = br - dr, bi - di
            y0r, y0i = acr + bdr, aci + bdi
            y1r, y1i = amr + bmi, ami - bmr
            y2r, y2i = acr - bdr, aci - bdi
            y3r, y3i = amr - bmi, ami + bmr
            re[i0], im[i0] = y0r, y0i
            re[i1], im[i1] = y1r, y1i
            re[i2], im[i2] = y2r, y2i
            re[i3], im[i3] = y3r, y3i
            mag |= magnitude_bits(y0r) | magnitude_bits(y0i) | magnitude_bits(y1r) | magnitude_bits(y1i)
            mag |= magnitude_bits(y2r) | magnitude_bits(y2i) | magnitude_bits(y3r) | magnitude_bits(y3i)
    return mag


@kernel
def split_real(params, re, im, shift):
    """From the m-point spectrum Z of even + j odd samples to bins 0..m of the frame, times 2**-shift.

    X[k] = E + W^k O and X[m-k] = conj(E - W^k O), with E = (Z[k] + conj Z[m-k])/2 and
    O = (Z[k] - conj Z[m-k])/2j. RND. Z times 2**-shift within +-2**29 => |X| parts <= (1 + sqrt 2) 2**29 + 1.
    """
    m = np.int64(params.size[0])
    half = m >> 1
    zr, zi = np.int64(re[0]), np.int64(im[0])
    re[0], im[0] = rnd_shift(zr + zi, shift), 0
    re[m], im[m] = rnd_shift(zr - zi, shift), 0
    for k in range(1, half):
        ar, ai = np.int64(re[k]), np.int64(im[k])
        br, bi = np.int64(re[m - k]), np.int64(im[m - k])
        wr, wi = np.int64(params.split_re_q31[k]), np.int64(params.split_im_q31[k])
        er = rnd_shift(ar + br, 1 + shift)
        ei = rnd_shift(ai - bi, 1 + shift)
        our = narrow32(rnd_shift(ai + bi, 1 + shift))
        oui = narrow32(rnd_shift(br - ar, 1 + shift))
        tr = rnd_shift(our * wr - oui * wi, 31)
        ti = rnd_shift(our * wi + oui * wr, 31)
        re[k], im[k] = er + tr, ei + ti
        re[m - k], im[m - k] = er - tr, ti - ei
    zr, zi = np.int64(re[half]), np.int64(im[half])
    re[half], im[half] = rnd_shift(zr, shift), rnd_shift(-zi, shift)


@kernel
def excess_bits(mag):
    """Right shift, 0 to 2, that brings a block with this OR of magnitudes (< 2**31) within +-2**29."""
    excess = 63 - norm64(mag) - 29
    if excess < 0:
        return np.int64(0)
    return excess


@kernel
def rfft_bfp(params, x, re, im):
    """Spectrum of a real frame, block floating: bins 0 to n/2 of the unscaled DFT.

    sum_i x[i] exp(-j 2 pi k i / n) = (re[k] + j im[k]) * 2**exponent

    Parameters
    ----------
    params : FftParams of n points
    x : (n,) int16 or int32, any integers: Q1.15 samples, or windowed ones up to Q1.31; unchanged
    re, im : (n/2 + 1,) int32, outputs, and the only work memory

    Returns
    -------
    exponent : int; for x in Qm.f the spectrum's value is mantissa * 2**(exponent - f)

    Notes
    -----
    Arithmetic: complex FFT of n/2 points (even + j odd samples), radix 4, decimation in time, after a
    first stage of span 2 or 4 without multiplications; then the real split. The frame is scaled so
    that max |x| is within 2**27..2**28: exact for up to 28 significant bits. Every later stage
    measures its input by the OR of magnitudes gathered while the stage before stored it, shifts
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
    State: none; work memory 4 (n + 2) bytes; tables 6648 bytes at n = 1024.
    Source: Sorensen et al., "Real-valued fast Fourier transform algorithms", IEEE Trans. ASSP 35(6),
    1987 (real split); block floating point after Oppenheim and Weinstein, Proc. IEEE 60(8), 1972.
    """
    m = np.int64(params.size[0])
    radix = np.int64(params.size[1])
    # Headroom of the frame.
    mag = np.int64(0)
    for i in range(2 * m):
        mag |= magnitude_bits(np.int64(x[i]))
    lead = norm64(mag) - 35  # x * 2**lead is within +-2**28
    up, down = lead, np.int64(0)
    if lead < 0:
        up, down = np.int64(0), -lead
    # First stage, on the way in.
    if radix == 2:
        mag = load_radix2(params, x, re, im, up, down)
    else:
        mag = load_radix4(params, x, re, im, up, down)
    exponent = -lead
    # Radix-4 stages.
    q = radix
    offset = np.int64(0)
    while q < m:
        shift = excess_bits(mag)
        mag = stage_radix4(params, re, im, q, offset, shift)
        exponent += 1 + shift
        offset += 3 * q
        q *= 4
    # Real spectrum.
    shift = excess_bits(mag)
    split_real(params, re, im, shift)
    return exponent + shift
