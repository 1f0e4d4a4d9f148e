"""A request to sequences: render, tokenise, check the length."""

from collections.abc import Iterable, Mapping
from functools import cache

import msgspec

from llm_ext.chat.format import ChatFormat, Prompt, template_name
from llm_ext.chat.template import ChatTemplate
from llm_ext.chat.watchdog import RENDER_LIMIT, Overrun, render_limit
from llm_ext.core.requests import ChatRequest, CompletionRequest
from llm_ext.core.sampling import (
    LogitBias,
    SamplingOptions,
    SamplingParams,
    WrittenBias,
)
from llm_ext.engine.sequence import Sequence
from llm_ext.errors import ContextLengthError, InvalidRequestError
from llm_ext.llama.constraint import Compiler, Matcher
from llm_ext.llama.infill import infill_tokens
from llm_ext.llama.vocab import Vocab

from .echo import EchoReader


class Preparation:
    """What a request goes through before it reaches the engine."""

    def __init__(
        self,
        vocab: Vocab,
        template: ChatTemplate,
        *,
        recommended: SamplingOptions,
        context_length: int,
        named: Mapping[str, ChatTemplate] | None = None,
        render_limit: float = RENDER_LIMIT,
    ) -> None:
        """Prepare requests for one model.

        Args:
            vocab: Its tokens.
            template: Its chat template.
            recommended: What its file recommends.
            context_length: Tokens that fit, prompt and answer.
            named: Its further chat templates, by name.
            render_limit: Seconds that a template may take.
        """
        self._vocab = vocab
        self._compiler = Compiler(vocab)
        self._recommended = recommended
        self._templates = {"": template, **(named or {})}
        self._context_length = context_length
        self._render_limit = render_limit
        self._format = cache(self._new_format)
        self._special = cache(self._special_markers)

    def sequences(
        self, request_id: int, request: ChatRequest, overrun: Overrun | None = None
    ) -> list[Sequence]:
        """Return the sequences that answer ``request``, one for each answer.

        Raises:
            ChatTemplateError: The template is missing or refuses the messages.
            ContextLengthError: No room is left for an answer.
            InvalidRequestError: A bias is for a token that the model does not have, or
                the constraint cannot be used.
        """
        name = template_name(request, self._templates)
        chat = self._format(name)
        rendered = self._render(chat, request, overrun)
        prompt = self._vocab.tokenize(rendered.text)
        room = self._context_length - len(prompt)
        if room < 1:
            raise ContextLengthError(
                prompt_tokens=len(prompt), context_length=self._context_length
            )
        params = request.sampling.over(
            self._recommended, bias=self._bias(request.sampling.logit_bias or ())
        )
        most = params.max_tokens
        answer = room if most is None else min(room, most)
        special = self._special(name)
        matcher = self._matcher(chat, request, rendered, special)
        shown = frozenset(
            special[marker]
            for marker in chat.shown_markers(request)
            if marker in special
        )
        return [
            Sequence(
                request_id=request_id,
                choice=choice,
                prompt=prompt,
                params=_for_choice(params, choice),
                limit=len(prompt) + answer,
                constraint=None if matcher is None else matcher.copy(),
                reader=chat.reader(request, rendered, choice),
                shown_tokens=shown,
            )
            for choice in range(params.n)
        ]

    def completions(
        self, request_id: int, request: CompletionRequest
    ) -> list[Sequence]:
        """Return the sequences that answer ``request``, prompt by prompt.

        Raises:
            ContextLengthError: No room is left for an answer.
            InvalidRequestError: A prompt is empty, a token or a bias is for one that
                the model does not have, or the constraint cannot be used.
            NotSupportedError: The model cannot fill gaps.
        """
        wanted = request.constraint
        matcher = None if wanted is None else self._compiler.compile(wanted)
        params = request.sampling.over(
            self._recommended, bias=self._bias(request.sampling.logit_bias or ())
        )
        found: list[Sequence] = []
        for given in request.prompts:
            prompt = self._raw_prompt(request, given)
            room = self._context_length - len(prompt)
            if room < 1:
                raise ContextLengthError(
                    prompt_tokens=len(prompt),
                    context_length=self._context_length,
                    param="prompt",
                )
            most = params.max_tokens
            echoed = self._written(given) if request.echo else ""
            for choice in range(len(found), len(found) + params.n):
                sequence = Sequence(
                    request_id=request_id,
                    choice=choice,
                    prompt=prompt,
                    params=_for_choice(params, choice),
                    limit=len(prompt) + (room if most is None else min(room, most)),
                    constraint=None if matcher is None else matcher.copy(),
                    reader=EchoReader(choice, echoed) if echoed else None,
                )
                found.append(sequence)
        return found

    def _raw_prompt(
        self, request: CompletionRequest, given: str | tuple[int, ...]
    ) -> list[int]:
        """Return the tokens of a prompt that is taken as it is."""
        if not isinstance(given, str):
            self._check_tokens(given, "prompt")
            prompt = list(given)
        elif request.suffix is None:
            prompt = self._vocab.tokenize(given)
        else:
            prompt = self._vocab.tokenize_part(given, special=False)
        if request.suffix is not None:
            return infill_tokens(self._vocab, prompt, request.suffix, request.files)
        if not prompt:
            raise InvalidRequestError("The prompt is empty.", param="prompt")
        return prompt

    def _written(self, given: str | tuple[int, ...]) -> str:
        return given if isinstance(given, str) else self._vocab.text(given)

    def _render(
        self, chat: ChatFormat, request: ChatRequest, overrun: Overrun | None
    ) -> Prompt:
        if overrun is None:
            return chat.prompt(request)
        with render_limit(overrun, seconds=self._render_limit):
            return chat.prompt(request)

    def _matcher(
        self,
        chat: ChatFormat,
        request: ChatRequest,
        prompt: Prompt,
        special: Mapping[str, int],
    ) -> Matcher | None:
        constraint = chat.constraint(request, prompt, special)
        if constraint is None:
            return None
        try:
            return self._compiler.compile(constraint)
        except InvalidRequestError as error:
            if request.constraint is not None:
                raise
            raise InvalidRequestError(
                f"The parameters of a tool cannot be demanded: {error}", param="tools"
            ) from error

    def _new_format(self, name: str) -> ChatFormat:
        return ChatFormat(self._templates[name])

    def _special_markers(self, name: str) -> dict[str, int]:
        """Return the markers of a format that are single tokens, with their ids."""
        found = {
            marker: self._vocab.marker(marker) for marker in self._format(name).markers
        }
        return {marker: token for marker, token in found.items() if token is not None}

    def _bias(self, written: WrittenBias) -> LogitBias:
        found: list[tuple[int, float]] = []
        for token_or_text, value in written:
            if isinstance(token_or_text, str):
                tokens = self._vocab.tokenize_part(token_or_text, special=True)
            else:
                tokens = [token_or_text]
            found += [(token, value) for token in tokens]
        self._check_tokens([token for token, _ in found], "logit_bias")
        return tuple(found)

    def _check_tokens(self, tokens: Iterable[int], param: str) -> None:
        size = self._vocab.size
        for token in tokens:
            if not 0 <= token < size:
                raise InvalidRequestError(
                    f"'{param}' names token {token}; this model's tokens are 0 to "
                    f"{size - 1}.",
                    param=param,
                )


def _for_choice(params: SamplingParams, choice: int) -> SamplingParams:
    """Return the parameters with the choice's own seed."""
    if params.seed is None:
        return params
    return msgspec.structs.replace(params, seed=params.seed + choice)
