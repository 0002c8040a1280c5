"""The small closed world of the stand-in's pre-training: facts and words, as data.

The corpus tells it as prose (:mod:`azureml_local.worker.standin.corpus`), and as people who ask one another
(:mod:`azureml_local.worker.standin.conversations`). The sample is another world, which no model knows.
"""

from __future__ import annotations

from typing import NamedTuple


class Country(NamedTuple):
    """A country and what a pupil knows of it."""

    name: str
    capital: str
    language: str
    continent: str


class Animal(NamedTuple):
    """An animal, what it eats and where it lives."""

    name: str
    food: str
    home: str
    legs: int


class Verb(NamedTuple):
    """Three forms of a verb: ``open``, ``opens``, ``opened``."""

    base: str
    present: str
    past: str


def _rows(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]


def _list(text: str) -> list[str]:
    return [" ".join(item.split()) for item in text.split(",")]


COUNTRIES = [
    Country(*row)
    for row in _rows("""
France|Paris|French|Europe
Germany|Berlin|German|Europe
Italy|Rome|Italian|Europe
Spain|Madrid|Spanish|Europe
Portugal|Lisbon|Portuguese|Europe
Greece|Athens|Greek|Europe
Poland|Warsaw|Polish|Europe
Sweden|Stockholm|Swedish|Europe
Norway|Oslo|Norwegian|Europe
Denmark|Copenhagen|Danish|Europe
Finland|Helsinki|Finnish|Europe
Hungary|Budapest|Hungarian|Europe
Austria|Vienna|German|Europe
Romania|Bucharest|Romanian|Europe
Japan|Tokyo|Japanese|Asia
China|Beijing|Chinese|Asia
Thailand|Bangkok|Thai|Asia
Vietnam|Hanoi|Vietnamese|Asia
Turkey|Ankara|Turkish|Asia
Iran|Tehran|Persian|Asia
Egypt|Cairo|Arabic|Africa
Morocco|Rabat|Arabic|Africa
Kenya|Nairobi|Swahili|Africa
Ghana|Accra|English|Africa
Brazil|Brasilia|Portuguese|South America
Peru|Lima|Spanish|South America
Chile|Santiago|Spanish|South America
Colombia|Bogota|Spanish|South America
Mexico|Mexico City|Spanish|North America
Cuba|Havana|Spanish|North America
""")
]

ANIMALS = [
    Animal(name, food, home, int(legs))
    for name, food, home, legs in _rows("""
cow|grass|on a farm|4
horse|hay|in a stable|4
rabbit|carrots|in a hole|4
lion|meat|on the plain|4
bear|honey|in a cave|4
monkey|bananas|in the trees|4
penguin|fish|on the ice|2
duck|bread|on the pond|2
owl|mice|in the woods|2
spider|flies|in a web|8
bee|nectar|in a hive|6
ant|crumbs|in a hill|6
camel|leaves|in the desert|4
fox|berries|in a den|4
frog|worms|in the river|4
squirrel|nuts|in a tree|4
""")
]

OPPOSITES = dict(
    _rows("""
hot|cold
small|large
old|new
fast|slow
high|low
long|short
light|dark
strong|weak
rich|poor
early|late
open|closed
full|empty
hard|soft
wet|dry
loud|quiet
clean|dirty
thick|thin
wide|narrow
happy|sad
""")
)

VERBS = [
    Verb(*row)
    for row in _rows("""
open|opens|opened
close|closes|closed
paint|paints|painted
carry|carries|carried
clean|cleans|cleaned
find|finds|found
buy|buys|bought
sell|sells|sold
make|makes|made
bring|brings|brought
see|sees|saw
take|takes|took
draw|draws|drew
hold|holds|held
want|wants|wanted
need|needs|needed
move|moves|moved
like|likes|liked
lose|loses|lost
fix|fixes|fixed
""")
]

PEOPLE = _list(
    """
    teacher, doctor, farmer, driver, painter, baker, sailor, singer, child, girl, boy, woman, man, friend,
    neighbour, writer, student, worker, captain, cook
    """
)

THINGS = _list(
    """
    window, door, book, table, chair, box, letter, map, picture, lamp, clock, basket, bag, cup, plate,
    bottle, coat, hat, shoe, ring, key, bell, boat, car, wheel, ladder, garden, house, bridge, wall
    """
)

ADJECTIVES = _list(
    """
    small, large, old, new, long, short, light, dark, heavy, clean, dirty, wide, narrow, thick, thin, hard,
    soft, red, green, blue
    """
)

PLACES = _list(
    """
    in the morning, in the evening, at the market, in the kitchen, near the river, by the sea, at school, in
    the city, after lunch, on the road, before dinner, in the village
    """
)

DAYS = _list(
    """
    Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday
    """
)

MONTHS = _list(
    """
    January, February, March, April, May, June, July, August, September, October, November, December
    """
)
