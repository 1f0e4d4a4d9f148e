"""Whether llama.cpp can be used here; imported before anything that imports it."""

from llm_ext.core.tested_runtime import installed_version, version_problem
from llm_ext.errors import ModelLoadError


def check_runtime() -> None:
    """Import llama.cpp, whose release this package must have been tested with.

    The release comes first: what is read by the wrong layout corrupts memory, and names
    that are missing would be reported in its place.

    Raises:
        ModelLoadError: It is not installed, of another release, or cannot be imported.
    """
    problem = version_problem(installed_version())
    if problem is not None:
        raise ModelLoadError(problem)
    try:
        import llama_cpp  # noqa: F401, PLC0415  # see above
    except (ImportError, OSError, RuntimeError) as error:
        raise ModelLoadError(
            f"llama-cpp-python cannot be used: {error}. Install it again."
        ) from error
