"""One settings object: read from the environment, frozen, and silent about secrets."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from packshot.errors import ConfigurationError
from packshot.settings import Settings

SECRETS = {
    "PACKSHOT_BROKER_URL": "amqp://guest:hunter2@rabbit//",
    "PACKSHOT_DATABASE_URL": "postgresql+psycopg://packshot:hunter2@db/packshot",
    "PACKSHOT_REDIS_URL": "redis://:hunter2@redis/0",
    "PACKSHOT_S3_ACCESS_KEY": "hunter2",
    "PACKSHOT_S3_SECRET_KEY": "hunter2",
}


def test_the_defaults_are_the_embedded_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.load()
    assert settings.ledger_url == f"sqlite:///{tmp_path / 'packshot-data' / 'ledger.sqlite'}"
    assert settings.blobs_url == (tmp_path / "packshot-data" / "store").as_uri()
    assert (settings.allow_http, settings.allow_files) == (False, False)
    assert not (tmp_path / "packshot-data").exists()


def test_every_field_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_environment_is_read_when_asked_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Settings.load()
    monkeypatch.setenv("PACKSHOT_THREADS", "3")
    monkeypatch.setenv("PACKSHOT_S3_ENDPOINT", "")
    assert (before.threads, Settings.load().threads) == (1, 3)
    assert Settings.load().s3_endpoint is None


@pytest.mark.parametrize(
    ("value", "names"),
    [
        pytest.param("uploads", ("uploads",), id="one"),
        pytest.param("uploads, raw", ("uploads", "raw"), id="two"),
        pytest.param("", (), id="empty"),
    ],
)
@pytest.mark.parametrize("field", ["source_buckets", "private_hosts"])
def test_names_are_separated_by_commas(
    monkeypatch: pytest.MonkeyPatch, field: str, value: str, names: tuple[str, ...]
) -> None:
    monkeypatch.setenv(f"PACKSHOT_{field.upper()}", value)
    assert getattr(Settings.load(), field) == names


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("PACKSHOT_THREADS", "0", id="too small"),
        pytest.param("PACKSHOT_THREADS", "many", id="no number"),
        pytest.param("PACKSHOT_AUDIT_RATE", "1.5", id="too large"),
        pytest.param("PACKSHOT_DEVICE", "tpu", id="unknown"),
        pytest.param("PACKSHOT_ALLOW_HTTP", "perhaps", id="no truth value"),
        pytest.param("PACKSHOT_LOG_LEVEL", "LOUD", id="no level"),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=rf"The settings are wrong\. {name}: "):
        Settings.load()


def test_all_wrong_variables_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKSHOT_THREADS", "0")
    monkeypatch.setenv("PACKSHOT_MAX_PIXELS", "-1")
    with pytest.raises(ConfigurationError) as error:
        Settings.load()
    assert "PACKSHOT_THREADS: " in str(error.value)
    assert "PACKSHOT_MAX_PIXELS: " in str(error.value)


def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    settings = Settings.load()
    assert settings.ledger_url == SECRETS["PACKSHOT_DATABASE_URL"]
    for shown in (repr(settings), str(settings), settings.model_dump_json(), repr(vars(settings))):
        assert "hunter2" not in shown


def test_a_wrong_setting_does_not_give_the_others_away(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PACKSHOT_THREADS", "0")
    with pytest.raises(ConfigurationError) as error:
        Settings.load()
    assert "hunter2" not in f"{error.value}{error.value.__cause__}"


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(Settings.load(), "threads", 2)  # noqa: B010 - mypy knows it, too
