"""What people ask about the ``%llm`` commands, and the correct answers."""

# Phrasings for training, phrasings for the evaluation, the answer, and what a right
# answer must contain. ``{model}`` is a model's name, copied into the answer.
Intent = tuple[tuple[str, ...], tuple[str, ...], str, tuple[str, ...]]

COMMANDS: tuple[Intent, ...] = (
    (
        (
            (
                "How [do I|can I|to] [list|see|show] [the |all |all the |my"
                " |available |]models?"
            ),
            "[Which|What] models [are there|do I have|are available|can I use|exist]?",
            "[List|Show|Show me] [the|all|all the|my|available] models[.|]",
            "[Which|What] models are loaded?",
            "How do I [find out|know|see] which models [I have|are there|are loaded]?",
            "[Which|What] command [lists|shows] [the|my|all] models?",
            "What does [%llm list|`%llm list`] do?",
            "Is there a list of [the |all |]models?",
            "How do I see [what|which model] is loaded?",
        ),
        (
            "I want to see the list of models.",
            "Please show me which models exist here.",
            "With which command do I list my models?",
        ),
        "Use `%llm list`: it shows the models on this server and their states.",
        ("%llm list", "states"),
    ),
    (
        (
            (
                "How [do I|can I|to] load [a model|another model|a different"
                " model|models]?"
            ),
            "[Which|What] command loads a model?",
            "[Load|Start] [a|another|a larger|a bigger] model[.|]",
            (
                "How do I [start|use|switch to|get] [another|a different|a"
                " larger|a bigger|a"
                " better] model?"
            ),
            "What does [%llm load|`%llm load`] do?",
            "I want [to load|to use|] a [larger|bigger|better|different] model[.|]",
            "How [do I|can I] change the model?",
            "How are models loaded?",
            "Do I have to load a model [first|before I use it]?",
        ),
        (
            "Please tell me how a model is loaded.",
            "With which command do I load a larger model?",
            "How can I get a better model to start?",
        ),
        "Use `%llm load NAME`; a model also loads by itself when it is first asked.",
        ("%llm load", "asked"),
    ),
    (
        (
            "How [do I|can I|to] load {model}?",
            "[Load|Start|Please load] {model}[.|]",
            "[I want|I would like] to [load|use|start] {model}[.|]",
            "[Which|What] command loads {model}?",
            "Load the model {model}[.|]",
        ),
        ("Please tell me how I load {model}.", "With which command do I load {model}?"),
        "Use `%llm load {model}`.",
        ("%llm load {model}",),
    ),
    (
        (
            "How [do I|can I|to] unload [a model|the model|models|it]?",
            "[Which|What] command unloads a model?",
            "How [do I|can I] [free|get back|release] [the |]memory[ of a model|]?",
            "Unload [a|the|this] model[.|]",
            "How do I [remove|get rid of] a [loaded |]model[ from memory|]?",
            "What does [%llm unload|`%llm unload`] do?",
            "The model [takes|uses] too much memory[.|, what can I do?]",
            "How do I give [the|its] memory back?",
            "How do I unload a [busy|running] model?",
        ),
        (
            "Please tell me how a model is unloaded.",
            "With which command do I unload the model?",
            "How can I get rid of a model and free its memory?",
        ),
        (
            "Use `%llm unload NAME`; it gives the model's memory back."
            " Add `--force` to end "
            "running requests."
        ),
        ("%llm unload", "memory"),
    ),
    (
        (
            "How [do I|can I|to] unload {model}?",
            "[Unload|Please unload] {model}[.|]",
            "[I want|I would like] to unload {model}[.|]",
            "[Which|What] command unloads {model}?",
            "Free the memory of {model}[.|]",
        ),
        (
            "Please tell me how I unload {model}.",
            "With which command do I unload {model}?",
        ),
        "Use `%llm unload {model}`.",
        ("%llm unload {model}",),
    ),
    (
        (
            (
                "How [do I|can I|to] [ask|chat with|talk to|use|query]"
                " [a|the|this] model[ in a"
                " notebook|]?"
            ),
            (
                "How [do I|can I] [chat|ask a question|write a prompt][ in a"
                " notebook| in a"
                " cell|]?"
            ),
            "What does [%%llm|`%%llm`] do?",
            "[Which|What] [magic|command] asks a model?",
            "How [do I|can I] use [the cell magic|the magic|%%llm|`%%llm`]?",
            "How do I [send|give] a [prompt|question] to [a|the] model?",
            "How do I [load|use|start] the [extension|magics|magic commands]?",
            "How [does|do I use] this [extension|product|tool][ work|]?",
        ),
        (
            "Please tell me how I ask a model in a cell.",
            "With which magic can I chat with a model?",
            "How can I put a question to a model in a notebook?",
        ),
        (
            "Run `%load_ext kernel_magics` once, then begin a cell with"
            " `%%llm NAME` and "
            "write your question below it."
        ),
        ("%%llm", "cell", "question"),
    ),
    (
        (
            "How [do I|can I|to] [ask|chat with|talk to] {model}[ in a notebook|]?",
            "[I want|I would like] to [ask|chat with|talk to] {model}[.|]",
            "[Which|What] [magic|command] asks {model}?",
            "How do I send a [prompt|question] to {model}?",
        ),
        (
            "Please tell me how I ask {model} something.",
            "With which magic can I chat with {model}?",
        ),
        "Begin a cell with `%%llm {model}` and write your question below it.",
        ("%%llm {model}",),
    ),
    (
        (
            (
                "[Which|What] options [does %%llm have|are there|can I"
                " use|does the magic have]?"
            ),
            "What are the options of [%%llm|the magic|`%%llm`]?",
            "[List|Show] [the|all] options[ of %%llm|].",
            (
                "[Which|What] [arguments|flags|parameters] does [%%llm|the"
                " magic] [take|have]?"
            ),
            "How do I [see|list|show] the options[ of %%llm|]?",
        ),
        (
            "Please show me the options that %%llm has.",
            "What other arguments can the magic take?",
        ),
        (
            "The options are `--temperature`, `--max-tokens`, `--seed` and `--system`; "
            "`%%llm?` shows them."
        ),
        ("--temperature", "--max-tokens", "--system"),
    ),
    (
        (
            "How [do I|can I|to] [set|change|lower|raise] the temperature?",
            "[Which|What] option [sets|changes] the temperature?",
            (
                "How do I make [answers|the answer|it] [more random|less"
                " random|more creative]?"
            ),
            "Set the temperature[ to 0| to 0.7|].",
        ),
        (
            "With which option do I change the temperature?",
            "Please tell me how I lower the temperature.",
        ),
        "Use `--temperature`: `%%llm NAME --temperature 0.7`.",
        ("%%llm", "--temperature 0"),
    ),
    (
        (
            (
                "How [do I|can I|to] [limit|set|change] the [length|number"
                " of tokens|maximum"
                " length][ of an answer|]?"
            ),
            "[Which|What] option [limits|sets] the [length|tokens|number of tokens]?",
            "How do I [get|make] [shorter|longer] answers?",
            "The answer is [cut|too long|cut off][, what can I do?|.]",
        ),
        (
            "With which option do I limit the length of an answer?",
            "Please tell me how I get a longer answer.",
        ),
        "Use `--max-tokens`: `%%llm NAME --max-tokens 200`.",
        ("%%llm", "--max-tokens 2"),
    ),
    (
        (
            "How [do I|can I|to] [set|give|write|use|change] [a|the] system prompt?",
            "[Which|What] option [sets|gives] the system prompt?",
            "How do I [tell|make] the model [how to answer|to answer in Spanish]?",
            "[Set|Use] a system prompt[.|]",
        ),
        (
            "With which option do I set the system prompt?",
            "Please tell me how I give a system prompt.",
        ),
        'Use `--system`: `%%llm NAME --system "Answer in Spanish."`.',
        ("%%llm", '--system "'),
    ),
)
