"""A small driver in a closed box with its amplifier and supply: parameters in SI units."""

from dataclasses import dataclass, field

import numpy as np

from acoustic_sim.border.checks import require_instance, require_number
from fixedpoint.errors import ConfigError

AIR_DENSITY_KG_M3 = 1.204  # 20 degrees Celsius, 101325 Pa
AIR_PRESSURE_PA = 101325.0
ADIABATIC_INDEX = 1.4

_MOST_STRAIN = 0.2  # of the air in the box; the series for its stiffness is 1 % off there

Shape = tuple[float, float, float, float]


@dataclass(frozen=True)
class Amplifier:
    """A class-D bridge on one rail, and the supply behind the rail.

    full_scale_v : output at digital full scale and 0 dB of gain, 0.1..200 V
    supply_v : source voltage, 3..100 V; the rail at rest, and the largest output either way
    supply_ohm : its internal resistance, 0..20 ohm; 0 is a rail that never sags
    reservoir_f : capacitor at the rail, 100e-6..1 F
    efficiency : power to the coil over power from the rail, 0.3..1
    brown_out_v : rail below which the output switches off, 0..supply_v; 0 is never
    recover_v : rail that must be back before it switches on, brown_out_v..supply_v
    restart_s : least time that it stays off, 0..10 s

    Notes
    -----
    Source: own choice. 12 V and 1.5 ohm stand for a 15 W plug-in supply (12 V, 1.25 A) with its cable, whose
    way into the current limit is taken for a straight line. 8 V is the least supply that class-D amplifiers
    of this size are specified for (TPA3110D2, TAS5731M). Parts restart within a few to some hundred ms.
    """

    full_scale_v: float = 12.0
    supply_v: float = 12.0
    supply_ohm: float = 1.5
    reservoir_f: float = 1000e-6
    efficiency: float = 0.85
    brown_out_v: float = 8.0
    recover_v: float = 9.0
    restart_s: float = 0.02

    def __post_init__(self) -> None:
        require_number("full_scale_v", self.full_scale_v, 0.1, 200, "in [0.1, 200] volts")
        require_number("supply_v", self.supply_v, 3, 100, "in [3, 100] volts")
        require_number("supply_ohm", self.supply_ohm, 0, 20, "in [0, 20] ohms")
        require_number("reservoir_f", self.reservoir_f, 100e-6, 1, "in [0.0001, 1] farads")
        require_number("efficiency", self.efficiency, 0.3, 1, "in [0.3, 1]")
        accepted = f"in [0, supply_v={self.supply_v:g}]"
        require_number("brown_out_v", self.brown_out_v, 0, self.supply_v, accepted)
        accepted = f"in [brown_out_v={self.brown_out_v:g}, supply_v={self.supply_v:g}]"
        require_number("recover_v", self.recover_v, self.brown_out_v, self.supply_v, accepted)
        require_number("restart_s", self.restart_s, 0, 10, "in [0, 10] seconds")


@dataclass(frozen=True)
class Driver:
    """A small full-range driver in a closed box. Excursion x is positive outwards.

    Bl(x) = bl_tm (1 + b1 x + b2 x^2 + b3 x^3 + b4 x^4), suspension K(x) likewise from kms_n_m; beyond
    +-fit_range_m both keep the value that they have there.

    sd_m2 : effective cone area, 1e-4..0.2 m^2
    mms_kg : moving mass with its air load, 1e-4..0.5 kg
    rms_kg_s : mechanical resistance, 0.01..50 kg/s
    kms_n_m : stiffness of the suspension at rest, 50..50000 N/m
    bl_tm : force factor at rest, 0.1..50 T m
    re_ohm : voice-coil resistance, 0.5..50 ohm
    xmax_m : rated peak excursion, 1e-4..0.05 m; a label for the user, the equations do not read it
    bl_shape : b1..b4, 1/m, 1/m^2, 1/m^3, 1/m^4
    kms_shape : the same of the suspension
    fit_range_m : how far the polynomials hold, 1e-4..0.1 m; both must stay positive up to there
    box_m3 : net volume of the box, 1e-5..1 m^3
    amplifier : Amplifier

    Notes
    -----
    Defaults: a 2.5-inch driver of 4 ohm. Fs 89.5 Hz, Qes 0.68, Qms 5.56, Vas 0.5 l, Re 3.5 ohm and
    Xmax 3.5 mm are published for the Dayton Audio ND65-4 (data sheet 290-204); with a cone of 45 mm diameter
    (own choice) they give mass, stiffness, resistance and force factor. Others of this class: Peerless
    PLS-50N25AL, PLS-65F25AL. In 0.45 l (own choice) f_c is 130 Hz and Qtc 0.88.

    Shapes: own choice. At xmax Bl keeps 82 % and the suspension's compliance 75 %, the limits at which
    IEC 62458 and Klippel set the peak excursions X_Bl and X_C (10 % distortion); the b4 of the suspension has
    it stiffen faster towards its end. The asymmetry (Bl is largest 0.2 mm outwards of rest, the suspension
    8 % stiffer inwards than outwards at xmax) is own choice, too.
    """

    sd_m2: float = 15.9e-4
    mms_kg: float = 2.27e-3
    rms_kg_s: float = 0.229
    kms_n_m: float = 717.0
    bl_tm: float = 2.56
    re_ohm: float = 3.5
    xmax_m: float = 3.5e-3
    bl_shape: Shape = (5.88, -14.7e3, 0.0, 0.0)
    kms_shape: Shape = (-14.3, 20.0e3, 0.0, 590e6)
    fit_range_m: float = 6e-3
    box_m3: float = 0.45e-3
    amplifier: Amplifier = field(default_factory=Amplifier)

    def __post_init__(self) -> None:
        require_number("sd_m2", self.sd_m2, 1e-4, 0.2, "in [0.0001, 0.2] m^2")
        require_number("mms_kg", self.mms_kg, 1e-4, 0.5, "in [0.0001, 0.5] kg")
        require_number("rms_kg_s", self.rms_kg_s, 0.01, 50, "in [0.01, 50] kg/s")
        require_number("kms_n_m", self.kms_n_m, 50, 50000, "in [50, 50000] N/m")
        require_number("bl_tm", self.bl_tm, 0.1, 50, "in [0.1, 50] T m")
        require_number("re_ohm", self.re_ohm, 0.5, 50, "in [0.5, 50] ohms")
        require_number("xmax_m", self.xmax_m, 1e-4, 0.05, "in [0.0001, 0.05] metres")
        require_number("fit_range_m", self.fit_range_m, 1e-4, 0.1, "in [0.0001, 0.1] metres")
        require_number("box_m3", self.box_m3, 1e-5, 1, "in [0.00001, 1] m^3")
        require_instance("amplifier", self.amplifier, Amplifier)
        for name in ("bl_shape", "kms_shape"):
            _require_shape(name, getattr(self, name), self.fit_range_m)
        swept_m3 = self.sd_m2 * self.fit_range_m
        if swept_m3 > _MOST_STRAIN * self.box_m3:
            raise ConfigError(
                f"box_m3={self.box_m3}: must be at least {swept_m3 / _MOST_STRAIN:.3g} for its cone"
            )

    @property
    def box_stiffness_n_m(self) -> float:
        """Stiffness of the box's air at rest, gamma P0 Sd^2 / V."""
        return ADIABATIC_INDEX * AIR_PRESSURE_PA * self.sd_m2**2 / self.box_m3

    @property
    def force_factor_polynomial(self) -> tuple[float, ...]:
        """Bl(x) = sum c_k x^k, from k = 0, T m / m^k."""
        return (self.bl_tm, *(self.bl_tm * b for b in self.bl_shape))

    @property
    def stiffness_polynomial(self) -> tuple[float, ...]:
        """K(x) = sum c_k x^k of suspension and box, from k = 0, N/m / m^k.

        Air: P0 Sd ((1 + e)^-gamma - 1), e = Sd x / V, is -K_box x (1 - (gamma+1)/2 e
        + (gamma+1)(gamma+2)/6 e^2 - ...), the adiabatic law.
        """
        k, strain = self.box_stiffness_n_m, self.sd_m2 / self.box_m3
        air = (-(ADIABATIC_INDEX + 1) / 2, (ADIABATIC_INDEX + 1) * (ADIABATIC_INDEX + 2) / 6, 0.0, 0.0)
        terms = zip(self.kms_shape, air, range(1, 5), strict=True)
        return (self.kms_n_m + k, *(self.kms_n_m * s + k * a * strain**n for s, a, n in terms))

    @property
    def resonance_hz(self) -> float:
        """f_c of driver and box at rest."""
        return float(np.sqrt(self.stiffness_polynomial[0] / self.mms_kg) / (2 * np.pi))

    @property
    def q_total(self) -> float:
        """Qtc of driver and box at rest, electrical damping through Re alone."""
        damping = self.rms_kg_s + self.bl_tm**2 / self.re_ohm
        return float(np.sqrt(self.stiffness_polynomial[0] * self.mms_kg) / damping)


def _require_shape(name: str, shape: object, fit_range_m: float) -> None:
    accepted = "a tuple of four finite numbers"
    if not isinstance(shape, tuple) or len(shape) != 4:
        raise ConfigError(f"{name}={shape!r}: must be {accepted}")
    for value in shape:
        require_number(name, value, -1e15, 1e15, accepted)
    x = np.linspace(-fit_range_m, fit_range_m, 401)
    lowest = np.polyval([*shape[::-1], 1.0], x)
    if lowest.min() <= 0:
        at_m = x[np.argmin(lowest)]
        raise ConfigError(
            f"{name}={shape}: must stay positive up to +-{fit_range_m} m; not so at {at_m:.4g} m"
        )
