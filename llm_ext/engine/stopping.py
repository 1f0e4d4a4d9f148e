"""Stop strings: found across tokens, never shown, nothing else lost."""

from collections.abc import Sequence


class StopStrings:
    """Passes text through, and holds back what may be the start of a stop string.

    Attributes:
        found: The stop string that was found; None while there is none.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._held = ""
        self.found: str | None = None

    def feed(self, text: str) -> str:
        """Return the text that is safe to show. Sets ``found`` at a stop string.

        Where several stop strings occur, the one that starts first counts. After one
        was found nothing more is returned.
        """
        if not self._stops:
            return text
        self._held += text
        starts = {
            stop: at for stop in self._stops if (at := self._held.find(stop)) >= 0
        }
        if starts:
            self.found = min(starts, key=lambda stop: starts[stop])
            shown, self._held = self._held[: starts[self.found]], ""
            return shown
        keep = max(_overlap(self._held, stop) for stop in self._stops)
        cut = len(self._held) - keep
        shown, self._held = self._held[:cut], self._held[cut:]
        return shown

    def finish(self) -> str:
        """Return what was held back, now that nothing follows."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """Return the length of the longest end of ``text`` that ``stop`` starts with."""
    longest = min(len(text), len(stop) - 1)
    for size in range(longest, 0, -1):
        if text.endswith(stop[:size]):
            return size
    return 0
