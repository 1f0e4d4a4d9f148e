"""What ``%%llm`` does with a question and with its answer, in a real kernel."""

import json
from collections.abc import Iterator

import pytest

from tests.kernel.notebook import CellOutput, Notebook, notebook
from tests.live import LiveServer
from tests.models.hello import ANSWER


@pytest.fixture(scope="module")
def shared(server: LiveServer) -> Iterator[Notebook]:
    """One kernel for the tests of this file."""
    with notebook(server) as started:
        yield started


@pytest.fixture
def cells(shared: Notebook) -> Notebook:
    """The same, with nothing remembered."""
    shared.run("%llm reset")
    return shared


def printed(cells: Notebook, expression: str) -> str:
    """Return what ``print`` makes of an expression in the kernel."""
    return cells.run(f"print({expression})").stream.strip()


def test_the_answer_goes_into_a_variable(cells: Notebook) -> None:
    """Its string is the text; usage and times are with it; ``_llm`` is the last."""
    cells.run("%%llm hello -o said\nWho are you?")

    assert printed(cells, "said") == ANSWER
    assert printed(cells, "f'{said}' == _llm.text") == "True"
    assert printed(cells, "said.usage.completion_tokens > 20") == "True"
    assert printed(cells, "0 < said.timings.first <= said.timings.total") == "True"
    assert printed(cells, "said.model, said.finish_reason") == "hello stop"
    assert cells.run("said").result["text/markdown"] == ANSWER


SCHEMAS = """
import dataclasses, enum, typing, pydantic
@dataclasses.dataclass
class Point:
    kind: typing.Literal["a", "b"]
    flag: bool
class Typed(typing.TypedDict):
    flag: bool
class Model(pydantic.BaseModel):
    kind: typing.Literal["a", "b"]
plain = {"type": "object", "properties": {"flag": {"type": "boolean"}},
         "required": ["flag"], "additionalProperties": False}
"""


@pytest.mark.parametrize(
    ("name", "kind"),
    [("Point", "Point"), ("Typed", "dict"), ("Model", "Model"), ("plain", "dict")],
)
def test_a_schema_makes_the_answer_that_object(
    cells: Notebook, name: str, kind: str
) -> None:
    """A dataclass, a TypedDict, a Pydantic model and a dict; the display is JSON."""
    cells.run(SCHEMAS)
    output = cells.run(f"%%llm babble --schema {name} -o value -t 1\nMake one.")

    assert not output.error, output.error
    assert printed(cells, "type(value).__name__") == kind
    (bundle,) = output.displays.values()
    assert json.loads(bundle["text/plain"]) == bundle["application/json"]
    assert printed(cells, "_llm.value == value") == "True"


def test_an_answer_that_is_cut_is_no_object(cells: Notebook) -> None:
    """The text stays to be seen, and the error says what may help."""
    output = cells.run(
        "class Long: word: str\nlong = {'type': 'array', 'minItems': 50}"
    )
    output = cells.run("%%llm babble --schema long -n 5\nMake one.")

    assert output.error.startswith("Schema: the answer was cut")
    assert "max_tokens" in output.error
    assert "[not what was asked for]" in output.text


@pytest.mark.parametrize(
    ("kind", "types"),
    [
        ("markdown", {"text/markdown", "text/plain"}),
        ("text", {"text/plain"}),
        ("code", {"text/markdown", "text/plain"}),
        ("html", {"text/html", "text/plain"}),
        ("math", {"text/latex", "text/plain"}),
    ],
)
def test_an_answer_is_kept_in_its_format(
    cells: Notebook, kind: str, types: set[str]
) -> None:
    """All of them have plain text for where nothing is rendered."""
    (bundle,) = cells.run(f"%%llm hello -f {kind}\nHi").displays.values()
    assert set(bundle) == types
    assert bundle["text/plain"] == ANSWER
    if kind == "html":
        assert 'sandbox=""' in bundle["text/html"]


def test_json_is_certain_to_be_json(cells: Notebook) -> None:
    """Also without a schema."""
    cells.run("%%llm babble -f json -n 400 --seed 3 -o found\nSay something.")
    assert printed(cells, "type(found.json).__name__") in ("dict", "list")


def test_code_is_offered_as_the_next_cell(cells: Notebook) -> None:
    """Without the fences around it; nothing is proposed otherwise."""
    assert cells.proposed_by("%%llm hello -f code\nHi") == ANSWER
    assert cells.proposed_by("%%llm hello\nHi") == ""


def test_the_conversation_goes_on_until_it_is_reset(cells: Notebook) -> None:
    """A model in the box remembers a name over turns, and not over a reset."""
    cells.run("%%llm guide\nMy name is Ada.")
    assert "Ada" in cells.run("%%llm guide\nWhat is my name?").text
    assert "My name is Ada." in cells.run("%llm history").text
    assert "2 questions forgotten" in cells.run("%llm reset").text
    assert "Ada" not in cells.run("%%llm guide\nWhat is my name?").text


def test_no_history_neither_sends_nor_remembers(cells: Notebook) -> None:
    """As if the question stood in a notebook of its own."""
    cells.run("%%llm guide\nMy name is Ada.")
    assert "Ada" not in cells.run("%%llm guide --no-history\nWhat is my name?").text
    assert "What is my name?" not in cells.run("%llm history").text


def test_a_conversation_that_outgrows_the_model_loses_its_beginning(
    cells: Notebook,
) -> None:
    """A context of 64 tokens: the oldest turns go, and the question is answered."""
    for number in range(4):
        output = cells.run(f"%%llm short -n 20 --seed 1\nQuestion {number}.")
        assert not output.error, output.error
        assert len(output.displays) == 1
    assert "**4. Question 3.**" in cells.run("%llm history").text


def test_a_question_that_is_too_long_by_itself_is_refused(cells: Notebook) -> None:
    """There is nothing to leave out."""
    output = cells.run(f"%%llm short\n{'word ' * 200}")
    assert output.error.startswith("Refused: The prompt has ")
    assert output.text == ""


def test_values_go_into_the_question(cells: Notebook) -> None:
    """As the preview shows; braces that mean something else stay."""
    cells.run("import pandas as pd\ndf = pd.DataFrame({'a': range(9999)}); n = 3")
    text = cells.run(
        '%%llm hello --dry-run\nIs {n} in {df}? {"n": 1} $x_{n}$ `{n}`'
    ).text

    assert "Is 3 in DataFrame of 9999 x 1, columns a (int64)" in text
    assert '{"n": 1} $x_{n}$ `{n}`' in text
    assert "Replaced: `{n}`, `{df}`." in text
    raw = cells.run("%%llm hello --dry-run --raw\nIs {n}?").text
    assert "Is {n}?" in raw


def test_a_name_of_the_shells_own_is_no_value(cells: Notebook) -> None:
    """Unless the notebook has given it another one; outputs are the notebook's."""
    cells.run("40 + 2")
    asked = "%%llm hello --dry-run --no-history\n<D open={open}> {quit} {_}"
    assert "<D open={open}> {quit} 42" in cells.run(asked).plain
    cells.run("open = 'shut'")
    text = cells.run(asked).plain
    cells.run("open = get_ipython().user_ns_hidden['open']")
    assert "<D open=shut> {quit} 42" in text


def test_a_preview_has_all_that_would_be_sent(cells: Notebook) -> None:
    """Tools, which take tokens, the schema and the options, beside the messages."""
    cells.run(WEATHER)
    cells.run(SCHEMAS)
    ask = "%%llm hello --dry-run --no-history"
    without = cells.run(f"{ask}\nHi").text
    text = cells.run(f"{ask} --tools get_weather --schema Point -t 0.5\nHi").text
    assert '"name": "get_weather"' in text
    assert '"json_schema"' in text
    assert '"temperature": 0.5' in text
    assert "about 1 tokens:" in without
    assert "about 1 tokens:" not in text


def test_the_conversation_is_shown_turn_by_turn(cells: Notebook) -> None:
    """A long answer ends with its beginning, and so do its blocks."""
    cells.run(
        "shown = get_ipython().find_cell_magic('llm').__self__.session.conversation\n"
        "code = '```python\\n' + 'x = 1\\n' * 70 + '```\\n' + 'and so on ' * 90\n"
        "shown.add('one\\n\\ntwo', code)\n"
        "shown.add('three', 'four')"
    )
    text = cells.run("%llm history").text
    assert text.startswith("**1. one**\n\ntwo\n\n```python\nx = 1")
    assert text.endswith("\n\n**2. three**\n\nfour")
    assert text.count("```") == 2
    assert "characters more)" in text


def test_an_answer_in_a_question_is_its_text(cells: Notebook) -> None:
    """Not what an object of its kind looks like."""
    cells.run("%%llm hello -o said\nHi")
    assert ANSWER in cells.run("%%llm hello --dry-run --no-history\nSee {said}").text


def test_parts_of_the_notebook_go_along(cells: Notebook) -> None:
    """Within a budget, and shown beforehand with their size."""
    cells.run("speed = 42")
    cells.run("speed / 0")
    text = cells.run(
        "%%llm hello --context cells,variables --context errors --dry-run "
        "--budget 900\nWhy?"
    ).text

    assert "speed = 42" in text
    assert "Variable `speed` (int)" in text
    assert "ZeroDivisionError: division by zero" in text
    assert "From the notebook: Cell [" in text
    assert text.index("speed = 42") < text.index("Why?")
    little = cells.run("%%llm hello --context cells --budget 60 --dry-run\nWhy?").text
    assert len(little) < 700


def test_nothing_is_sent_by_a_dry_run(cells: Notebook, server: LiveServer) -> None:
    """The model is not even loaded."""
    cells.run("%llm unload other --force")
    cells.run("%%llm other --dry-run\nHi")
    assert server.model("other")["state"] == "unloaded"


def test_an_answer_can_come_all_at_once(cells: Notebook) -> None:
    """Progress shows that it grows; the text shows once."""
    output = cells.run("%%llm babble -n 300 --no-stream --seed 1\nTalk.")
    shown = [bundle for bundle in output.history if "text/markdown" in bundle]
    assert len(shown) == 1
    assert any("writing" in bundle["text/plain"] for bundle in output.history)


def test_figures_can_be_shown_below(cells: Notebook) -> None:
    """Tokens, rate and times."""
    text = cells.run("%%llm hello --stats\nHi").text
    assert text.startswith(ANSWER)
    for words in ("prompt tokens", "answer tokens", "tokens/s", "first word after"):
        assert words in text


def test_a_stop_text_ends_the_answer(cells: Notebook) -> None:
    """In quotes, as everything with blanks."""
    text = cells.run('%%llm hello --stop "tiny model"\nHi').text
    assert text == "Hello! I am the "


WEATHER = '''
called = []
def get_weather(city: str) -> dict:
    """The weather in a city."""
    called.append(city)
    return {"temperature": 21, "sky": "sunny"}
'''
ASKED = "What is the weather in Paris?"


def test_a_function_is_called_with_consent(cells: Notebook) -> None:
    """The user sees the call and says yes; the answer is made from its result."""
    cells.run(WEATHER)
    output = cells.run(
        f"%%llm guide --tools get_weather --no-history\n{ASKED}", replies=["y"]
    )

    assert output.asked == [
        "Run get_weather(city='Paris')? [y]es, [n]o, [a]lways: ",
    ]
    assert printed(cells, "called") == "['Paris']"
    assert "called `get_weather(city='Paris')`: `{" in output.text
    assert "21" in printed(cells, "_llm")
    assert printed(cells, "_llm.calls[0].call.name") == "get_weather"


def test_a_function_is_not_called_without_consent(cells: Notebook) -> None:
    """Neither after a no, nor where nobody can be asked."""
    cells.run(WEATHER)
    question = f"%%llm guide --tools get_weather --no-history -n 60\n{ASKED}"
    refused = cells.run(question, replies=["n"])
    alone = cells.run(question)

    assert "did not call `get_weather(city='Paris')`: The user did" in refused.text
    assert "did not call `get_weather(city='Paris')`: Nobody can be asked" in alone.text
    assert "--yes" in alone.text
    assert printed(cells, "called") == "[]"


def test_consent_can_be_given_beforehand(cells: Notebook) -> None:
    """With ``--yes`` nobody is asked."""
    cells.run(WEATHER)
    cells.run(f"%%llm guide --tools get_weather --yes --no-history\n{ASKED}")
    assert printed(cells, "called") == "['Paris']"


def test_options_hold_for_the_notebook(cells: Notebook) -> None:
    """``%config`` sets what a cell leaves open, and a cell's own word wins."""
    cells.run("%config LLMMagics.max_tokens = 3\n%config LLMMagics.stats = True")
    try:
        text = cells.run("%%llm babble --seed 1\nTalk.").text
        assert "*[cut at 3 tokens]*" in text
        assert "answer tokens" in text
        longer = cells.run("%%llm babble --seed 1 -n 5\nTalk.").text
        assert "*[cut at 5 tokens]*" in longer
        assert "max_tokens" in cells.run("%config LLMMagics").stream
    finally:
        cells.run("%config LLMMagics.max_tokens = None")
        cells.run("%config LLMMagics.stats = False")


def last_plain(output: CellOutput) -> str:
    return str(output.history[-1]["text/plain"])


def test_a_load_that_fails_leaves_no_bar_behind(cells: Notebook) -> None:
    """The place is left to the error."""
    output = cells.run("%%llm cut --no-history\nHi")
    assert output.error.startswith("Refused: ")
    assert last_plain(output) == ""
