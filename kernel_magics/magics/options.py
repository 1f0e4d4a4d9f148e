"""The options of the magics: ``%config LLMMagics``."""

from traitlets import Bool, Enum, Float, Int, Unicode
from traitlets.config import Configurable

from kernel_magics.render.formats import FORMATS


class Options(Configurable):
    """What holds for every question of this notebook, unless it says otherwise."""

    model = Unicode(
        "", config=True, help="The model that is asked where none is named."
    )
    system = Unicode("", config=True, help="What the model should be or do.")
    temperature = Float(
        None,
        allow_none=True,
        config=True,
        help="0 always takes the likeliest word; None leaves it to the model's file.",
    )
    max_tokens = Int(
        None, allow_none=True, config=True, help="Longest answer, in tokens."
    )
    seed = Int(None, allow_none=True, config=True, help="Makes answers repeatable.")
    format = Enum(FORMATS, "markdown", config=True, help="How answers are shown.")
    stream = Bool(default_value=True, config=True, help="Show answers while they grow.")
    stats = Bool(
        default_value=False, config=True, help="Show tokens and times below answers."
    )
    history = Int(
        10, min=0, config=True, help="Earlier questions and answers that go along."
    )
    interpolate = Bool(
        default_value=True,
        config=True,
        help="Replace {name} in questions by the variable's value.",
    )
    context_tokens = Int(
        2000,
        min=0,
        config=True,
        help="Most tokens of the notebook that --context, and {name}, may add.",
    )
    updates_per_second = Float(
        12.0,
        min=0.5,
        max=60.0,
        config=True,
        help="How often a growing answer is drawn.",
    )
    private_server = Bool(
        default_value=True,
        config=True,
        help="Start a server for this kernel where none is found.",
    )
