"""The list of trusted clients: what it may say, and what is refused at start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.clients import Clients, read_clients
from service.fetched_keys import FetchedKeys
from service.settings import SettingsError
from tests.tokens import EHR, Signer, curve_key, public_jwk, rsa_key

SIGNER = Signer()
KEY_SET = {"keys": [SIGNER.jwk()]}
BY_SET = {"iss": EHR, "jwks": KEY_SET}


def _read(folder: Path, text: str, **settings: Any) -> Clients:
    path = folder / "clients.yaml"
    path.write_text(text, "utf-8")
    return read_clients(path, **settings)


def test_a_client_may_bring_its_keys_in_the_list(tmp_path: Path) -> None:
    """The shortest list: a name and a key set."""
    client = _read(tmp_path, yaml.safe_dump([BY_SET]))[EHR]

    assert (client.iss, client.jku, client.tenants, client.profile) == (
        EHR,
        None,
        frozenset(),
        None,
    )
    assert client.keys.find("key-1", "ES384") is not None
    assert client.keys.find("key-2", "ES384") is None


def test_a_client_may_bring_its_keys_in_a_file(tmp_path: Path) -> None:
    """The file is looked for beside the list, wherever the service is started."""
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "ehr.json").write_text(json.dumps(KEY_SET))
    clients = _read(tmp_path, f"- iss: {EHR}\n  jwks: keys/ehr.json\n")

    assert clients[EHR].keys.find("key-1", "ES384") is not None


def test_a_client_may_publish_its_keys(tmp_path: Path) -> None:
    """Nothing is fetched at start: the client's server may be down then."""
    clients = _read(
        tmp_path,
        f"""
        - iss: {EHR}
          jku: https://ehr.example.org/keys.json
          tenants: [north, "7"]
          profile: epic
        - iss: https://sandbox.example.org
          jku: https://sandbox.example.org/keys.json
        """,
    )
    client = clients[EHR]

    assert list(clients) == [EHR, "https://sandbox.example.org"]
    assert isinstance(client.keys, FetchedKeys)
    assert client.jku == "https://ehr.example.org/keys.json"
    assert client.tenants == {"north", "7"}
    assert client.profile == "epic"


def test_json_will_do(tmp_path: Path) -> None:
    """Whoever makes the list by program may write JSON."""
    assert list(_read(tmp_path, json.dumps([BY_SET], indent=2))) == [EHR]


def test_http_is_for_development_only(tmp_path: Path) -> None:
    """On a developer's machine the sandbox's keys may come from the machine itself."""
    text = f"- iss: {EHR}\n  jku: http://localhost:9000/keys.json\n"

    assert _read(tmp_path, text, allow_loopback=True)[EHR].jku == "http://localhost:9000/keys.json"
    with pytest.raises(SettingsError, match=r"clients\.yaml:2: jku: .*https"):
        _read(tmp_path, text)


def _without(jwk: dict[str, Any], member: str) -> dict[str, Any]:
    return {name: value for name, value in jwk.items() if name != member}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "1: must be a list of clients, and not empty"),
        ({"iss": EHR}, "1: must be a list of clients"),
        (["ehr"], "1: a client must be a mapping"),
        ([{"jwks": KEY_SET}], "1: iss: must be the exact"),
        ([{**BY_SET, "iss": "Our EHR"}], ": iss: must be the exact"),
        ([{**BY_SET, "iss": 7}], ": iss: must be the exact"),
        ([BY_SET, BY_SET], ": iss: another client has the same"),
        ([{"iss": EHR}], "1: a client needs either 'jwks' or 'jku'"),
        ([{**BY_SET, "jku": "https://ehr.example.org/k"}], "1: a client needs either"),
        ([{**BY_SET, "tenant": "north"}], "tenant: not known; a client has iss, jku, jwks"),
        ([{**BY_SET, "tenants": []}], "tenants: must be a list of texts, and not empty"),
        ([{**BY_SET, "tenants": "north"}], "tenants: must be a list of texts"),
        ([{**BY_SET, "tenants": [7]}], "tenants: must be a list of texts; put quotes"),
        ([{**BY_SET, "profile": "cerner"}], "profile: must be one of generic, epic, sandbox"),
        ([{**BY_SET, "profile": ["epic"]}], "profile: must be one of"),
        ([{"iss": EHR, "jku": "http://ehr.example.org/k"}], "jku: must be an https URL"),
        ([{"iss": EHR, "jku": "https://me:secret@ehr.example.org/k"}], "jku: must be an https"),
        ([{"iss": EHR, "jku": "https:///k"}], "jku: must be an https URL"),
        ([{"iss": EHR, "jku": "file:///etc/keys.json"}], "jku: must be an https URL"),
        ([{"iss": EHR, "jku": "https://[::1/k"}], "jku: "),
        ([{"iss": EHR, "jku": None}], "jku: must be an https URL"),
        ([{"iss": EHR, "jwks": "missing.json"}], "jwks: names no readable file"),
        ([{"iss": EHR, "jwks": {"key": []}}], "jwks: must be an object with an array 'keys'"),
        ([{"iss": EHR, "jwks": {"keys": []}}], "jwks: holds no key that can be used"),
        (
            [{"iss": EHR, "jwks": {"keys": [_without(SIGNER.jwk(), "kid")]}}],
            "jwks: holds no key that can be used",
        ),
        (
            [{"iss": EHR, "jwks": {"keys": [public_jwk(curve_key("P-256")) | {"kid": "k"}]}}],
            "jwks: holds no key that can be used",
        ),
        (
            [{"iss": EHR, "jwks": {"keys": [public_jwk(rsa_key(1024)) | {"kid": "k"}]}}],
            "jwks: holds no key that can be used",
        ),
        ([{"iss": EHR, "jwks": {"keys": [SIGNER.jwk(d="AAAA")]}}], "jwks: holds a secret key"),
        (
            [{"iss": EHR, "jwks": {"keys": [{"kty": "oct", "k": "AAAA", "kid": "k"}]}}],
            "jwks: holds a secret key",
        ),
    ],
)
def test_a_wrong_list_stops_the_start(tmp_path: Path, value: Any, said: str) -> None:
    """A mistake is told with variable, file, line and member, and what to write instead."""
    with pytest.raises(SettingsError) as problem:
        _read(tmp_path, yaml.safe_dump(value, sort_keys=False))

    assert "BACKPATH_TRUSTED_CLIENTS: " in str(problem.value)
    assert f"{tmp_path.name}/clients.yaml:" in str(problem.value)
    assert said in str(problem.value)


def test_a_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    """The third client's second line."""
    text = "".join(
        f"- iss: https://{name}.example.org\n  jku: {scheme}://{name}.example.org/keys\n"
        for name, scheme in (("a", "https"), ("b", "https"), ("c", "ftp"))
    )
    with pytest.raises(SettingsError, match=r"clients\.yaml:6: jku: must be an https URL"):
        _read(tmp_path, text)


NOT_YAML = (
    "- iss: [",
    "- iss: a\n  iss: b\n",
    "\t",
    "- !!python/name:os.system",
    "- [1]: x",
    "- iss: 2026-13-45",
)


@pytest.mark.parametrize("text", NOT_YAML)
def test_what_is_no_yaml_stops_the_start(tmp_path: Path, text: str) -> None:
    """A broken list is told with its line too, and nothing in it is run."""
    with pytest.raises(SettingsError, match=r"BACKPATH_TRUSTED_CLIENTS: .*clients\.yaml:\d+: "):
        _read(tmp_path, text)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_broken_key_file_stops_the_start(tmp_path: Path, content: bytes) -> None:
    """A key set that was copied in part is told as such."""
    (tmp_path / "keys.json").write_bytes(content)
    with pytest.raises(
        SettingsError, match=r"clients\.yaml:2: jwks: names a file that is not JSON"
    ):
        _read(tmp_path, f"- iss: {EHR}\n  jwks: keys.json\n")
