"""Constraints on answers: which tokens a grammar allows, and which it forces.

llguidance computes the tokens that can come next from a grammar and the vocabulary.
Where only one text can come next, its tokens are appended without asking the model.
"""

import json
import math
import threading
import warnings
from functools import cached_property

import llguidance.numpy as masks
import msgspec
from llguidance import LLMatcher, LLTokenizer
from llguidance.gbnf_to_lark import any_to_lark
from llguidance.llamacpp import lltokenizer_from_vocab

from llm_ext.core.constraint import (
    AnyJSON,
    Choice,
    Constraint,
    Grammar,
    JSONSchema,
    Regex,
)
from llm_ext.engine.constraint import ConstraintError, Logits
from llm_ext.errors import InvalidRequestError

from .vocab import Vocab


class Matcher:
    """One answer's way through a grammar.

    Implements :class:`llm_ext.engine.constraint.Constraint`.
    """

    def __init__(
        self, matcher: LLMatcher, tokenizer: LLTokenizer, *, size: int
    ) -> None:
        self._matcher = matcher
        self._tokenizer = tokenizer
        self._mask = masks.allocate_token_bitmask(1, size)

    @property
    def done(self) -> bool:
        """See Constraint."""
        return self._matcher.is_stopped()

    def mask(self, logits: Logits) -> None:
        """See Constraint."""
        spelled = self._spelled(self._matcher.compute_ff_tokens())
        if spelled:
            value = logits[spelled[0]]
            logits.fill(-math.inf)
            logits[spelled[0]] = value
            return
        masks.fill_next_token_bitmask(self._matcher, self._mask)
        self._check()
        masks.apply_token_bitmask_inplace(logits, self._mask)

    def accept(self, token: int) -> list[int]:
        """See Constraint."""
        self._matcher.consume_token(token)
        self._check()
        if self.done:
            return []
        forced = self._matcher.compute_ff_tokens()
        forced = self._spelled(forced) or forced
        self._matcher.consume_tokens(forced)
        self._check()
        return forced

    def copy(self) -> "Matcher":
        """Return another answer's way through the same grammar, at the same place."""
        return Matcher(
            self._matcher.deep_copy(), self._tokenizer, size=self._mask.shape[1] * 32
        )

    def _spelled(self, forced: list[int]) -> list[int]:
        """Return other tokens of a forced text, where those it is made of are wrong.

        llama.cpp writes a text such as ``</tool_call>`` with a token that llguidance
        takes for a marker, and refuses as text. Then its letters must do.
        """
        if self._matcher.validate_tokens(forced) == len(forced):
            return []
        text = self._matcher.compute_ff_bytes().decode(errors="ignore")
        return self._tokenizer.greedy_tokenize(text)

    def _check(self) -> None:
        if self._matcher.is_error():
            # What follows is a dump of the parser.
            raise ConstraintError(self._matcher.get_error().partition("\n")[0])


class Compiler:
    """Makes matchers for one vocabulary. Safe to use from several threads."""

    def __init__(self, vocab: Vocab) -> None:
        self._vocab = vocab
        self._lock = threading.Lock()

    def compile(self, constraint: Constraint) -> Matcher:
        """Return a matcher that stands at the beginning of an answer.

        The first call takes a second or two for a large vocabulary.

        Raises:
            InvalidRequestError: The schema or grammar is malformed, or uses what is
                not supported; says what and where.
        """
        try:
            grammar = _grammar(constraint)
        except Exception as error:  # the reader of GBNF has no errors of its own
            raise _refusal(constraint, str(error)) from error
        with self._lock:
            tokenizer = self._tokenizer
        matcher = LLMatcher(tokenizer, grammar, log_level=0)
        if matcher.is_error():
            raise _refusal(constraint, matcher.get_error())
        return Matcher(matcher, tokenizer, size=self._vocab.size)

    @cached_property
    def _tokenizer(self) -> LLTokenizer:
        with warnings.catch_warnings():
            # llguidance asks for each token's kind by llama.cpp's old name for that.
            warnings.simplefilter("ignore", DeprecationWarning)
            return lltokenizer_from_vocab(
                self._vocab.pointer, eos_token=list(self._vocab.end_tokens) or None
            )


def _grammar(constraint: Constraint) -> str:
    match constraint:
        case JSONSchema():
            return _json_schema(json.loads(constraint.schema))
        case AnyJSON():
            return _json_schema({"type": "object"})
        case Regex():
            return LLMatcher.grammar_from_regex(constraint.pattern)
        case Choice():
            options = " | ".join(json.dumps(option) for option in constraint.options)
            return LLMatcher.grammar_from_lark(f"start: {options}")
        case Grammar(syntax="gbnf"):
            return LLMatcher.grammar_from_lark(any_to_lark(constraint.text))
        case Grammar():
            return LLMatcher.grammar_from_lark(constraint.text)


def _json_schema(schema: object) -> str:
    if not isinstance(schema, dict):
        raise TypeError("a JSON schema is an object")
    # JSON is written as most models write it in one line. Were the spaces left to them,
    # hardly a token would be forced.
    return LLMatcher.grammar_from_json_schema(
        schema,
        overrides={
            "whitespace_flexible": False,
            "item_separator": ", ",
            "key_separator": ": ",
        },
    )


def _refusal(constraint: Constraint, problem: str) -> InvalidRequestError:
    kind = _NAMES[type(constraint)]
    why = problem.strip().partition("\n")[0].rstrip(".") or "it is malformed"
    return InvalidRequestError(
        f"The {kind} cannot be used: {why}.", param=constraint.param
    )


_NAMES: dict[type[msgspec.Struct], str] = {
    JSONSchema: "JSON schema",
    AnyJSON: "JSON mode",
    Regex: "regular expression",
    Choice: "choice",
    Grammar: "grammar",
}
