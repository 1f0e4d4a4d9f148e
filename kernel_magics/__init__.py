"""Language models in notebook cells: ``%load_ext kernel_magics``, then ``%llm``.

Importing this package loads nothing; IPython loads the rest with the extension.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load_ipython_extension(shell: "InteractiveShell") -> None:
    """Register ``%llm`` and ``%%llm``."""
    from kernel_magics.extension import register  # noqa: PLC0415  # see above

    register(shell)
