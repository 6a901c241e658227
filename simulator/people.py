"""Who shops here: every trait of a customer follows from the seed and the customer's number.

Nothing is stored, so ten million customers cost nothing until somebody asks for them.
Addresses use domains that RFC 2606 reserves: no simulated email can ever reach a stranger.
"""

from dataclasses import dataclass

import numpy as np

FIRST_NAMES = (
    "Ada", "Amir", "Anja", "Aoife", "Ben", "Bianca", "Carlos", "Chiara", "Chen", "Dana", "Daniel", "Elif",
    "Emma", "Farid", "Fiona", "Grace", "Hana", "Hugo", "Ines", "Ivan", "Jamal", "Jonas", "Julia", "Kai",
    "Keiko", "Lars", "Leila", "Liam", "Lucía", "Maja", "Marek", "Mei", "Mila", "Nadia", "Noah", "Olga",
    "Oscar", "Priya", "Rafael", "Rosa", "Samir", "Sofia", "Søren", "Tara", "Tomás", "Uma", "Victor", "Wanda",
    "Yara", "Yusuf", "Zoë", "Zofia",
)  # fmt: skip
LAST_NAMES = (
    "Abebe", "Andersen", "Baker", "Bauer", "Bianchi", "Chaudhary", "Costa", "Dubois", "Eriksen", "Fischer",
    "Garcia", "Haddad", "Hansen", "Ito", "Jansen", "Kaya", "Kim", "Kowalski", "Lopez", "Martin", "Mbeki",
    "Moreau", "Murphy", "Nguyen", "Novak", "OBrien", "Okafor", "Patel", "Petrov", "Rossi", "Sato", "Schmidt",
    "Silva", "Singh", "Smith", "Sousa", "Tanaka", "Thapa", "Virtanen", "Weber", "Williams", "Yilmaz",
)  # fmt: skip
DOMAINS = ("example.com", "example.org", "example.net")

# Share of customers, IANA zone, country, locale. Half-hour and 45-minute offsets are there on purpose:
# quiet hours computed in whole hours go wrong in exactly these places.
PLACES = (
    (22, "America/New_York", "US", "en-US"), (10, "America/Los_Angeles", "US", "en-US"),
    (8, "America/Chicago", "US", "en-US"), (10, "Europe/London", "GB", "en-GB"),
    (10, "Europe/Berlin", "DE", "de-DE"), (7, "Europe/Paris", "FR", "fr-FR"),
    (5, "Europe/Madrid", "ES", "es-ES"), (5, "America/Sao_Paulo", "BR", "pt-BR"),
    (5, "Asia/Tokyo", "JP", "ja-JP"), (6, "Asia/Kolkata", "IN", "en-IN"),
    (3, "Australia/Sydney", "AU", "en-AU"), (3, "Asia/Kathmandu", "NP", "ne-NP"),
    (2, "America/St_Johns", "CA", "en-CA"), (2, "Australia/Adelaide", "AU", "en-AU"),
    (1, "Pacific/Chatham", "NZ", "en-NZ"), (1, "Australia/Lord_Howe", "AU", "en-AU"),
)  # fmt: skip

SEGMENTS = ("explorer", "bargain", "loyal", "vip")
SEGMENT_SHARES = (0.45, 0.30, 0.15, 0.10)  # facts/decision-science.md section 6.1
TIERS = ("regular", "regular", "loyal", "vip")  # by segment
CONSENT_SHARE = 0.93


@dataclass(frozen=True)
class Traits:
    """Traits of many customers at once; every array holds positions in the tables above."""

    numbers: np.ndarray
    first: np.ndarray
    last: np.ndarray
    domain: np.ndarray
    place: np.ndarray
    segment: np.ndarray
    consent: np.ndarray


def mix(numbers: np.ndarray, seed: int, salt: int) -> np.ndarray:
    """splitmix64 of (number, seed, salt): independent uniform 64-bit integers, the same everywhere."""
    start = (seed * 0xD1342543DE82EF95 + salt * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    x = numbers.astype(np.uint64) * np.uint64(0xBF58476D1CE4E5B9) + np.uint64(start)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def uniform(numbers: np.ndarray, seed: int, salt: int) -> np.ndarray:
    """One number in [0, 1) per customer and salt."""
    return (mix(numbers, seed, salt) >> np.uint64(11)).astype(np.float64) / 2.0**53


def draw(numbers: np.ndarray, seed: int) -> Traits:
    """Traits of the customers with these numbers."""
    return Traits(
        numbers,
        (uniform(numbers, seed, 1) * len(FIRST_NAMES)).astype(np.int64),
        (uniform(numbers, seed, 2) * len(LAST_NAMES)).astype(np.int64),
        (uniform(numbers, seed, 3) * len(DOMAINS)).astype(np.int64),
        place_of(numbers, seed),
        segment_of(numbers, seed),
        uniform(numbers, seed, 6) < CONSENT_SHARE,
    )


def place_of(numbers: np.ndarray, seed: int) -> np.ndarray:
    return np.searchsorted(_edges([place[0] for place in PLACES]), uniform(numbers, seed, 4), side="right")


def segment_of(numbers: np.ndarray, seed: int) -> np.ndarray:
    return np.searchsorted(_edges(SEGMENT_SHARES), uniform(numbers, seed, 5), side="right")


def _edges(shares: tuple[float, ...] | list[int]) -> np.ndarray:
    return np.cumsum(shares)[:-1] / np.sum(shares)


def customer_id(seed: int, number: int) -> str:
    return f"c{seed}-{number:08d}"


def address_part(name: str) -> str:
    """A first or last name as it stands in an address: ASCII, lower case."""
    plain = {"í": "i", "á": "a", "ø": "o", "ë": "e"}
    return "".join(plain.get(c, c) for c in name.lower())


_FIRST_PARTS = tuple(map(address_part, FIRST_NAMES))
_LAST_PARTS = tuple(map(address_part, LAST_NAMES))


def identify_json(traits: Traits, row: int, seed: int) -> bytes:
    """The inside of an identify call's traits for one row; no name here needs escaping."""
    first, last, number = traits.first[row], traits.last[row], traits.numbers[row]
    address = f"{_FIRST_PARTS[first]}.{_LAST_PARTS[last]}.{seed}.{number}@{DOMAINS[traits.domain[row]]}"
    _, zone, country, locale = PLACES[traits.place[row]]
    return (
        f'"email":"{address}","first_name":"{FIRST_NAMES[first]}","last_name":"{LAST_NAMES[last]}",'
        f'"tier":"{TIERS[traits.segment[row]]}","timezone":"{zone}","locale":"{locale}",'
        f'"country":"{country}","consent":{"true" if traits.consent[row] else "false"}'
    ).encode()
