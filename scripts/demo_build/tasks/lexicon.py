"""The words of the demo's small world."""

from __future__ import annotations

NAMES = (
    "Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gina", "Hugo", "Ida", "Jon", "Kim", "Leo",
    "Mia", "Ned", "Olga", "Paul", "Rosa", "Sam", "Tess", "Uma", "Vera", "Will", "Yara", "Zoe",
)  # fmt: skip
CITIES = (
    "Rome", "Oslo", "Lima", "Cairo", "Paris", "Delhi", "Tokyo", "Quito", "Dakar", "Riga",
    "Bern", "Lagos", "Hanoi", "Perth", "Turin", "Accra",
)  # fmt: skip
COLOURS = ("red", "blue", "green", "black", "white", "yellow", "brown", "pink")
ANIMALS = ("cat", "dog", "horse", "sheep", "tiger", "mouse", "goat", "duck", "whale", "fox")
FRUITS = ("apple", "pear", "plum", "lemon", "grape", "melon", "peach", "fig", "mango", "cherry")
FURNITURE = ("chair", "table", "bed", "sofa", "desk", "shelf", "bench", "stool")
CLOTHES = ("hat", "coat", "shirt", "sock", "shoe", "scarf", "glove", "skirt")
CATEGORIES = {
    "animals": ANIMALS, "fruits": FRUITS, "furniture": FURNITURE, "clothes": CLOTHES,
    "colours": COLOURS,
}  # fmt: skip
THINGS = (
    "apples", "pens", "books", "coins", "stamps", "eggs", "balls", "cards", "shells", "keys",
    "cups", "stones",
)  # fmt: skip
OBJECTS = ("key", "ring", "letter", "coin", "phone", "map", "ticket", "watch")
CONTAINERS = ("box", "bag", "drawer", "basket", "jar", "pocket", "cupboard", "bucket")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ALL_WORDS = ANIMALS + FRUITS + FURNITURE + CLOTHES + COLOURS
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def in_words(number: int) -> str:
    """A number from 0 to 999 in English words.

    >>> in_words(342)
    'three hundred and forty-two'
    """
    if number < 20:
        return ONES[number]
    if number < 100:
        tens, rest = divmod(number, 10)
        return TENS[tens] + (f"-{ONES[rest]}" if rest else "")
    hundreds, rest = divmod(number, 100)
    return f"{ONES[hundreds]} hundred" + (f" and {in_words(rest)}" if rest else "")
