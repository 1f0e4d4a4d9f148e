"""JupyterLab whose models recite long Markdown, as fast as a good GPU writes.

``python -m benchmarks.reciting_server`` takes the options of ``jupyter lab``. The
question names what is recited: one of :data:`KINDS`.
"""

import re
from itertools import cycle

from jupyterlab.labapp import LabApp

from benchmarks.instant_server import InstantWorker, run
from llm_ext.core.requests import ChatRequest

RATE = 80.0
"""Tokens of each answer in a second."""

TOKENS = 5_000
"""Of each answer."""

_PROSE = (
    "A frame holds rows and columns, and most work on it is *asked for* rather than"
    " written out: `frame.groupby` splits it, an **aggregate** sums up each part, and"
    " what comes back is a frame again, so that the next step can begin with it."
)

_CODE = """import pandas as pd


def monthly(path: str) -> pd.DataFrame:
    \"\"\"Return the sums of each month.\"\"\"
    frame = pd.read_csv(path, parse_dates=["day"])
    frame["month"] = frame["day"].dt.to_period("M")
    return frame.groupby("month")["amount"].sum().reset_index()
"""

_MIXED = f"""## How the months add up

{_PROSE}

1. Read the file, and say which column holds *dates*.
2. Give each row the month that it belongs to.
   - The period `M` counts months.
   - Others are `D`, `W` and `Q`.
3. Sum up, and look at what came out.

```python
{_CODE}```

| month | amount | share |
|---|---:|---:|
| 2026-01 | 1204.50 | 40 % |
| 2026-02 | 1806.75 | 60 % |

> The sums are **exact** as long as the amounts are whole cents.

With $n$ rows that takes about $n \\log n$ steps:

$$\\sum_{{i=1}}^{{n}} a_i = \\frac{{n (a_1 + a_n)}}{{2}}$$

"""

KINDS = {
    "markdown": _MIXED,
    "one paragraph": f"{_PROSE} ",
    "one block of code": _CODE,
}
"""What is recited, again and again, until the answer is long enough."""


class Reciter(InstantWorker):
    """A worker that recites."""

    rate = RATE

    def words(self, request: ChatRequest) -> list[str]:
        """See InstantWorker."""
        kind = str(request.messages[-1].content)
        pieces = re.findall(r"\s*\w{1,5}|\s*[^\w\s]+|\s+$", KINDS[kind])
        words = [piece for piece, _ in zip(cycle(pieces), range(TOKENS), strict=False)]
        return ["```python\n", *words, "\n```"] if kind.endswith("code") else words


if __name__ == "__main__":
    run(Reciter, LabApp)
