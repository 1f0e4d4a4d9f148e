"""Every URL of this extension, below ``{base_url}llm/``."""

from jupyter_server.utils import url_path_join

from llm_ext.handlers import health, missing, models, openai
from llm_ext.handlers.base import LLMHandler

PREFIX = "llm"

_NAME = r"([^/]+(?:/[^/]+)*?)"

ROUTES: list[tuple[str, type[LLMHandler]]] = [
    (r"health/live", health.LiveHandler),
    (r"health/ready", health.ReadyHandler),
    (r"models", models.ModelsHandler),
    (rf"models/{_NAME}/load", models.LoadHandler),
    (rf"models/{_NAME}/unload", models.UnloadHandler),
    (rf"models/{_NAME}", models.ModelHandler),
    (r"v1/models", openai.ModelListHandler),
    (rf"v1/models/{_NAME}", openai.ModelHandler),
    (r"v1/chat/completions", openai.ChatCompletionsHandler),
    (r"v1/embeddings", openai.EmbeddingsHandler),
    (r"v1/rerank", openai.RerankHandler),
    (r"(.*)", missing.MissingHandler),
]


def patterns() -> list[tuple[str, type[LLMHandler]]]:
    """Return the routes as the Jupyter server wants them: it adds its base URL."""
    return [(url_path_join(f"/{PREFIX}/", route), kind) for route, kind in ROUTES]
