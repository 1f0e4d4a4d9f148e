"""What another server of this project says it does before the first word: pure.

It stands in comments, which every client may skip. So a load there is seen here.
"""

import re

from llm_ext.core.events import Event, Loading, LoadStage, PromptProgress, Queued, Ready

_LOADING = re.compile(r"loading (\d{1,3})% \((\w+)\)")
_PROMPT = re.compile(r"reading the prompt (\d+)/(\d+)")
_QUEUED = re.compile(r"queued behind (\d+)")
_STAGES: dict[str, LoadStage] = {
    "waiting": "waiting",
    "starting": "starting",
    "reading": "reading",
    "loading": "loading",
    "preparing": "preparing",
}


def event(comment: str) -> Event | None:
    """Return what a comment says; None if it says nothing of this."""
    if comment == "loaded":
        return Ready()
    if comment == "waiting for memory":
        return Loading(stage="waiting", fraction=0.0)
    if (match := _LOADING.fullmatch(comment)) and match[2] in _STAGES:
        return Loading(stage=_STAGES[match[2]], fraction=int(match[1]) / 100)
    if match := _PROMPT.fullmatch(comment):
        return PromptProgress(done=int(match[1]), total=int(match[2]))
    if match := _QUEUED.fullmatch(comment):
        return Queued(position=int(match[1]))
    return None
