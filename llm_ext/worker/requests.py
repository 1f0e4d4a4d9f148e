"""A chat request to a sequence: render, tokenise, check the length."""

from llm_ext.chat.template import ChatTemplate
from llm_ext.core.requests import ChatRequest
from llm_ext.core.sampling import SamplingOptions, SamplingParams
from llm_ext.engine.sequence import Sequence
from llm_ext.errors import ContextLengthError, InvalidRequestError
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
        self._recommended = recommended
        self._template = template
        self._context_length = context_length

    def sequence(self, request_id: int, request: ChatRequest) -> Sequence:
        """Return the sequence that answers ``request``.

        Raises:
            ChatTemplateError: The template is missing or refuses the messages.
            ContextLengthError: No room is left for an answer.
            InvalidRequestError: A bias is for a token that the model does not have.
        """
        prompt = self._vocab.tokenize(self._template.render(request.messages))
        room = self._context_length - len(prompt)
        if room < 1:
            raise ContextLengthError(
                prompt_tokens=len(prompt), context_length=self._context_length
            )
        params = request.sampling.over(self._recommended)
        self._check_biases(params)
        most = params.max_tokens
        answer = room if most is None else min(room, most)
        return Sequence(
            request_id=request_id,
            prompt=prompt,
            params=params,
            limit=len(prompt) + answer,
        )

    def _check_biases(self, params: SamplingParams) -> None:
        size = self._vocab.size
        for token, _ in params.logit_bias:
            if not 0 <= token < size:
                raise InvalidRequestError(
                    f"'logit_bias' names token {token}; this model's tokens are 0 to "
                    f"{size - 1}.",
                    param="logit_bias",
                )
