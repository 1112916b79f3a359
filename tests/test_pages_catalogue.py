"""The catalogue: every recommendation, pathway, fact and source explained from the content."""

from __future__ import annotations

import re
from time import process_time

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from cards.library import Library
from cards.markdown import escaped
from service.pages.card_text import as_html
from service.pages.change_history import changes_about, read_changes
from tests.browser import NARROW, WIDE, opened, picture, scrolls_sideways, serious_faults
from tests.conftest import HOUSE

HEAVIEST = 200_000
SLOWEST = 0.1  # of this process's own time, so that what else runs here does not count
LISTS = ("/recommendations", "/pathways", "/facts", "/sources", "/trace", "/changes")
SHOWN = (
    "/recommendations",
    "/recommendations/oral-nsaid-first-line-chronic",
    "/pathways/chronic-low-back-pain",
    "/facts/egfr_under_30",
    "/trace?source=digest on mid-back pain",
)
_LINK = re.compile(r'href="(/[^"#]*)')


def _text(client: FlaskClient, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.get_data(as_text=True)


def _addresses(library: Library) -> list[str]:
    return [
        *LISTS,
        *(f"/recommendations/{name}" for name in library.recommendations),
        *(f"/pathways/{pathway.id}" for pathway in library.pathways),
        *(f"/facts/{name}" for name in library.vocabulary),
        *(f"/sources/{name}" for name in library.citations),
    ]


def test_everything_the_content_names_has_a_page(client: FlaskClient, library: Library) -> None:
    """Whatever links lead to exists, from every page to every other; all are small and quick."""
    client.get("/recommendations"), client.get("/changes")  # the templates are read once
    waiting, seen = _addresses(library), set[str]()
    slow = []
    while waiting:
        address = waiting.pop().replace("&amp;", "&")
        if address in seen or address.startswith(("/look/", "/try", "/app", "/dashboard")):
            continue
        seen.add(address)
        begun = process_time()
        response = client.get(address)
        took = process_time() - begun
        assert response.status_code == 200, address
        assert len(response.data) < HEAVIEST, address
        slow += [address] if took > SLOWEST and _again(client, address) > SLOWEST else []
        waiting += _LINK.findall(response.get_data(as_text=True))

    assert slow == []


def _again(client: FlaskClient, address: str) -> float:
    """How long the page takes another time: a pause of the collector hits one page, not twice."""
    begun = process_time()
    client.get(address)
    return process_time() - begun


def test_a_recommendation_is_told_whole(client: FlaskClient, library: Library) -> None:
    """A clinician reads on one page what it asks, says and offers, and what it rests on."""
    one = library.recommendations["oral-nsaid-first-line-chronic"]
    text = _text(client, f"/recommendations/{one.id}")
    asked = [library.vocabulary[name].ask for name in one.trigger.names + one.exclusions]
    offered = [s for suggestion in one.suggestions for s in (suggestion.label, suggestion.note)]
    told = [
        one.summary,
        one.limits,
        *asked,
        *offered,
        "198013",
        "250 mg by mouth twice daily with food, for 14 days",
        *(example.case for example in one.examples),
        *(library.citations[source].title for source in one.sources),
        *(library.conflicts[conflict] for conflict in one.conflicts),
        *(library.override_reasons[reason] for reason in one.override_reasons),
        *(s.text for s in library.statements if one.id in s.recommendations),
        "pain scores at the start of care and now",
        "2026.2",
    ]

    assert [words for words in told if words and _escaped(words) not in text] == []


def _escaped(words: str) -> str:
    return (
        words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;")
    )


def test_the_rule_says_what_silences_and_what_makes_it_louder(client: FlaskClient) -> None:
    """Facts that silence a card and facts that raise its indicator stand under words for that."""
    text = _text(client, "/recommendations/nsaid-ckd")
    silent = text[text.index("Not shown on a") : text.index("How loud")]
    loud = text[text.index("How loud") : text.index("When data are missing")]

    assert "yes to any of these, unless the card is critical:" in silent
    assert "In palliative or hospice care?" in silent
    assert re.search(
        r'"tag critical">critical</span> on a yes to: <a href="/facts/egfr_under_30"', loud
    )


@pytest.mark.parametrize(
    ("query", "words", "present", "left_out"),
    [
        ("text=kidney", "words", "nsaid-ckd", "yoga"),
        ("indicator=critical", "indicator, also one a fact raises it to", "nsaid-ckd", "yoga"),
        ("kind=suggestion", "kind", "yoga", "nsaid-ckd"),
        ("hook=order-sign", "when it is shown", "nsaid-ckd", "oral-nsaid-first-line-chronic"),
        ("pathway=chronic-low-back-pain", "pathway", "mbsr", "dry-needling"),
        ("text=NSAID&kind=suggestion", "two at once", "oral-nsaid-after-topical", "nsaid-ckd"),
    ],
)
def test_the_list_is_narrowed_by(
    client: FlaskClient, query: str, words: str, present: str, left_out: str
) -> None:
    """A reader narrows the list without any script, and is told how many are left."""
    text = _text(client, f"/recommendations?{query}")

    assert f'"/recommendations/{present}"' in text, words
    assert f'"/recommendations/{left_out}"' not in text, words


def test_a_filter_that_nothing_fits_says_so(client: FlaskClient) -> None:
    """An empty list is no dead end."""
    text = _text(client, "/recommendations?text=<script>alert(1)</script>&hook=nonsense")

    assert "0 of " in text
    assert "Show all" in text
    assert "<script>alert" not in text


def test_a_pathway_page_has_each_state_with_its_criteria_and_steps(
    client: FlaskClient, library: Library
) -> None:
    """What brings a patient into a state, what ends it, what it shows and what comes after."""
    for pathway in library.pathways:
        text = _text(client, f"/pathways/{pathway.id}")
        told = [
            "<svg",
            *(
                words
                for state in pathway.states
                for words in (state.title, state.entry, state.exit)
            ),
            *(library.vocabulary[n].ask for state in pathway.states for n in state.when.names),
            *(library.recommendations[step].title for s in pathway.states for step in s.shows),
            *pathway.if_not_enough.values(),
        ]

        assert [words for words in told if words != "<svg" and _escaped(words) not in text] == []


def test_a_fact_says_how_it_is_answered_and_by_whom_it_is_asked(client: FlaskClient) -> None:
    """The question, its three answers, its codes, and the rules it serves."""
    text = _text(client, "/facts/active_cancer")

    assert "Is cancer active?" in text
    assert "active problem-list cancer, or cancer diagnosis at 2 encounters" in text
    assert "encounters 365 d" in text
    assert 'href="/value-sets/malignant-neoplasm"' in text
    silenced = text[text.index("Is silenced by a yes") :]
    assert 'href="/recommendations/yoga"' in silenced


def test_a_value_set_shows_every_code_of_its_file(client: FlaskClient) -> None:
    """The pages of a long value set hold all of its rows together."""
    pages = [_text(client, f"/value-sets/opioid?page={n}") for n in (1, 2, 3)]
    rows = (HOUSE / "cards" / "value_sets" / "opioid.csv").read_text().splitlines()[1:]

    assert sum(page.count("<tr><td>RxNorm</td>") for page in pages) == len(rows)


def test_the_trace_has_every_statement_of_the_digests(
    client: FlaskClient, library: Library
) -> None:
    """Each statement stands on the page of its digest, once."""
    for source in {statement.source for statement in library.statements}:
        text = _text(client, f"/trace?source={source}")
        own = [s for s in library.statements if s.source == source]

        assert [s.id for s in own if text.count(f"<tr><td>{s.id}<br>") != 1] == []


@pytest.mark.parametrize(
    "address",
    [
        "/recommendations/no-such",
        "/pathways/no-such",
        "/facts/no_such",
        "/sources/no-such",
        "/value-sets/no-such",
        "/trace?source=no such",
    ],
)
def test_an_unknown_name_is_a_page_that_says_so(client: FlaskClient, address: str) -> None:
    """A wrong address is 404, and leads home."""
    response = client.get(address)

    assert response.status_code == 404
    assert 'href="/"' in response.get_data(as_text=True)


def test_browsers_may_keep_the_pages_a_while(client: FlaskClient) -> None:
    """They are the same for everybody, the second time as well."""
    first, second = (client.get("/recommendations/yoga") for _ in range(2))

    assert first.data == second.data
    assert second.headers["Cache-Control"].startswith("public, max-age=")
    assert "default-src 'none'" in second.headers["Content-Security-Policy"]


def test_every_recommendation_has_a_first_version(library: Library) -> None:
    """The list of clinical changes names each recommendation where it came in, and no other."""
    versions = read_changes((HOUSE / "cards" / "CHANGELOG.md").read_text())
    named = {n for v in versions for c in v.changes for n in c.affects}
    unknown = [n for n in named if "*" not in n and n not in library.recommendations]

    assert [name for name in library.recommendations if not changes_about(name, versions)] == []
    assert unknown == []


def test_card_text_cannot_do_anything() -> None:
    """Record text in a card stays text, however it is written; lists and emphasis are rendered."""
    hostile = "<script>alert(1)</script> [x](javascript:alert(1)) ![x](https://x.example/p.png)"

    assert "<strong>Exercise</strong>" in as_html("**Exercise** helps.")
    for text in (hostile, escaped(hostile)):
        shown = as_html(text)
        assert not re.search(r"<(?!/?(p|em|strong|code)>)", shown)


# In a browser


@pytest.mark.parametrize("address", SHOWN)
def test_pages_are_readable_by_everybody(browser: Browser, live_server: str, address: str) -> None:
    """No page complains, scrolls sideways or has a serious fault of accessibility."""
    with opened(browser, NARROW, color_scheme="dark") as page:
        page.goto(f"{live_server}{address}")

        assert not scrolls_sideways(page)
        assert serious_faults(page) == []
        page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
        assert not scrolls_sideways(page)


def test_the_list_is_narrowed_by_keyboard(browser: Browser, live_server: str) -> None:
    """A word and the Enter key, and the way on to a recommendation and one of its facts."""
    with opened(browser) as page:
        page.goto(f"{live_server}/recommendations")
        page.get_by_label("Words").fill("kidney disease")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="NSAID with kidney disease").click()
        picture(page, "recommendation")
        page.get_by_role("link", name="eGFR 30-44?").first.click()

        assert page.get_by_role("heading", level=1).inner_text() == "eGFR 30-44?"
