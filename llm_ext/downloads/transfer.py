"""The transfer of one file: from where it was left, through bad connections."""

from collections.abc import Callable

from llm_ext.errors import HubAnswerError

from .hub import Hub, host
from .hub_file import HubFile
from .part_file import PartFile
from .patience import Attempts, TransientError


def transfer(
    hub: Hub,
    commit: str,
    file: HubFile,
    part: PartFile,
    *,
    attempts: Attempts,
    arrived: Callable[[int], None],
) -> None:
    """Fetch what ``part`` lacks; ``arrived`` is told how many bytes are there.

    Raises:
        DownloadError: It cannot be fetched, now or at all.
        ChangedError: The hub has something else there now.
        OSError: The disk's own.
    """
    while not part.is_complete:
        before = part.size
        try:
            _one_request(hub, commit, file, part, attempts=attempts, arrived=arrived)
            if part.size == before:
                nothing = HubAnswerError(host(), "it sent nothing, several times")
                raise TransientError(nothing)  # noqa: TRY301  # as all others end here
        except TransientError as failure:
            attempts.failed(failure)


def _one_request(
    hub: Hub,
    commit: str,
    file: HubFile,
    part: PartFile,
    *,
    attempts: Attempts,
    arrived: Callable[[int], None],
) -> None:
    with hub.opened(commit, file, part.size) as body:
        if body.first != part.size:
            part.restart()
        for chunk in body.chunks:
            part.write(chunk)
            attempts.succeeded()
            arrived(part.size)
