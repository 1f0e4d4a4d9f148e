"""How many threads compute a batch."""

_SMALL = 64_000_000
"""Weights times elements that one processor computes in about a millisecond."""


def threads_for(size: int, *, parameters: int, most: int) -> int:
    """Return how many of ``most`` threads should compute ``size`` elements.

    Threads wait for each other dozens of times in each layer. One that another process
    keeps from its processor makes the others wait for milliseconds, which is many times
    what a small batch takes; that gains little by more threads even where all is quiet.
    """
    return 1 if parameters * size <= _SMALL else most
