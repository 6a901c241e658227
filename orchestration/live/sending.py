"""The sender beside the live lane: ledger, transport and dispatcher from settings."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType

from orchestration.links import links, tracking
from orchestration.live.lease import utc_now
from orchestration.live.plan import Shop
from orchestration.settings import Mail, Quiet, Settings
from senders.compose import Composer
from senders.dispatch import Dispatcher
from senders.ledger.ledger import Ledger
from senders.mime import Identity
from senders.policy import Policy
from senders.quiet import QuietHours
from senders.render import Renderer
from senders.transports.base import Transport
from senders.transports.file import FileTransport
from senders.transports.smtp import SmtpSettings, SmtpTransport

FENCE_WAIT_SECONDS = 60


class Sending:
    """Owns the ledger's sender role from `with` to its end."""

    def __init__(self, settings: Settings, composer: Composer) -> None:
        """`composer` comes from outside: loading templates takes half a second, a window does it before its lock."""
        self._settings = settings
        self._composer = composer
        self.shop = shop_of(settings)
        self.ledger = open_ledger(settings)
        self._dispatcher: Dispatcher | None = None

    def __enter__(self) -> Sending:
        now = utc_now()
        self.ledger.recover(now, FENCE_WAIT_SECONDS)
        apply_hourly_limit(self.ledger, self._settings.mail, now)
        return self

    def start(self, catch_up: Callable[[], object]) -> None:
        """Begin sending; `catch_up` reads the log to its head before every gate."""
        self._dispatcher = dispatcher(self._composer, self.ledger, transport(self._settings), catch_up)
        self._dispatcher.start()

    def wake(self) -> None:
        """Something was recorded; raises what made the dispatcher fail, if it did."""
        if self._dispatcher is not None:
            if self._dispatcher.failure is not None:
                raise self._dispatcher.failure
            self._dispatcher.wake()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._dispatcher is not None:
                with contextlib.suppress(Exception) if error else contextlib.nullcontext():
                    self._dispatcher.stop()
        finally:
            self.ledger.close()


def open_ledger(settings: Settings) -> Ledger:
    """The ledger with the gate's limits; the caps are those the models use."""
    limits = settings.project_vars()
    policy = Policy(
        cap=limits["emails_per_week"],
        min_gap=timedelta(hours=limits["email_gap_hours"]),
        consent_required=settings.mail.consent_required,
        quiet_hours=quiet_hours(settings.mail.quiet_hours),
    )
    return Ledger.open(settings.ledger, settings.key(), policy)


def quiet_hours(quiet: Quiet) -> QuietHours | None:
    """None: mail may go out at any time of day."""
    if quiet.start is None or quiet.end is None:
        return None
    return QuietHours(quiet.start, quiet.end, quiet.default_zone)


def composer_of(settings: Settings, is_followed: bool = True) -> Composer:
    """The templates of the shop, loaded; a broken one concerns its own emails only.

    `is_followed` is off where nobody will click, as in a replay: links then lead straight to the shop.
    """
    mail = settings.mail
    identity = Identity(
        from_name=mail.from_name,
        from_address=mail.from_address,
        domain=mail.message_id_domain,
        secret=settings.key(),
        unsubscribe_url=links(settings).unsubscribe_url,
    )
    shop = {"name": mail.shop_name, "url": mail.shop_url, "address": mail.postal_address}
    follow = tracking(settings) if is_followed else None
    return Composer(Renderer(strict=False), identity, shop, mail.quiet_hours.default_zone, follow)


def dispatcher(
    composer: Composer,
    ledger: Ledger,
    sink: Transport,
    catch_up: Callable[[], object],
    clock: Callable[[], datetime] = utc_now,
) -> Dispatcher:
    """Render, gate and send; the same parts live and in replay."""
    return Dispatcher(ledger, sink, composer, before_gate=lambda: catch_up() and None, clock=clock)


def transport(settings: Settings) -> Transport:
    """Where emails leave."""
    mail = settings.mail
    if mail.transport == "file":
        return FileTransport(settings.data / "outbox")
    smtp = mail.smtp
    return SmtpTransport(
        SmtpSettings(
            host=smtp.host,
            port=smtp.port,
            security=smtp.security,
            username=smtp.username,
            password=smtp.password.get_secret_value() if smtp.password else None,
        ),
        width=smtp.connections,
    )


def shop_of(settings: Settings) -> Shop:
    """Who is writing."""
    return Shop(settings.mail.shop_name, settings.mail.shop_url, settings.mail.postal_address)


def apply_hourly_limit(ledger: Ledger, mail: Mail, now: datetime) -> None:
    """The volume limit is a setting; the ledger enforces it."""
    limit = None if mail.hourly_limit == "none" else mail.hourly_limit
    if ledger.sending(now).hourly_limit != limit:
        ledger.set_hourly_limit(limit, "settings", "mail.hourly_limit", now)
