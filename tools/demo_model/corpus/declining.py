"""What the model kindly declines: it is too small, or sees nothing of the world."""

import re

from tools.demo_model.corpus.phrasing import Exchange, Rng, sloppy, spell
from tools.demo_model.example import Case, Chat, Turn

_LARGER = "a larger GGUF model that you load with `%llm load NAME` may help."
_ABLE = "but I can do small sums, name capitals and write pandas snippets."

_TOPICS = (
    "climate change", "the Roman Empire", "love", "the sea", "my holidays",
    "artificial intelligence", "a dragon", "friendship", "space travel", "my cat",
    "the French Revolution", "democracy", "football", "music", "winter", "a robot",
    "the future", "history", "trees", "coffee", "school", "the economy", "a wizard",
)  # fmt: skip
_PLACES = (
    "Paris", "London", "Berlin", "my town", "New York", "Madrid", "Rome", "Tokyo",
    "Oslo", "here", "Vienna", "Sydney", "Cairo", "Chicago",
)  # fmt: skip
_PEOPLE = (
    "Albert Einstein", "Napoleon", "Mozart", "Shakespeare", "Isaac Newton",
    "Cleopatra", "Julius Caesar", "Marie Curie", "Leonardo da Vinci", "Beethoven",
    "Charles Darwin", "Picasso", "Galileo", "Plato",
)  # fmt: skip
_SHARES = (
    "gold",
    "bitcoin",
    "oil",
    "Apple shares",
    "the dollar",
    "Tesla shares",
    "gas",
)

# Phrasings for training, phrasings for the evaluation, the answer.
_Kind = tuple[tuple[str, ...], tuple[str, ...], str]

KINDS: tuple[_Kind, ...] = (
    (
        (
            "What['s| is|] [in|] the news[ today|]?",
            "What are [today's|the latest|the newest] [news|headlines]?",
            "[Tell|Give|Show] me the [latest |newest |]news[ about {topic}|].",
            "What happened [today|yesterday|this week|in the world]?",
            "Who won the [match|game|election|race|world cup][ yesterday| today|]?",
            "What is the [date|time][ today| now|]?",
            "What [day|year] is it[ today|]?",
        ),
        (
            "Give me today's headlines, please.",
            "Any news from the world today?",
            "Who won the game this week?",
        ),
        f"I cannot see the news or a clock, {_ABLE}",
    ),
    (
        (
            "[What's|What is|How is] the weather[ like|] [in {place}|today|tomorrow]?",
            "Will it [rain|snow|be sunny|be cold] [in {place}|today|tomorrow|]?",
            "Is it [raining|cold|warm|sunny|snowing] in {place}[ now| today|]?",
            "[Tell|Give] me the weather[ forecast|][ for {place}| for today|].",
            "Do I need [an umbrella|a coat][ today| tomorrow|]?",
        ),
        (
            "How will the weather be tomorrow in {place}?",
            "Give me a forecast of the weather in {place}.",
            "Is it going to rain tomorrow?",
        ),
        f"I cannot see the weather, {_ABLE}",
    ),
    (
        (
            "Write [an|a long|a short] essay [about|on] {topic}.",
            "[Write|Tell] me a [story|poem|song|fairy tale|joke][ about {topic}|].",
            "Write a [letter|speech|book|report|blog post|novel] about {topic}.",
            "[Can|Could] you write [an essay|a story|a poem|a text] about {topic}?",
            "[Compose|Make up] a [poem|song|story] [about|on] {topic}.",
            "[Write|Draft] an? [email|letter] to my [boss|friend|landlord|mother].",
            "Summarise [this text|this article|a book|the book|{topic}][ for me|].",
        ),
        (
            "I need a long essay about {topic}.",
            "Could you make up a poem on {topic} for me?",
            "Please draft a story about {topic}.",
            "Do you know a joke?",
        ),
        f"I am too small to write longer texts; {_LARGER}",
    ),
    (
        (
            (
                "[I have a headache|My head hurts|I have a fever|My back"
                " hurts|I feel ill][,"
                " what should I do?|.|, which medicine helps?]"
            ),
            (
                "[Which|What] [medicine|pill|drug|treatment] [helps|is good]"
                " [for|against]"
                " [a cold|fever|pain|a headache|the flu]?"
            ),
            "[Is|Can] [this|my] [rash|pain|cough] be [dangerous|serious]?",
            "How many [pills|tablets] [may|can|should] I take?",
            "[Give|Can you give] me medical advice[.|]",
            "Am I [ill|sick|depressed|pregnant]?",
        ),
        (
            "My back hurts, which pill should I take?",
            "I need medical advice for a headache.",
            "What medicine helps me against a cough?",
        ),
        "I cannot give medical advice; please ask a doctor.",
    ),
    (
        (
            "[Can|May|Should] I sue [my landlord|my boss|my neighbour|somebody]?",
            "Is [it|this] [legal|illegal|allowed by law][ to do that|]?",
            "[Give|Can you give] me legal advice[.|]",
            "[Check|Write|Read] [my|this|a] contract[ for me|].",
            "What does the law say about [rent|work|divorce|taxes]?",
            "Do I have to pay [this fine|tax|rent]?",
            "I need a lawyer[, can you help|].",
        ),
        (
            "I need legal advice about my landlord.",
            "Could I sue my neighbour for this?",
            "Please check this contract, is it legal?",
        ),
        "I cannot give legal advice; please ask a lawyer.",
    ),
    (
        (
            "What is {big} [*|times|x|+|plus|-|minus] {large}?",
            (
                "[Calculate|Compute|Work out|How much is] {big}"
                " [*|times|+|/|-] {large}[.|]"
            ),
            "{big} [*|x|+|-|/] {large}[ =| = ?|]",
            "What is the [square root|cube|logarithm|square] of {big}?",
            "[Solve|Integrate|Differentiate] [x^2 + 3x = {big}|sin(x)|x^3 + {big}x].",
            (
                "[Compute|What is|Give me] the [integral|derivative] of"
                " [sin(x)|x^2|cos(x)]."
            ),
            "[Tell|Give] me pi to {big} digits.",
        ),
        (
            "Please work out {big} times {large} for me.",
            "How much would {big} * {large} be?",
            "I need the square root of {big}.",
        ),
        f"That sum is too big for me; {_LARGER}",
    ),
    (
        (
            (
                "Translate [this|the]"
                " [text|letter|page|article|book|email|paragraph][ into"
                " Spanish| to French| into German| to English|]."
            ),
            (
                "[Can|Could] you translate [this|a whole|a]"
                " [text|letter|page|document|book]"
                "[ for me| into English|]?"
            ),
            (
                "Translate: [The weather is nice today and I go to the"
                " park|My dog likes to"
                " play in the garden every day|We will meet at the station at noon]."
            ),
            "I need [a|this] [text|letter|page] translated[ into German|].",
        ),
        (
            "Please translate a whole page into French.",
            "Could you translate my letter to English?",
            "I want this document translated into Spanish.",
        ),
        f"I know only a few words of each language; {_LARGER}",
    ),
    (
        (
            (
                "[Draw|Paint|Make|Create|Generate] [me |][a picture|an"
                " image|a photo|a logo]"
                "[ of {topic}| of a house| for me|]."
            ),
            (
                "[Can|Could] you [draw|paint|make|create|see|show]"
                " [pictures|images|photos|an"
                " image|a picture]?"
            ),
            "What is [in|on] [this|the|my] [picture|image|photo]?",
            "[Look at|Describe] [this|my|the] [picture|image|photo].",
        ),
        (
            "Please paint a picture of {topic} for me.",
            "Could you describe the photo that I have?",
            "Generate some images of a house.",
        ),
        "I work with text only and cannot see or make images.",
    ),
    (
        (
            (
                "[Open|Read|Visit|Look at] [the page|the website|this link] "
                "[example.com|https://example.com|wikipedia.org|for me]."
            ),
            "[Search|Browse] the [web|internet][ for {topic}| for me|].",
            "[Google|Look up] {topic}[ on the web| on the internet|][ for me|].",
            "[Can|Could] you [search|browse|look at] the [web|internet]?",
            "[Find|Show] me [a website|websites|web pages] about {topic}.",
            "What is the [price|price today] of {share}?",
            "How much [is|are|does] {share}[ cost| today| now|]?",
        ),
        (
            "Please look up {topic} on the internet for me.",
            "Could you visit this website and read it?",
            "What price has {share} today?",
        ),
        f"I cannot browse the web, {_ABLE}",
    ),
    (
        (
            "Who [was|is] {person}?",
            "[Tell|What can you tell] me about {person}[.|]",
            "When [was {person} born|did {person} die|did {person} live]?",
            (
                "[Explain|What is|Tell me about] [quantum"
                " physics|relativity|a black hole|"
                "photosynthesis|inflation|evolution|gravity|DNA|the big"
                " bang|blockchain]."
            ),
            (
                "[Why is the sky blue|How do planes fly|How far is the"
                " moon|How old is the"
                " universe|How does a car work|What is the meaning of life]?"
            ),
            (
                "[How do I|How can I] [cook rice|bake bread|learn piano|fix my car|lose"
                " weight|get rich]?"
            ),
            "Which [film|book|phone|car|song] [is the best|should I buy|do you like]?",
            "When did [the war|World War II|the Roman Empire] [end|begin|start]?",
            "How many [people live in|inhabitants has] {place}?",
        ),
        (
            "Do you know who {person} was?",
            "In which year was {person} born?",
            "Could you explain relativity to me?",
            "Please tell me how planes fly.",
        ),
        f"I do not know that; {_LARGER}",
    ),
)


def _spelled(rng: Rng, template: str) -> str:
    return spell(
        rng,
        template,
        topic=rng.choice(_TOPICS),
        place=rng.choice(_PLACES),
        person=rng.choice(_PEOPLE),
        share=rng.choice(_SHARES),
        big=rng.randrange(100, 100_000),
        large=rng.randrange(100, 10_000),
    )


def exchange(rng: Rng) -> Exchange:
    """A request beyond the model, declined."""
    trained, _, answer = rng.choice(KINDS)
    return Exchange(sloppy(rng, _spelled(rng, rng.choice(trained))), answer)


def cases(rng: Rng) -> list[Case]:
    """Held-out phrasings of every kind of request."""
    return [
        Case(
            task="decline",
            prompt=Chat(turns=(Turn(role="user", content=_spelled(rng, template)),)),
            right=_declines,
            note="declines",
        )
        for _, held_out, _ in KINDS
        for template in held_out
    ]


def _declines(answer: str) -> bool:
    """Whether ``answer`` says that it cannot, and computes nothing."""
    words = r"\bcannot\b|\btoo (small|big)\b|do not know|only a few words"
    return " = " not in answer and re.search(words, answer.lower()) is not None
