import dataclasses

import numpy as np
import pytest

from acoustic_sim.loudspeaker import Amplifier, Driver
from fixedpoint.errors import ConfigError


def test_box_stiffness_by_hand():
    """gamma P0 Sd^2 / V = 1.4 * 101325 * (2e-3)^2 / 1e-3 = 567.42 N/m."""
    assert Driver(sd_m2=2e-3, box_m3=1e-3).box_stiffness_n_m == pytest.approx(567.42, rel=1e-12)


def test_resonance_and_q_by_hand():
    """K = 432.58 + 567.42 = 1000 N/m on 2.5 g: w = sqrt(4e5) = 632.46 /s; R + Bl^2/Re = 0.5 + 4/4 = 1.5."""
    driver = Driver(
        sd_m2=2e-3, box_m3=1e-3, kms_n_m=432.58, mms_kg=2.5e-3, rms_kg_s=0.5, bl_tm=2.0, re_ohm=4.0
    )
    assert driver.resonance_hz == pytest.approx(632.4555 / (2 * np.pi), rel=1e-6)
    assert driver.q_total == pytest.approx(632.4555 * 2.5e-3 / 1.5, rel=1e-6)


def test_the_default_is_a_small_smart_speaker():
    driver = Driver()
    assert driver.resonance_hz == pytest.approx(130, abs=0.05), "found 129.98 Hz"
    assert driver.q_total == pytest.approx(0.88, abs=0.005), "found 0.882"


def test_default_shapes_lose_at_xmax_what_the_docstring_says():
    driver = Driver()
    both = np.array([-driver.xmax_m, driver.xmax_m])
    force = np.polyval(driver.force_factor_polynomial[::-1], both) / driver.bl_tm
    suspension = np.polyval([*driver.kms_shape[::-1], 1.0], both)
    assert force.mean() == pytest.approx(0.82, abs=0.001)
    assert 1 / suspension.mean() == pytest.approx(0.75, abs=0.001)
    assert suspension[0] / suspension[1] == pytest.approx(1.08, abs=0.004), "found 1.078"
    fine = np.linspace(-1e-3, 1e-3, 20001)
    peak = fine[np.argmax(np.polyval(driver.force_factor_polynomial[::-1], fine))]
    assert peak == pytest.approx(0.2e-3, abs=1e-7)


def test_air_in_the_box_follows_the_adiabatic_law():
    """The whole force P0 Sd ((1 + e)^-gamma - 1) against the polynomial, for e up to 2 %."""
    driver = Driver(kms_shape=(0.0, 0.0, 0.0, 0.0))
    x = np.linspace(-5e-3, 5e-3, 11)
    box = np.polyval(driver.stiffness_polynomial[::-1], x) * x - driver.kms_n_m * x
    strain = driver.sd_m2 * x / driver.box_m3
    exact = -101325 * driver.sd_m2 * ((1 + strain) ** -1.4 - 1)
    error = np.abs(box - exact).max() / np.abs(exact).max()
    assert error < 3e-5, f"{error:.1e} of the largest force"


@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(Driver) if f.name != "amplifier"])
@pytest.mark.parametrize("value", [float("nan"), -1.0, 1e16, "1", None, True, (1.0, 2.0)])
def test_driver_names_a_bad_value(name, value):
    with pytest.raises(ConfigError, match=rf"^{name}=.*: must "):
        Driver(**{name: value})


@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(Amplifier)])
@pytest.mark.parametrize("value", [float("inf"), -1.0, "12", None])
def test_amplifier_names_a_bad_value(name, value):
    with pytest.raises(ConfigError, match=rf"^{name}=.*: must be in "):
        Amplifier(**{name: value})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bl_shape": (0.0, -30e3, 0.0, 0.0)}, "bl_shape=.* must stay positive up to .-0.006 m; not so at"),
        ({"bl_shape": (0.0, float("nan"), 0.0, 0.0)}, "bl_shape=nan: must be a tuple of four finite numbers"),
        ({"kms_shape": (300.0, 0.0, 0.0, 0.0)}, "kms_shape=.* must stay positive"),
        ({"amplifier": 12.0}, "amplifier=12.0: must be a Amplifier"),
        ({"box_m3": 4e-5}, "box_m3=4e-05: must be at least 4.77e-05 for its cone"),
    ],
)
def test_driver_refuses_what_cannot_be_built(arguments, message):
    with pytest.raises(ConfigError, match=message):
        Driver(**arguments)


def test_amplifier_thresholds_must_be_in_order():
    with pytest.raises(ConfigError, match=r"brown_out_v=13: must be in \[0, supply_v=12\]"):
        Amplifier(brown_out_v=13)
    with pytest.raises(ConfigError, match=r"recover_v=7.5: must be in \[brown_out_v=8, supply_v=12\]"):
        Amplifier(recover_v=7.5)
