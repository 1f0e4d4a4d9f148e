"""What a request comes to in the tokens of a real vocabulary."""

from contextlib import closing
from pathlib import Path

from llm_ext.chat.template import ChatTemplate
from llm_ext.core.messages import ChatMessage
from llm_ext.core.requests import ChatRequest
from llm_ext.core.sampling import SamplingOptions
from llm_ext.llama.library import Log
from llm_ext.llama.model import Model
from llm_ext.worker.requests import Preparation


def test_a_bias_by_text_is_on_the_tokens_of_the_text_alone(models: Path) -> None:
    """Not on those that the model's vocabulary puts around every input."""
    path = models / "encoder.gguf"
    with (
        closing(Log(lambda _text: None)) as log,
        closing(
            Model(path, gpu_layers=0, log=log, progress=lambda _part: None)
        ) as model,
    ):
        vocab = model.vocab
        word = next(
            text
            for token in range(vocab.size)
            if (text := vocab.piece(token).decode().strip()).isalpha()
        )
        preparation = Preparation(
            vocab,
            ChatTemplate("{{ messages[0].content }}", bos="", eos=""),
            recommended=SamplingOptions(),
            context_length=100,
        )
        request = ChatRequest(
            model="encoder",
            messages=(ChatMessage(role="user", content=word),),
            sampling=SamplingOptions(logit_bias=((word, -1.0),)),
        )
        (sequence,) = preparation.sequences(1, request)

        own = vocab.tokenize_part(word, special=False)
        assert len(vocab.tokenize(word)) == len(own) + 2
        assert sequence.params.logit_bias == tuple((token, -1.0) for token in own)
