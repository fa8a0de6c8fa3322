"""Whether the distances of a plan fit its rooms."""

from collections.abc import Iterable

from acoustic_sim.placement import MIN_DISTANCE_M, place, room_size_for
from acoustic_sim.scene import MAX_FITTED_DISTANCE_M
from acoustic_sim.sweep.design import Condition
from acoustic_sim.sweep.plan_tables import Problems
from fixedpoint.errors import ConfigError


def check_places(conditions: Iterable[Condition], problems: Problems) -> None:
    """Name every distance that does not fit the room it is to lie in."""
    pairs = dict.fromkeys(
        (c.values["distance_m"], c.values["room_m"]) for c in conditions if c.values.get("distance_m")
    )
    for distance_m, room_m in pairs:
        if room_m == "fit" and distance_m > MAX_FITTED_DISTANCE_M:
            accepted = f"[{MIN_DISTANCE_M}, {MAX_FITTED_DISTANCE_M:g}] metres where the room is made to fit"
            problems.add(f"axes.distance_m={distance_m:g}: must be in {accepted}")
            continue
        try:
            place(room_size_for(distance_m) if room_m == "fit" else room_m, distance_m)
        except ConfigError as error:
            problems.add(f"axes.{error}")
