"""What a collector needs to be told; orchestration reads it from the settings."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from collector.limits import Limits

OWN_SOURCE = "kairos"  # events we write ourselves; no write key may take the name


@dataclass(frozen=True)
class WriteKey:
    """Who may write: a source with its key and how far it is trusted.

    A browser key is public, so it is believed less: it may set neither consent nor an address.
    """

    key: str
    name: str  # becomes `source` of every event
    kind: Literal["server", "browser"]
    origins: tuple[str, ...] = ()  # of web pages that may use it, such as https://shop.example; empty: any

    def __post_init__(self) -> None:
        if not self.key or not self.name or self.name == OWN_SOURCE:
            raise ValueError(f"write key {self.name!r}: give it a key and a name other than {OWN_SOURCE!r}")
        if self.kind not in ("server", "browser"):
            raise ValueError(
                f"write key {self.name!r}: kind must be 'server' or 'browser', not {self.kind!r}"
            )

    def allows(self, origin: str | None) -> bool:
        """Whether a page of this origin may write; servers and apps send no origin."""
        return not (origin and self.origins) or origin in self.origins


@dataclass(frozen=True)
class CollectorConfig:
    """Everything the collector knows about the world around it."""

    write_keys: tuple[WriteKey, ...]
    link_secrets: tuple[str, ...] = ()  # the first one signs, all verify: put a new one in front to rotate
    destinations: Path | None = (
        None  # the file in which the sender keeps where links lead; None: no link leads anywhere
    )
    home_url: str | None = None  # where somebody goes on whose link is no longer kept
    public_url: str | None = None  # how browsers and mail readers reach us; None: as the request came
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 2  # processes; they share the port and the log
    limits: Limits = field(default_factory=Limits)
    max_pending_bytes: int = 64 << 20  # of events waiting for the disk; more are answered 429
    retry_after_seconds: int = 2  # what a refused client is told
    requests_per_second: float = 0  # per write key and client address; 0: no limit
    analytics_js: str | None = None  # path of @segment/analytics-next's standalone.js, served to browsers

    def __post_init__(self) -> None:
        keys = [write_key.key for write_key in self.write_keys]
        if len(set(keys)) != len(keys):
            raise ValueError("two write keys are the same: give every source its own")
