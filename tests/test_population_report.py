"""What a report says of a population: the figures, what they are divided by, and what is amiss."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import service.population
from cards.library import Library
from service.patient_record.chart import Dropped
from service.population.report import Report, build_report
from service.population.report_cautions import cautions, percent
from service.population.report_counts import Share, TallyKey
from service.population.report_json import as_json
from service.population.report_page import as_page, rate
from service.population.report_words import LEFT_OUT, size_of, why_left_out
from service.prefetch import KEYS
from tests.fixture_cards import fixtures
from tests.judged_fixtures import RUN, fixture_tallies

SCHEMA = Path(service.population.__file__).with_name("report.schema.json")
TENS, IMAGING = "tens-chronic-avoid", "imaging-not-routine"
CAUDA, PSYCHOSOCIAL = "rf-cauda-equina", "psychosocial-assessment-after-4-weeks"
AS_OF: Mapping[str, Any] = {**RUN, "as_of": "2026-03-01", "replay": None}
HOSTILE = "<script>alert('x')</script>\"'><img src=//evil.example/x onerror=alert(1)>"
# Two hundred visits of a clinic's hundred patients, and a hundred orders.
CLINIC: Mapping[TallyKey, int] = {
    ("patients", "in", "", ""): 104,
    ("patients", "judged", "", ""): 100,
    ("patients", "without a visit", "", ""): 3,
    ("patients", "rejected", "", ""): 1,
    ("lines", "read", "Condition", ""): 990,
    ("lines", "not needed", "Claim", ""): 5,
    ("lines", "rejected", "not JSON", ""): 5,
    ("calls", "patient-view", "", ""): 200,
    ("calls", "order-select", "", ""): 100,
    ("calls with cards", "patient-view", "", ""): 26,
    ("calls with cards", "order-select", "", ""): 45,
    ("cards", PSYCHOSOCIAL, "info", "patient-view"): 24,
    ("cards", TENS, "info", "order-select"): 30,
    ("cards", IMAGING, "warning", "order-select"): 18,
    ("cards", CAUDA, "critical", "patient-view"): 3,
    ("cards", CAUDA, "warning", "patient-view"): 1,
    ("patients told", TENS, "", ""): 25,
    ("patients told", IMAGING, "", ""): 18,
    ("patients told", PSYCHOSOCIAL, "", ""): 24,
    ("patients told", CAUDA, "", ""): 2,
    ("most cards at once", "0", "", ""): 50,
    ("most cards at once", "1", "", ""): 45,
    ("most cards at once", "3", "", ""): 4,
    ("most cards at once", "12", "", ""): 1,
    ("standing", "chronic-low-back-pain", "C1", "chronic"): 40,
    ("standing", "chronic-low-back-pain", "C1", "unknown"): 2,
    ("standing", "chronic-low-back-pain", "RF", "acute"): 2,
    ("standing", "back-muscle-spasm", "", "acute"): 6,
    ("standing", "", "", "unknown"): 55,
    ("pathways at once", "0", "", ""): 55,
    ("pathways at once", "1", "", ""): 40,
    ("pathways at once", "2", "", ""): 5,
    ("both pathways", "back-muscle-spasm", "chronic-low-back-pain", ""): 5,
    ("cards together", IMAGING, TENS, ""): 4,
    **{("key", key, "read", ""): 200 for key in KEYS if key != "allergies"},
    ("key", "allergies", "missing", ""): 200,
    ("on a pathway", "", "", ""): 80,
    ("undecided", PSYCHOSOCIAL, "", ""): 20,
    ("undecided because", PSYCHOSOCIAL, "age_unknown", ""): 5,
    ("undecided because", PSYCHOSOCIAL, "active_cancer", ""): 20,
    ("membership unknown", "back-muscle-spasm", "", ""): 7,
    ("left out", "entered-in-error", "", ""): 9,
    ("left out", "unreadable:Condition", "", ""): 2,
    ("undated", "Procedure", "", ""): 11,
}


class _Words(HTMLParser):
    """What a reader of a page reads, and the elements of it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self._in_style = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]
        self._in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if not self._in_style:
            self.texts.append(data)

    @property
    def text(self) -> str:
        """All of it, with single spaces."""
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def clinic(library: Library) -> Report:
    """The report on the clinic's replay."""
    return build_report(CLINIC, RUN, library)


def _told(report: Report) -> str:
    return " ".join(caution.text for caution in cautions(report))


def test_cards_are_counted_by_a_hundred_visits(clinic: Report) -> None:
    """Thirty TENS cards at two hundred visits are 15.0 for a hundred, orders among them."""
    (tens, *_) = clinic.cards.noisiest

    assert (tens.id, tens.by_visits, rate(tens.by_visits)) == (TENS, Share(30, 200), "15.0")
    assert tens.told == Share(25, 100)
    assert clinic.cards.by_visits == Share(76, 200)
    assert clinic.cards.on_openings == Share(28, 200)
    assert clinic.cards.on_orders == Share(48, 100)


def test_the_noisiest_recommendation_comes_first(clinic: Report) -> None:
    """Sorted by cards, on opening a chart and on orders together."""
    assert [one.id for one in clinic.cards.noisiest] == [TENS, PSYCHOSOCIAL, IMAGING, CAUDA]


def test_critical_cards_are_named_apart_from_warnings(clinic: Report) -> None:
    """Three of the four cards on cauda equina were critical."""
    (cauda,) = clinic.cards.critical
    by_indicator = {one.indicator: one.by_visits.number for one in clinic.cards.urgencies}

    assert cauda.indicators == {"critical": 3, "warning": 1, "info": 0}
    assert by_indicator == {"critical": 3, "warning": 19, "info": 54}


def test_visits_with_any_card_are_shares_of_visits(clinic: Report) -> None:
    """Of two hundred chart openings 26 bore a card, and of a hundred orders 45."""
    assert clinic.cards.visits_told == Share(26, 200)
    assert clinic.cards.orders_told == Share(45, 100)
    assert clinic.cards.answers_told == Share(71, 300)


def test_patients_with_three_cards_or_more_are_counted(clinic: Report) -> None:
    """One patient with twelve at once counts as four with three do, and no step is left out."""
    assert clinic.cards.many_at_once == Share(5, 100)
    assert list(clinic.cards.most_at_once) == list(range(13))
    assert clinic.cards.most_at_once[2] == 0


def test_patients_are_told_by_pathway_state_and_phase(clinic: Report) -> None:
    """Titles are those of the content; whoever stands in no certain state is told so."""
    low_back = next(one for one in clinic.pathways.pathways if one.id == "chronic-low-back-pain")
    spasm = next(one for one in clinic.pathways.pathways if one.id == "back-muscle-spasm")
    states = {stand.title: stand for stand in low_back.states}

    assert low_back.patients == Share(44, 100)
    assert states["First weeks of care"].patients == Share(42, 44)
    assert states["First weeks of care"].phases["chronic"] == 40
    assert states["Red flag open"].patients.number == 2
    assert [s.title for s in spasm.told if s.patients.number] == ["State not certain"]
    assert clinic.pathways.on_none == Share(55, 100)


def test_every_state_a_patient_stands_in_has_its_row(library: Library) -> None:
    """Of all fixture patients none stands where the report has no row."""
    report = build_report(fixture_tallies(), RUN, library)
    for pathway in report.pathways.pathways:
        assert pathway.patients.number == sum(s.patients.number for s in pathway.states)


def test_what_could_not_be_decided_is_told_with_its_questions(clinic: Report) -> None:
    """Of the eighty openings of patients on a pathway, with the commonest question first."""
    (psychosocial,) = clinic.completeness.undecided

    assert psychosocial.openings == Share(20, 80)
    assert [(one.question, one.openings) for one in psychosocial.because] == [
        ("Is cancer active?", 20),
        ("Is the age unknown?", 5),
    ]


def test_the_share_that_could_not_be_checked_is_of_all_checks(
    clinic: Report, library: Library
) -> None:
    """Twenty undecided, of every recommendation at each of eighty chart openings."""
    asked = len(library.cards["patient-view"])

    assert clinic.completeness.checks == Share(20, 80 * asked)


def test_what_never_led_a_card_is_listed(clinic: Report, library: Library) -> None:
    """Everything the two hooks can show, but what led a card."""
    silent = {one.id for one in clinic.completeness.silent}
    can = {one.id for hook in ("patient-view", "order-select") for one in library.cards[hook]}

    assert silent == can - {TENS, PSYCHOSOCIAL, IMAGING, CAUDA}
    assert clinic.completeness.not_asked == ()


def test_recommendations_on_orders_are_not_called_silent_without_orders(library: Library) -> None:
    """As of a day no order is judged: nobody can say that those on orders never lead a card."""
    tallies = {key: count for key, count in CLINIC.items() if "order-select" not in key}
    found = build_report(tallies, AS_OF, library).completeness
    on_orders_only = {
        one.id for one in library.cards["order-select"] if one not in library.cards["patient-view"]
    }

    assert on_orders_only
    assert {one.id for one in found.not_asked} == on_orders_only
    assert not on_orders_only & {one.id for one in found.silent}


def test_a_lost_patient_is_told_loudly(library: Library) -> None:
    """In must be judged, without a visit and rejected together."""
    lost = build_report({**CLINIC, ("patients", "in", "", ""): 105}, RUN, library)
    (loud,) = [one for one in cautions(lost) if one.loud]

    assert "105 came in" in loud.text
    assert "make 104" in loud.text
    assert "Do not rely on this report" in loud.text
    assert loud.text in _Words(as_page(lost)).text
    assert as_json(lost)["patients"]["addUp"] is False


def test_nothing_is_told_loudly_when_nobody_is_lost(clinic: Report) -> None:
    """A clinic whose patients add up is told so."""
    assert [one for one in cautions(clinic) if one.loud] == []
    assert "nobody was lost" in _Words(as_page(clinic)).text


def test_rejected_patients_and_lines_are_told_first(clinic: Report) -> None:
    """With their share of all."""
    told = _told(clinic)

    assert "1 of 104 patients (1.0%) were rejected" in told
    assert "3 of 104 patients (2.9%) have no visit" in told
    assert "5 of 1,000 lines (0.5%)" in told


def test_a_type_the_export_lacks_is_told(clinic: Report) -> None:
    """No chart had allergies: nobody may take the silence on them for a finding."""
    assert "The export has no allergies: no card says anything about them." in _told(clinic)
    assert "diagnoses" not in _told(clinic)


def test_a_type_every_chart_was_empty_of_is_told(library: Library) -> None:
    """An empty file reads like a healthy population."""
    emptied = dict(CLINIC)
    del emptied["key", "medications", "read", ""]
    emptied["key", "medications", "empty", ""] = 200
    told = _told(build_report(emptied, RUN, library))

    assert "Every chart was read as holding no medication orders." in told


def test_a_rule_that_failed_is_told_loudly(library: Library) -> None:
    """Its cards are missing, and silence is no finding."""
    report = build_report({**CLINIC, ("failed", CAUDA, "", ""): 2}, RUN, library)
    (loud,) = [one for one in cautions(report) if one.loud]

    assert "failed at 2 of 300 answers (0.7%)" in loud.text


def test_a_run_without_patients_has_a_report(library: Library) -> None:
    """Nothing is divided by nothing, and nobody takes it for a run without cards."""
    report = build_report({}, {}, library)
    page = _Words(as_page(report)).text

    assert report.cards.by_visits.in_hundred is None
    assert as_json(report)["cards"]["byVisits"] == {"number": 0, "of": 0, "inHundred": None}
    assert "No patient was judged" in page
    assert "0.0%" not in page


@pytest.mark.parametrize(
    ("share", "told", "words"),
    [
        (Share(0, 10), "0.0%", "none"),
        (Share(1, 100_000), "under 0.1%", "some is never told as none"),
        (Share(99_999, 100_000), "over 99.9%", "not all is never told as all"),
        (Share(10, 10), "100.0%", "all"),
        (Share(0, 0), "–", "nothing to be a share of"),
    ],
)
def test_percentages_do_not_round_patients_away(share: Share, told: str, words: str) -> None:
    """One patient in a hundred thousand is there, and is seen to be."""
    assert percent(share) == told


def test_a_percentage_never_stands_without_its_count(library: Library) -> None:
    """Each stands beside the number it is the share of."""
    text = _Words(as_page(build_report(fixture_tallies(), RUN, library))).text
    percentages = list(re.finditer(r"(over |under )?\d+\.\d%", text))
    beside = [
        re.search(r"\d (of [\d,]+ [a-z ]+\()?$", text[: found.start()])
        or re.match(r" [\d,]+ of [\d,]+", text[found.end() :])
        for found in percentages
    ]

    assert len(percentages) > 100
    assert None not in beside


def test_what_a_run_was_named_does_nothing_on_the_page(library: Library) -> None:
    """Whoever names a folder <script> gets to read it."""
    run = {
        **dict.fromkeys(("input", "engine", "version", "content_version", "as_of"), HOSTILE),
        "files": [{"name": HOSTILE, "bytes": 1}],
    }
    named = {**CLINIC, ("left out", HOSTILE, "", ""): 1, ("lines", "rejected", HOSTILE, ""): 1}
    named |= {("cards", HOSTILE, "info", "patient-view"): 90, ("undated", HOSTILE, "", ""): 1}
    page = _Words(as_page(build_report(named, run, library)))
    honest = _Words(as_page(build_report(CLINIC, AS_OF, library)))

    assert HOSTILE in page.text
    assert page.elements["script"] == 0
    assert page.elements["img"] == honest.elements["img"]
    assert not [name for name, _ in page.attributes if name.startswith("on")]


def test_the_page_needs_nothing_but_itself(clinic: Report) -> None:
    """No script, no form, no address of anything outside the file."""
    page = _Words(as_page(clinic))
    addresses = [value for name, value in page.attributes if name in ("href", "src", "srcset")]

    assert addresses
    assert not [each for each in addresses if not each.startswith(("#", "data:image/svg+xml;"))]
    assert not {"script", "link", "form", "iframe"} & page.elements.keys()
    assert any("default-src 'none'" in value for _, value in page.attributes)


def test_every_chart_has_its_table_and_its_words(clinic: Report) -> None:
    """Nobody has to see a picture to know what is in it."""
    html = as_page(clinic)
    parts = html.split("<figure")[1:]

    assert len(parts) >= 6
    for part in parts:
        assert 'alt="Bars: ' in part
        assert "<table" in part


def test_a_link_of_the_contents_leads_somewhere(clinic: Report, library: Library) -> None:
    """In a report of figures, and in one of a run without any."""
    for report in (clinic, build_report({}, {}, library)):
        page = _Words(as_page(report))
        places = {value for name, value in page.attributes if name == "id"}
        links = {value[1:] for name, value in page.attributes if name == "href"}

        assert links
        assert links <= places


def test_the_draft_is_called_a_draft(clinic: Report) -> None:
    """As on every page of the service."""
    assert "Draft content, version 2026.3" in _Words(as_page(clinic)).text
    assert "Not for the care of patients." in _Words(as_page(clinic)).text


@pytest.mark.parametrize("which", ["clinic", "fixtures", "nobody"])
def test_the_report_for_programs_keeps_its_form(library: Library, which: str) -> None:
    """Programs find each name the schema promises, and no other."""
    tallies: Mapping[TallyKey, int] = {
        "clinic": CLINIC,
        "fixtures": fixture_tallies(),
        "nobody": {},
    }[which]
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    told = json.loads(json.dumps(as_json(build_report(tallies, RUN, library)), allow_nan=False))

    assert [error.message for error in Draft202012Validator(schema).iter_errors(told)] == []


def test_the_schema_says_what_each_name_means() -> None:
    """Nobody has to guess what a figure is of."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    names = ("run", "patients", "lines", "cards", "pathways", "completeness")
    unsaid = [
        f"{name}.{member}"
        for name in names
        for member, meaning in schema["properties"][name]["properties"].items()
        if not meaning.get("description")
    ]

    assert unsaid == []


def test_rates_are_rounded_and_counts_are_not(library: Library) -> None:
    """One decimal is what a rate is good for; what it was made of stands beside it."""
    tallies: dict[TallyKey, int] = {
        ("calls", "patient-view", "", ""): 3,
        ("cards", TENS, "info", "patient-view"): 2,
    }
    told = as_json(build_report(tallies, AS_OF, library))

    assert told["cards"]["byVisits"] == {"number": 2, "of": 3, "inHundred": 66.7}


def test_every_reason_to_leave_something_out_has_its_words() -> None:
    """A reason the readers give is told in plain words, one nobody knows as it is."""
    assert {reason.value for reason in Dropped} == set(LEFT_OUT)
    assert why_left_out("unreadable:Condition") == "Condition that could not be read"
    assert why_left_out("untrusted:codes disagree").endswith("codes disagree")
    assert why_left_out("some day new") == "some day new"


def test_what_the_content_no_longer_has_keeps_its_id(library: Library) -> None:
    """A run of an older content is reported all the same."""
    tallies = {**CLINIC, ("cards", "long-gone", "info", "patient-view"): 99}
    report = build_report(tallies, RUN, library)

    assert report.cards.noisiest[0].title == "long-gone"
    assert "long-gone" in as_page(report)


def test_no_patient_is_in_a_report(library: Library) -> None:
    """Of all fixture patients no id and no birth date is on the page or in the JSON."""
    report = build_report(fixture_tallies(), RUN, library)
    shown = as_page(report) + json.dumps(as_json(report))
    patients = {fixture.request["context"].get("patientId") for fixture in fixtures()}
    named = {name for name in patients if isinstance(name, str) and len(name) > 5}

    assert named
    assert [name for name in named if re.search(rf"\b{re.escape(name)}\b", shown)] == []


@pytest.mark.parametrize(
    ("size", "told"),
    [
        (None, "size not known"),
        (999, "999 bytes"),
        (1_500, "1.5 kB"),
        (2_000_000, "2.0 MB"),
        (5 * 10**15, "5,000.0 TB"),
    ],
)
def test_file_sizes_are_told_in_words(size: int | None, told: str) -> None:
    """As file lists tell them."""
    assert size_of(size) == told
