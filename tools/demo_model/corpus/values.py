"""Values to copy: real words, and invented ones, so that no list of them can be learnt.

A model that has seen every value cannot tell copying from knowing, and it is knowing
that it then learns. Here a value is new more often than not.
"""

import keyword

from tools.demo_model.corpus.phrasing import Rng, chance

_NOUNS = """
    account action address age agent air album amount angle animal answer apple area arm
    army arrow article artist author autumn axis bag ball band bank basket bath battery
    beach bean bear bed bell bill bird block board boat body bonus book border bottle
    bottom bowl box branch brand bread bridge brother bucket budget building bus button
    cable cake camera camp candle capital car card carpet cart case cat category cell
    centre chain chair chance channel chapter charge cheese child choice church circle
    city class client clock cloud club coat code coffee coin color column comment
    company cook copy corn corner count country couple course cousin cover cow credit
    crop crowd cup customer cycle damage dance data date daughter deal debt deck degree
    delay delivery demand desk detail device diet dinner discount dish display distance
    doctor document dog dollar door drawing dream dress drink driver drop duck dust
    earth east edge effect egg energy engine entry episode error event exam example
    exit expense export eye face family farm fashion father feature fee field film
    finger fire fish flag flight floor flower food foot force forest fork form frame
    friend fruit fuel function future game garden gas gate gender gift glass goal gold
    grade grain grass group growth guest guide guitar hair half hall hand hat head
    health heart heat height hill hole holiday home honey horse hospital hotel hour
    house idea image impact import income index insect island issue item jacket job
    journey judge juice jump key king kitchen knife label lake lamp land language law
    layer leader leaf league leg lemon lesson letter library light limit line lion list
    loan location lock log loss lunch machine magazine mail map margin mark market mask
    mass match material matrix meal measure meat media member memory menu message metal
    meter method milk mine minute mirror mode moment money month moon morning mother
    motor mountain mouse mouth movie muscle museum music name nation neck needle
    network night noise north nose note nurse object ocean office oil onion option
    orange order origin output owner package page pain paint pair paper parcel parent
    park part partner party path patient pattern payment peak pencil people pepper
    period phase phone photo piano picture pilot pin pipe pizza place plane planet
    plant plate player plot pocket poem point pool port post potato power price prize
    problem process product profile profit program project property protein purpose
    quality quantity queen query question queue race radio rain range rank rate rating
    ratio reason record region rent reply report request reserve rest result return
    review rice ring risk river road rock role roof room root rope round route row rule
    salad salary sale salt sample sand scale scene school science score screen season
    seat section seed segment sensor series server session shape share sheep sheet
    shelf shelter shift ship shirt shoe shop shoulder signal silver singer sister site
    size skill skin sky sleep smile snake snow soap sock soil soldier song sound soup
    source south space speaker speech speed sport spot spring square stage stamp star
    start station status steam steel step stock stone stop store storm story stream
    street strength string student style subject sugar suit sum summer sun supply
    surface survey sweater switch symbol system table tail talent tank target task tax
    taxi tea teacher team temperature test text theme theory thing thumb ticket tiger
    time tire title tomato tone tool tooth topic total tour tower town track trade
    traffic train travel tree trend trial trip truck trust tube tunnel turn type uncle
    unit user vacation valley value van variable vehicle version video view village
    violin visit visitor voice volume vote voyage wage wall watch water wave way
    weather week weight west wheel width wife wind window wine wing winner winter wire
    wolf wood word work worker world wrist yard year yield zone
"""
NOUNS = tuple(_NOUNS.split())

_HELD_OUT = """
    alpha alphas beta betas gamma gammas cost costs offset offsets factor factors depth
    depths tokens token models model colors days day execute begin revenue revenues
    duration durations state states population populations level levels pressure
    pressures students countries experiment marseille bologna valencia stuttgart kyoto
    basel alina amanda carolina corinna damian darian elina emilia florian jonathan
    karina leonard linus lorena marina melina milena nadine ramona rosalie samira
    sebastian selina tamara valentina viktor vivian waldo xenia html toml
"""
HELD_OUT = frozenset(_HELD_OUT.split())
"""What only the evaluation uses; nothing here returns it, not even by accident."""

_LETTERS = {
    "onsets": """
        b b c c d d f g h j k l l l m m n n p p r r s s t t v v w z br ch cl cr dr fl
        gr pl pr qu sh sl sp st str th tr
    """,
    "vowels": "a a a a e e e e i i i o o o u u ai au ea ee ia ie io ou y",
    "codas": "n n r r s l m t d k ck ff ll mp nd ng nt rd rk rm rn rt ss st th tt x",
}
_ONSETS, _VOWELS, _CODAS = (tuple(text.split()) for text in _LETTERS.values())
_ENDINGS = ("a", "o", "e", "y", "er", "en", "ion", "ing", "ure", "ity", "ent", "al")


def invented(rng: Rng) -> str:
    """A word that can be spoken and that nobody has, of one to four syllables."""
    while True:
        word = "" if chance(rng, 0.8) else rng.choice("aeiou")
        for _ in range(rng.choice((1, 2, 2, 2, 3))):
            word += rng.choice(_ONSETS) + rng.choice(_VOWELS)
            word += rng.choice(_CODAS) if chance(rng, 0.25) else ""
        if chance(rng, 0.4):
            word = word.rstrip("aeiouy") + rng.choice(_ENDINGS)
        if word not in HELD_OUT:
            return word


def noun(rng: Rng) -> str:
    """A real word, in small letters."""
    return rng.choice(NOUNS)


def word(rng: Rng) -> str:
    """A word in small letters, invented as often as not."""
    return noun(rng) if chance(rng, 0.5) else invented(rng)


def proper(rng: Rng) -> str:
    """A name that nobody has, with a capital letter."""
    return invented(rng).capitalize()


def identifier(rng: Rng) -> str:
    """A name in Python: a word or two, sometimes with a number."""
    made = word(rng)
    if chance(rng, 0.25):
        made += "_" + word(rng)
    elif chance(rng, 0.08):
        made += str(rng.randint(1, 9))
    return made + "s" if keyword.iskeyword(made) else made


def city(rng: Rng) -> str:
    """A place that is on no map; some have two words."""
    first = ("San", "New", "Santa", "Los", "Port", "Bad", "Saint", "North", "El", "La")
    return f"{rng.choice(first)} {proper(rng)}" if chance(rng, 0.15) else proper(rng)


def file(rng: Rng, ending: str) -> str:
    """A file's name with ``ending``."""
    return identifier(rng) + ending


def model(rng: Rng) -> str:
    """A model's name as the catalog spells it, such as ``tavo-3-4b``."""
    made = word(rng)
    if chance(rng, 0.7):
        made += rng.choice(("-", "")) + str(rng.randint(1, 5))
        made += f"-{rng.randint(1, 9)}" if chance(rng, 0.4) else ""
    if chance(rng, 0.7):
        made += f"-{rng.choice((1, 2, 3, 4, 7, 8, 9, 12, 13, 14, 24, 27, 32, 70))}b"
    if chance(rng, 0.2):
        made += rng.choice(("-instruct", "-it", "-chat", "-mini", "-code"))
    return made
