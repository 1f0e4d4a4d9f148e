"""What a user may still ask for."""

import msgspec


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """What a user has left: ``remaining`` of ``limit``, all of it in ``reset`` s."""

    limit: int
    remaining: int
    reset: float
