"""The clinical content: wording is there, hedged, and names only what exists."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.content_yaml import read
from tests.import_package import CARRIED, CPT

CARDS = Path(__file__).parents[1] / "cards"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
RECOMMENDATIONS: dict[str, dict[str, Any]] = {
    path.stem: read(path) for path in sorted((CARDS / "recommendations").glob("*.yaml"))
}
FACTS: dict[str, dict[str, Any]] = {
    **read(CARDS / "definitions" / "facts.yaml"),
    **read(CARDS / "definitions" / "state_facts.yaml"),
}
SETS: dict[str, dict[str, Any]] = read(CARDS / "definitions" / "exclusion_sets.yaml")

# Words that reassure without ground, blame the patient, or speak of how the content was made.
UNFIT = re.compile(
    r"\bhas not (?:tried|had)\b|\bsafe(?:ly)?\b|\bno red flags\b|\bno interactions\b"
    r"|\bdigests?\b|\bseeds?\b|\bvs:|\bS\d-\d\d\b|\bC-\d\d\b|\bmust stop\b",
    re.IGNORECASE,
)
# Figures and claims the package keeps off cards: unproven, lone trials, or without an agent.
FORBIDDEN = re.compile(r"\b90 ?%|\b50 ?%|4\s?[-–]\s?30\s?mg|2 million|denervat", re.IGNORECASE)
# LOINC's long name where the value set bears only its short one.
LONG_NAMES = {"30341-2": "Erythrocyte sedimentation rate"}
LONE_REST = re.compile(r"(?<!bed )(?<!relative )\brest\b", re.IGNORECASE)


def _value_sets() -> dict[str, list[dict[str, str]]]:
    names = [path.stem for path in (CARDS / "value_sets").glob("*.csv") if path.stem != "cpt"]
    sets: dict[str, list[dict[str, str]]] = {name: [] for name in sorted(names)}
    for name in [*sorted(names), "cpt"]:
        path = CARDS / "value_sets" / f"{name}.csv"
        if path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    sets[row.get("value_set", name)].append(row)
    return sets


VALUE_SETS = _value_sets()


def _holds(name: str, code: str) -> bool:
    bare = code.replace(".", "")
    return any(
        row["code"] == code
        or (row["match"] == "prefix" and bare.startswith(row["code"].replace(".", "")))
        or (row["system"] == ICD and row["code"].replace(".", "") == bare)
        for row in VALUE_SETS[name]
    )


def _pinned() -> Iterator[tuple[str, str, str, dict[str, str]]]:
    """(recommendation, suggestion label, value set, coding) of every pinned code."""
    for identifier, content in RECOMMENDATIONS.items():
        for suggestion in content["suggestions"]:
            codings = list(suggestion.get("codes", {}).values())
            codings += [suggestion["code"]] if "code" in suggestion else []
            for coding in codings:
                yield identifier, suggestion["label"], suggestion["value_set"], coding


def _wording(content: dict[str, Any]) -> str:
    notes = [suggestion.get("note", "") for suggestion in content["suggestions"]]
    card = content["card"]
    return "\n".join([card["summary"], card["detail"], content["limits"], *notes])


def test_the_first_slice_is_there() -> None:
    """Every recommendation of the list has a file; others may stand beside them."""
    assert set(CARRIED) <= set(RECOMMENDATIONS)


@pytest.mark.parametrize("identifier", sorted(RECOMMENDATIONS))
def test_a_recommendation_fits_its_schema(identifier: str) -> None:
    """An editor and the service agree on the form of a recommendation."""
    schema = read(CARDS / "schemas" / "recommendation.schema.json")

    errors = [
        e.message
        for e in jsonschema.Draft202012Validator(schema).iter_errors(RECOMMENDATIONS[identifier])
    ]
    assert errors == []


@pytest.mark.parametrize("identifier", sorted(RECOMMENDATIONS))
def test_the_file_is_named_for_the_recommendation(identifier: str) -> None:
    """The id is kebab-case, is the file's name, and the editor knows the schema."""
    path = CARDS / "recommendations" / f"{identifier}.yaml"

    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", identifier)
    assert identifier == RECOMMENDATIONS[identifier]["id"]
    assert path.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=")


@pytest.mark.parametrize("identifier", sorted(RECOMMENDATIONS))
def test_every_required_point_has_wording(identifier: str) -> None:
    """A card says what is required, in about 90 words, and when it may be wrong."""
    content = RECOMMENDATIONS[identifier]

    assert content["card"]["must_say"]
    assert 0 < len(content["card"]["detail"].split()) <= 95
    assert 0 < len(content["card"]["summary"]) < 140
    assert len(content["limits"].split()) > 4


@pytest.mark.parametrize("identifier", sorted(RECOMMENDATIONS))
def test_nothing_unfit_stands_on_a_card(identifier: str) -> None:
    """No false reassurance, no blame, no withheld figure, and never "rest" alone."""
    words = _wording(RECOMMENDATIONS[identifier])

    assert UNFIT.findall(words) == []
    assert FORBIDDEN.findall(words) == []
    assert LONE_REST.findall(words) == []


@pytest.mark.parametrize(
    ("identifier", "points"),
    [
        ("rf-cauda-equina", ["emergency lumbar mri", "spine surgeon", "withheld"]),
        ("rf-progressive-neurologic-deficit", ["mri is preferred", "specialist", "sensory-only"]),
        ("rf-suspected-infection", ["esr or crp", "blood cultures", "contrast", "should wait"]),
        ("rf-malignancy-history-of-cancer", ["esr", "mri preferred", "withheld"]),
        ("rf-malignancy-unexplained-weight-loss", ["imaging", "laboratory", "locally agreed"]),
        (
            "rf-malignancy-age-over-50-new-onset",
            ["weight loss", "night pain", "cancer", "steroid", "minor trauma", "age alone"],
        ),
        ("rf-significant-trauma", ["radiograph or ct", "no manipulation"]),
        ("rf-fracture-risk", ["radiograph first", "mri if"]),
        (
            "red-flag-assessment-prompt",
            ["cauda equina", "deficit", "infection", "cancer", "trauma", "intensity", "injection"],
        ),
        ("imaging-routine-avoid", ["not coded", "nonspecific", "deficit", "about 6 weeks"]),
        ("imaging-indicated", ["cauda equina", "with contrast", "radiograph or ct"]),
        ("tens-chronic-avoid", ["sham", "acp/aafp"]),
        ("tens-acute-mid-back-adjunct", ["adjunct", "not as the only", "acute phase"]),
        ("passive-modality-overreliance", ["alone lack meaningful benefit"]),
        (
            "nonpharm-first-line-not-started",
            ["options", "preference and access", "self-care", "restart"],
        ),
        ("opioid-acute-msk-avoid", ["immediate release", "lowest dose", "nice", "contraindicated"]),
        (
            "opioid-last-resort-prerequisites",
            ["nsaid", "outweigh", "risk-benefit", "pdmp", "goals", "stop rule", "elsewhere"],
        ),
        ("bed-rest-avoid", ["delays recovery", "staying active"]),
        ("phase-unknown-ask-onset", ["4 weeks", "4–12", "over 12"]),
        ("provenance-disclaimer", ["draft", "not clinically signed off", "clinician decides"]),
        ("superficial-heat", ["short-term", "insensate", "occlusion"]),
        ("exercise-therapy-first-line", ["supervised", "stretching", "keep doing"]),
        ("spinal-manipulation", ["small to moderate", "similar to other", "exercise"]),
        ("dry-needling", ["uncertain", "pneumothorax", "trained provider"]),
        ("self-care-education", ["heat", "self-massage", "pacing", "positions", "active"]),
        (
            "acetaminophen-alternative",
            [
                "650–1000 mg every 6 hours as needed",
                "4 g/day is the maximum from all products",
                "3 g/day for regular use or frailty",
                "less effective than an nsaid",
            ],
        ),
        ("acupressure", ["option for patients who prefer non-drug care"]),
        ("acupuncture", ["modest pain relief"]),
        (
            "botulinum-toxin-trigger-point",
            [
                "off-label",
                "8–12 weeks of adequate care",
                "specialist decides",
                "boxed warning",
                "distant sites",
            ],
        ),
        (
            "cbt",
            [
                "in chronic pain offer early",
                "mid-back pain of 4–12 weeks",
                "psychosocial factors are prominent",
            ],
        ),
        ("continue-nonpharm-with-drugs", ["keep non-drug care that helps when a drug is added"]),
        (
            "corticosteroid-trigger-point-injection",
            [
                "after other care failed",
                "most of the effect",
                "no dose is given here",
                "follow its label",
                "diabetes, infection and anticoagulation",
            ],
        ),
        (
            "cyclobenzaprine-duration-exceeds-3-weeks",
            ["days covered so far", "stopping", "taper or a stop date"],
        ),
        (
            "cyclobenzaprine-hepatic-impairment",
            [
                "severity is often uncoded",
                "start at 5 mg, increase slowly",
                "moderate or severe",
                "not recommended",
            ],
        ),
        (
            "cyclobenzaprine-short-course",
            [
                "5 mg up to three times daily, at most 10 mg three times daily",
                "no longer than 2–3 weeks",
                "exercise or physical therapy",
                "relative rest for a few days, no bed rest",
                "drowsiness and dry mouth are common",
                "no driving or machines while drowsy",
                "also works without sedation",
            ],
        ),
        (
            "drug-before-nonpharmacologic",
            ["found in the record", "keep it going when a drug is added"],
        ),
        (
            "duloxetine-second-line",
            [
                "30 mg daily for 1 week, then 60 mg",
                "after about 4 weeks at 60 mg",
                "keep the non-drug care",
                "small to moderate",
                "nice and who advise against",
                "if the response",
            ],
        ),
        (
            "evaluate-alternative-cause",
            [
                "inflammatory, visceral, hip, fracture, radiculopathy, mood or sleep",
                "routine mri is still not needed without a finding",
            ],
        ),
        (
            "exercise-intensify-persistent",
            ["if the response", "stretching and strengthening, graded", "check attendance first"],
        ),
        ("glucosamine-chondroitin-avoid", ["no benefit for back pain", "warfarin"]),
        (
            "low-level-laser-therapy",
            [
                "acp lists it for chronic low back pain",
                "low-quality",
                "acute-pain trials",
                "older nice text advised against",
            ],
        ),
        ("lumbar-support-avoid", ["no clear benefit"]),
        ("massage-therapy", ["short-term benefit", "add to exercise"]),
        ("mbsr", ["similar to cognitive behavioural therapy", "small gains"]),
        ("motor-control-exercise", ["coordination, control and strength", "support the spine"]),
        (
            "multidisciplinary-rehabilitation",
            [
                "physical, psychological and educational or vocational parts",
                "moderate effect",
                "work absence",
                "sources differ on the timing",
                "4–6 weeks to 3–6 months",
            ],
        ),
        (
            "nsaid-anticoagulant",
            ["still taken", "acetaminophen or a topical nsaid", "unavoidable", "ppi"],
        ),
        (
            "opioid-benzodiazepine-cns",
            ["lapsed supply", "lowest doses", "naloxone", "taper it slowly", "never stop abruptly"],
        ),
        (
            "oral-nsaid-after-topical",
            [
                "ibuprofen 400–600 mg every 6–8 hours or naproxen 500 mg twice daily",
                "lowest dose, shortest time",
                "stomach risk: add a ppi",
                "contraindicated: acetaminophen",
            ],
        ),
        (
            "oral-nsaid-first-line-chronic",
            [
                "if the response",
                "naproxen or ibuprofen",
                "keep the non-drug care",
                "check stomach, kidney, heart, bleeding risk, pregnancy",
                "stomach risk: add a ppi",
            ],
        ),
        ("pain-baseline-missing", ["pain (0–10)", "rmdq, odi or peg"]),
        (
            "prognosis-reassurance-acute",
            [
                "most acute episodes settle within about 6 weeks",
                "recurrences are common",
                "one third",
                "flare-up is not treatment failure",
                "advise return if red-flag symptoms appear",
            ],
        ),
        ("progressive-relaxation", ["moderate effect on pain intensity"]),
        (
            "psychosocial-assessment-after-4-weeks",
            [
                "fear-avoidance, catastrophising, depression and work stress",
                "start back is one tool",
                "favours cognitive behavioural therapy (cbt)",
            ],
        ),
        (
            "realistic-expectations",
            [
                "small to moderate",
                "mostly short-term",
                "5–20 of 100 points",
                "as a whole 10–20",
                "exercise about 10",
                "2–4 points on the rmdq",
                "function improves less than pain",
                "ongoing effort",
                "not a cure",
                "early care works better than late",
            ],
        ),
        (
            "reassess-2-to-4-weeks",
            [
                "record pain (0–10) and a function score",
                "without them the response to treatment cannot be judged",
            ],
        ),
        (
            "specialist-referral-after-3-months",
            [
                "non-surgical pain, spine or rehabilitation specialist",
                "mid-back pain",
                "multidisciplinary pain management",
                "3–6 months",
            ],
        ),
        (
            "spinal-injection-avoid",
            [
                "axial pain without radiculopathy",
                "radiofrequency ablation",
                "refractory chronic pain",
                "positive medial branch block",
            ],
        ),
        (
            "spinal-manipulation-contraindicated",
            ["named on this card", "osteoporosis", "anticoagulant"],
        ),
        (
            "stay-active-advice",
            [
                "ordinary activity",
                "do not stay in bed",
                "provoking posture for a short time is fine",
            ],
        ),
        (
            "surgery-referral-avoid",
            [
                "non-surgical options come first",
                "after at least 3 months",
                "non-surgical specialist",
            ],
        ),
        ("tai-chi", ["moderate pain improvement", "waiting list"]),
        (
            "tca-third-line",
            [
                "off-label",
                "multimodal plan",
                "anticholinergic effects and sedation",
                "nice and who advise against",
                "not in combination with duloxetine",
            ],
        ),
        ("therapeutic-ultrasound-avoid", ["not about diagnostic ultrasound"]),
        (
            "topical-analgesic-trigger-point",
            ["off-label on the spine", "off-label in this use", "check the skin"],
        ),
        (
            "topical-nsaid-first-acute-mid-back",
            [
                "with or without menthol",
                "one twice daily",
                "2 g up to 4 times daily (off-label on the spine)",
                "less stomach and heart exposure",
                "avoid together with an oral nsaid",
                "not to low back pain",
            ],
        ),
        ("traction-avoid", ["neither continuous nor intermittent traction has proven benefit"]),
        (
            "tramadol-second-line",
            [
                "no order is proposed",
                "lowest dose, short trial",
                "risk talk",
                "pdmp",
                "sources differ",
            ],
        ),
        (
            "trigger-point-assessment",
            [
                "focal, hyperirritable spot in a taut band",
                "palpation that may refer",
                "reduced motion",
                "headache or shoulder pain",
            ],
        ),
        (
            "trigger-point-injection-caution",
            ["named on this card", "sources differ on injection itself"],
        ),
        (
            "trigger-point-injection-persistent",
            [
                "dry needling is an alternative",
                "benefit is uncertain and sources differ",
                "part of the exercise programme",
                "at least half of the pain was relieved for at least 6 weeks",
            ],
        ),
        (
            "trigger-point-injection-technique",
            [
                "palpate the taut band",
                "antiseptic skin preparation, sterile technique",
                "25–28 g needle",
                "into the point",
                "aspirate first",
                "0.5–1 ml",
                "lidocaine 0.5 % per point",
                "several points are allowed",
                "allergy",
                "total dose",
                "pneumothorax",
            ],
        ),
        (
            "trigger-point-manual-techniques",
            [
                "compression on the trigger point",
                "myofascial release",
                "spray and stretch",
                "within massage or physical therapy",
            ],
        ),
        (
            "yoga",
            ["iyengar: lower pain and better function at 24 weeks", "viniyoga is an alternative"],
        ),
        ("nsaid-dose-duration", ["calculated", "3200 mg", "1500 mg", "lowest", "shortest"]),
        (
            "nsaid-gi-bleed-contraindication",
            ["date", "topical nsaid for the mid back", "acetaminophen", "specialist", "ppi"],
        ),
        (
            "nsaid-gi-risk-gastroprotection",
            ["named on this card", "ppi", "as long as the nsaid runs", "without a prescription"],
        ),
        ("nsaid-ckd", ["newest egfr", "date", "under 30", "30–59"]),
        ("nsaid-cardiovascular-risk", ["date", "topical nsaid first", "lowest dose, shortest"]),
        (
            "nsaid-pregnancy",
            ["20 weeks", "entry named on this card", "81 mg is exempt", "acetaminophen"],
        ),
        (
            "nsaid-older-adult",
            ["topical nsaid first", "short course", "ppi", "kidney function and blood pressure"],
        ),
        ("nsaid-hypersensitivity", ["reaction", "when", "anaphylaxis"]),
        ("nsaid-duplicate", ["named on this card", "at most one"]),
        (
            "nsaid-kidney-interaction",
            [
                "named on this card",
                "levels can rise",
                "acute kidney injury",
                "topical nsaid or a non-drug",
                "short course",
                "creatinine and potassium",
                "drug level",
            ],
        ),
        (
            "acetaminophen-max-dose",
            ["sum", "opioid combinations", "4 g a day", "could not be read"],
        ),
        (
            "acetaminophen-monotherapy-chronic-avoid",
            ["no proven benefit", "exercise", "an nsaid if"],
        ),
        ("muscle-relaxant-chronic-avoid", ["label", "acute", "who advises against", "2–3 weeks"]),
        ("cyclobenzaprine-dose", ["calculated", "30 mg a day", "10 mg at once"]),
        ("cyclobenzaprine-contraindicated", ["date", "14 days", "heart block", "hyperthyroidism"]),
        ("cyclobenzaprine-older-adult", ["heat", "exercise", "topical nsaid", "5 mg", "short"]),
        (
            "cyclobenzaprine-serotonergic-cns",
            ["named on this card", "serotonin", "sedating", "retention"],
        ),
        ("cyclobenzaprine-spasticity-not-indicated", ["label limits it to acute"]),
        (
            "duloxetine-dose",
            ["30 mg daily for 1 week, then 60 mg", "120 mg is no better", "adverse"],
        ),
        ("duloxetine-contraindicated", ["date", "14 days", "taper, do not stop abruptly"]),
        ("serotonergic-combination", ["named on this card", "agitation", "tremor", "who monitors"]),
        ("duloxetine-bleeding", ["consider a proton-pump inhibitor (ppi)"]),
        (
            "antidepressant-nonneuropathic-avoid",
            ["chronic low back or myofascial pain is different", "duloxetine can be second line"],
        ),
        ("tca-dosing-bedtime", ["start low, increase slowly", "10–25 mg at bedtime"]),
        ("tca-contraindicated", ["named on this card with its date", "14 days", "qtc", "65"]),
        (
            "tramadol-contraindicated",
            ["named on this card with its date", "seizures are possible even"],
        ),
        ("tramadol-dose", ["400 mg", "300 mg", "200 mg", "50 mg every 12 hours"]),
        (
            "opioid-risk-benefit-discussion",
            ["pdmp", "naloxone", "storage and disposal", "stop rule", "1–4 weeks"],
        ),
        ("opioid-sud-screening", ["validated tool", "audit-c", "dast", "ort", "single screening"]),
        (
            "opioid-mme-50",
            [
                "calculated",
                "reassess benefit and risk",
                "consider a lower dose",
                "naloxone",
                "follow up more often",
                "not a target and not for conversion",
                "no abrupt stop",
            ],
        ),
        (
            "opioid-mme-90",
            [
                "carefully justified",
                "never reduce quickly or stop abruptly",
                "signs of overdose",
                "gradual taper",
                "cdc 2016",
                "2022",
            ],
        ),
        ("opioid-naloxone-offer", ["named on this card", "factors", "teach", "family"]),
        (
            "opioid-oud-history",
            [
                "named on this card with its date",
                "addiction or pain specialist",
                "treatment of opioid use disorder",
                "continues",
                "offer naloxone",
                "pain still needs treatment",
                "non-opioid and non-drug",
            ],
        ),
        ("opioid-er-la-initiation", ["immediate release", "fentanyl patch"]),
        (
            "opioid-existing-therapy-review",
            ["no abrupt stop and no rapid cut", "gradual taper, agreed", "offer naloxone"],
        ),
        (
            "systemic-corticosteroid-avoid",
            ["no superiority to placebo", "not meant for dexamethasone", "mask infection"],
        ),
        (
            "benzodiazepine-back-pain-avoid",
            ["no benefit over placebo", "sedation, dependence and falls", "long-standing"],
        ),
    ],
)
def test_the_points_stand_in_the_wording(identifier: str, points: list[str]) -> None:
    """What the guideline requires to be said is said."""
    detail = RECOMMENDATIONS[identifier]["card"]["detail"].lower().replace("**", "")

    assert [point for point in points if point not in detail] == []


@pytest.mark.parametrize("identifier", sorted(RECOMMENDATIONS))
def test_a_recommendation_names_only_what_exists(identifier: str) -> None:
    """Facts, exclusion sets, override reasons, sources, conflicts and value sets all exist."""
    content = RECOMMENDATIONS[identifier]
    named = [name for names in content["trigger"].values() for name in names]
    named += [rule["fact"] for rule in content.get("indicator_rules", [])]
    for each in content["suggestions"]:
        named += each.get("when_all", []) + each.get("when_none", [])
    for example in content["examples"]:
        named += [name for key in ("present", "absent", "unknown") for name in example.get(key, [])]
    reasons = read(CARDS / "definitions" / "override_reasons.yaml")
    sets = {each["value_set"] for each in content["suggestions"] if "value_set" in each}

    assert set() == set(named) - set(FACTS)
    assert set() == set(content["exclusions"]) - set(FACTS) - set(SETS)
    assert set() == set(content["override_reasons"]) - set(reasons)
    assert set() == set(content["sources"]) - set(read(CARDS / "sources.yaml"))
    assert set() == set(content["conflicts"]) - set(read(CARDS / "conflicts.yaml"))
    assert set() == sets - set(VALUE_SETS)


def test_a_warning_can_be_answered() -> None:
    """Every card that may warn offers reasons to override it."""
    silent = [
        identifier
        for identifier, content in RECOMMENDATIONS.items()
        if content["render"] == "card"
        and content["indicator"] in ("warning", "critical")
        and not content["override_reasons"]
    ]
    assert silent == []


def test_pinned_codes_mean_what_the_value_set_says() -> None:
    """An order we draft bears a code of its value set, and never a licensed CPT code."""
    strange = [
        (identifier, coding["code"])
        for identifier, _, name, coding in _pinned()
        if coding["system"] == CPT
        or not any(
            (row["system"], row["code"], LONG_NAMES.get(row["code"], row["display"]))
            == (coding["system"], coding["code"], coding["display"])
            for row in VALUE_SETS[name]
        )
    ]
    assert strange == []


def test_a_code_for_a_region_shows_that_region() -> None:
    """The MRI offered for the thoracic spine is a study of the thoracic spine."""
    regions = read(CARDS / "definitions" / "imaging_regions.yaml")
    strange = [
        (identifier, wanted, coding["code"])
        for identifier, content in RECOMMENDATIONS.items()
        for suggestion in content["suggestions"]
        for wanted, coding in suggestion.get("codes", {}).items()
        if coding["code"] not in regions[wanted][coding["system"]]
    ]
    assert strange == []


def test_a_drug_is_offered_with_a_complete_dose() -> None:
    """A drug order we draft has a dose, and is withheld while allergies are unread."""
    drugs = [
        suggestion
        for content in RECOMMENDATIONS.values()
        for suggestion in content["suggestions"]
        if suggestion["resource"] == "MedicationRequest" and suggestion["action"] != "delete"
    ]

    assert all("dosage" in drug for drug in drugs)
    rescue = [drug for drug in drugs if drug["value_set"] == "naloxone"]
    others = [drug for drug in drugs if drug not in rescue]
    assert all("allergies_unread" in drug["when_none"] for drug in others)


# Facts that are yes on the order hooks only.
ORDER_ONLY = {"hook_is_order", "no_topical_nsaid_28d_order_context"}


def test_only_a_draft_can_be_removed() -> None:
    """Removing or changing an order is offered on the order hooks only."""
    strange = [
        (identifier, suggestion["label"])
        for identifier, content in RECOMMENDATIONS.items()
        for suggestion in content["suggestions"]
        if suggestion["action"] != "create"
        and not ORDER_ONLY & set(suggestion.get("when_all", ()))
        and "patient-view" in content["hooks"]
    ]
    assert strange == []


def test_opioids_and_injections_are_never_proposed() -> None:
    """No suggestion creates an opioid, a benzodiazepine or an injection."""
    never = {"opioid", "tramadol", "benzodiazepine", "opioid-er-la", "tpi"}

    assert set() == never & {name for _, _, name, _ in _pinned()}


def test_where_sources_differ_the_card_says_so() -> None:
    """Each conflict has one line, short enough to be read."""
    lines = read(CARDS / "conflicts.yaml")
    used = {name for content in RECOMMENDATIONS.values() for name in content["conflicts"]}

    assert used == set(lines)
    assert all(line.startswith("Sources differ") and len(line) <= 220 for line in lines.values())
    assert [line for line in lines.values() if UNFIT.search(line) or FORBIDDEN.search(line)] == []


def test_a_source_has_the_name_and_year_a_card_shows() -> None:
    """The provenance line names the guideline and the year of the edition."""
    sources = read(CARDS / "sources.yaml")

    assert all(
        str(source["year"]) in source["name"] for source in sources.values() if "year" in source
    )


@pytest.mark.parametrize(
    "path", sorted((CARDS / "pathways").glob("*.yaml")), ids=lambda path: path.stem
)
def test_a_pathway_names_only_facts(path: Path) -> None:
    """A pathway fits its schema, is named for its file, and every criterion is a known fact."""
    pathway = read(path)
    schema = read(CARDS / "schemas" / "pathway.schema.json")
    named = {pathway["member"]} | {
        name for state in pathway["states"] for names in state["when"].values() for name in names
    }

    jsonschema.Draft202012Validator(schema).validate(pathway)
    assert path.stem == pathway["id"]
    assert set() == named - set(FACTS)


def test_value_sets_are_complete() -> None:
    """Every set a fact names has a file; each row is filled and stands once."""
    needed = {name for fact in FACTS.values() for name in fact.get("value_sets", [])}
    for name, rows in VALUE_SETS.items():
        assert len({(row["system"], row["code"]) for row in rows}) == len(rows), name
        for row in rows:
            filled = all(row[key] for key in ("system", "code", "display", "source"))
            assert filled, (name, row["code"])
            assert row["match"] == "exact" or (row["match"] == "prefix" and row["system"] == ICD)
            assert row["confidence"] in {"high", "medium", "low"}

    assert set() == needed - set(VALUE_SETS)


NEAR_MISSES = [
    ("low-back-pain", "M54.2", "neck pain"),
    ("back-pain-unspecified", "M54.81", "occipital neuralgia"),
    ("leg-weakness", "309537005 G57.30 G95.20", "not a motor deficit of the leg from the spine"),
    ("sickle-cell-disease", "D57.3", "sickle-cell trait"),
    ("malignant-neoplasm", "C44 C44.90 D04.9 D49.2", "skin, in situ or unspecified"),
    (
        "major-trauma",
        "S33.5XXA S23.3XXA S33.9XXA S23.8XXA W19.XXXA W01.0XXA W18.30XA",
        "sprains and unspecified falls",
    ),
    ("personal-history-of-cancer", "Z85.828", "skin cancer"),
    ("nsaid-oral", "1191", "aspirin"),
    ("urinary-incontinence-neurogenic", "N39.41 N39.46 N39.3", "urge and stress incontinence"),
    ("cauda-equina", "R33.9 R15.9 N39.46 G83.3", "symptoms, and another paralysis"),
    ("iv-drug-use", "F11.20 F19.20", "use disorder without injection"),
    ("spine-imaging", "72040 72125 72141 24935-9 24932-6", "the cervical spine"),
    ("chronic-pain", "G89.29 G89.4", "chronic pain of any place"),
    ("myofascial-pain", "24693007", "fibromyalgia"),
    ("palliative-care", "Z66", "do not resuscitate"),
    ("pregnancy", "O80 O03.9", "the end of a pregnancy"),
    ("spinal-infection", "M46.22", "the cervical spine"),
    ("radiculopathy-lbp", "M54.12", "the cervical spine"),
    ("acupuncture", "231107005", "acupressure"),
    ("tens", "G0283 97014", "other electrical stimulation"),
    ("multidisciplinary-rehab", "78429003", "physical rehabilitation alone"),
    ("exercise-therapy", "97140 97165", "manual therapy, occupational assessment"),
    ("fever", "R50.2", "drug-induced fever"),
]


@pytest.mark.parametrize(("name", "codes", "what"), NEAR_MISSES)
def test_a_lookalike_code_is_left_out(name: str, codes: str, what: str) -> None:
    """A code that looks alike but means something else is not in the set."""
    assert [code for code in codes.split() if _holds(name, code)] == [], what


@pytest.mark.parametrize(
    ("name", "codes", "what"),
    [
        ("low-back-pain", "M54.50 M5450 279039007", "low back pain"),
        ("cauda-equina", "G83.4", "cauda equina syndrome"),
        (
            "major-trauma",
            "S22.010A S32.010A V89.2XXA W13.0XXA",
            "fractures, crash, fall from height",
        ),
        ("fever", "R50.9 386661006", "fever"),
        ("radiculopathy-lbp", "M54.41 M54.31 M54.16 M54.17 M51.16", "lumbar radicular pain"),
        ("thoracic-back-pain", "M54.6", "thoracic back pain"),
        ("back-spasm", "M62.830", "muscle spasm of the back"),
        ("nsaid-oral", "198013 198014 197805", "oral NSAID products"),
        ("personal-history-of-cancer", "Z85.3", "history of breast cancer"),
        ("iv-drug-use-proxy", "F11.20", "opioid use disorder"),
        ("tens", "E0730", "TENS device"),
        ("dry-needling", "20560", "dry needling"),
        ("back-pain-any", "M54.50 M54.6 M54.41 M62.830 S33.5XXA", "back pain of every kind"),
        ("myelopathy", "G95.20", "cord compression"),
    ],
)
def test_a_code_that_must_count_counts(name: str, codes: str, what: str) -> None:
    """The codes a pathway or red flag stands on are in their sets."""
    assert [code for code in codes.split() if not _holds(name, code)] == [], what
