"""Successive halving: everything is tried for a moment, the better half for longer, and so on.

K. Jamieson, A. Talwalkar: Non-stochastic Best Arm Identification and Hyperparameter Optimization,
AISTATS 2016. Most of the time goes to the ways that may win.
"""

from collections.abc import Callable, Sequence

from workers.tune.knobs import Knobs, Score

#: Measures a way over so many photos; None where it cannot be run at all.
Measure = Callable[[Knobs, int], float | None]


def halve(ways: Sequence[Knobs], measure: Measure, *, photos: int) -> list[Score]:
    """Rank the ways, the best first; those that could not be run are left out.

    The first round gives each way `photos`, every later one twice as many to half as many ways, so
    that the last two are compared over the most. A way's place is that of its last round.
    """
    left, beaten = list(ways), list[Score]()
    while left:
        tried = ((way, measure(way, photos)) for way in left)
        scores = [Score(way, rate, photos) for way, rate in tried if rate is not None]
        scores.sort(key=lambda one: -one.rate)
        if len(scores) <= 2:
            return scores + beaten
        middle = (len(scores) + 1) // 2
        beaten = scores[middle:] + beaten
        left, photos = [one.knobs for one in scores[:middle]], photos * 2
    return beaten
