"""Re-express the guideline package as the content files of ``cards``.

Run ``python -m tests.import_package [PACKAGE_DIR]``; without an argument the package is looked for
in ``BACKPATH_PACKAGE``, else beside the repository in ``shared/guideline``. Logic comes from the
package; wording, limits, pinned codes and doses are ours and kept from the files already there.
"""

from __future__ import annotations

import csv
import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from cards.definition_files import STATEMENT_COLUMNS
from tests.content_yaml import dump, read

JSON = dict[str, Any]
Row = dict[str, str]

ROOT = Path(__file__).resolve().parent.parent
CPT = "http://www.ama-assn.org/go/cpt"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
COLUMNS = ("system", "code", "display", "match", "note", "confidence", "source")
CPT_COLUMNS = ("value_set", *COLUMNS)
DIGESTS = {
    "S0": "digest on chronic myofascial back pain",
    "S1": "digest on chronic back pain with spasm",
    "S2": "digest on mid-back pain",
    "S3": "digest on trigger points of the back",
    "S4": "digest on chronic back pain",
}
PINNED_CPT = frozenset({("follow-up-visit", "99213")})
IMAGING_SET = "spine-imaging"
CT_SET = "spine-ct"
ENGINE_NEEDS = frozenset({"age_unknown"})  # no drug is proposed while the age is not known

# Doses that also count what is taken beside the draft, as the term daily_dose says; the package
# lets these facts read the draft alone.
TAKEN_BESIDE = frozenset(
    {
        "cyclobenzaprine_over_30mg",
        "ibuprofen_over_2400",
        "ibuprofen_over_3200",
        "naproxen_over_1000",
        "naproxen_over_1500",
        "tramadol_over_300",
        "tramadol_over_liver_limit",
        "tramadol_over_max",
        "tramadol_over_renal_limit",
    }
)

CARRIED = (
    "rf-cauda-equina",
    "rf-progressive-neurologic-deficit",
    "rf-suspected-infection",
    "rf-malignancy-history-of-cancer",
    "rf-malignancy-unexplained-weight-loss",
    "rf-malignancy-age-over-50-new-onset",
    "rf-significant-trauma",
    "rf-fracture-risk",
    "red-flag-assessment-prompt",
    "imaging-routine-avoid",
    "imaging-indicated",
    "tens-chronic-avoid",
    "tens-acute-mid-back-adjunct",
    "passive-modality-overreliance",
    "nonpharm-first-line-not-started",
    "opioid-acute-msk-avoid",
    "opioid-last-resort-prerequisites",
    "bed-rest-avoid",
    "phase-unknown-ask-onset",
    "provenance-disclaimer",
    "exercise-therapy-first-line",
    "motor-control-exercise",
    "superficial-heat",
    "massage-therapy",
    "trigger-point-manual-techniques",
    "spinal-manipulation",
    "acupuncture",
    "dry-needling",
    "acupressure",
    "cbt",
    "mbsr",
    "progressive-relaxation",
    "yoga",
    "tai-chi",
    "self-care-education",
    "stay-active-advice",
    "exercise-intensify-persistent",
    "spinal-manipulation-contraindicated",
    "traction-avoid",
    "therapeutic-ultrasound-avoid",
    "lumbar-support-avoid",
    "spinal-injection-avoid",
    "surgery-referral-avoid",
    "glucosamine-chondroitin-avoid",
    "trigger-point-assessment",
    "trigger-point-injection-persistent",
    "trigger-point-injection-caution",
    "trigger-point-injection-technique",
    "corticosteroid-trigger-point-injection",
    "botulinum-toxin-trigger-point",
    "low-level-laser-therapy",
    "psychosocial-assessment-after-4-weeks",
    "reassess-2-to-4-weeks",
    "pain-baseline-missing",
    "evaluate-alternative-cause",
    "multidisciplinary-rehabilitation",
    "specialist-referral-after-3-months",
    "prognosis-reassurance-acute",
    "realistic-expectations",
    "continue-nonpharm-with-drugs",
    "drug-before-nonpharmacologic",
    "topical-nsaid-first-acute-mid-back",
    "topical-analgesic-trigger-point",
    "oral-nsaid-after-topical",
    "oral-nsaid-first-line-chronic",
    "acetaminophen-alternative",
    "cyclobenzaprine-short-course",
    "duloxetine-second-line",
    "tca-third-line",
    "tramadol-second-line",
    "cyclobenzaprine-duration-exceeds-3-weeks",
    "opioid-benzodiazepine-cns",
    "nsaid-anticoagulant",
    "cyclobenzaprine-hepatic-impairment",
    "nsaid-dose-duration",
    "nsaid-gi-bleed-contraindication",
    "nsaid-gi-risk-gastroprotection",
    "nsaid-ckd",
    "nsaid-cardiovascular-risk",
    "nsaid-pregnancy",
    "nsaid-older-adult",
    "nsaid-hypersensitivity",
    "nsaid-duplicate",
    "nsaid-kidney-interaction",
    "acetaminophen-max-dose",
    "acetaminophen-monotherapy-chronic-avoid",
    "muscle-relaxant-chronic-avoid",
    "cyclobenzaprine-dose",
    "cyclobenzaprine-contraindicated",
    "cyclobenzaprine-older-adult",
    "cyclobenzaprine-serotonergic-cns",
    "cyclobenzaprine-spasticity-not-indicated",
    "duloxetine-dose",
    "duloxetine-contraindicated",
    "serotonergic-combination",
    "duloxetine-bleeding",
    "antidepressant-nonneuropathic-avoid",
    "tca-dosing-bedtime",
    "tca-contraindicated",
    "tramadol-contraindicated",
    "tramadol-dose",
    "opioid-risk-benefit-discussion",
    "opioid-sud-screening",
    "opioid-mme-50",
    "opioid-mme-90",
    "opioid-naloxone-offer",
    "opioid-oud-history",
    "opioid-er-la-initiation",
    "opioid-existing-therapy-review",
    "systemic-corticosteroid-avoid",
    "benzodiazepine-back-pain-avoid",
)

PARTS = ("all_of", "any_of", "none_of", "unless")
FACT_MEMBERS = (
    *("ask", "scope", "from", "value_sets", "window", "yes", "no", "unknown"),
    *PARTS,
    *("implies", "implies_on_patient_view"),
)
AUTHORED_IN_SUGGESTION = ("code", "codes", "priority", "note", "text", "dosage", "withheld_when")


def package_directory(arguments: list[str]) -> Path:
    """The package named on the command line, by the environment, or beside the repository."""
    if arguments:
        return Path(arguments[0])
    return Path(os.environ.get("BACKPATH_PACKAGE") or ROOT.parent / "shared" / "guideline")


def import_package(package: Path, content: Path, identifiers: Iterable[str] = CARRIED) -> None:
    """Write the content files for these recommendations into ``content``.

    Args:
        package: directory of the guideline package.
        content: the ``cards`` directory; what it says already is kept where it is ours.
        identifiers: recommendations to carry, in the order cited for readers.

    Raises:
        KeyError: the package has no recommendation of that id.
    """
    rules = read(package / "recommendations.yaml")
    vocabulary = read(package / "facts.yaml")
    sources = read(package / "sources.yaml")["sources"]
    by_id = {entry["id"]: entry for entry in rules["recommendations"]}
    chosen = [by_id[identifier] for identifier in identifiers]
    definitions = _definitions(rules["definitions"], chosen)
    facts = closure(chosen, definitions, vocabulary["facts"])
    sets = _used_sets(chosen, facts)
    rows = {name: _rows(package / "value_sets" / f"{name}.csv") for name in sets}
    if IMAGING_SET in rows:
        rows[CT_SET] = [row for row in rows[IMAGING_SET] if _is_tomography(row)]

    _write_value_sets(content / "value_sets", rows)
    folder = content / "definitions"
    dump(folder / "facts.yaml", facts)
    definitions["exclusive"] = [
        kept
        for group in vocabulary["exclusive"]
        if len(kept := [name for name in group if name in facts]) > 1
    ]
    for name, value in definitions.items():
        dump(folder / f"{name}.yaml", value)
    if IMAGING_SET in rows:
        licensed = [row for row in rows[IMAGING_SET] if row["system"] == CPT]
        free = [row for row in rows[IMAGING_SET] if row["system"] != CPT]
        dump(folder / "imaging_regions.yaml", imaging_regions(free))
        dump(folder / "imaging_regions_cpt.yaml", imaging_regions(licensed))
    cited = sorted({name for entry in chosen for name in entry["primary_sources"]})
    _write_sources(content / "sources.yaml", {name: sources[name] for name in cited})
    _write_conflicts(content / "conflicts.yaml", chosen)
    _write_statements(content / "statements.csv", package / "statements.csv")
    dump(folder / "next_step_examples.yaml", _next_step_examples(rules["definitions"], facts))
    for entry in chosen:
        path = content / "recommendations" / f"{entry['id']}.yaml"
        known = read(path) if path.exists() else {}
        told = recommendation(entry, known, rows, facts, vocabulary["facts"])
        dump(path, told, schema="../schemas/recommendation.schema.json")


def _definitions(definitions: JSON, chosen: list[JSON]) -> JSON:
    """The definitions these recommendations need, naming nothing that is not carried."""
    ids = {entry["id"] for entry in chosen}
    named = {name for entry in chosen for name in entry["exclusions"]}
    sets = {name: v for name, v in definitions["exclusion_sets"].items() if name in named}
    options = [
        {**option, "rows": rows}
        for option in definitions["option_sets"]
        if (rows := [name for name in option["rows"] if name in ids])
    ]
    steps = [
        {**step, "order": order}
        for step in definitions["next_step_order"]
        if (order := [name for name in step["order"] if name in ids])
    ]
    return {
        "exclusion_sets": sets,
        "set_rules": {name: v for name, v in definitions["set_rules"].items() if name in sets},
        "option_sets": options,
        "next_step_order": steps,
        "override_reasons": dict(sorted(definitions["override_reasons"].items())),
    }


def _next_step_examples(definitions: JSON, facts: Mapping[str, JSON]) -> list[JSON]:
    """Example patients of the next-step card, as far as every fact they name is carried."""
    given = definitions.get("next_step_examples", [])
    return [example for example in given if set(example["present"]) <= set(facts)]


def closure(chosen: list[JSON], definitions: JSON, facts: Mapping[str, JSON]) -> dict[str, JSON]:
    """Every fact these recommendations need, in the order of the package.

    What a fact implies is kept only where the implied fact is carried as well.
    """
    waiting = list(ENGINE_NEEDS & set(facts))
    waiting += [name for option in definitions["option_sets"] for name in option["when"]]
    waiting += [step["when"] for step in definitions["next_step_order"]]
    for rule in definitions["set_rules"].values():
        waiting += rule["critical_only_when"]
    for entry in chosen:
        waiting += [name for names in entry["trigger"].values() for name in names]
        waiting += [rule["fact"] for rule in entry.get("indicator_rules", [])]
        for name in entry["exclusions"]:
            waiting += definitions["exclusion_sets"].get(name, [name])
        for suggestion in entry["suggestions"]:
            waiting += suggestion.get("when_all", []) + suggestion.get("when_none", [])
    needed: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += [part for key in PARTS for part in facts[name].get(key, [])]
    return {name: _fact(name, facts[name], needed) for name in facts if name in needed}


def _fact(name: str, fact: JSON, needed: set[str]) -> JSON:
    told = {key: fact[key] for key in FACT_MEMBERS if fact.get(key)}
    if name in TAKEN_BESIDE:
        told["from"] = list(dict.fromkeys((*fact["from"], "medications")))
    for key in ("implies", "implies_on_patient_view"):
        kept = [implied for implied in fact.get(key, []) if implied in needed]
        told.pop(key, None)
        if kept:
            told[key] = kept
    for key in ("yes", "no", "unknown"):
        if key in told:
            told[key] = re.sub(r" ?\(pathways\.md section [\d.]+\)", "", told[key])
    return told


def _used_sets(chosen: list[JSON], facts: Mapping[str, JSON]) -> list[str]:
    used = {name for fact in facts.values() for name in fact.get("value_sets", [])}
    for entry in chosen:
        for suggestion in entry["suggestions"]:
            used |= {suggestion["action"].get("code_from")} - {None}
    return sorted(used)


def _rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return sorted(csv.DictReader(file), key=lambda row: (row["system"], row["code"]))


def _write_value_sets(folder: Path, rows: Mapping[str, list[Row]]) -> None:
    """One file for each set, CPT rows of all of them in one removable file of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.csv"):
        if path.stem not in rows:
            path.unlink()
    licensed: list[Row] = []
    for name, members in rows.items():
        _write_csv(folder / f"{name}.csv", COLUMNS, [r for r in members if r["system"] != CPT])
        licensed += [_licensed(name, row) for row in members if row["system"] == CPT]
    _write_csv(folder / "cpt.csv", CPT_COLUMNS, licensed)


def _licensed(name: str, row: Row) -> Row:
    """A row of the CPT file; it marks the code an order is made of where a set has no other."""
    note = "pinned" if (name, row["code"]) in PINNED_CPT else row["note"]
    return {"value_set": name, **row, "note": note}


def _write_csv(path: Path, columns: tuple[str, ...], rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _is_tomography(row: Row) -> bool:
    """Whether an imaging code is a CT; work-up by "MRI or CT" asks, and no set of theirs tells."""
    return row["display"].startswith("CT ")


def imaging_regions(rows: list[Row]) -> dict[str, dict[str, list[str]]]:
    """Spine region → code system → imaging codes, read from the displays."""
    regions: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        name = region(row)
        if name:
            regions.setdefault(name, {}).setdefault(row["system"], []).append(row["code"])
    return dict(sorted(regions.items()))


def region(row: Row) -> str | None:
    """The spine region an imaging code shows; None when it is not about a part of the spine.

    Lumbosacral studies count as lumbar: a lumbar spine study covers the lumbosacral junction.
    ``whole`` is also a study that names no part of the spine.
    """
    display = row["display"].lower()
    thoracic, lumbar = "thoracic" in display, "lumb" in display
    if "thoracolumbar" in display or (thoracic and lumbar):
        return "thoracolumbar"
    if lumbar:
        return "lumbar"
    if thoracic:
        return "thoracic"
    if "sacr" in display:
        return "sacrococcygeal" if "coccy" in display else "sacral"
    return "whole" if "spine" in display else None


def _write_sources(path: Path, cited: Mapping[str, JSON]) -> None:
    """Citations; the short ``name`` a card shows and the ``url`` are ours."""
    known = read(path) if path.exists() else {}
    told = {}
    for name, source in cited.items():
        years = re.findall(r"\b(?:19|20)\d\d\b", source["cite"])
        ours = {key: known[name][key] for key in ("name", "url") if known.get(name, {}).get(key)}
        entry: JSON = {"name": ours.get("name", name), "title": source["cite"]}
        if years:
            entry["year"] = int(_year(name, years))
        if "url" in ours:
            entry["url"] = ours["url"]
        told[name] = entry | {key: source[key] for key in ("checked", "facts") if key in source}
    dump(path, told)


def _year(name: str, years: list[str]) -> str:
    """The year of the edition: the one the package names the source by, else the newest."""
    return next((year for year in years if name.endswith(year)), max(years))


def _write_conflicts(path: Path, chosen: list[JSON]) -> None:
    known = read(path) if path.exists() else {}
    named = sorted({name for entry in chosen for name in entry["conflict_refs"]})
    dump(path, {name: known.get(name, "") for name in named})


def _write_statements(path: Path, package_file: Path) -> None:
    """The sentences of the digests, each with why it can be computed or not, and its home."""
    with package_file.open(encoding="utf-8", newline="") as file:
        given = list(csv.DictReader(file))
    rows = []
    for row in given:
        computable, _, why = row["computable"].partition(":")
        rows.append(
            {
                "statement": row["id"],
                "source": DIGESTS[row["id"].partition("-")[0]],
                "section": row["section"],
                "text": row["statement"],
                "computable": computable.strip(),
                "why": why.strip(),
                "recommendations": row["maps_to"].replace(";", " "),
            }
        )
    _write_csv(path, STATEMENT_COLUMNS, rows)


def recommendation(
    entry: JSON,
    known: JSON,
    rows: Mapping[str, list[Row]],
    facts: Mapping[str, JSON],
    all_facts: Mapping[str, JSON],
) -> JSON:
    """One recommendation in our form: logic of the package, wording of the file already there."""
    card = known.get("card", {})
    suggestions = {each["label"]: each for each in known.get("suggestions", [])}
    optional = ("indicator_rules", "patient_view_max")
    told: JSON = {
        **{key: entry[key] for key in ("id", "title", "kind")},
        "render": _render(entry["render"]),
        "card": {
            "summary": card.get("summary") or entry["card"]["summary"],
            "detail": card.get("detail", ""),
            "must_say": entry["card"].get("detail_must_say", []),
            **{key: card[key] for key in ("left_out_when_signed",) if key in card},
        },
        "limits": known.get("limits", ""),
        **({"not_found": known["not_found"]} if known.get("not_found") else {}),
        **{key: entry[key] for key in ("population", "hooks", "pathways", "phases")},
        **{key: entry[key] for key in ("trigger", "exclusions", "missing_data")},
        **{key: entry[key] for key in ("indicator", "indicator_reason")},
        **{key: entry[key] for key in optional if key in entry},
        "priority": entry["priority"],
        **({"merge_group": entry["merge_group"]} if entry.get("merge_group") else {}),
        "suggestions": [
            _suggestion(each, suggestions.get(each["label"], {}), rows)
            for each in entry["suggestions"]
        ],
        **({"option_rows": True} if entry.get("suggestion_rows") == "option_sets" else {}),
        "override_reasons": entry["override_reasons"],
        "sources": entry["primary_sources"],
        "evidence_strength": entry["evidence_strength"],
        "conflicts": entry["conflict_refs"],
        "statements": entry["source_statements"],
        **({"notes": entry["notes"]} if entry.get("notes") else {}),
        "examples": [_example(each, facts, all_facts) for each in entry["examples"]],
    }
    return told


def _render(words: str) -> str:
    if words == "card":
        return "card"
    return "row" if words.startswith("suggestion row") else "text"


def _suggestion(suggestion: JSON, known: JSON, rows: Mapping[str, list[Row]]) -> JSON:
    action = suggestion["action"]
    told: JSON = {
        "label": suggestion["label"],
        "action": action["type"],
        "resource": action["resource"],
        "content": action["content"],
    }
    if action.get("code_from"):
        told["value_set"] = action["code_from"]
    if action.get("code") and not action["code"].startswith(("no code", "same as")):
        told["code"] = _coding(action["code"], rows[action["code_from"]])
    told |= {key: known[key] for key in AUTHORED_IN_SUGGESTION if key in known}
    told |= {key: suggestion[key] for key in ("when_all", "when_none") if key in suggestion}
    return told


def _coding(code: str, rows: list[Row]) -> JSON:
    row = next(row for row in rows if row["code"] == code and row["system"] == RXNORM)
    return {key: row[key] for key in ("system", "code", "display")}


def _example(example: JSON, facts: Mapping[str, JSON], all_facts: Mapping[str, JSON]) -> JSON:
    """The example patient; a fact not carried here is told by what it implies."""
    told = dict(example)
    for key in ("present", "absent", "unknown"):
        if key in told:
            names = [
                each
                for name in told[key]
                for each in ([name] if name in facts else _implied(name, facts, all_facts))
            ]
            told[key] = list(dict.fromkeys(names))
    order = ("case", "hook", "present", "absent", "unknown", "expect", "indicator")
    return {key: told[key] for key in order if told.get(key)}


def _implied(name: str, facts: Mapping[str, JSON], all_facts: Mapping[str, JSON]) -> Iterable[str]:
    for implied in all_facts[name].get("implies", []):
        if implied in facts:
            yield implied
        else:
            yield from _implied(implied, facts, all_facts)


if __name__ == "__main__":
    try:
        import_package(package_directory(sys.argv[1:]), ROOT / "cards")
    except (OSError, KeyError, yaml.YAMLError) as error:
        sys.exit(f"The package could not be imported: {error}")
