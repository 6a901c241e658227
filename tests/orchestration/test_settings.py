"""A wrong setting is refused at start, by name."""

from pathlib import Path

import pytest

from orchestration.settings import SettingsError, load_settings


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "KAIROS_LIVE__WINDOW_SECONDS",
            "1",
            "live.window_seconds: Input should be greater than or equal to 5",
        ),
        ("KAIROS_MAIL__TRANSPORT", "pigeon", "mail.transport: Input should be 'file' or 'smtp'"),
        ("KAIROS_LIVE__NO_SUCH", "1", "live.no_such"),
        ("KAIROS_COLLECTOR__PORT", "99999", "collector.port"),
        ("KAIROS_MAIL__QUIET_HOURS__START", "21:00", "mail.quiet_hours: Value error, quiet hours need both"),
        ("KAIROS_MAIL__QUIET_HOURS__DEFAULT_ZONE", "Mars/Base", "mail.quiet_hours.default_zone"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
):
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=said.replace(".", r"\.")):
        load_settings()


def test_the_environment_counts_more_than_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "kairos.toml"
    file.write_text('[mail]\nfrom_name = "File"\nshop_name = "File"\n')
    monkeypatch.setenv("KAIROS_CONFIG", str(file))
    monkeypatch.setenv("KAIROS_MAIL__SHOP_NAME", "Environment")

    mail = load_settings().mail

    assert (mail.from_name, mail.shop_name) == ("File", "Environment")


def test_a_broken_file_is_a_sentence_not_a_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "kairos.toml"
    file.write_text("[mail\n")
    monkeypatch.setenv("KAIROS_CONFIG", str(file))

    with pytest.raises(SettingsError, match=r"kairos\.toml cannot be read"):
        load_settings()


def test_the_secret_is_made_once_and_kept_private(tmp_path: Path):
    settings = load_settings(data=tmp_path)

    assert settings.key() == load_settings(data=tmp_path).key()
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0
