"""An SMTP server that notes every message it accepts, and misbehaves on demand.

`python tests/senders/sink.py --port 0 --log FILE` prints its port. A message is in FILE, fsynced,
before the 250 goes out: what FILE says was accepted. Faults are drawn from the seed and the message
id, so that a failing run can be repeated.
"""

import argparse
import asyncio
import os
import random
import re
from dataclasses import dataclass, field
from pathlib import Path

_ID = re.compile(rb"^Message-ID: *<([^>]*)>", re.IGNORECASE | re.MULTILINE)
FAULTS = ("temporary", "permanent", "reset", "reply_lost", "late")


@dataclass
class Sink:
    """Probabilities of: 4xx, 5xx, reset in mid-DATA, accepted but the reply lost, accepted only later."""

    log: Path
    seed: int = 0
    faults: dict[str, float] = field(default_factory=dict)
    late_seconds: float = 0.2
    durable: bool = True

    def __post_init__(self) -> None:
        self._file = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._random = random.Random(self.seed)

    def draw(self) -> str | None:
        """Which fault the next message meets."""
        point = self._random.random()
        for name in FAULTS:
            point -= self.faults.get(name, 0.0)
            if point < 0:
                return name
        return None

    def accept(self, sender: bytes, recipient: bytes, message: bytes) -> None:
        """Note it: id, envelope. One write per line, so a kill cannot tear it."""
        found = _ID.search(message)
        identity = found[1] if found else b"?"
        os.write(self._file, b"%s %s %s\n" % (identity, sender, recipient))
        if self.durable:
            os.fdatasync(self._file)


class Session(asyncio.Protocol):
    """One connection; commands may come pipelined."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._data = bytearray()
        self._in_message = False
        self._fault: str | None = None
        self._sender = self._recipient = b""
        self._replies: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._say(b"220 sink")
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._data += data
        while not self._transport.is_closing() and (self._message() if self._in_message else self._command()):
            pass
        self._flush()

    def _say(self, line: bytes) -> None:
        """Replies to commands that came together leave together, as with any real server."""
        self._replies.append(line + b"\r\n")

    def _flush(self) -> None:
        if self._replies and not self._transport.is_closing():
            self._transport.write(b"".join(self._replies))
        self._replies.clear()

    def _command(self) -> bool:
        end = self._data.find(b"\r\n")
        if end < 0:
            return False
        line = bytes(self._data[:end])
        del self._data[: end + 2]
        self._answer(line.upper().partition(b" ")[0].partition(b":")[0], line)
        return True

    def _answer(self, verb: bytes, line: bytes) -> None:
        match verb:
            case b"EHLO":
                self._say(b"250-sink\r\n250-8BITMIME\r\n250 PIPELINING")
            case b"MAIL":
                self._fault = self._sink.draw()
                self._sender = line[line.find(b"<") + 1 : line.rfind(b">")]
                self._say(b"250 ok")
            case b"RCPT":
                self._recipient = line[line.find(b"<") + 1 : line.rfind(b">")]
                self._say(b"550 5.7.1 refused" if self._fault == "permanent" else b"250 ok")
            case b"DATA":
                self._in_message = self._fault != "permanent"
                self._say(b"354 go ahead" if self._in_message else b"554 no valid recipients")
            case b"QUIT":
                self._say(b"221 bye")
                self._flush()
                self._transport.close()
            case _:
                self._say(b"250 ok")

    def _message(self) -> bool:
        if self._fault == "reset" and len(self._data) > 200:
            self._transport.abort()
            return False
        end = self._data.find(b"\r\n.\r\n")
        if end < 0:
            return False
        message = bytes(self._data[: end + 2])
        del self._data[: end + 5]
        self._in_message = False
        self._finish(message)
        return True

    def _finish(self, message: bytes) -> None:
        loop = asyncio.get_running_loop()
        envelope = (self._sender, self._recipient, message)
        match self._fault:
            case "temporary":
                self._say(b"451 4.3.0 later")
            case "reply_lost":
                self._sink.accept(*envelope)
                self._transport.abort()
            case "late":
                loop.call_later(self._sink.late_seconds, self._sink.accept, *envelope)
                self._transport.abort()
            case _:
                self._sink.accept(*envelope)
                self._say(b"250 2.0.0 queued")


def accepted(log: Path) -> list[str]:
    """The decision ids of all accepted messages, in order, doubles included."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [line.partition(".")[0] for line in lines]


async def serve(sink: Sink, port: int) -> None:
    """Serve until cancelled; prints the port."""
    server = await asyncio.get_running_loop().create_server(lambda: Session(sink), "127.0.0.1", port)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    """Parse and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--late-seconds", type=float, default=0.2)
    parser.add_argument("--fast", action="store_true", help="no fsync per message, for benchmarks")
    for fault in FAULTS:
        parser.add_argument(f"--{fault.replace('_', '-')}", type=float, default=0.0, help="probability")
    options = parser.parse_args()
    faults = {fault: getattr(options, fault) for fault in FAULTS}
    sink = Sink(options.log, options.seed, faults, options.late_seconds, durable=not options.fast)
    asyncio.run(serve(sink, options.port))


if __name__ == "__main__":
    main()
