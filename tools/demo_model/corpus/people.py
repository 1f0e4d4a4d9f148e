"""First names to remember: common ones, and ones made of syllables."""

from tools.demo_model.corpus import values
from tools.demo_model.corpus.phrasing import Rng, chance

_COMMON = """
    Adam Adele Adrian Agnes Ahmed Aisha Alan Albert Alex Alice Alma Amir Amy Ana Andrea
    Andrew Angela Anna Anton Arthur Astrid Ava Barbara Beatrice Ben Bernard Betty Bianca
    Boris Brian Bruno Carl Carla Carlos Carmen Caroline Cecilia Charlotte Chen Chloe
    Chris
    Clara Claire Colin Connor Cora Dan Daniel Daria David Diana Diego Dora Edith Edward
    Elena Elias Elisa Ella Elsa Emil Emily Emma Eric Erika Esther Eva Fatima Felix Fiona
    Flora Frank Frida Gabriel George Gina Gloria Grace Greta Gustav Hanna Harry Hassan
    Heidi Helen Henry Hugo Ida Igor Ines Ingrid Irene Iris Isaac Ivan Jack Jacob James
    Jana Jane Jasmin Jean Jenny Jim Joan Johan John Jonas Jose Joseph Judith Julia
    Julian
    Karen Karim Karl Kate Kenji Kim Klaus Kurt Lara Lars Laura Lea Leila Lena Leo Leon
    Liam Lily Linda Lisa Lola Louis Louise Lucas Lucia Lucy Luis Luna Maja Marc Marco
    Margaret Maria Marie Mario Mark Marta Martin Mary Matteo Max Maya Mei Mia Michael
    Miguel Mila Milan Miriam Mona Monica Nadia Nancy Natalie Nick Nico Nina Noah Nora
    Olga Oliver Olivia Omar Oscar Otto Pablo Patricia Paul Paula Pedro Peter Petra
    Philip
    Pia Rachel Ravi Rebecca Richard Rita Robert Rosa Rose Ruben Ruth Sam Samuel Sandra
    Sara Sarah Sergei Silvia Simon Sofia Sonja Stefan Stella Susan Tanja Teresa Theo
    Thomas Tim Tina Tom Tony Ursula Vera Victor Viola Wanda Wei Werner William Yara Yuki
    Yusuf Zara Zoe
"""
_HELD_OUT = """
    Alina Amanda Carolina Corinna Damian Darian Elina Emilia Florian Jonathan
    Karina Leonard Linus Lorena Marina Melina Milena Nadine Ramona Rosalie Samira
    Sebastian Selina Tamara Valentina Viktor Vivian Waldo Xenia
"""
NAMES = tuple(_COMMON.split())
HELD_OUT_NAMES = tuple(_HELD_OUT.split())

_FIRST = """
    Al An Ar Be Bo Ca Da De El Fa Fe Ga Ha Is Ja Ka Ke La Le Lo Ma Me Mi Mo Na Ne No Ol
    Pa Pe Ra Re Ro Sa Se Si Ta Te Ti Va Vi Xe Wal Jo Flo Bri Chri Kla Tho Se Us Yu
"""
_MIDDLE = (
    "ba da di la li lo ma mi na ni ra ri ro sa si ta ti va vi ka bas mi re the len"
)
_LAST = (
    "a an ar as bel da el en ia in ka la lia lin mon na nia o ra rin us do ne tor ard"
)
_BEGINNINGS, _MIDDLES, _ENDS = (
    tuple(text.split()) for text in (_FIRST, _MIDDLE, _LAST)
)


def name(rng: Rng) -> str:
    """A first name of the training; most of them nobody has."""
    if chance(rng, 0.3):
        return rng.choice(NAMES)
    if chance(rng, 0.5):
        return values.proper(rng)
    made = rng.choice(_BEGINNINGS)
    if chance(rng, 0.6):
        made += rng.choice(_MIDDLES)
    made += rng.choice(_ENDS)
    return made if made not in HELD_OUT_NAMES else rng.choice(NAMES)
