"""The fixture patients and their cards; ``python -m tests.fixture_cards`` writes them anew.

It writes every ``cards.json`` and the last column of the table of patients.

Review the difference before it is committed: these files are what clinicians would see.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from cards.library import Library, load_library
from service.app import create_app
from service.settings import Settings

HOUSE = Path(__file__).resolve().parent.parent
FIXTURES = HOUSE / "fhir_fixtures"


@dataclass(frozen=True)
class Fixture:
    """One synthetic patient: the request, and the day it is to be judged on."""

    name: str
    request: dict[str, Any]
    service: str
    as_of: date
    valid_r4: bool

    @property
    def expected(self) -> dict[str, Any]:
        """What ``cards.json`` says: the cards without uuids, or the status of a refusal."""
        expected: dict[str, Any] = json.loads((FIXTURES / self.name / "cards.json").read_text())
        return expected


@cache
def fixtures() -> tuple[Fixture, ...]:
    """Every fixture, by name."""
    folders = sorted(path.parent for path in FIXTURES.glob("*/request.json"))
    return tuple(read_fixture(folder) for folder in folders)


def read_fixture(folder: Path) -> Fixture:
    """The fixture in a folder."""
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    about = request["extension"]["org.backpath.fixture"]
    day = date.fromisoformat(about["asOf"])
    return Fixture(folder.name, request, about["service"], day, about["validR4"])


def told(status: int, body: dict[str, Any]) -> dict[str, Any]:
    """A response in the form of ``cards.json``.

    What is not of the content is left out: uuids are new each time, and the address of a
    recommendation's page is that of the server asked.
    """
    return told_cards(body) if status == 200 else {"status": status}


def told_cards(response: dict[str, Any]) -> dict[str, Any]:
    """A response without its uuids and the addresses of pages."""
    cards = [
        {name: value for name, value in card.items() if name != "uuid"}
        for card in response["cards"]
    ]
    for card in cards:
        card["source"] = {name: value for name, value in card["source"].items() if name != "url"}
        if "suggestions" in card:
            card["suggestions"] = [
                {name: value for name, value in suggestion.items() if name != "uuid"}
                for suggestion in card["suggestions"]
            ]
    return response | {"cards": cards}


def leaders(answer: dict[str, Any]) -> str:
    """The last column of the table of patients: the leading recommendation of each card."""
    if "status" in answer:
        return f"error {answer['status']}"
    return ", ".join(card["source"]["topic"]["code"] for card in answer["cards"]) or "no card"


def table(text: str) -> str:
    """The table of patients with the leaders of their cards as ``cards.json`` has them."""
    expected = {fixture.name: fixture.expected for fixture in fixtures()}
    lines = []
    for line in text.splitlines():
        cells = line.split(" | ")
        name = cells[0].removeprefix("| ")
        known = len(cells) == 3 and name in expected
        lines.append(" | ".join([*cells[:2], f"{leaders(expected[name])} |"]) if known else line)
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write every ``cards.json`` as the service answers now, and the table of patients."""
    library = load_library()
    for fixture in fixtures():
        cards = json.dumps(answered(fixture, library), indent=2, ensure_ascii=False)
        (FIXTURES / fixture.name / "cards.json").write_text(cards + "\n", encoding="utf-8")
    page = FIXTURES / "README.md"
    page.write_text(table(page.read_text(encoding="utf-8")), encoding="utf-8")


def answered(fixture: Fixture, library: Library) -> dict[str, Any]:
    """What the service answers to a fixture on its own day."""
    settings = Settings(database_url="sqlite:///:memory:")
    client = create_app(settings, today=lambda: fixture.as_of, library=library).test_client()
    response = client.post(f"/cds-services/{fixture.service}", json=fixture.request)
    body: dict[str, Any] = response.get_json()
    return told(response.status_code, body)


if __name__ == "__main__":
    main()
