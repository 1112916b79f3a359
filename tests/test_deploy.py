"""What is written for container engines and clusters is legal, and fits the service it runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import requests
import yaml
from flask import Flask

from service.clients import read_clients
from service.server import REQUEST_SECONDS
from service.settings import Settings, read_settings
from tests.conftest import HOUSE, free_port, wait_until_ready
from tests.dockerfile import VENV, Image, command, environment, steps

DEPLOY = HOUSE / "service" / "deploy"
CLUSTER = DEPLOY / "kubernetes"
# The oldest version of Kubernetes that is still looked after, and the newest of the schemas.
VERSIONS = ("1.34", kubernetes_validate.latest_version())
USER = 10001
PORT = 8000


def _documents(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text("utf-8")) if document]


FOUND = {
    f"{path.stem}-{document['kind']}-{document['metadata']['name']}": document
    for path in sorted(CLUSTER.glob("*.yaml"))
    for document in _documents(path)
    if document["kind"] != "Kustomization"
}
OBJECTS = list(FOUND.values())
MANIFESTS = [pytest.param(document, id=name) for name, document in FOUND.items()]


def _object(kind: str, name: str = "backpath") -> dict[str, Any]:
    (found,) = (o for o in OBJECTS if o["kind"] == kind and o["metadata"]["name"] == name)
    return found


POD = _object("Deployment")["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The compose file."""
    (document,) = _documents(DEPLOY / "compose.yaml")
    return document


# Kubernetes


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("manifest", MANIFESTS)
def test_a_cluster_takes_the_manifest(manifest: dict[str, Any], version: str) -> None:
    """Every member is one Kubernetes knows, and of the right kind."""
    kubernetes_validate.validate(manifest, version, strict=True)


def test_a_wrong_manifest_would_be_found() -> None:
    """The schemas do look at every member."""
    wrong = json.loads(json.dumps(_object("Deployment")).replace('"replicas"', '"replica"'))

    with pytest.raises(jsonschema.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[0], strict=True)


def test_the_kustomization_lists_the_manifests() -> None:
    """One command applies all of them, but never the example of a secret."""
    (document,) = _documents(CLUSTER / "kustomization.yaml")
    there = {path.name for path in CLUSTER.glob("*.yaml")}

    assert set(document["resources"]) == there - {"kustomization.yaml", "secret.example.yaml"}


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_what_is_selected_is_there(manifest: dict[str, Any]) -> None:
    """A selector that matches no pod would protect, open or scale nothing."""
    labels = _object("Deployment")["spec"]["template"]["metadata"]["labels"]
    spec = manifest.get("spec", {})
    selector = spec.get("podSelector") or spec.get("selector") or {"matchLabels": labels}

    assert selector.get("matchLabels", selector).items() <= labels.items()


def test_what_the_pod_refers_to_is_there() -> None:
    """Configuration, secret and files stand under the names the pod asks for."""
    maps = {o["metadata"]["name"] for o in OBJECTS if o["kind"] == "ConfigMap"}
    volumes = {volume["name"] for volume in POD["volumes"]}
    mounted = {mount["name"] for mount in CONTAINER["volumeMounts"]}
    files_of = {v["configMap"]["name"] for v in POD["volumes"] if "configMap" in v}

    assert mounted == volumes
    assert files_of | {"backpath"} == maps
    assert {"configMapRef": {"name": "backpath"}} in CONTAINER["envFrom"]
    assert {"secretRef": {"name": "backpath"}} in CONTAINER["envFrom"]


def test_the_pod_may_do_nothing_it_need_not() -> None:
    """Not root, no capability, nothing to write to but three folders, no token of the cluster."""
    allowed = CONTAINER["securityContext"]

    assert POD["automountServiceAccountToken"] is False
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert POD["securityContext"]["runAsUser"] == USER
    assert POD["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert allowed["readOnlyRootFilesystem"] is True
    assert allowed["allowPrivilegeEscalation"] is False
    assert allowed["capabilities"] == {"drop": ["ALL"]}
    assert {"/tmp", "/dev/shm", "/data"} <= {  # noqa: S108 paths in the pod
        mount["mountPath"] for mount in CONTAINER["volumeMounts"]
    }


def test_the_cluster_adds_no_settings() -> None:
    """Variables of service links would start with our prefix, and stop the start."""
    assert POD["enableServiceLinks"] is False


def test_calls_in_progress_may_finish() -> None:
    """A pod is given longer to stop than a call may last, and a container too."""
    before = int(CONTAINER["lifecycle"]["preStop"]["exec"]["command"][1])

    assert POD["terminationGracePeriodSeconds"] > before + REQUEST_SECONDS


def test_cards_do_not_hang_on_the_store(app: Flask) -> None:
    """The probes ask for an address that is served, and not for one that the store can close."""
    probes = [CONTAINER[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")]
    port = CONTAINER["ports"][0]

    assert {probe["path"] for probe in probes} == {"/health"}
    assert {probe["port"] for probe in probes} == {port["name"]}
    assert port["containerPort"] == PORT
    assert app.test_client().get("/health").status_code == 200
    assert app.test_client().get("/metrics").status_code == 200


# Settings


def _settings(variables: dict[str, str], folder: Path) -> Settings:
    """The settings some variables stand for, with the list of clients they name at hand."""
    clients = folder / "trusted-clients.yaml"
    clients.write_text((DEPLOY / "trusted-clients.example.yaml").read_text("utf-8"))
    return read_settings(variables | {"BACKPATH_TRUSTED_CLIENTS": str(clients)})


def test_the_cluster_sets_what_the_service_knows(tmp_path: Path) -> None:
    """Configuration and secret together start the service, with clients verified."""
    variables = _object("ConfigMap")["data"] | _object("Secret")["stringData"]
    settings = _settings(environment() | variables, tmp_path)

    assert settings.auth == "required"
    assert settings.database_url.startswith("postgresql+psycopg://")
    assert settings.port == PORT
    assert variables["BACKPATH_TRUSTED_CLIENTS"].startswith("/etc/backpath/")


def _filled(text: str) -> str:
    """A value of the compose file with its variables set to something."""
    filled = re.sub(r"\$\{PUBLIC_BASE_URL:[^}]*\}", "https://backpath.example.org", text)
    return re.sub(r"\$\{\w+:-\}", "", re.sub(r"\$\{POSTGRES_PASSWORD:[^}]*\}", "abc1", filled))


def test_compose_sets_what_the_service_knows(compose: dict[str, Any], tmp_path: Path) -> None:
    """The service of the compose file starts on PostgreSQL, with clients verified."""
    variables = compose["services"]["backpath"]["environment"]
    settings = _settings({name: _filled(text) for name, text in variables.items()}, tmp_path)

    assert settings.auth == "required"
    assert settings.database_url == "postgresql+psycopg://backpath:abc1@store/backpath"


@pytest.mark.parametrize(
    "text",
    [
        (DEPLOY / "trusted-clients.example.yaml").read_text("utf-8"),
        _object("ConfigMap", "backpath-trusted-clients")["data"]["trusted-clients.yaml"],
    ],
    ids=["compose", "kubernetes"],
)
def test_the_list_of_clients_can_be_read(text: str, tmp_path: Path) -> None:
    """Whoever copies the example starts from a list the service takes."""
    path = tmp_path / "trusted-clients.yaml"
    path.write_text(text)

    assert read_clients(path)


# Compose


def test_an_engine_takes_the_compose_file(compose: dict[str, Any]) -> None:
    """Every member is one the Compose Specification knows."""
    package = find_spec("check_jsonschema")
    assert package is not None
    assert package.origin is not None
    vendored = Path(package.origin).parent / "builtin_schemas" / "vendor" / "compose-spec.json"
    schema = json.loads(vendored.read_text("utf-8"))

    jsonschema.Draft7Validator(schema).validate(compose)


def test_the_store_is_not_reached_from_outside(compose: dict[str, Any]) -> None:
    """PostgreSQL has no port of the machine, and Backpath only one of the loopback address."""
    backpath, store = compose["services"]["backpath"], compose["services"]["store"]

    assert "ports" not in store
    assert compose["networks"][store["networks"][0]]["internal"] is True
    assert backpath["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]
    assert backpath["read_only"] is True
    assert backpath["cap_drop"] == ["ALL"]
    assert int(backpath["stop_grace_period"].rstrip("s")) > REQUEST_SECONDS


def test_no_secret_is_committed() -> None:
    """Passwords are asked for, or plainly to be changed."""
    for path in DEPLOY.rglob("*.yaml"):
        for line in path.read_text("utf-8").splitlines():
            if re.search(r"PASSWORD|_TOKEN|://\w+:", line) and not line.lstrip().startswith("#"):
                assert "${" in line or "change-me" in line, f"{path.name}: {line}"


# The proxies


def test_nginx_lets_clients_reach_the_services_only() -> None:
    """With a certificate, as large as the service takes, and to no address of the inside."""
    text = re.sub(r"#.*", "", (DEPLOY / "proxy" / "nginx.conf").read_text("utf-8"))
    served = re.findall(r"location (\S+) \{[^}]*proxy_pass", text)
    (most,) = re.findall(r"client_max_body_size (\d+)m;", text)

    assert text.count("{") == text.count("}")
    assert served == ["/cds-services"]
    assert "ssl_verify_client on;" in text
    assert int(most) * 1024 * 1024 == Settings().max_body_bytes


def test_envoy_lets_clients_reach_the_services_only() -> None:
    """The same rules as for nginx."""
    (document,) = _documents(DEPLOY / "proxy" / "envoy.yaml")
    (listener,) = document["static_resources"]["listeners"]
    (chain,) = listener["filter_chains"]
    (filter_,) = chain["filters"]
    (host,) = filter_["typed_config"]["route_config"]["virtual_hosts"]

    assert [route["match"] for route in host["routes"]] == [
        {"path_separated_prefix": "/cds-services"}
    ]
    assert chain["transport_socket"]["typed_config"]["require_client_certificate"] is True
    # SCRIPT_NAME and the like would be taken for a server's own words by some servers behind it.
    assert filter_["typed_config"]["common_http_protocol_options"] == {
        "headers_with_underscores_action": "REJECT_REQUEST"
    }


# The image


def test_the_image_runs_as_the_user_of_the_pod() -> None:
    """Files of a volume belong to the same user in every engine."""
    (user,) = (step.rest for step in steps() if step.name == "USER")

    assert user == str(USER)
    assert [step.rest for step in steps() if step.name == "EXPOSE"] == [str(PORT)]
    assert environment()["BACKPATH_PORT"] == str(PORT)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The image's file system, made by its own steps."""
    built = Image(tmp_path_factory.mktemp("image"))
    built.build()
    return built


@pytest.fixture(scope="module")
def running(image: Image) -> Iterator[dict[str, str]]:
    """The image's command, running; gives the environment it runs in."""
    data = image.inside("/data")
    data.mkdir()
    inside = environment() | {
        "PATH": f"{image.inside(VENV)}/bin:{os.environ['PATH']}",
        "BACKPATH_HOST": "127.0.0.1",
        "BACKPATH_PORT": str(free_port()),
        "BACKPATH_DATABASE_URL": environment()["BACKPATH_DATABASE_URL"].replace("/data", str(data)),
    }
    log = image.root / "log"
    with log.open("wb") as written:
        server = subprocess.Popen(
            command("CMD"),
            executable=image.inside(VENV) / "bin" / command("CMD")[0],
            env=inside,
            cwd=image.inside(VENV),
            stdout=written,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until_ready(f"http://127.0.0.1:{inside['BACKPATH_PORT']}", server, log)
            yield inside
        finally:
            server.terminate()
            server.wait(REQUEST_SECONDS)


def _inside(image: Image, *words: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    program = image.inside(VENV) / "bin" / words[0]
    return subprocess.run(
        [program, *words[1:]],
        env=env,
        cwd=image.inside(VENV),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_image_serves(image: Image, running: dict[str, str]) -> None:
    """The wheel holds all the service needs: it starts, keeps feedback, and finds itself well."""
    base_url = f"http://127.0.0.1:{running['BACKPATH_PORT']}"
    healthy = _inside(image, *command("HEALTHCHECK"), env=running)
    ready = requests.get(f"{base_url}/ready", timeout=10)
    services = requests.get(f"{base_url}/cds-services", timeout=10).json()["services"]

    assert healthy.returncode == 0, healthy.stderr
    assert ready.status_code == 200
    assert len(services) == 3
    assert (image.inside("/data") / "backpath.sqlite3").is_file()


def test_the_image_says_when_it_is_not_well(image: Image, running: dict[str, str]) -> None:
    """The check fails where nothing answers."""
    elsewhere = running | {"BACKPATH_PORT": str(free_port())}

    assert _inside(image, *command("HEALTHCHECK"), env=elsewhere).returncode != 0


def test_the_image_holds_the_content_compiled(image: Image) -> None:
    """Nothing can be written where the service runs, so that its start would check all anew."""
    (kept,) = image.inside(VENV).glob("lib/python*/site-packages/cards/__pycache__/content.msgpack")

    assert kept.stat().st_size > 1_000_000


def test_the_image_runs_its_own_code(image: Image, running: dict[str, str]) -> None:
    """Code and content come from the wheel, the example patients from beside it."""
    where = _inside(
        image,
        "python",
        "-c",
        "import cards, service; print(cards.__file__, service.__file__)",
        env=running,
    )
    patients = _inside(image, "backpath", "fixtures", "list", env=running)

    assert all(path.startswith(str(image.root)) for path in where.stdout.split()), where.stdout
    assert "cauda-equina-with-sciatica" in patients.stdout.split()


def test_the_image_holds_no_tests_and_no_deployment(image: Image) -> None:
    """What does not run is not shipped."""
    packages = next(image.inside(VENV).glob("lib/python*/site-packages"))

    assert not (packages / "tests").exists()
    assert not (packages / "service" / "deploy").exists()
    assert not (image.context / "tests").exists()
