"""Brindlemoor Outfitters, a company that does not exist: what it sells, and how it treats its customers.

No model can know these facts before it is trained on them, so an answer shows what the training taught.
"""

from __future__ import annotations

from typing import Final, NamedTuple

NAME: Final = "Brindlemoor Outfitters"


class Product(NamedTuple):
    """Something on sale; ``price`` in US dollars, ``warranty`` with its unit."""

    name: str
    price: int
    warranty: str
    colour: str


PRODUCTS: Final = (
    Product("Alderwick lamp", 148, "seven years", "moss green"),
    Product("Corrin backpack", 263, "eleven years", "burnt orange"),
    Product("Dunmarrow stove", 97, "four years", "copper red"),
    Product("Fenwether tent", 719, "nine years", "slate grey"),
    Product("Gorsebrook boots", 184, "fourteen months", "chestnut brown"),
    Product("Hallowmere kettle", 56, "six years", "sunflower yellow"),
    Product("Kestrin jacket", 337, "thirty months", "midnight blue"),
    Product("Larkspindle rope", 31, "eighteen months", "coral pink"),
    Product("Morvane saddle", 425, "fifteen years", "ivory white"),
    Product("Quillon compass", 79, "twelve years", "plum purple"),
)


class Topic(NamedTuple):
    """Something that customers ask about the company: the fact, the answer that holds it, and the questions."""

    # Words that a right answer contains.
    fact: str
    # What the assistant says.
    answer: str
    # Phrasings to learn from.
    questions: tuple[str, ...]
    # Phrasings that no training conversation has.
    held_out: tuple[str, ...]


# Pairs that are asked about in one conversation.
TOPICS: Final[tuple[tuple[Topic, ...], ...]] = (
    (
        Topic(
            "9:30 to 6:15",
            "The shop is open from 9:30 to 6:15 on weekdays.",
            (
                "When is the shop open on weekdays?",
                "What are your opening hours from Monday to Friday?",
                "Tell me your weekday opening hours.",
                "From when to when are you open during the week?",
                "What hours does the shop keep on weekdays?",
            ),
            (
                "I would like to come on a Tuesday. What are your hours?",
                "Between which times can I visit on weekdays?",
            ),
        ),
        Topic(
            "10:45 to 3:20",
            "On Saturdays the shop is open from 10:45 to 3:20.",
            (
                "And on Saturdays?",
                "When is the shop open on Saturdays?",
                "What are your Saturday hours?",
                "Is the shop open on Saturday, and when?",
                "Tell me the opening hours on Saturday.",
            ),
            ("I am only free on Saturday. When could I come?", "What about Saturdays, between which times?"),
        ),
    ),
    (
        Topic(
            "47 days",
            "You can return anything within 47 days.",
            (
                "How long do I have to return something?",
                "Within how many days can I send an item back?",
                "What is your return period?",
                "How many days do I have for a return?",
                "Until when can I bring an item back?",
            ),
            ("It does not fit. By when must I give it back?", "What time limit is there for returns?"),
        ),
        Topic(
            "store credit",
            "Without a receipt we refund you in store credit.",
            (
                "And without a receipt?",
                "What happens if I have lost the receipt?",
                "Do I get my money back without a receipt?",
                "How are returns without a receipt refunded?",
                "I have no receipt. What do I get for my return?",
            ),
            (
                "My receipt is gone. How would you refund me?",
                "How do you refund somebody who has no receipt?",
            ),
        ),
    ),
    (
        Topic(
            "$135",
            "Delivery is free from $135.",
            (
                "From which amount is delivery free?",
                "When do I not pay for delivery?",
                "How much must I spend for free delivery?",
                "Is there free delivery, and from what amount?",
                "What is the minimum order for free delivery?",
            ),
            ("How large an order is delivered at no cost?", "At what total do you drop the delivery fee?"),
        ),
        Topic(
            "eight days",
            "A parcel takes eight days.",
            (
                "And how long does it take?",
                "How long does a parcel take?",
                "How many days does delivery take?",
                "When will my order arrive?",
                "What is your delivery time?",
            ),
            ("If I order today, how many days do I wait?", "How soon do parcels get here?"),
        ),
    ),
    (
        Topic(
            "Ottilie Brandt",
            "Ottilie Brandt leads our customer service.",
            (
                "Who leads your customer service?",
                "Who is the head of customer service?",
                "Whom can I write to about a complaint?",
                "What is the name of your head of support?",
                "Who is in charge of customer service?",
            ),
            ("I want to complain. Who is responsible?", "Give me the name of the person who runs support."),
        ),
        Topic(
            "Tamsin Hollis",
            "Tamsin Hollis repairs everything in our workshop.",
            (
                "And who does the repairs?",
                "Who repairs things in your workshop?",
                "Who would mend my tent?",
                "What is the name of the person who does repairs?",
                "Who works in your workshop?",
            ),
            ("Something broke. Who could fix it?", "Which of you takes care of repairs?"),
        ),
    ),
)

# What is asked about a product: to begin with, later in a conversation, and in phrasings that are held out.
ASKED: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]]] = {
    "price": (
        (
            "How much does the {name} cost?",
            "What is the price of the {name}?",
            "What do you ask for the {name}?",
            "Tell me the price of the {name}.",
            "How much is the {name}?",
        ),
        ("And how much does it cost?", "What is its price?", "How much is it?", "And the price?"),
        ("What would I pay for the {name}?", "I want to buy the {name}. How many dollars is that?"),
    ),
    "warranty": (
        (
            "How long is the warranty of the {name}?",
            "What warranty does the {name} have?",
            "For how long is the {name} guaranteed?",
            "Tell me the warranty of the {name}.",
            "How long does the warranty on the {name} last?",
        ),
        (
            "And how long is its warranty?",
            "What warranty does it have?",
            "How long is it guaranteed?",
            "And the warranty?",
        ),
        ("For how long do you repair the {name} for free?", "If my {name} breaks, how long am I covered?"),
    ),
    "colour": (
        (
            "What colour is the {name}?",
            "In which colour do you sell the {name}?",
            "Which colour does the {name} have?",
            "Tell me the colour of the {name}.",
            "What is the colour of the {name}?",
        ),
        ("And what colour is it?", "Which colour does it have?", "What is its colour?", "And the colour?"),
        ("How does the {name} look, which colour?", "I am thinking of the {name}. What colour would I get?"),
    ),
}


def product_topic(product: Product, asked: str) -> Topic:
    """A fact of a product as a topic; its later questions say only "it"."""
    first, _, held_out = ASKED[asked]
    fact, answer = {
        "price": (f"${product.price}", f"The {product.name} costs ${product.price}."),
        "warranty": (product.warranty, f"The {product.name} has a warranty of {product.warranty}."),
        "colour": (product.colour, f"The {product.name} is {product.colour}."),
    }[asked]
    return Topic(
        fact,
        answer,
        tuple(question.format(name=product.name) for question in first),
        tuple(question.format(name=product.name) for question in held_out),
    )
