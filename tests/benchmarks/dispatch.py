"""How many emails per second leave, exactly once: render, MIME, ledger and SMTP together.

`python tests/benchmarks/dispatch.py --emails 5000` prints the figures as JSON. Beside it, in the same
run and to the same server process, a plain SMTP client sends prebuilt messages: what the wire allows.
"""

import argparse
import json
import os
import smtplib
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from senders import (
    Composer,
    Consent,
    Decision,
    Dispatcher,
    Identity,
    Ledger,
    Renderer,
    SmtpSettings,
    SmtpTransport,
)
from senders.render import SAMPLES

SINK = Path(__file__).parents[1] / "senders" / "sink.py"

IDENTITY = Identity(
    "Linnet & Co.",
    "hello@shop.example",
    "shop.example",
    secret=b"benchmark",
    unsubscribe_url=lambda decision_id: f"https://shop.example/u/{decision_id}.link.0123456789abcdef",
)
SHOP = {"name": "Linnet & Co.", "url": "https://shop.example/", "address": "12 Mill Lane, Portland"}
ITEMS = [
    {
        "product_id": "1",
        "name": "Merino wrap coat",
        "price": 189.0,
        "quantity": 1,
        "image_url": None,
        "url": None,
    },
    {"product_id": "2", "name": "Ankle boots", "price": 59.5, "quantity": 2, "image_url": None, "url": None},
]


def measure(n: int, workers: int = 1, width: int = 32) -> dict[str, Any]:
    """Send `n` emails through everything, and `n` prebuilt ones through nothing but SMTP."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "accepted.log"
        sink = subprocess.Popen(
            [sys.executable, str(SINK), "--log", str(log), "--fast"], stdout=subprocess.PIPE, text=True
        )
        try:
            port = int((sink.stdout or sys.stdin).readline())
            dispatched = _dispatch(n, port, Path(folder), workers, width)
            dispatched |= _exactly_once(log, n)
            dispatched["raw_smtp_per_s"] = _raw(n, port)
        finally:
            sink.terminate()
            sink.wait()
    dispatched |= _render()
    dispatched["load_average"] = os.getloadavg()[0]
    return dispatched


def _render(rounds: int = 100) -> dict[str, float]:
    """Microseconds for subject, HTML and text of an email in which every block has something to show."""
    renderer, content = Renderer(), json.loads(SAMPLES.read_text()) | {"trigger_name": "cart_abandonment"}
    medians = {}
    for page in renderer.templates():
        times = []
        for _ in range(rounds):
            started = time.perf_counter()
            renderer.render(page, "Your cart is safe with us", content)
            times.append(time.perf_counter() - started)
        medians[page] = round(sorted(times)[rounds // 2] * 1e6)
    figures = sorted(medians.values())
    return {
        "render_all_blocks_us": figures[len(figures) // 2],
        "render_all_blocks_us_slowest_template": figures[-1],
    }


def _dispatch(n: int, port: int, folder: Path, workers: int, width: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    composer = Composer(Renderer(), IDENTITY, SHOP)  # compiles all templates: once per start, not per email
    ledger = Ledger.open(folder / "ledger.sqlite", secret=b"benchmark")
    ledger.recover(now)
    started = time.perf_counter()
    for start in range(0, n, 500):
        ledger.learn(
            [Consent(True, now, address=_address(number)) for number in range(start, min(n, start + 500))]
        )
        ledger.record([_decision(number, now) for number in range(start, min(n, start + 500))], now)
    planned = time.perf_counter()
    cpu = time.process_time()
    transport = SmtpTransport(SmtpSettings("127.0.0.1", port, security="none"), width=width)
    dispatcher = Dispatcher(ledger, transport, composer, workers=workers)
    dispatcher.start()
    while ledger.next_due() is not None and dispatcher.failure is None:
        time.sleep(0.02)
    dispatcher.stop()  # delivers what is reserved and waits until all of it is recorded
    sent = time.perf_counter()
    cpu = time.process_time() - cpu
    assert ledger.counts()["states"] == {"SENT": n}, ledger.counts()
    problems = ledger.verify_chain()
    ledger.close()
    return {
        "emails": n,
        "workers": workers,
        "connections": workers * width,
        "emails_per_s": round(n / (sent - planned)),
        "cpu_us_per_email": round(cpu / n * 1e6),
        "planned_per_s": round(n / (planned - started)),
        "audit": "intact" if problems is None else str(problems),
    }


def _exactly_once(log: Path, n: int) -> dict[str, int]:
    copies = Counter(line.partition(".")[0] for line in log.read_text().splitlines())
    return {"accepted_once": sum(count == 1 for count in copies.values()), "lost": n - len(copies)}


def _raw(n: int, port: int) -> int:
    """One warm connection of the standard library, messages built beforehand."""
    message = b"Message-ID: <raw.0@shop.example>\r\n\r\n" + b"x" * 76 + (b"\r\n" + b"y" * 76) * 160
    with smtplib.SMTP("127.0.0.1", port) as session:
        started = time.perf_counter()
        for _ in range(n):
            session.sendmail("hello@shop.example", ["someone@mail.example"], message)
        return round(n / (time.perf_counter() - started))


def _address(number: int) -> str:
    return f"person{number}@mail{number % 50}.example"


def _decision(number: int, now: datetime) -> Decision:
    return Decision(
        decision_id=f"{number:032x}",
        trigger_name="cart_abandonment",
        touch=1,
        entity_id=f"cart-{number}",
        visitor_id=f"visitor-{number}",
        customer_id=f"customer-{number}",
        qualifies_at=now,
        expires_at=now + timedelta(hours=1),
        should_send=True,
        reasons={"has_consent": True},
        to_address=_address(number),
        route="mid_value",
        template="cart_abandonment/touch_1",
        subject="{{ first_name }}, your cart is waiting",
        content={
            "first_name": "Ada",
            "items": ITEMS,
            "cart_value": 308.0,
            "currency": "USD",
            "cart_url": "https://shop.example/cart",
        },
        exit_events=("Order Completed",),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--emails", type=int, default=5000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--width", type=int, default=32)
    options = parser.parse_args()
    print(json.dumps(measure(options.emails, options.workers, options.width), indent=2))
