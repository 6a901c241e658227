"""All settings, in one place: defaults, then kairos.toml, then the environment (KAIROS_…)."""

from __future__ import annotations

import secrets
import tomllib
from datetime import time
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import available_timezones

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from orchestration.durable import create_once

ROOT = Path(__file__).resolve().parent.parent

Port = Annotated[int, Field(ge=0, le=65535)]


class SettingsError(ValueError):
    """A setting is wrong; the message names it and says what is allowed."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WriteKey(_Section):
    """Who may send events. A browser key is public, so it may set neither consent nor addresses."""

    key: str = Field(min_length=4)
    name: str = Field(min_length=1, pattern=r"^[a-z0-9_-]+$")
    kind: Literal["server", "browser"]
    origins: tuple[str, ...] = ("*",)

    @field_validator("name")
    @classmethod
    def _not_ours(cls, value: str) -> str:
        if value == "kairos":
            raise ValueError("'kairos' is reserved for our own events")
        return value


class Collector(_Section):
    """Where events come in."""

    host: str = "127.0.0.1"
    port: Port = 8080
    public_url: str = "http://127.0.0.1:8080"
    keys: tuple[WriteKey, ...] = (
        WriteKey(key="demo-server-key", name="shop-server", kind="server"),
        WriteKey(key="demo-browser-key", name="shop-browser", kind="browser"),
    )
    workers: int = Field(2, ge=1, le=32)
    requests_per_second: float = Field(0, ge=0, description="per write key and client address; 0 = no limit")


class Smtp(_Section):
    """A mail server that relays for us."""

    host: str = "127.0.0.1"
    port: Port = 1025
    username: str | None = None
    password: SecretStr | None = None
    security: Literal["none", "starttls", "tls"] = "none"
    connections: int = Field(4, ge=1, le=64)

    @model_validator(mode="after")
    def _no_password_in_the_clear(self) -> Smtp:
        if self.username and self.security == "none":
            raise ValueError("a password must not travel in the clear: set security to starttls or tls")
        return self


class Quiet(_Section):
    """When nobody is mailed, by the clock of the person's own zone; it may cross midnight. Neither time: never."""

    start: time | None = None
    end: time | None = None
    default_zone: str = Field("UTC", description="for people whose zone is unknown; an IANA name")

    @field_validator("default_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"'{value}' is no IANA zone: write for example Europe/Berlin")
        return value

    @model_validator(mode="after")
    def _is_an_interval(self) -> Quiet:
        if (self.start is None) != (self.end is None):
            raise ValueError("quiet hours need both start and end, or neither")
        if self.start is not None and self.start == self.end:
            raise ValueError("start and end are the same: leave both out to have no quiet hours")
        return self


class Mail(_Section):
    """Who writes, and how it leaves."""

    transport: Literal["file", "smtp"] = "file"
    from_address: str = "hello@shop.example"
    from_name: str = "Kairos Demo Shop"
    shop_name: str = "Kairos Demo Shop"
    shop_url: str = "https://shop.example"
    postal_address: str = "Kairos Demo Shop, 1 Example Street, 12345 Exampletown"
    message_id_domain: str = "shop.example"
    hourly_limit: Annotated[int, Field(ge=0)] | Literal["none"] = Field(
        10_000, description="at most so many emails an hour, the rest waits; 'none' for no limit"
    )
    consent_required: bool = True
    track_clicks: bool = Field(True, description="links lead over the collector, so that clicks are known")
    track_opens: bool = Field(True, description="a picture that nobody sees tells of opens")
    link_hosts: tuple[str, ...] = Field(
        (), description="hosts whose links are followed, beside the shop's own"
    )
    link_days: int = Field(
        730, ge=30, description="how long after its last email a destination is kept, in days"
    )
    review_minutes: float = Field(
        60,
        gt=0,
        description="an email that waits longer for a person makes the check reviews_are_answered warn",
    )
    quiet_hours: Quiet = Quiet()
    smtp: Smtp = Smtp()


class Live(_Section):
    """How the live lane runs."""

    window_seconds: float = Field(300, ge=5, le=3600)
    lead_seconds: float = Field(25, ge=1, le=300)
    cycle_seconds: float = Field(0.03, ge=0.005, le=5)
    idle_seconds: float = Field(0.02, ge=0.001, le=5)
    report_seconds: float = Field(30, ge=1, le=600)
    stalled_seconds: float = Field(
        60, ge=5, le=600, description="a window this long without a heartbeat is ended"
    )
    memory_limit: str = Field("2GB", pattern=r"^\d+(\.\d+)?\s?[KMGT]i?B$")


class Settings(BaseSettings):
    """Values for every part; only `orchestration` reads the environment."""

    model_config = SettingsConfigDict(
        env_prefix="KAIROS_", env_nested_delimiter="__", extra="forbid", frozen=True, toml_file=()
    )

    data: Path = ROOT / "data"
    dbt_project: Path = ROOT / "dbt_project"
    secret: SecretStr | None = Field(None, description="keys links and address hashes; made at first start")
    old_secrets: tuple[SecretStr, ...] = ()
    batch_cron: str = Field("*/10 * * * *", description="when the batch lane runs (archive, models, checks)")
    retention_days: int = Field(7, ge=1, description="how long Dagster keeps ticks, runs and their events")
    collector: Collector = Collector()
    mail: Mail = Mail()
    live: Live = Live()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is said later in this list counts less."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, _toml_file())

    @property
    def landing(self) -> Path:
        return self.data / "landing"

    @property
    def archive(self) -> Path:
        return self.data / "archive"

    @property
    def ledger(self) -> Path:
        return self.data / "ledger.sqlite"

    @property
    def destinations(self) -> Path:
        return self.data / "links.sqlite"

    @property
    def live_db(self) -> Path:
        return self.data / "live.duckdb"

    @property
    def lease(self) -> Path:
        return self.data / "window.lease"

    @property
    def compiled(self) -> Path:
        return self.data / "compiled"

    @property
    def profiles(self) -> Path:
        return self.data / "profiles"

    @property
    def catalogue(self) -> Path:
        return self.data / "catalogue"

    @property
    def warehouse(self) -> Path:
        return self.data / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        return self.data / "published"

    def project_vars(self) -> dict[str, int]:
        """Numbers that models and Python share; dbt_project.yml is their one home."""
        return yaml.safe_load((self.dbt_project / "dbt_project.yml").read_text())["vars"]

    def key(self) -> bytes:
        """The secret; made once and kept beside the data, so that links stay valid for years."""
        if self.secret:
            return self.secret.get_secret_value().encode()
        return create_once(self.data / "secret", secrets.token_hex(32).encode()).strip()


def _toml_file() -> Path | None:
    import os

    named = os.environ.get("KAIROS_CONFIG")
    if named and not Path(named).exists():
        raise SettingsError(f"KAIROS_CONFIG names {named}, which does not exist")
    file = Path(named) if named else ROOT / "kairos.toml"
    return file if file.exists() else None


def load_settings(**overrides: object) -> Settings:
    """Read all settings once; raises SettingsError naming the setting and what is allowed."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = [f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()]
        raise SettingsError(
            "wrong setting\n  " + "\n  ".join(lines) + "\n  see kairos.toml.example"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"kairos.toml cannot be read: {error}") from None
