"""Where the loudspeaker and the microphone stand in a shoebox room, and a shoebox that fits a distance."""

import math

from fixedpoint.errors import ConfigError

LOUDSPEAKER_HEIGHT_M = 0.95  # on a sideboard
MICROPHONE_HEIGHT_M = 1.15  # worn by a seated listener, or on a shelf
LOUDSPEAKER_TO_WALL_M = 0.55
MICROPHONE_TO_WALL_M = 0.45
MIN_DISTANCE_M = 0.3
_SIDE_FRACTION = 0.36  # of the width: no low-order mode has its node here
_BEARINGS = (0.15, 0.21, 0.11, 0.27, 0.05)  # sideways per metre of distance, in order of preference
_OFF_CENTRE_M = 0.1

Point = tuple[float, float, float]


def place(size_m: Point, distance_m: float) -> tuple[Point, Point]:
    """Loudspeaker and microphone at exactly `distance_m`, both off every plane of symmetry.

    The loudspeaker stands 0.55 m from a short wall, at 0.36 of the width; the microphone lies down the
    long side, slightly askew, at least 0.45 m from the walls and 0.1 m from the centre line.

    Parameters
    ----------
    size_m : (length, width, height), metres; the longer of the first two is taken as the long side
    distance_m : float >= 0.3, metres

    Returns
    -------
    loudspeaker_m, microphone_m : (x, y, z), metres

    Raises
    ------
    ConfigError
        The distance does not fit; the message names the largest that does.
    """
    length_m, width_m = max(size_m[:2]), min(size_m[:2])
    loudspeaker = (LOUDSPEAKER_TO_WALL_M, _SIDE_FRACTION * width_m, LOUDSPEAKER_HEIGHT_M)
    rise_m = MICROPHONE_HEIGHT_M - LOUDSPEAKER_HEIGHT_M
    run_m = math.sqrt(max(distance_m**2 - rise_m**2, 0.0))
    most_x_m = length_m - LOUDSPEAKER_TO_WALL_M - MICROPHONE_TO_WALL_M
    most_y_m = (1 - _SIDE_FRACTION) * width_m - MICROPHONE_TO_WALL_M
    bearings = [*_BEARINGS, 0.0]
    if run_m > most_x_m > 0:
        bearings.append(math.sqrt(run_m**2 - most_x_m**2) / run_m)  # the diagonal, as straight as it fits
    for bearing in bearings:
        dy_m = run_m * bearing
        dx_m = math.sqrt(run_m**2 - dy_m**2)
        off_centre_m = abs(loudspeaker[1] + dy_m - width_m / 2)
        fits = dx_m <= most_x_m + 1e-9 and dy_m <= most_y_m
        if fits and (off_centre_m >= _OFF_CENTRE_M or bearing == bearings[-1]):
            break
    else:
        most_m = math.sqrt(max(most_x_m, 0) ** 2 + max(most_y_m, 0) ** 2 + rise_m**2)
        raise ConfigError(
            f"distance_m={distance_m:g}: must be in [{MIN_DISTANCE_M}, {most_m - 0.005:.2f}] "
            f"in a room of {' x '.join(f'{side:g}' for side in size_m)} m"
        )
    microphone = (loudspeaker[0] + dx_m, loudspeaker[1] + dy_m, MICROPHONE_HEIGHT_M)
    if size_m[0] >= size_m[1]:
        return loudspeaker, microphone
    return (loudspeaker[1], loudspeaker[0], loudspeaker[2]), (microphone[1], microphone[0], microphone[2])


def room_size_for(distance_m: float) -> Point:
    """A room in which `distance_m` fits with a little space to spare, in a home's proportions.

    length = max(5.1, 1.16 d + 1.13), width = 0.66 length + 0.27, height = 2.37 + 0.047 length but at most
    4.1 m: 8 m give 10.41 x 7.14 x 2.86 m. The odd figures keep the sides from being multiples of each
    other, which would pile their modes up. Own design.
    """
    length_m = max(5.1, 1.16 * distance_m + 1.13)
    size = (length_m, 0.66 * length_m + 0.27, min(2.37 + 0.047 * length_m, 4.1))
    return (round(size[0], 2), round(size[1], 2), round(size[2], 2))
