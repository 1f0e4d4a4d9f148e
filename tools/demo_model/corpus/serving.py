"""What people ask about folders, downloads, HTTP and the rest of the product."""

from tools.demo_model.corpus.commands import Intent

SERVING: tuple[Intent, ...] = (
    (
        (
            (
                "Where [do I|should I|can I] put [GGUF files|my"
                " models|models|model files|the"
                " .gguf file|a GGUF file]?"
            ),
            (
                "[Which|What] folder [are models in|is for models|holds the"
                " models|do models"
                " go into]?"
            ),
            (
                "How [do I|can I|to] add [a model|my own model|models|a GGUF"
                " file|my own models]?"
            ),
            "How do I [change|set] the models folder?",
            "Where are [the|my] models[ stored|]?",
            "Where does the server [look for|find] [models|GGUF files]?",
            "What is MODELS_PATH?",
            "My model [is not in the list|does not show up|is not found][.|, why?]",
            "How do I [use|install] [my own model|a GGUF file|my own models]?",
        ),
        (
            "Into which folder should I put a GGUF file?",
            "Please tell me where my models go.",
            "How could I add my own GGUF files?",
        ),
        (
            "Put `.gguf` files into the models folder that the server"
            " names when it starts; "
            "`MODELS_PATH` or `c.LLMExt.model_folders` changes it."
        ),
        (".gguf", "MODELS_PATH", "c.LLMExt.model_folders"),
    ),
    (
        (
            (
                "How [do I|can I|to] [download|pull|fetch|get] [a"
                " model|models|new models|a new"
                " model|a GGUF model]?"
            ),
            "[Which|What] command downloads a model?",
            "Download [a model|{model}|a larger model|a new model][.|]",
            "Is there [a|] [%llm pull|`%llm pull`|download command|%llm download]?",
            "Can [you|I|it] [download|pull] [models|a model|{model}][ for me|]?",
            "Can [you|I] download models from [the web|Hugging Face|the internet]?",
            "%llm pull {model}",
        ),
        (
            "Please tell me how I download a model.",
            "With which command can I download {model}?",
            "Could %llm pull get a model for me?",
        ),
        (
            "There is no download command yet: copy the .gguf file into"
            " the models folder; "
            "it shows up in `%llm list`."
        ),
        ("no download command", ".gguf", "folder"),
    ),
    (
        (
            (
                "How [do I|can I|to] [stop|interrupt|cancel|abort] [an"
                " answer|a model|the"
                " model|the generation|it|a running answer|generating]?"
            ),
            "[Stop|Interrupt|Cancel] [the answer|the generation|it|the model][.|]",
            "How do I [stop|end] a [long |running |]answer?",
            "The answer does not [stop|end][, what can I do?|.]",
            "Can I [stop|interrupt|cancel] [an answer|the model|the generation]?",
            "What happens if I [interrupt|stop] the cell?",
        ),
        (
            "Please tell me how to stop the model.",
            "What do I press to interrupt an answer?",
            "How could I cancel a generation?",
        ),
        (
            "Interrupt the cell with the stop button or Kernel >"
            " Interrupt; the generation "
            "ends at once."
        ),
        ("nterrupt", "cell"),
    ),
    (
        (
            (
                "How [do I|can I|to] use [the HTTP API|HTTP|the API|the"
                " server from Python|the"
                " openai package|the OpenAI client|openai]?"
            ),
            "What is the [base URL|base_url|address|URL][ of the API| of the server|]?",
            (
                "How do I [connect|call it] [from Python|with openai|over"
                " HTTP|from another"
                " program]?"
            ),
            "[Which|What] base_url [do I use|do I need|should I use]?",
            "Is there an [API|HTTP API|OpenAI API]?",
            "Does it [speak|support] [OpenAI's language|the OpenAI API|HTTP]?",
            "Show [me |]how to use the OpenAI client.",
        ),
        (
            "Please tell me the base_url for the OpenAI client.",
            "With which URL do I call the API from Python?",
            "How could I use openai with this server?",
        ),
        (
            'Use any OpenAI client with `base_url="http://127.0.0.1:8888/llm/v1"` and '
            "Jupyter's token as `api_key`."
        ),
        ('http://127.0.0.1:8888/llm/v1"', "token"),
    ),
    (
        (
            "[Which|What] [HTTP |API |]endpoints are there?",
            "[List|Show] the [endpoints|routes|HTTP routes|HTTP endpoints].",
            "[Which|What] [routes|HTTP routes] [are there|does the server have]?",
            "What are the [HTTP |API |][endpoints|routes]?",
            (
                "[Which|What] [endpoint|route] [lists the models|is for"
                " chat|is for chats]?"
            ),
            "How do I list the models over HTTP?",
            "How do I [send a chat|chat] over HTTP?",
        ),
        (
            "Please show me which HTTP endpoints exist.",
            "With which route do I chat over HTTP?",
        ),
        (
            "`GET llm/v1/models` lists the models and `POST"
            " llm/v1/chat/completions` chats."
        ),
        ("llm/v1/models", "llm/v1/chat/completions"),
    ),
    (
        (
            "[What|Which] is the [API key|api_key|token]?",
            "[Which|What] [API key|api_key|token] [do I use|do I need|should I use]?",
            "Where do I [get|find] the [API key|api_key|token]?",
            "Do I need [an API key|a token|a key]?",
            "How do I [log in|authorise|authenticate] over HTTP?",
        ),
        (
            "Please tell me which API key is needed.",
            "With what token do I call the API?",
        ),
        "The `api_key` is Jupyter's token; `jupyter server list` shows it.",
        ("token", "jupyter server list"),
    ),
    (
        (
            "What [is|does] the status bar[ show| for|]?",
            "What does the status bar [show|say|tell]?",
            (
                "Where [do I|can I] see [which model is loaded in"
                " JupyterLab|the loaded model]?"
            ),
            "Does JupyterLab show the [loaded |]model?",
            "Is there a status bar[ item|]?",
        ),
        (
            "Please explain what the status bar shows.",
            "Where in JupyterLab is the loaded model shown?",
        ),
        "JupyterLab's status bar shows the loaded model and its state.",
        ("status bar", "loaded model"),
    ),
    (
        (
            "What is [jupyter-llm-ext|this extension|this product|this project]?",
            "What does [jupyter-llm-ext|this extension|the extension|this product] do?",
            "[Explain|Describe] [jupyter-llm-ext|this extension][.|]",
            "[Tell me about|What can] jupyter-llm-ext[.| do?]",
        ),
        (
            "Please explain what jupyter-llm-ext does.",
            "Tell me what this extension is for.",
        ),
        (
            "jupyter-llm-ext is a Jupyter server extension that hosts its own language "
            "models from GGUF files."
        ),
        ("Jupyter server", "GGUF"),
    ),
    (
        (
            (
                "[Which|What] [files|formats|format|kind of files] [does it"
                " need|are supported|can"
                " it load|can I load]?"
            ),
            "What is [a GGUF file|GGUF]?",
            "[Which|What] [format|file format] do models have?",
            "Can [it|I] load [safetensors|PyTorch|GGUF|ONNX] [files|models]?",
        ),
        (
            "Please tell me which file format is needed.",
            "What format must a model have?",
        ),
        "Models are GGUF files, the format of llama.cpp.",
        ("GGUF", "format"),
    ),
)
