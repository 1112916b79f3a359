"""Reading recommendation files, and refusing what is wrong in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cards.brief import in_brief
from cards.content import (
    ContentError,
    Document,
    check_schema,
    read_schema,
    read_yaml,
)
from cards.criteria import Criteria
from cards.facts.vocabulary import Vocabulary, closure
from cards.recommendation import (
    DoseByIngredient,
    DraftedDose,
    DrugDose,
    Example,
    IndicatorRule,
    IngredientDose,
    InWords,
    Recommendation,
    SuggestionTemplate,
)
from cards.record import Coding, HookName

PINNED = "pinned"  # note of a row whose code is the one ordered
LONGEST_SUMMARY = 139
LEFT_OUT = "left_out_when_signed"
EXAMPLE_FACTS = ("present", "absent", "unknown")
FACT_LISTS = frozenset(
    {"all", "any", "none", "exclusions", "when_all", "when_none", "withheld_when", *EXAMPLE_FACTS}
)
HOOK_FACTS = frozenset({"hook_is_order", "hook_is_patient_view"})
NamedFact = tuple[tuple[str | int, ...], str]


@dataclass(frozen=True, slots=True)
class Shared:
    """Definitions that recommendations name."""

    vocabulary: Vocabulary
    exclusion_sets: Mapping[str, list[str]]
    set_rules: Mapping[str, Mapping[str, list[str]]]
    override_reasons: Mapping[str, str]
    sources: Iterable[str]
    conflicts: Mapping[str, str]
    value_sets: Mapping[str, tuple[Mapping[str, str], ...]]


def read_recommendations(root: Path, shared: Shared) -> Mapping[str, Recommendation]:
    """Every recommendation below ``root``, by id. Raises ContentError with file and line."""
    validator = read_schema(root / "schemas" / "recommendation.schema.json")
    recommendations = {}
    for path in sorted((root / "recommendations").glob("*.yaml")):
        document = read_yaml(path)
        check_schema(document, validator)
        _check_wording(document)
        _check_brief(document)
        _check_names(document, shared)
        for position, suggestion in enumerate(document.value.get("suggestions", ())):
            _check_codes(document, position, suggestion, shared)
        _check_examples(document, shared.vocabulary)
        recommendations[path.stem] = _recommendation(document.value, shared)
    if not recommendations:
        raise ContentError("recommendations/:1: no recommendation found")
    return recommendations


def _check_wording(document: Document) -> None:
    """What every card must say: a short summary, a detail, its limits and its sources."""
    content = document.value
    if content["id"] != document.path.stem:
        raise document.error(f"id is not the file's name {document.path.stem!r}", ("id",))
    if len(content["card"]["summary"]) > LONGEST_SUMMARY:
        raise document.error("summary has 140 characters or more", ("card", "summary"))
    for part in ("summary", "detail"):
        if not content["card"][part].strip():
            raise document.error(f"card has no {part}", ("card", part))
    if not content["limits"].strip():
        raise document.error("limits are not stated", ("limits",))
    if not content["sources"]:
        raise document.error("no source is cited", ("sources",))


def _check_brief(document: Document) -> None:
    """What is left out at signing stands in the detail, and leaves something to say."""
    card = document.value["card"]
    for position, sentence in enumerate(card.get(LEFT_OUT, ())):
        if card["detail"].count(sentence) != 1:
            raise document.error("stands not once in the detail", ("card", LEFT_OUT, position))
    if not in_brief(card["detail"], card.get(LEFT_OUT, ())):
        raise document.error("nothing would be left to say", ("card", LEFT_OUT))


def _check_names(document: Document, shared: Shared) -> None:
    """Every name stands for something: source, conflict, override reason, fact, exclusion set."""
    known: Mapping[str, Iterable[str]] = {
        "sources": shared.sources,
        "conflicts": shared.conflicts,
        "override_reasons": shared.override_reasons,
    }
    for part, names in known.items():
        for position, name in enumerate(document.value[part]):
            if name not in names:
                raise document.error(f"{part}: {name!r} is not known", (part, position))
    for name in document.value.get("not_found", {}):
        if name not in shared.vocabulary:
            raise document.error(f"{name!r} is not a fact", ("not_found", name))
    for place, name in _facts_named(document.value):
        is_set = place[0] == "exclusions" and name in shared.exclusion_sets
        if name not in shared.vocabulary and not is_set:
            raise document.error(f"{name!r} is not a fact", place)


def _check_codes(
    document: Document, position: int, suggestion: Mapping[str, Any], shared: Shared
) -> None:
    place = ("suggestions", position)
    name = suggestion.get("value_set")
    if name is not None and name not in shared.value_sets:
        raise document.error(f"value set {name!r} does not exist", (*place, "value_set"))
    rows = shared.value_sets.get(name or "", ())
    members = {(row["system"], row["code"]) for row in rows}
    for code in (*_codes(suggestion).values(), *_codes_by_ingredient(suggestion)):
        if (code.system, code.code) not in members:
            raise document.error(f"code {code.code} is not in {name}", place)


def _check_examples(document: Document, vocabulary: Vocabulary) -> None:
    """Some patient gets the card, some does not, and an example speaks for every trigger fact.

    An example of a fact speaks for the stronger ones that imply it.
    """
    examples = document.value["examples"]
    if not {"shown", "withheld"} <= {example["expect"] for example in examples}:
        raise document.error("needs a shown and a withheld example", ("examples",))
    named = {name for e in examples for part in EXAMPLE_FACTS for name in e.get(part, ())}
    told = _with_implied(named, vocabulary)
    for place, name in _facts_named(document.value):
        judged = place[0] in ("trigger", "indicator_rules")
        if judged and not _spoken_for(name, vocabulary) & (told | HOOK_FACTS):
            raise document.error(f"no example tells {name!r}", place)


def _spoken_for(name: str, vocabulary: Vocabulary) -> frozenset[str]:
    return closure((name,), vocabulary) | _with_implied((name,), vocabulary)


def _with_implied(told: Iterable[str], vocabulary: Vocabulary) -> frozenset[str]:
    """These facts and every fact that is yes with one of them."""
    waiting, found = list(told), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            definition = vocabulary[name]
            waiting += definition.implies + definition.implies_on_patient_view
    return frozenset(found)


def _facts_named(content: Any, place: tuple[str | int, ...] = ()) -> Iterable[NamedFact]:
    """Every fact a recommendation names, with its place in the file."""
    for part, entry in content.items() if isinstance(content, dict) else enumerate(content):
        here = (*place, part)
        if isinstance(entry, str):
            if part == "fact" or (place and place[-1] in FACT_LISTS):
                yield here, entry
        elif isinstance(entry, dict | list):
            yield from _facts_named(entry, here)


def _recommendation(content: Mapping[str, Any], shared: Shared) -> Recommendation:
    trigger = content["trigger"]
    exclusions = [
        name
        for entry in content["exclusions"]
        for name in shared.exclusion_sets.get(entry, [entry])
    ]
    barred = [
        name
        for entry in content["exclusions"]
        for name in shared.set_rules.get(entry, {}).get("critical_only_when", ())
    ]
    hooks: tuple[HookName, ...] = tuple(content["hooks"])
    return Recommendation(
        id=content["id"],
        title=content["title"],
        kind=content["kind"],
        render=content["render"],
        hooks=hooks,
        pathways=tuple(content["pathways"]),
        indicator=content["indicator"],
        indicator_rules=tuple(
            IndicatorRule(rule["fact"], rule["indicator"], rule.get("grade"))
            for rule in content.get("indicator_rules", ())
        ),
        patient_view_max=content.get("patient_view_max"),
        priority=content["priority"],
        merge_group=content.get("merge_group"),
        trigger=Criteria(
            tuple(trigger.get("all", ())),
            tuple(trigger.get("any", ())),
            tuple(trigger.get("none", ())),
        ),
        exclusions=tuple(dict.fromkeys(exclusions)),
        critical_only_when=tuple(barred),
        summary=content["card"]["summary"].strip(),
        detail=content["card"]["detail"].strip(),
        brief=in_brief(content["card"]["detail"], content["card"].get(LEFT_OUT, ())),
        limits=content["limits"].strip(),
        not_found=content.get("not_found", {}),
        suggestions=tuple(_suggestion(each, shared) for each in content.get("suggestions", ())),
        override_reasons=tuple(content["override_reasons"]),
        sources=tuple(content["sources"]),
        conflicts=tuple(content["conflicts"]),
        examples=tuple(_example(entry, hooks) for entry in content["examples"]),
        in_words=_in_words(content),
    )


def _in_words(content: Mapping[str, Any]) -> InWords:
    return InWords(
        population=content["population"].strip(),
        phases=tuple(content["phases"]),
        missing_data=content["missing_data"].strip(),
        indicator_reason=content.get("indicator_reason", "").strip(),
        evidence_strength=content.get("evidence_strength", "").strip(),
    )


def _suggestion(entry: Mapping[str, Any], shared: Shared) -> SuggestionTemplate:
    dosage = entry.get("dosage")
    return SuggestionTemplate(
        label=entry["label"],
        action=entry["action"],
        resource=entry["resource"],
        codes=_codes(entry) or _pinned_in_set(entry, shared),
        value_set=entry.get("value_set"),
        priority=entry.get("priority"),
        note=entry.get("note"),
        text=entry.get("text"),
        dosage=_dose(dosage) if dosage else None,
        when_all=tuple(entry.get("when_all", ())),
        when_none=(*entry.get("when_none", ()), *entry.get("withheld_when", ())),
    )


def _codes(entry: Mapping[str, Any]) -> Mapping[str, Coding]:
    pinned = dict(entry.get("codes", {}))
    if "code" in entry:
        pinned["any"] = entry["code"]
    return {region: _coding(code) for region, code in pinned.items()}


def _pinned_in_set(suggestion: Mapping[str, Any], shared: Shared) -> Mapping[str, Coding]:
    """The code a value set marks for orders, where it may be removed (CPT); none when it was."""
    rows = shared.value_sets.get(suggestion.get("value_set") or "", ())
    marked = [_coding(row) for row in rows if row["note"] == PINNED]
    return {"any": marked[0]} if marked else {}


def _coding(code: Mapping[str, Any]) -> Coding:
    return Coding(code["system"], str(code["code"]), code["display"])


def _codes_by_ingredient(entry: Mapping[str, Any]) -> list[Coding]:
    return [_coding(one["code"]) for one in entry.get("dosage", {}).get("by_ingredient", ())]


def _dose(entry: Mapping[str, Any]) -> DrugDose | DraftedDose | DoseByIngredient:
    if entry.get("as_drafted"):
        return DraftedDose(entry["text"], entry["days"], entry["refills"])
    if "by_ingredient" in entry:
        return DoseByIngredient(tuple(map(_ingredient_dose, entry["by_ingredient"])))
    return _drug_dose(entry)


def _ingredient_dose(entry: Mapping[str, Any]) -> IngredientDose:
    return IngredientDose(
        str(entry["ingredient"]), _coding(entry["code"]), _drug_dose(entry["dosage"])
    )


def _drug_dose(entry: Mapping[str, Any]) -> DrugDose:
    return DrugDose(
        text=entry["text"],
        value=entry["dose"],
        unit=entry["unit"],
        frequency=entry.get("frequency"),
        period=entry.get("period"),
        period_unit=entry.get("period_unit"),
        route=_coding(entry["route"]) if "route" in entry else None,
        as_needed=entry.get("as_needed", False) or "as_needed_for" in entry,
        as_needed_for=entry.get("as_needed_for"),
        days=entry.get("days"),
        period_max=entry.get("period_max"),
        most_per_day=entry.get("most_per_day"),
        hours_on=entry.get("hours_on"),
        event=entry.get("event"),
        refills=entry.get("refills"),
        supply_days=entry.get("supply_days"),
        as_long_as_draft_up_to=entry.get("as_long_as_draft_up_to"),
        then=tuple(_drug_dose(step) for step in entry.get("then", ())),
    )


def _example(entry: Mapping[str, Any], hooks: tuple[HookName, ...]) -> Example:
    present = frozenset(entry.get("present", ()))
    return Example(
        case=entry["case"],
        hook=entry.get("hook") or _example_hook(present, hooks),
        present=present,
        absent=frozenset(entry.get("absent", ())),
        unknown=frozenset(entry.get("unknown", ())),
        expect=entry["expect"],
        indicator=entry.get("indicator"),
    )


def _example_hook(present: frozenset[str], hooks: tuple[HookName, ...]) -> HookName:
    """An example with an order is on an order hook; else on the first hook it can be on."""
    about_order = {"hook_is_order", "conditions_unread_on_order"}
    order = any(n.startswith(("draft_", "order_")) or n in about_order for n in present)
    return "order-select" if order or "patient-view" not in hooks else "patient-view"
