"""Clipping, sag and brown-out: the amplifier and supply of the large-signal model."""

import numpy as np
import pytest

from acoustic_sim.loudspeaker import Amplifier, Driver, simulate

FS_HZ = 48000
N = FS_HZ // 2


def driver_on(**amplifier):
    return Driver(amplifier=Amplifier(**{"brown_out_v": 0.0, **amplifier}))


def test_the_rail_clips_by_hand():
    """1.0 at +6.02 dB asks for 24 V of a rail of 12 V that does not sag: the coil gets 12 V / 3.5 ohm."""
    response = simulate(np.full(N, 1.0), FS_HZ, driver_on(supply_ohm=0.0), 6.0206)
    assert response.clipped == N
    assert response.current_a[-1] == pytest.approx(12 / 3.5, rel=1e-6)
    assert (response.rail_v == 12.0).all()


def test_clipping_is_counted_both_ways_and_not_at_the_rail():
    x = np.array([0.5, 1.0, 1.01, -1.0, -1.01, 0.0])
    assert simulate(x, FS_HZ, driver_on(supply_ohm=0.0)).clipped == 2


def test_a_clipped_drive_is_the_drive_clipped(rng):
    x = rng.uniform(-2, 2, 5000)
    driver = driver_on(supply_ohm=0.0)
    a, b = simulate(x, FS_HZ, driver), simulate(np.clip(x, -1, 1), FS_HZ, driver)
    assert np.array_equal(a.pressure_pa, b.pressure_pa)
    assert a.clipped == np.count_nonzero(np.abs(x) > 1)


def test_sag_under_a_constant_load_by_hand():
    """6 V on 3.5 ohm are 10.286 W, 12.101 W at the rail: V^2 - 12 V + 1.5 * 12.101 = 0, V = 10.225."""
    response = simulate(np.full(N, 0.5), FS_HZ, driver_on())
    assert response.clipped == 0
    assert response.rail_v[-1] == pytest.approx(6 + np.sqrt(36 - 1.5 * 36 / 3.5 / 0.85), rel=1e-6)
    assert response.rail_v[-1] == pytest.approx(10.225, abs=0.001)


def test_sag_of_a_clipping_amplifier_by_hand():
    """Fully driven, the load is 0.85 * 3.5 = 2.975 ohm: 12 * 2.975 / (2.975 + 1.5) = 7.978 V."""
    response = simulate(np.full(N, 1.0), FS_HZ, driver_on(), 20)
    assert response.rail_v[-1] == pytest.approx(12 * 2.975 / 4.475, rel=1e-6)
    assert response.current_a[-1] == pytest.approx(12 * 2.975 / 4.475 / 3.5, rel=1e-6)
    assert response.clipped == N


def test_the_reservoir_carries_a_short_crest():
    """1 ms of full drive takes the rail down by less than 10 ms do, and a large reservoir by little."""
    burst = np.zeros(N)
    burst[:48] = 1.0
    long_burst = np.zeros(N)
    long_burst[:480] = 1.0
    sag = [12 - simulate(x, FS_HZ, driver_on()).rail_v.min() for x in (burst, long_burst)]
    assert sag == pytest.approx([1.76, 4.44], abs=0.005)
    # 10 ms of at most 12 V / (0.85 * 3.5 ohm) out of 0.1 F, without the help of the source
    large = 12 - simulate(long_burst, FS_HZ, driver_on(reservoir_f=0.1)).rail_v.min()
    assert 0.25 < large < 0.01 * 12 / 2.975 / 0.1, f"{large:.3f} V"


def test_the_rail_recovers_with_the_time_constant_of_source_and_reservoir():
    """1.5 ohm * 1000 uF: after 1.5 ms of no load the sag is 1/e of what it was."""
    x = np.zeros(N)
    x[: N // 2] = 0.5
    driver = Driver(amplifier=Amplifier(brown_out_v=0.0), rms_kg_s=50.0)  # the cone does not ring on
    rail = simulate(x, FS_HZ, driver).rail_v
    start = N // 2 + 24  # the cone has come to rest enough to draw nothing
    ratio = (12 - rail[start + 72]) / (12 - rail[start])
    assert ratio == pytest.approx(np.exp(-1), rel=0.014), f"{ratio:.4f}, 0.3704 when written"


def test_power_balances_at_the_rail_in_both_directions():
    """C dV/dt - (E - V)/Rs = -P/V, with P = u i / 0.85 to the coil and 0.85 u i back from it."""
    driver = driver_on()
    x = 0.3 * np.sin(2 * np.pi * 100 * np.arange(N) / FS_HZ)
    response = simulate(x, FS_HZ, driver)
    u = 12 * (x[:-1] + x[1:]) / 2
    v = np.diff(response.excursion_m) * FS_HZ
    middle = (response.excursion_m[:-1] + response.excursion_m[1:]) / 2
    power = u * (u - np.polyval(driver.force_factor_polynomial[::-1], middle) * v) / driver.re_ohm
    before, after = response.rail_v[1:-1], response.rail_v[2:]
    drawn = (np.where(power > 0, power / 0.85, power * 0.85))[:-1] / before
    balance = 1000e-6 * FS_HZ * (after - before) - (12 - after) / 1.5
    error = np.abs(balance + drawn).max() / np.abs(drawn).max()
    assert np.count_nonzero(power < 0) > N / 20, "the cone swings back against the amplifier"
    assert error < 1e-4, f"{error:.1e} of the largest current"


def test_a_supply_that_cannot_carry_the_load_stays_positive():
    """A coil of 0.5 ohm takes more out of 100 uF in one sample at 8 kHz than is in it."""
    amplifier = Amplifier(supply_ohm=20, reservoir_f=100e-6, efficiency=0.3, brown_out_v=0.0)
    square = np.where(np.arange(N) % 60 < 30, 1.0, -1.0)
    response = simulate(square, 8000, Driver(re_ohm=0.5, amplifier=amplifier), 20)
    assert response.rail_v.min() >= 0.1
    assert np.isfinite(response.pressure_pa).all()


def off_runs(response):
    """(first, last + 1) of each stretch without current."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], response.current_a == 0, [0]]).astype(int)))
    return edges.reshape(-1, 2)


def test_brown_out_switches_off_and_restarts():
    """Driven to 7.978 V the output goes off at 8 V, for 20 ms at least; the rail comes back meanwhile."""
    x = np.full(N, 1.0)
    response = simulate(x, FS_HZ, Driver(), 20)
    runs = off_runs(response)
    assert len(runs) >= 2
    assert response.brown_out_samples == np.sum(runs[:, 1] - runs[:, 0])
    for first, last in runs[:-1]:
        assert response.rail_v[first] < 8.0 <= response.rail_v[first - 1]
        assert last - first == 960  # 20 ms
        assert response.rail_v[last] > 11.9


def test_the_output_stays_off_until_the_rail_is_back():
    driver = Driver(amplifier=Amplifier(restart_s=0.0, recover_v=11.0))
    response = simulate(np.full(N, 1.0), FS_HZ, driver, 20)
    runs = off_runs(response)
    assert len(runs) >= 2
    for _, last in runs[:-1]:
        assert response.rail_v[last - 1] < 11.0 <= response.rail_v[last]


def test_an_open_output_leaves_the_cone_to_its_mechanical_damping():
    """x falls by exp(-Rms t / 2 Mms): a constant pull, then an open circuit for the rest of the signal."""
    none = (0.0, 0.0, 0.0, 0.0)
    amplifier = Amplifier(restart_s=10.0)
    driver = Driver(bl_shape=none, kms_shape=none, box_m3=1.0, amplifier=amplifier)
    response = simulate(np.full(N, 1.0), FS_HZ, driver, 20)
    assert len(off_runs(response)) == 1
    x = response.excursion_m[off_runs(response)[0, 0] :]
    crests = np.flatnonzero((x[1:-1] > x[:-2]) & (x[1:-1] >= x[2:])) + 1
    slope = np.polyfit(crests / FS_HZ, np.log(x[crests]), 1)[0]
    assert slope == pytest.approx(-driver.rms_kg_s / (2 * driver.mms_kg), rel=2e-3), f"{slope:.3f} /s"


def test_a_gentle_signal_knows_no_brown_out():
    response = simulate(0.5 * np.sin(np.arange(N) / 60), FS_HZ, Driver())
    assert (response.clipped, response.brown_out_samples) == (0, 0)
