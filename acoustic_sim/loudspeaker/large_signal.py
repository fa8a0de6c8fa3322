"""The large-signal response of a closed-box driver on an amplifier whose rail sags."""

from typing import NamedTuple

import numpy as np
from scipy import signal

from acoustic_sim.border.checks import as_signal, require_instance, require_number
from acoustic_sim.loudspeaker.driver import AIR_DENSITY_KG_M3, Driver

DISTANCE_M = 1.0
OPEN = float("nan")  # the voltage of an output that is off: no current
_LEAST_RAIL_V = 0.1  # keeps the power balance finite


class Response(NamedTuple):
    """What a driver does with a signal, sample by sample.

    pressure_pa : (n,) float64, at 1 m into half space, without the travel time
    excursion_m : (n,) float64, positive outwards
    current_a : (n,) float64, through the voice coil
    rail_v : (n,) float64, supply rail of the amplifier
    clipped : samples at which the amplifier met the rail
    brown_out_samples : samples for which the undervoltage lock-out kept the output off
    """

    pressure_pa: np.ndarray
    excursion_m: np.ndarray
    current_a: np.ndarray
    rail_v: np.ndarray
    clipped: int
    brown_out_samples: int


def simulate(
    x: np.ndarray, fs_hz: float, driver: Driver, gain_db: float = 0.0, *, linear: bool = False
) -> Response:
    """Sound pressure, excursion, current and rail for the signal `x`.

    u = clip(full_scale_v 10^(gain_db/20) x, +-V);   Re i + Bl(x) v = u
    Mms dv/dt + Rms v + K(x) x = Bl(x) i;            p = rho0 Sd / (2 pi r) dv/dt
    C dV/dt = (E - V) / Rs - P(V) / V;               P = u i / eta, or eta u i where it comes back

    Parameters
    ----------
    x : (n,) float, full scale 1.0
    fs_hz : float in [8000, 384000], Hz
    driver : Driver
    gain_db : float in [-200, 200], volume ahead of the amplifier
    linear : True freezes Bl and K at rest and takes the rail for ideal: no clipping, no sag

    Raises
    ------
    AudioError, ConfigError
        `x` is empty, not one channel, or not finite; an argument out of range.

    Notes
    -----
    Discretised by the implicit midpoint rule: the trapezoidal rule (bilinear transform) where Bl and K are
    constant. Both are taken at x + v/(2 fs), the middle of the step to first order, so that each step is
    linear and solved in closed form. It stays bounded under any drive: full-scale squares at +60 dB move the
    default driver by 5.5 mm at most.
    Error at 48 kHz: bilinear warping alone for small signals, 0.0003 dB in pressure from 10 Hz to 20 kHz and
    0.025 dB in excursion up to 1 kHz (0.64 dB at 5 kHz, where it is 60 dB down). At 4.5 mm, without sag,
    excursion within 2.4e-5 of its peak at 50 and 100 Hz of a Runge-Kutta solution.
    Undervoltage: the output stage goes high-impedance (i = 0, the cone swings on with Rms alone) as soon as
    V < brown_out_v, and comes back when V >= recover_v and restart_s have passed.
    Left out: voice-coil inductance and its dependence on x and i (above some kHz eddy currents make it a
    semi-inductance, and the narrowing beam of the cone gives back on axis what it takes), heating of the
    coil, creep, cone break-up, the leaks and rub of a real box. The clipping is not oversampled: it aliases.
    Source: W. Klippel, "Loudspeaker nonlinearities - causes, parameters, symptoms", JAES 54 (2006), without
    L(x); box and pressure as in L. Beranek, "Acoustics"; amplifier and supply: own design.
    """
    x = as_signal("x", x)
    require_number("fs_hz", fs_hz, 8000, 384000, "in [8000, 384000]")
    require_instance("driver", driver, Driver)
    require_number("gain_db", gain_db, -200, 200, "in [-200, 200]")
    u = driver.amplifier.full_scale_v * 10 ** (gain_db / 20) * x
    return _solve_linear(u, fs_hz, driver) if linear else _solve(u, fs_hz, driver)


def _solve_linear(u: np.ndarray, fs_hz: float, driver: Driver) -> Response:
    """The same rule with constant coefficients: two bilinear filters."""
    bl, k = driver.bl_tm, driver.stiffness_polynomial[0]
    denominator = [driver.mms_kg, driver.rms_kg_s + bl**2 / driver.re_ohm, k]
    excursion = signal.lfilter(*signal.bilinear([bl / driver.re_ohm], denominator, fs_hz), u)
    velocity = signal.lfilter(*signal.bilinear([bl / driver.re_ohm, 0], denominator, fs_hz), u)
    current = (u - bl * velocity) / driver.re_ohm
    force = bl * current - driver.rms_kg_s * velocity - k * excursion
    rail = np.full(u.size, float(driver.amplifier.supply_v))
    return Response(_pressure(force, driver), excursion, current, rail, 0, 0)


def _solve(u: np.ndarray, fs_hz: float, driver: Driver) -> Response:
    amp = driver.amplifier
    half = 0.5 / fs_hz
    half_over_mass = half / driver.mms_kg
    re, rms, fit = driver.re_ohm, driver.rms_kg_s, driver.fit_range_m
    b0, b1, b2, b3, b4 = driver.force_factor_polynomial
    k0, k1, k2, k3, k4 = driver.stiffness_polynomial
    step_over_c = 1 / (fs_hz * amp.reservoir_f)
    # the source's share of the rail is taken implicitly: stable for any Rs C
    source_share = step_over_c / amp.supply_ohm if amp.supply_ohm > 0 else 0.0
    rail = rest = float(amp.supply_v)
    sags = amp.supply_ohm > 0
    drawn, returned = 1 / amp.efficiency, amp.efficiency
    restart = max(1, round(amp.restart_s * fs_hz))

    excursion = velocity = last_u = 0.0
    clipped = off_for = brown_out = 0  # off_for: samples since the output went off, 0 where it is on
    excursions, velocities, volts, rails = [], [], [], []
    for wanted in u.tolist():
        # undervoltage lock-out
        if off_for:
            off_for = 0 if off_for >= restart and rail >= amp.recover_v else off_for + 1
        elif rail < amp.brown_out_v:
            off_for = 1

        # Bl and K at the middle of the step
        at = excursion + half * velocity
        at = fit if at > fit else -fit if at < -fit else at
        k = k0 + at * (k1 + at * (k2 + at * (k3 + at * k4)))
        if off_for:
            brown_out += 1
            applied, last_u, power = OPEN, 0.0, 0.0
            middle = (velocity - half_over_mass * k * excursion) / (1 + half_over_mass * (rms + half * k))
        else:
            # amplifier
            applied = wanted
            if wanted > rail:
                applied, clipped = rail, clipped + 1
            elif wanted < -rail:
                applied, clipped = -rail, clipped + 1
            mean_u = 0.5 * (last_u + applied)
            last_u = applied
            # motor and mechanics: velocity at the middle of the step
            bl = b0 + at * (b1 + at * (b2 + at * (b3 + at * b4)))
            motor = bl / re
            middle = (velocity + half_over_mass * (motor * mean_u - k * excursion)) / (
                1 + half_over_mass * (rms + bl * motor + half * k)
            )
            power = mean_u * (mean_u - bl * middle) / re
        velocity = 2 * middle - velocity
        excursion += 2 * half * middle
        excursions.append(excursion)
        velocities.append(velocity)
        volts.append(applied)
        rails.append(rail)

        # supply
        if sags:
            power *= drawn if power > 0 else returned
            rail = (rail + source_share * rest - step_over_c * power / rail) / (1 + source_share)
            if rail < _LEAST_RAIL_V:
                rail = _LEAST_RAIL_V
    x, v = np.array(excursions), np.array(velocities)
    near = np.clip(x, -fit, fit)
    bl_at_x = np.polyval(driver.force_factor_polynomial[::-1], near)
    current = np.nan_to_num((np.array(volts) - bl_at_x * v) / re)
    force = bl_at_x * current - rms * v - np.polyval(driver.stiffness_polynomial[::-1], near) * x
    return Response(_pressure(force, driver), x, current, np.array(rails), clipped, brown_out)


def _pressure(force: np.ndarray, driver: Driver) -> np.ndarray:
    """rho0 Sd / (2 pi r) dv/dt: a small piston in a large baffle."""
    return AIR_DENSITY_KG_M3 * driver.sd_m2 / (2 * np.pi * DISTANCE_M * driver.mms_kg) * force
