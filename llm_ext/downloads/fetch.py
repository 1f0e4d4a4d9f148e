"""One download from its reference to the files in their places."""

from collections.abc import Callable, Iterable
from pathlib import Path

from llm_ext.catalog.reference import parse
from llm_ext.errors import ChecksumError, HubAnswerError

from . import disk, plan as plans
from .choice import choose
from .hub import ChangedError, Hub, Listing, host
from .hub_file import Hash, HubFile
from .messages import Fetch, Report, Resolved
from .meter import Meter, metering
from .part_file import opened
from .patience import Attempts, TransientError
from .plan import Plan
from .transfer import transfer

_RESTARTS = 3
"""How often the hub may change what it has while it is fetched."""

_READ = 1 << 22
"""Bytes that are read at a time to be verified."""


def fetch(
    order: Fetch, send: Callable[[Report], None], may_proceed: Callable[[], object]
) -> tuple[Path, ...]:
    """Fetch what is ordered, and return the files, the model's first.

    ``may_proceed`` is called before anything is transferred, and may block.

    Raises:
        LLMError: It cannot be done; says why.
        OSError: The disk's own.
    """
    reference = parse(order.reference)
    hub = Hub(reference, stall=order.patience.stall)
    for _ in range(_RESTARTS):
        listing = _listing(hub, order)
        choice = choose(listing.files, reference)
        projector = () if choice.projector is None else (choice.projector,)
        plan = Plan(
            repo=listing.repo,
            commit=listing.commit,
            files=choice.model + projector,
            models=order.models,
        )
        plans.adopt(Path(order.folder), plan)
        send(Resolved(repo=plan.repo, files=plan.files))
        may_proceed()
        try:
            with metering(plan.files, send) as meter:
                return _Fetching(order, plan, hub, meter).run()
        except ChangedError:
            continue
    raise HubAnswerError(host(), "the repository changes all the time")


def _listing(hub: Hub, order: Fetch) -> Listing:
    attempts = Attempts(order.patience, limit=order.patience.first_attempts)
    while True:
        try:
            return hub.listing()
        except TransientError as failure:  # noqa: PERF203  # waits a second anyway
            attempts.failed(failure)


class _Fetching:
    """The files of one plan.

    1. Files that are in their places already, and right, are left alone.
    2. There has to be room for the rest.
    3. It is transferred, and hashed on the way.
    4. What was not hashed from its first byte on is read once more.
    5. All go to their places, the model's first part last: a catalog that looks
       meanwhile must not find half a model.
    """

    def __init__(self, order: Fetch, plan: Plan, hub: Hub, meter: Meter) -> None:
        self._plan = plan
        self._hub = hub
        self._folder = Path(order.folder)
        self._patience = order.patience
        self._meter = meter

    def run(self) -> tuple[Path, ...]:
        plan = self._plan
        missing = [file for file in plan.files if not self._is_in_place(file)]  # 1
        if missing:
            self._fetch(missing)
        return tuple(plan.target(file) for file in plan.files)

    def _fetch(self, missing: list[HubFile]) -> None:
        self._check_room(missing)  # 2
        for file in missing:
            part = plans.partial(self._folder, file)
            self._meter.set(file, part.stat().st_size if part.exists() else 0)
        self._meter.stage("downloading")
        unverified = [file for file in missing if not self._transfer(file)]  # 3
        self._verify(unverified)  # 4
        for file in reversed(missing):  # 5
            part = plans.partial(self._folder, file)
            disk.move(part, self._plan.target(file))

    def _is_in_place(self, file: HubFile) -> bool:
        target = self._plan.target(file)
        if not target.is_file() or target.stat().st_size != file.size:
            return False
        self._meter.stage("verifying")
        right = file.is_content(self._read(target, file))
        self._meter.set(file, file.size if right else 0)
        return right

    def _check_room(self, missing: Iterable[HubFile]) -> None:
        models = Path(self._plan.models)
        parts = [(file, plans.partial(self._folder, file)) for file in missing]
        here = sum(part.stat().st_size for _, part in parts if part.exists())
        need = sum(file.size for file, _ in parts)
        disk.check_room(self._folder, need - here)
        if not disk.is_same_disk(self._folder, models):
            disk.check_room(models, need)

    def _transfer(self, file: HubFile) -> bool:
        """Fetch the rest of ``file``; whether it is known to be right."""
        attempts = Attempts(self._patience, limit=self._patience.attempts)
        path = plans.partial(self._folder, file)
        with opened(path, file) as part:
            try:
                transfer(
                    self._hub,
                    self._plan.commit,
                    file,
                    part,
                    attempts=attempts,
                    arrived=lambda size: self._meter.set(file, size),
                )
            finally:
                self._meter.set(file, part.size)
        if part.hash is None:
            return False
        _require(file, part.hash, path)
        return True

    def _verify(self, files: list[HubFile]) -> None:
        if files:
            self._meter.stage("verifying", anew=files)
        for file in files:
            path = plans.partial(self._folder, file)
            _require(file, self._read(path, file), path)

    def _read(self, path: Path, file: HubFile) -> Hash:
        content, size = file.new_hash(), 0
        with path.open("rb") as reading:
            while chunk := reading.read(_READ):
                content.update(chunk)
                size += len(chunk)
                self._meter.set(file, size)
        return content


def _require(file: HubFile, content: Hash, path: Path) -> None:
    if not file.is_content(content):
        path.unlink()
        raise ChecksumError(file.path)
