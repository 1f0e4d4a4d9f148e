"""How soon does the engine stop when a cell is interrupted?

``python -m benchmarks.interrupts [--rounds N]`` starts a real Jupyter server and a real
kernel, asks with ``%%llm``, and interrupts the kernel over Jupyter's API, as the stop
button does: while an answer is written, and while a long prompt is read. Time runs from
the moment the interrupt is sent until the engine's own count of cancelled requests is
seen to grow, which is asked for every few milliseconds. Beside it stands how long a
step of the engine took just before. Done with a tiny model and with one of real size.

The limit is two steps and 100 ms. Writes ``benchmarks/results/interrupts.json``.
"""

import argparse
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from benchmarks.models import llama_1b
from tests.conftest import LONG_CONTEXT
from tests.kernel.notebook import CellOutput, Notebook, notebook
from tests.live import live_server
from tests.models.builder import Shape, write_model

RESULTS = Path(__file__).parent / "results"
LIMIT = 100
"""Milliseconds that the way from the kernel to the engine may take."""

STEPS = 2
PAUSE = 0.004
"""Seconds between two looks at the engine."""

WATCHED = 0.5
"""Seconds in which steps are counted before an interrupt."""

PATIENCE = 30.0
"""Seconds after which a step that does not end is no step."""

WRITING = "%%llm {model} -n 20000 --no-history\nTell me a very long story."
READING = "%%llm {model} -n 5 --no-history --raw\n{number} times: " + "word " * 9000
"""Each begins with another word: what was read before is kept."""


@dataclass(frozen=True, kw_only=True)
class Stop:
    """One interrupt, in milliseconds.

    Attributes:
        step: A step of the engine just before it.
        stopped: From the interrupt until the engine was seen to have stopped.
        steps: Steps begun after the cancel had arrived, as the engine counts them.
    """

    step: float
    stopped: float
    steps: int

    @property
    def beyond(self) -> float:
        """What was needed beyond the steps that are allowed for."""
        return self.stopped - STEPS * self.step


class Engine:
    """What the engine of one model says of itself."""

    def __init__(self, http: httpx.Client, model: str) -> None:
        self._http = http
        self.model = model

    def counts(self) -> dict[str, int]:
        """Return its counts now."""
        counts: dict[str, int] = self._http.get(f"models/{self.model}").json()["engine"]
        return counts

    def step(self) -> float:
        """Watch it for a while, and return how many milliseconds a step takes.

        A step is seen when it has ended: the first and the last that are seen are the
        ends of what is timed.
        """
        first, began = self._next(self.counts()["steps"])
        last, ended = first, began
        while ended - began < WATCHED:
            last, ended = self._next(last)
        return (ended - began) / (last - first) * 1000

    def _next(self, steps: int) -> tuple[int, float]:
        deadline = time.perf_counter() + PATIENCE
        while (now := self.counts()["steps"]) == steps:
            self._pause(deadline)
        return now, time.perf_counter()

    def _pause(self, deadline: float) -> None:
        if time.perf_counter() > deadline:
            raise SystemExit(f"{self.model} has nothing to do any more")
        time.sleep(PAUSE)

    def stop(self, interrupt: Callable[[], None]) -> Stop:
        """Interrupt, and watch until a request more is cancelled."""
        step, before = self.step(), self.counts()["cancelled"]
        began = time.perf_counter()
        interrupt()
        while (counts := self.counts())["cancelled"] == before:
            self._pause(began + PATIENCE)
        stopped = (time.perf_counter() - began) * 1000
        return Stop(step=step, stopped=stopped, steps=counts["cancel_steps"])


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=8)
    rounds = parser.parse_args().rounds
    found: dict[str, list[Stop]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = folder / "models"
        models.mkdir()
        write_model(models / "tiny.gguf", shape=Shape(context=32768))
        shutil.copy(llama_1b(), models / "real.gguf")
        with (
            live_server(folder, models, LONG_CONTEXT) as server,
            notebook(server) as cells,
            server.client() as http,
        ):
            for model in ("tiny", "real"):
                cells.run(f"%llm load {model}")
                engine = Engine(http, model)
                for what, code in (("writing", WRITING), ("reading", READING)):
                    stops = [
                        _stopped(cells, engine, code.format(model=model, number=number))
                        for number in range(rounds)
                    ]
                    found[f"{model}, {what}"] = stops
                    print(_line(f"{model}, {what}", stops), flush=True)
                cells.run(f"%llm unload {model} --force")
    RESULTS.mkdir(exist_ok=True)
    told = {name: [asdict(stop) for stop in stops] for name, stops in found.items()}
    (RESULTS / "interrupts.json").write_text(json.dumps(told, indent=2))


def _stopped(cells: Notebook, engine: Engine, code: str) -> Stop:
    """Run a cell, and interrupt it once its model is at work."""
    found: list[Stop] = []
    output = CellOutput()
    for _ in cells.follow(code, output):
        at_work = "reading" in _progress(output) or len(output.text) > 50  # noqa: PLR2004  # a line
        if at_work and not found:
            found.append(engine.stop(cells.interrupt))
    return found[0]


def _progress(output: CellOutput) -> str:
    return str(output.history[-1].get("text/plain", "")) if output.history else ""


def _line(name: str, stops: list[Stop]) -> str:
    step = statistics.median(stop.step for stop in stops)
    stopped = [stop.stopped for stop in stops]
    beyond = max(stop.beyond for stop in stops)
    verdict = "within" if beyond <= LIMIT else "OVER"
    return (
        f"{name}: a step takes {step:.1f} ms; stopped after "
        f"{statistics.median(stopped):.0f} ms, at most {max(stopped):.0f} ms, which is "
        f"{beyond:.0f} ms beyond {STEPS} steps: {verdict} {LIMIT} ms; the engine began "
        f"at most {max(stop.steps for stop in stops)} steps more"
    )


if __name__ == "__main__":
    main()
