"""`kairos coupons`: is a code good, and whose is it? For the shop's checkout and for support."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from orchestration.cli.people import the_ledger
from orchestration.live.lease import utc_now
from senders.ledger.coupons import Issued

console = Console()
coupons = typer.Typer(
    help="Coupon codes: are they good? Each email has its own, and the ledger knows them all.",
    no_args_is_help=True,
)


@coupons.command()
def verify(
    code: Annotated[str, typer.Argument(help="As printed; case, blanks and dashes do not matter.")],
) -> None:
    """Say until when a code is good, and whose it is. Exit code 0 only for a good one.

    Whether it was used before is the shop's to remember: Kairos sees no checkout.
    """
    with the_ledger() as ledger:
        found = ledger.verify_coupon(code, utc_now())
    console.print("unknown" if found is None else _answer(found), highlight=False, soft_wrap=True)
    if found is None or found.standing != "valid":
        raise typer.Exit(1)


def _answer(found: Issued) -> str:
    whose = f"decision {found.decision_id}, customer {found.customer_id or 'unknown'}"
    return f"{_standing(found)}, {found.percent} %, {whose}"


def _standing(found: Issued) -> str:
    if found.standing == "not_sent":
        return f"not sent: the email is {found.state}"
    word = "valid until" if found.standing == "valid" else "expired since"
    return f"{word} {found.expires_at:%Y-%m-%d %H:%M} UTC"
