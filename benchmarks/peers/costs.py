"""How cost grows with work: the slope of a curve on logarithmic axes. 0: it does not; 1: in proportion."""

import math
import statistics
from collections.abc import Sequence

Points = Sequence[tuple[float, float]]
UPPER = 3  # the last points, where what is paid once counts no more


def slope(points: Points) -> float:
    """The slope of the straight line that fits all points best."""
    logarithms = [(math.log(x), math.log(y)) for x, y in points]
    return statistics.linear_regression(*zip(*logarithms, strict=True)).slope


def upper_slope(points: Points) -> float:
    """The slope of the last points."""
    return slope(points[-UPPER:])
