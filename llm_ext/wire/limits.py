"""Rate limits as OpenAI's clients read them: in headers."""

from collections.abc import Mapping

from llm_ext.core.allowance import Allowance


def headers(allowances: Mapping[str, Allowance]) -> dict[str, str]:
    """Return the headers for what a user has left of "requests" and "tokens"."""
    found = {}
    for what, allowance in allowances.items():
        found[f"x-ratelimit-limit-{what}"] = str(allowance.limit)
        found[f"x-ratelimit-remaining-{what}"] = str(allowance.remaining)
        found[f"x-ratelimit-reset-{what}"] = f"{allowance.reset:.3f}s"
    return found
