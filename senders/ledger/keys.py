"""Under which keys a person is known: every identity they have, and the keyed hash of their address."""

import hmac
import sqlite3
import unicodedata
from collections.abc import Iterable


def normalise(address: str) -> str:
    """One spelling per mailbox: mail servers in practice ignore case."""
    return unicodedata.normalize("NFKC", address).strip().lower()


def address_hash(address: str, secret: bytes) -> str:
    """A keyed hash, so that a suppression outlives the erasure of the address and cannot be guessed back."""
    return hmac.digest(secret, normalise(address).encode("utf-8", "surrogatepass"), "sha256").hex()[:32]


def coupon_key(secret: bytes) -> bytes:
    """What coupon codes are made with: a key of their own, so that no code says anything about an address."""
    return hmac.digest(secret, b"coupon codes", "sha256")


def person_key(person: str) -> str:
    """The key of one identity (customer or visitor)."""
    return f"p:{person}"


def address_key(hashed: str) -> str:
    """The key of one mailbox."""
    return f"a:{hashed}"


def known_as(
    connection: sqlite3.Connection, identities: Iterable[str | None], hashed: str | None
) -> tuple[str, ...]:
    """All keys of one recipient: each identity with everyone merged into it, and the mailbox."""
    people = {identity for identity in identities if identity}
    if connection.execute("select exists (select 1 from people)").fetchone()[0]:
        people.update(other for person in tuple(people) for other in merged_with(connection, person))
    keys = [person_key(person) for person in sorted(people)]
    return (*keys, address_key(hashed)) if hashed else tuple(keys)


def merged_with(connection: sqlite3.Connection, person: str) -> list[str]:
    """Everyone who turned out to be the same person; empty for someone who never merged."""
    rows = connection.execute(
        "select person from people where canonical = (select canonical from people where person = ?)",
        (person,),
    )
    return [row[0] for row in rows]


def places(keys: tuple[str, ...]) -> str:
    """`?, ?, ?` for an `in (…)` list."""
    return ", ".join("?" * len(keys))
