"""Whether the distances of a plan fit its rooms."""

from collections.abc import Mapping

from acoustic_sim.placement import MIN_DISTANCE_M, place, room_size_for
from acoustic_sim.scene import MAX_FITTED_DISTANCE_M
from acoustic_sim.sweep.design import Levels, Span
from acoustic_sim.sweep.plan_tables import Problems
from fixedpoint.errors import ConfigError


def check_places(levels: Mapping[str, Levels], problems: Problems) -> None:
    """Name every distance that does not fit one of the rooms; any of them may meet.

    A hypercube may draw any distance of a span, so both its ends must fit.
    """
    distances, rooms = levels.get("distance_m", ()), levels.get("room_m", ())
    for distance_m in distances[:2] if isinstance(distances, Span) else distances:
        for room_m in rooms:
            if distance_m is None or room_m is None:  # a measured room, or a value that is named already
                continue
            if room_m == "fit" and distance_m > MAX_FITTED_DISTANCE_M:
                accepted = f"[{MIN_DISTANCE_M}, {MAX_FITTED_DISTANCE_M:g}] metres in a room made to fit"
                problems.add(f"axes.distance_m={distance_m:g}: must be in {accepted}")
                continue
            try:
                place(room_size_for(distance_m) if room_m == "fit" else room_m, distance_m)
            except ConfigError as error:
                problems.add(f"axes.{error}")
