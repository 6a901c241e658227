"""A local inbox: an SMTP server that delivers to nobody, and a page to read what arrived.

`python -m simulator.inbox --smtp-port 1025 --http-port 8025 --folder data/inbox`
"""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from simulator.inbox_mail import Box
from simulator.inbox_web import web

LOOPBACK = "127.0.0.1"
KEEP = 5000  # about 150 MB of mails of 26 kB on disk, a few MB in memory
LARGEST_MAIL = 5 << 20


class Deliver:
    """What the SMTP server does with a mail: keep it, whoever it is for."""

    def __init__(self, box: Box, now: Callable[[], datetime]) -> None:
        self.box, self.now = box, now

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Named by aiosmtpd. The answer is the SMTP reply."""
        assert isinstance(envelope.content, bytes)
        self.box.add(envelope.mail_from or "", envelope.rcpt_tos, envelope.content, self.now())
        return f"250 2.0.0 kept as {self.box.total}"


def smtp_server(box: Box, port: int, now: Callable[[], datetime]) -> Controller:
    """The SMTP side, in a thread of its own once started. Port 0 is not possible here: pass a free one."""
    return Controller(
        Deliver(box, now), hostname=LOOPBACK, port=port, data_size_limit=LARGEST_MAIL, ident="kairos inbox"
    )


def run_inbox(
    smtp_port: int,
    http_port: int,
    folder: Path,
    keep: int = KEEP,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Serve until interrupted. Listens on loopback only: these mails are nobody else's business."""
    box = Box(folder, keep)
    smtp = smtp_server(box, smtp_port, now)
    smtp.start()
    try:
        uvicorn.run(web(box, smtp_port), host=LOOPBACK, port=http_port, log_level="warning", access_log=False)
    finally:
        smtp.stop()


def main() -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(prog="python -m simulator.inbox", description=__doc__)
    parser.add_argument("--smtp-port", type=int, default=1025)
    parser.add_argument("--http-port", type=int, default=8025)
    parser.add_argument("--folder", type=Path, default=Path("data/inbox"))
    parser.add_argument("--keep", type=int, default=KEEP, help="mails kept; older ones are deleted")
    options = parser.parse_args()
    run_inbox(options.smtp_port, options.http_port, options.folder, options.keep)


if __name__ == "__main__":
    main()
