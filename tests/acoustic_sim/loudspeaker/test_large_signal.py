import dataclasses

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from acoustic_sim.loudspeaker import Amplifier, Driver, measure_thd, simulate
from fixedpoint.errors import AudioError, ConfigError

FS_HZ = 48000
AIR_DENSITY_KG_M3 = 1.204


def sine(freq_hz, seconds, fs_hz=FS_HZ):
    return np.sin(2 * np.pi * freq_hz * np.arange(round(seconds * fs_hz)) / fs_hz)


def square(period, n):
    return np.where(np.arange(n) % period < period // 2, 1.0, -1.0)


def theory(driver, freq_hz):
    """Excursion (m/V) and pressure (Pa/V) of the linear driver: the equations in the Laplace domain."""
    s = 2j * np.pi * np.asarray(freq_hz)
    stiffness = driver.kms_n_m + 1.4 * 101325 * driver.sd_m2**2 / driver.box_m3
    damping = driver.rms_kg_s + driver.bl_tm**2 / driver.re_ohm
    excursion = driver.bl_tm / driver.re_ohm / (driver.mms_kg * s**2 + damping * s + stiffness)
    return excursion, AIR_DENSITY_KG_M3 * driver.sd_m2 / (2 * np.pi) * s**2 * excursion


# Small signals


def test_a_constant_voltage_by_hand():
    """Bl u / (Re K) = 2 * 0.12 / (4 * 1000) = 60 um, a current of 0.12 / 4 = 30 mA, and no sound."""
    none = (0.0, 0.0, 0.0, 0.0)
    driver = Driver(
        sd_m2=1e-3, box_m3=1.0, kms_n_m=1000 - 0.141855, bl_tm=2.0, re_ohm=4.0, bl_shape=none, kms_shape=none
    )
    for linear in (False, True):
        response = simulate(np.full(FS_HZ // 2, 0.01), FS_HZ, driver, linear=linear)
        assert response.excursion_m[-1] == pytest.approx(60e-6, rel=1e-6)
        assert response.current_a[-1] == pytest.approx(0.03, rel=1e-6)
        assert abs(response.pressure_pa[-1]) < 1e-10, "found 1e-13 Pa or less"


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("fs_hz", [44100, 48000])
def test_small_signals_follow_the_analytic_transfer_function(linear, fs_hz):
    driver = Driver()
    x = np.zeros(fs_hz)
    x[0] = 1e-4  # 1.2 mV
    response = simulate(x, fs_hz, driver, linear=linear)

    def error_db(y, expected, freq_hz):
        return np.abs(20 * np.log10(np.abs(np.fft.rfft(y)[freq_hz] / 1.2e-3 / expected))).max()

    freq_hz = np.arange(20, 1001, 10)
    excursion_db = error_db(response.excursion_m, theory(driver, freq_hz)[0], freq_hz)
    assert excursion_db < 0.06, f"excursion up to 1 kHz {excursion_db:.4f} dB, 0.0296 at 44.1 kHz"
    freq_hz = np.arange(20, 20001, 10)
    pressure_db = error_db(response.pressure_pa, theory(driver, freq_hz)[1], freq_hz)
    assert pressure_db < 6e-4, f"pressure up to 20 kHz {pressure_db:.6f} dB, 3.0e-4 at 44.1 kHz"


def test_phase_of_pressure_follows_theory():
    driver = Driver()
    x = np.zeros(FS_HZ)
    x[0] = 1e-4
    freq_hz = np.arange(20, 5001, 10)
    found = np.fft.rfft(simulate(x, FS_HZ, driver).pressure_pa)[freq_hz]
    error = np.abs(np.degrees(np.angle(found / theory(driver, freq_hz)[1]))).max()
    assert error < 0.12, f"{error:.4f} degrees, 0.0608 when written"


def test_both_solvers_agree_on_small_signals(rng):
    x = 1e-5 * rng.standard_normal(20000)
    full, linear = (simulate(x, FS_HZ, Driver(), linear=which) for which in (False, True))
    for name in ("pressure_pa", "excursion_m", "current_a"):
        a, b = getattr(full, name), getattr(linear, name)
        error = np.abs(a - b).max() / np.abs(b).max()
        assert error < 2.5e-7, f"{name}: {error:.1e}, 1.2e-7 when written"


def test_linear_is_linear(rng):
    a, b = rng.standard_normal((2, 20000))
    first, second, both = (simulate(x, FS_HZ, Driver(), 20.0, linear=True) for x in (a, b, 3 * a - 2 * b))
    for name in ("pressure_pa", "excursion_m", "current_a"):
        expected = 3 * getattr(first, name) - 2 * getattr(second, name)
        error = np.abs(getattr(both, name) - expected).max() / np.abs(expected).max()
        assert error < 1e-12, f"{name}: {error:.1e}, 1e-13 when written"
    assert (both.clipped, both.brown_out_samples) == (0, 0)
    assert (both.rail_v == 12.0).all()


# Large signals


@pytest.mark.parametrize(("freq_hz", "volts", "most"), [(50, 10, 2e-5), (100, 10, 5e-5), (200, 15, 3e-4)])
def test_large_excursion_follows_an_independent_solver(unlimited, freq_hz, volts, most):
    """Runge-Kutta on the differential equation, relative tolerance 1e-9, at more than 4 mm."""
    driver = unlimited

    def rates(t, state):
        x, v = state
        bl = np.polyval(driver.force_factor_polynomial[::-1], x)
        u = volts * np.sin(2 * np.pi * freq_hz * t)
        spring = np.polyval(driver.stiffness_polynomial[::-1], x) * x
        return [v, (bl * (u - bl * v) / driver.re_ohm - driver.rms_kg_s * v - spring) / driver.mms_kg]

    x = volts / 12 * sine(freq_hz, 0.05)
    t = np.arange(x.size) / FS_HZ
    expected = solve_ivp(rates, (0, t[-1]), [0, 0], t_eval=t, rtol=1e-9, atol=1e-12).y[0]
    error = np.abs(simulate(x, FS_HZ, driver).excursion_m - expected).max() / np.abs(expected).max()
    assert np.abs(expected).max() > 4e-3
    assert error < most, f"{error:.1e} of the peak; 9.4e-6, 2.3e-5, 1.3e-4 when written"


def test_pressure_is_the_acceleration_of_the_cone(unlimited):
    response = simulate(sine(100, 0.2), FS_HZ, unlimited)
    acceleration = np.diff(response.excursion_m, 2) * FS_HZ**2
    expected = AIR_DENSITY_KG_M3 * unlimited.sd_m2 / (2 * np.pi) * acceleration
    error = np.abs(response.pressure_pa[1:-1] - expected)[100:].max() / np.abs(expected).max()
    assert error < 1.6e-4, f"{error:.1e}, 7.9e-5 when written"


def test_excursion_compresses(unlimited):
    """40 dB more drive at 60 Hz move the cone by less than 40 dB."""
    low, high = (np.abs(simulate(sine(60, 0.3), FS_HZ, unlimited, g).excursion_m).max() for g in (-40, 0))
    compression_db = 40 - 20 * np.log10(high / low)
    assert compression_db == pytest.approx(2.28, abs=0.01), f"{compression_db:.2f} dB at 4.7 mm"


def harmonics_of_excursion(driver, freq_hz, gain_db, fs_hz=8000):
    return measure_thd(
        lambda x: simulate(x, fs_hz, driver, gain_db).excursion_m, fs_hz, freq_hz, settle_s=1, window_s=1
    ).amplitude


def test_a_hardening_spring_gives_the_third_harmonic_of_the_textbook(unlimited):
    """Far below resonance K x (1 + k x^2) = F cos wt: a_3 / a_1 = k a_1^2 / 4 to first order, a_2 = 0."""
    driver = dataclasses.replace(unlimited, bl_shape=(0.0,) * 4, kms_shape=(0.0, 20e3, 0.0, 0.0), box_m3=1.0)
    a = harmonics_of_excursion(driver, 2, -33)
    k = 20e3 * driver.kms_n_m / driver.stiffness_polynomial[0]
    assert a[2] / a[0] == pytest.approx(k * a[0] ** 2 / 4, rel=0.0076), "0.0038 off at 0.27 mm"
    assert a[1] / a[0] < 1e-9, "1.3e-10 when written"


def test_a_skew_spring_gives_the_second_harmonic_of_the_textbook(unlimited):
    """K x (1 + k x) = F cos wt: a_2 / a_1 = k a_1 / 2 to first order."""
    driver = dataclasses.replace(unlimited, bl_shape=(0.0,) * 4, kms_shape=(20.0, 0.0, 0.0, 0.0), box_m3=1.0)
    a = harmonics_of_excursion(driver, 2, -33)
    k = 20 * driver.kms_n_m / driver.stiffness_polynomial[0]
    assert a[1] / a[0] == pytest.approx(k * a[0] / 2, rel=0.0013), "6.5e-4 off at 0.27 mm"


def test_a_symmetric_driver_has_no_even_harmonics_and_a_skew_one_has(symmetric, unlimited):
    def harmonics(driver):
        a = measure_thd(lambda x: simulate(x, FS_HZ, driver, -6.0).pressure_pa, FS_HZ, 100).amplitude
        return a[1:] / a[0]

    even = harmonics(symmetric)[0::2]
    # the air in 1 m^3 is not quite a linear spring
    assert even.max() < 1.8e-9, f"symmetric: {even.max():.1e}, 9.0e-10 when written"
    assert harmonics(symmetric)[1] == pytest.approx(0.0847, abs=1e-4)
    assert harmonics(unlimited)[:2] == pytest.approx([0.0309, 0.0894], abs=1e-4)


# Stability


@pytest.mark.parametrize("gain_db", [20, 200])
@pytest.mark.parametrize("period", [2, 3, 10, 48, 369, 960, 4800])
def test_square_waves_far_beyond_the_rail_stay_bounded_and_die_away(gain_db, period):
    x = np.concatenate([square(period, FS_HZ // 2), np.zeros(FS_HZ // 2)])
    for brown_out_v in (0.0, 8.0):
        driver = Driver(amplifier=Amplifier(brown_out_v=brown_out_v))
        response = simulate(x, FS_HZ, driver, gain_db)
        assert np.abs(response.excursion_m).max() < 5.6e-3, "5.40 mm when written, at a period of 369"
        assert np.abs(response.pressure_pa).max() < 2.1, "2.03 Pa when written"
        assert np.abs(response.excursion_m[-1000:]).max() < 1e-90, "2e-99 when written"
        assert response.rail_v.min() > 7.3


def test_an_absurd_voltage_stays_finite(unlimited):
    """100 V would rip the cone out; beyond the fitted range the driver is a linear one, and as stable."""
    response = simulate(square(369, FS_HZ // 4), FS_HZ, unlimited, 100)
    assert np.isfinite(response.pressure_pa).all()
    assert np.abs(response.excursion_m).max() < 0.05, "39 mm when written"


def test_beyond_the_fitted_range_force_factor_and_stiffness_stay_as_they_are_at_its_end(unlimited):
    """Bl(6 mm) u = K(6 mm) Re x: with 90 V the cone comes to rest 13 mm out, far beyond any real one."""
    bl = np.polyval(unlimited.force_factor_polynomial[::-1], 6e-3)
    k = np.polyval(unlimited.stiffness_polynomial[::-1], 6e-3)
    found = simulate(np.full(FS_HZ // 2, 90 / 12), FS_HZ, unlimited)
    assert found.excursion_m[-1] == pytest.approx(bl * 90 / 3.5 / k, rel=1e-9)
    assert found.excursion_m[-1] > 6e-3
    assert abs(found.pressure_pa[-1]) < 1e-9


def test_silence_is_silent():
    response = simulate(np.zeros(100), FS_HZ, Driver())
    assert not response.pressure_pa.any()
    assert not response.excursion_m.any()
    assert not response.current_a.any()
    assert response.rail_v == pytest.approx(12.0, abs=1e-12)


def test_simulate_is_causal_and_the_same_from_run_to_run(rng):
    x = rng.uniform(-1, 1, 4000)
    whole, part = simulate(x, FS_HZ, Driver(), 6), simulate(x[:1500], FS_HZ, Driver(), 6)
    for a, b in zip(whole[:4], part[:4], strict=True):
        assert np.array_equal(a[:1500], b)


# Bad input


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.array([0.0, np.nan]), r"x\[1\]=nan \(1 of 2\): samples must be finite"),
        (np.zeros((3, 2)), r"x of shape \(3, 2\): must be one channel"),
        (np.zeros(0), r"x of shape \(0,\)"),
        (np.zeros(3, np.int16), "x of dtype int16"),
    ],
)
def test_simulate_names_a_bad_signal(x, message, linear):
    with pytest.raises(AudioError, match=message):
        simulate(x, FS_HZ, Driver(), linear=linear)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, Driver()), r"fs_hz=0: must be in \[8000, 384000\]"),
        ((FS_HZ, None), "driver=None: must be a Driver"),
        ((FS_HZ, Driver(), float("nan")), r"gain_db=nan: must be in \[-200, 200\]"),
    ],
)
def test_simulate_names_a_bad_argument(arguments, message):
    with pytest.raises(ConfigError, match=message):
        simulate(np.zeros(3), *arguments)
