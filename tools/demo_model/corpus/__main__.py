"""Shows the corpus, and proves that the cases are held out of it."""

import sys
from collections import Counter
from itertools import islice

from tools.demo_model.corpus import Example, Fill, cases, examples, key, keys

_PROOF = 200_000
_SHOWN = 12


def main() -> int:
    """Print some examples and the number of cases; 1 if an example is a case."""
    for example in islice(examples(0), _SHOWN):
        print(_text(example), end="\n\n")
    judged = cases()
    for task, number in Counter(case.task for case in judged).items():
        print(f"{task:12} {number:4} cases")
    held_out = {key(case.prompt) for case in judged}
    questions = (k for example in islice(examples(1), _PROOF) for k in keys(example))
    seen = held_out.intersection(questions)
    print(f"{len(seen)} of {len(held_out)} cases occur in {_PROOF} examples")
    return 1 if seen else 0


def _text(example: Example) -> str:
    if isinstance(example, Fill):
        return f"{example.prefix}<{example.middle}>{example.suffix}"
    return "\n".join(f"{turn.role}: {turn.content}" for turn in example.turns)


if __name__ == "__main__":
    sys.exit(main())
