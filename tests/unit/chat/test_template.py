"""Chat templates: what models in the field write, and what a hostile one tries."""

import time
import tracemalloc
from typing import Any

import pytest

from llm_ext.chat.template import ChatTemplate
from llm_ext.errors import ChatTemplateError
from tests.models.tokenizer import CHAT_TEMPLATE

QUESTION = [{"role": "user", "content": "Hi <b>"}]


def render(source: str | None, **variables: Any) -> str:  # noqa: ANN401  # any JSON
    return ChatTemplate(source, bos="<s>", eos="</s>").render(QUESTION, variables)


def test_the_prompt_is_open_for_the_answer() -> None:
    assert render(CHAT_TEMPLATE, add_generation_prompt=True) == (
        "<|im_start|>user\nHi <b><|im_end|>\n<|im_start|>assistant\n"
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ bos_token }}{{ eos_token }}", "<s></s>"),
        ("{{ messages | tojson }}", '[{"role": "user", "content": "Hi <b>"}]'),
        ("{{ ['a', 'b'] | map('upper') | tojson }}", '["A", "B"]'),
        ("{{ {'b': 1, 'a': 2} | tojson(sort_keys=true) }}", '{"a": 2, "b": 1}'),
        ("{{ [1, 2] | tojson(separators=(',', ':')) }}", "[1,2]"),
        ("{% for m in messages %}{% break %}{% endfor %}x", "x"),
        ("{{ strftime_now('%%') }}", "%"),
        ("  {% if true %}\n  y\n  {% endif %}", "  y\n"),
        ("{{ tools is defined }}", "False"),
        ("{% generation %}x{% endgeneration %}", "x"),
        (
            "{% for m in [1, 2] %}{{ loop.last }}{{ loop.length }}{% endfor %}",
            "False2True2",
        ),
        ("{% for k, v in {'a': 1}.items() %}{{ k ~ '=' ~ v }}{% endfor %}", "a=1"),
        (
            "{% for m in [[1, []]] recursive %}{{ m[0] }}{{ loop(m[1]) }}{% endfor %}",
            "1",
        ),
        ("{% for m in [1, 2, 3] if m > 1 %}{{ loop.index }}{% endfor %}", "12"),
        ("{{ 'a' * 3 + '-%s' % 'b' }}", "aaa-b"),
    ],
)
def test_what_templates_in_the_field_use_works(source: str, expected: str) -> None:
    assert render(source) == expected


def test_a_template_is_given_variables_but_not_those_that_are_the_models() -> None:
    given = render("{{ effort }}{{ bos_token }}", effort="high", bos_token="x")
    assert given == "high<s>"


def test_a_refusal_is_told_in_the_templates_words() -> None:
    with pytest.raises(ChatTemplateError, match="roles must alternate"):
        render("{{ raise_exception('roles must alternate') }}")


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ messages.append(1) }}",
        "{{ messages[0].update({'role': 'system'}) }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ (messages | attr('append'))(1) }}",
        "{{ '{0.__class__.__mro__}'.format('') }}",
        "{{ lipsum.__globals__['os'].popen('id').read() }}",
        "{{ self._TemplateReference__context.environment.globals.clear() }}",
        "{{ raise_exception.__globals__['os'] }}",
        "{{ tojson.__func__ }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{% autoescape true %}x{% endautoescape %}",
        "{{ 1 / 0 }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    ],
)
def test_a_hostile_or_faulty_template_is_an_error_and_no_more(source: str) -> None:
    with pytest.raises(ChatTemplateError):
        render(source)


NESTED = (
    "{% set ns = namespace(x=['x']) %}{% for i in range(60) %}"
    "{% set ns.x = [ns.x, ns.x] %}{% endfor %}{% set x = ns.x %}SHOWN"
)
"""A list that takes no memory to speak of, and of which no text has an end."""

SHOWN = (
    "{{ x }}",
    "{{ ns }}",
    "{{ {'a': x}.values() }}",
    "{{ x | string }}",
    "{{ x | upper | length }}",
    "{{ x | tojson }}",
    "{{ x | pprint }}",
    "{{ x ~ '' }}",
    "{{ '%s' % [x] }}",
    "{{ '{}'.format(x) }}",
    "{{ '%s' | format(x) }}",
    "{{ [0] | map('default', x, true) | join }}",
    "{{ [0, 0] | map('string') | map('replace', '0', x) | list }}",
    "{{ [''] | map('default', x, true) | tojson }}",
)
LOOP = "{% for i in range(99999) %}"
END = "{% endfor %}"


@pytest.mark.parametrize(
    "source",
    [
        f"{LOOP * 3}{END * 3}",
        f"{LOOP}{{{{ 'x' * 1000 }}}}{END}",
        "{{ 'x' * 10 ** 10 }}",
        "{{ 10 ** 10 * 'x' }}",
        "{{ [0] * 10 ** 10 }}",
        "{{ 9 ** 99999999 }}",
        "{{ '%9999999999d' % 1 }}",
        "{{ '%9999999999d' | format(1) }}",
        "{{ '{:>9999999999}'.format(1) }}",
        "{{ 'x'.ljust(9999999999) }}",
        "{{ 'x' | center(9999999999) }}",
        "{{ 'x\\ny' | indent(9999999999) }}",
        "{{ range(99999) | join('x' * 100000) }}",
        "{{ ('x' * 100000).join(range(99999) | map('string') | list) }}",
        "{{ ('x' * 1000000) | replace('x', 'y' * 1000000) }}",
        "{{ ('x' * 1000000).replace('x', 'y' * 1000000) }}",
        (
            "{% set ns = namespace(x='x') %}{% for i in range(60) %}"
            "{% set ns.x = ns.x + ns.x %}{% endfor %}"
        ),
        (
            "{% set ns = namespace(x='x') %}{% for i in range(60) %}"
            "{% set ns.x = ns.x ~ ns.x %}{% endfor %}"
        ),
        "{{ messages | tojson(indent=9999999999) }}",
        "{{ (range(9999) | list) | tojson(indent=9999) }}",
        "{{ lipsum(n=9999999) }}",
        "{{ 1.5 | round(999999999, 'ceil') }}",
        "{{ 1 | round(-999999999) }}",
        "{{ [1] | batch(9999999999, 0) | list }}",
        "{{ [1] | slice(9999999999) | list }}",
        "{{ ([[0] * 99999] * 99999) | sum(start=[]) }}",
        "{{ ('x\\n' * 99999) | indent(9999) }}",
        "{{ ('\\t' * 99999).expandtabs(99999) }}",
        "{{ ('x' * 99999).translate({120: 'y' * 99999}) }}",
        (
            "{% set ns = namespace(x=9 ** 999) %}{% for i in range(60) %}"
            "{% set ns.x = ns.x * ns.x %}{% endfor %}"
        ),
        *(NESTED.replace("SHOWN", shown) for shown in SHOWN),
    ],
)
def test_a_template_cannot_take_all_memory_or_time(source: str) -> None:
    """It is stopped long before either is felt."""
    started = time.monotonic()
    with pytest.raises(ChatTemplateError):
        render(source)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'x' | center(7000000) }}" * 200,
        "{% if 'x' | center(7000000) | upper | lower %}{% endif %}" * 200,
        "{% set x = 'x' | center(7000000) | upper %}" * 200,
    ],
)
def test_nothing_is_computed_before_it_is_used(source: str) -> None:
    """A model is loaded without a limit on the time that its template may take."""
    started = time.monotonic()
    ChatTemplate(source, bos="", eos="")
    assert time.monotonic() - started < 5


BIG = "'a' * 7000000"
KEPT = (
    f"{{% set ns.l = ns.l + [{BIG}] %}}",
    f"{{% set ns.l = [ns.l, {BIG} ~ i] %}}",
    f"{{% set ns.l = [ns.l, ({BIG}).upper()] %}}",
    "{% set ns.l = [ns.l, big | upper] %}",
    "{% set ns.l = [ns.l, big[1:]] %}",
    "{% set x %}{{ big }}{{ i }}{% endset %}{% set ns.l = [ns.l, x] %}",
    "{% macro f() %}{{ big }}{{ i }}{% endmacro %}{% set ns.l = [ns.l, f()] %}",
    "{% set x %}{% for j in range(9) %}{{ big }}{% endfor %}{% endset %}",
    f"{{% set x %}}{{% for j in range(9) %}}{'a' * 9**6}{{% endfor %}}{{% endset %}}",
)


@pytest.mark.parametrize("kept", KEPT, ids=[kept[-40:] for kept in KEPT])
def test_many_large_texts_are_bounded_together(kept: str) -> None:
    """However they are made, and wherever a template puts them."""
    source = (
        f"{{% set ns = namespace(l=[]) %}}{{% set big = {BIG} %}}"
        f"{{% for i in range(9999) %}}{kept}{{% endfor %}}"
    )
    template = ChatTemplate(source, bos="", eos="")
    tracemalloc.start()
    try:
        with pytest.raises(ChatTemplateError, match="more than"):
            template.render(QUESTION, {})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 300 * 2**20


def test_a_template_may_add_each_message_to_those_before() -> None:
    """One in the field does, and keeps nothing of what it makes."""
    source = (
        "{% set ns = namespace(x='') %}{% for m in messages %}"
        "{% set ns.x = ns.x + m.content %}{% endfor %}{{ ns.x }}"
    )
    turns = [{"role": "user", "content": "x" * 1000}] * 600
    template = ChatTemplate(source, bos="", eos="")
    assert len(template.render(turns, {})) == 600_000


@pytest.mark.parametrize("name", ["turns", "self", "variables", "messages", "args"])
def test_a_variable_may_have_any_name(name: str) -> None:
    """Clients choose them; the messages are the messages, whatever they say."""
    template = ChatTemplate("{{ messages[0].content }}", bos="", eos="")
    assert template.render(QUESTION, {name: 1}) == "Hi <b>"


def test_a_missing_template_says_what_to_do() -> None:
    with pytest.raises(ChatTemplateError, match=r"'chat_template'.*v1/completions"):
        render(None)


def test_a_broken_template_fails_when_it_is_used() -> None:
    """The model itself can still be loaded."""
    template = ChatTemplate("{% if %}", bos="", eos="")
    with pytest.raises(ChatTemplateError, match="broken"):
        template.render(QUESTION, {})


@pytest.mark.parametrize(
    ("source", "expected"),
    [(r"{{ 'a\ud83d' }}", "a\ufffd"), (r"{{ '\ud83d' ~ '\ude00' }}", "\U0001f600")],
)
def test_a_prompt_is_text_whatever_a_template_writes(
    source: str, expected: str
) -> None:
    """In what it says when it refuses, too."""
    assert render(source) == expected
    with pytest.raises(ChatTemplateError, match=expected):
        render(source.replace("{{", "{{ raise_exception(").replace("}}", ") }}"))
