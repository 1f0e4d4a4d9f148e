"""A chat request to sequences: render, tokenise, check the length."""

import msgspec

from llm_ext.chat.template import ChatTemplate
from llm_ext.core.requests import ChatRequest
from llm_ext.core.sampling import (
    LogitBias,
    SamplingOptions,
    SamplingParams,
    WrittenBias,
)
from llm_ext.engine.sequence import Sequence
from llm_ext.errors import ContextLengthError, InvalidRequestError
from llm_ext.llama.constraint import Compiler
from llm_ext.llama.vocab import Vocab


class Preparation:
    """What a request goes through before it reaches the engine."""

    def __init__(
        self,
        vocab: Vocab,
        template: ChatTemplate,
        *,
        recommended: SamplingOptions,
        context_length: int,
    ) -> None:
        self._vocab = vocab
        self._compiler = Compiler(vocab)
        self._recommended = recommended
        self._template = template
        self._context_length = context_length

    def sequences(self, request_id: int, request: ChatRequest) -> list[Sequence]:
        """Return the sequences that answer ``request``, one for each answer.

        Raises:
            ChatTemplateError: The template is missing or refuses the messages.
            ContextLengthError: No room is left for an answer.
            InvalidRequestError: A bias is for a token that the model does not have, or
                the constraint cannot be used.
        """
        prompt = self._vocab.tokenize(self._template.render(request.messages))
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
        matcher = None
        if request.constraint is not None:
            matcher = self._compiler.compile(request.constraint)
        return [
            Sequence(
                request_id=request_id,
                choice=choice,
                prompt=prompt,
                params=_for_choice(params, choice),
                limit=len(prompt) + answer,
                constraint=None if matcher is None else matcher.copy(),
            )
            for choice in range(params.n)
        ]

    def _bias(self, written: WrittenBias) -> LogitBias:
        found: list[tuple[int, float]] = []
        for token_or_text, value in written:
            if isinstance(token_or_text, str):
                tokens = self._vocab.tokenize_part(token_or_text, special=True)
            else:
                tokens = [token_or_text]
            found += [(token, value) for token in tokens]
        size = self._vocab.size
        for token, _ in found:
            if not 0 <= token < size:
                raise InvalidRequestError(
                    f"'logit_bias' names token {token}; this model's tokens are 0 to "
                    f"{size - 1}.",
                    param="logit_bias",
                )
        return tuple(found)


def _for_choice(params: SamplingParams, choice: int) -> SamplingParams:
    """Return the parameters with the choice's own seed."""
    if params.seed is None:
        return params
    return msgspec.structs.replace(params, seed=params.seed + choice)
