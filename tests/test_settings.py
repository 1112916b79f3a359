"""Every setting is checked at start, and a misspelt one is caught there."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from service.settings import Settings, SettingsError, read_settings


def test_nothing_needs_to_be_set() -> None:
    """A fresh machine serves on its own address with an embedded store."""
    settings = read_settings({"PATH": "/bin"})

    assert settings == Settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.max_body_bytes == 8_388_608
    assert settings.mme_factors == "cdc-2022"


def test_every_setting_of_the_contract_is_known() -> None:
    """The settings are those promised to whoever runs the service, no more and no fewer."""
    promised = (
        "host port workers database_url public_base_url auth trusted_clients fhir_servers "
        "allow_loopback callback_budget_seconds max_body_bytes mme_factors pages admin_token "
        "fhir_networks "
        "smart_client_id "
        "log_level tpi_technique profile link_hosts max_running_calls max_waiting_calls"
    )

    assert {field.name for field in fields(Settings)} == set(promised.split())


def test_values_are_read() -> None:
    """Each value is read as what it is."""
    settings = read_settings(
        {
            "BACKPATH_PORT": "9000",
            "BACKPATH_WORKERS": " 4 ",
            "BACKPATH_PUBLIC_BASE_URL": "https://cds.example.org/",
            "BACKPATH_FHIR_SERVERS": "https://a.example.org/fhir, https://b.example.org/fhir",
            "BACKPATH_ALLOW_LOOPBACK": "yes",
            "BACKPATH_CALLBACK_BUDGET_SECONDS": "1.5",
            "BACKPATH_LOG_LEVEL": "DEBUG",
            "BACKPATH_HOST": "",
        }
    )

    assert settings == Settings(
        port=9000,
        workers=4,
        public_base_url="https://cds.example.org",
        fhir_servers=("https://a.example.org/fhir", "https://b.example.org/fhir"),
        allow_loopback=True,
        callback_budget_seconds=1.5,
        log_level="debug",
    )


def test_a_misspelt_setting_names_the_nearest() -> None:
    """A typing error stops the start and says what was probably meant."""
    with pytest.raises(SettingsError, match=r"BACKPATH_PROT .* BACKPATH_PORT\?"):
        read_settings({"BACKPATH_PROT": "9000"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOST", "foo bar"),
        ("HOST", "unix:/run/backpath"),
        ("HOST", "[::1"),
        ("HOST", "[::1]:8000"),
        ("HOST", "127.0.0.1:8000"),
        ("HOST", "fd://3"),
        ("ADMIN_TOKEN", "fifteen-letters"),
        ("ADMIN_TOKEN", "schlüssel-der-verwaltung"),
        ("PORT", "http"),
        ("PORT", "70000"),
        ("PORT", "-1"),
        ("WORKERS", "0"),
        ("MAX_BODY_BYTES", "8MB"),
        ("MAX_RUNNING_CALLS", "0"),
        ("MAX_WAITING_CALLS", "-1"),
        ("CALLBACK_BUDGET_SECONDS", "nan"),
        ("CALLBACK_BUDGET_SECONDS", "soon"),
        ("PUBLIC_BASE_URL", "cds.example.org"),
        ("PUBLIC_BASE_URL", "https://cds.example.org/cds-services/"),
        ("FHIR_SERVERS", "https://ok.example.org, file:///etc"),
        ("MME_FACTORS", "cdc-2019"),
        ("PAGES", "some"),
        ("SMART_CLIENT_ID", "two\nlines"),
        ("SMART_CLIENT_ID", "x" * 201),
        ("LOG_LEVEL", "loud"),
        ("ALLOW_LOOPBACK", "maybe"),
        ("DATABASE_URL", "mysql://db"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "postgresql://db/backpath"),
        ("DATABASE_URL", "postgresql+psycopg://db:port/backpath"),
        ("TRUSTED_CLIENTS", "/no/such/file"),
    ],
)
def test_a_useless_value_stops_the_start(name: str, value: str) -> None:
    """A wrong value is refused at start with the name of its variable."""
    with pytest.raises(SettingsError, match=f"BACKPATH_{name}"):
        read_settings({f"BACKPATH_{name}": value})


@pytest.mark.parametrize(
    ("value", "host"),
    [
        ("[::1]", "::1"),
        ("::", "::"),
        ("0.0.0.0", "0.0.0.0"),  # noqa: S104
        ("LocalHost", "localhost"),
        ("cds_1.ward.example", "cds_1.ward.example"),
    ],
)
def test_the_address_to_listen_on(value: str, host: str) -> None:
    """A name or an IP address, with the brackets of IPv6 or without."""
    assert read_settings({"BACKPATH_HOST": value}).host == host


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////var/lib/backpath.sqlite3",
        "postgresql+psycopg://backpath:secret@db.example.org:5432/backpath?sslmode=verify-full",
        "postgresql+psycopg:///backpath?host=/run/postgresql",
    ],
)
def test_the_store_is_sqlite_or_postgresql(url: str) -> None:
    """A site keeps feedback in a file or in the database it runs already."""
    assert read_settings({"BACKPATH_DATABASE_URL": url}).database_url == url


def test_it_never_serves_open_when_told_to_be_closed() -> None:
    """Asked to verify clients it cannot verify, the service does not start."""
    with pytest.raises(SettingsError, match="BACKPATH_AUTH"):
        read_settings({"BACKPATH_AUTH": "required"})


def test_an_error_never_repeats_a_secret() -> None:
    """A password inside a wrong URL does not end up on a screen."""
    with pytest.raises(SettingsError) as problem:
        read_settings({"BACKPATH_DATABASE_URL": "oracle://me:hunter2@db"})

    assert "hunter2" not in str(problem.value)


def test_a_file_of_trusted_clients_must_exist(tmp_path: Path) -> None:
    """The list of trusted clients is looked for at start."""
    listed = tmp_path / "clients.yaml"
    listed.write_text("[]")

    assert read_settings({"BACKPATH_TRUSTED_CLIENTS": str(listed)}).trusted_clients == listed


def test_what_is_printed_of_the_settings_holds_no_secret() -> None:
    """A traceback or a debugger that prints the settings gives no password away."""
    settings = read_settings(
        {
            "BACKPATH_ADMIN_TOKEN": "very-secret-token",
            "BACKPATH_DATABASE_URL": "postgresql+psycopg://me:pass-word@db.example.org/backpath",
        }
    )

    assert settings.admin_token == "very-secret-token"
    assert "secret" not in repr(settings)
    assert "pass-word" not in repr(settings)
