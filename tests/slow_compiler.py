"""A worker whose constraints take for ever: ``python -m tests.slow_compiler``."""

import threading

from llm_ext.core.constraint import Constraint
from llm_ext.llama.constraint import Compiler, Matcher
from llm_ext.worker.__main__ import main


def compile_for_ever(self: Compiler, constraint: Constraint) -> Matcher:
    """Stand in for :meth:`Compiler.compile` at its slowest."""
    threading.Event().wait()
    raise AssertionError(self, constraint)


if __name__ == "__main__":
    Compiler.compile = compile_for_ever  # type: ignore[method-assign]  # see above
    main()
