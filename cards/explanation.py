"""Why each recommendation was shown or not: for people who check the service, and for tests."""

from __future__ import annotations

from typing import Any

from cards.advise import Advice
from cards.answer import Finding
from cards.library import Library
from cards.pathway import RED_FLAG_STATE, RESOLVED_STATE, Pathway, Place
from cards.recommend import Verdict

JSON = dict[str, Any]
# What became of a recommendation, in the four words of the explanation, and as what it was shown.
TOLD = {
    "shown": ("shown", "card"),
    "merged": ("shown", "merged"),
    "row": ("shown", "row"),
    "text": ("shown", "text"),
    "withheld": ("withheld", None),
    "unknown": ("withheld", None),
    "suppressed": ("suppressed", None),
    "capped": ("capped", None),
    "failed": ("failed", None),
}
TITLES = {RED_FLAG_STATE: "Red flag open", RESOLVED_STATE: "Resolved"}


def explain(advice: Advice, library: Library) -> JSON:
    """Each pathway with its state, and each recommendation with the facts that decided.

    A recommendation is ``shown`` (as card, merged into another card, row or text of one),
    ``withheld`` (criteria not met; ``undecided`` when only not known to be), ``suppressed`` (by
    an exclusion; without facts: the draft is a suggestion of this service), ``capped`` (by the
    number of cards), or ``failed``. A fact bears the chart entries behind it.
    """
    return {
        "contentVersion": library.content_version,
        "phase": advice.phase,
        "pathways": [_place(place, library) for place in advice.places],
        "recommendations": [_recommendation(verdict, library) for verdict in advice.verdicts],
    }


def _place(place: Place, library: Library) -> JSON:
    pathway = next(p for p in library.pathways if p.id == place.pathway)
    told = {
        "pathway": place.pathway,
        "title": pathway.title,
        "state": place.state,
        "stateTitle": state_title(pathway, place.state),
    }
    return {name: value for name, value in told.items() if value}


def state_title(pathway: Pathway, state: str | None) -> str:
    """What a state is called on this pathway; empty when none is certain."""
    titles = TITLES | {one.id: one.title for one in pathway.states}
    return titles.get(state or "", "")


def _recommendation(verdict: Verdict, library: Library) -> JSON:
    outcome, shown_as = TOLD[verdict.outcome]
    told = {
        "recommendation": verdict.id,
        "title": library.recommendations[verdict.id].title,
        "outcome": outcome,
        "as": shown_as,
        "undecided": verdict.outcome == "unknown",
        "indicator": verdict.indicator,
        "draft": verdict.draft,
        "facts": [_fact(name, found, library) for name, found in verdict.deciding],
    }
    return {name: value for name, value in told.items() if value}


def _fact(name: str, found: Finding, library: Library) -> JSON:
    references = [entry.reference for entry in found.because if entry.reference]
    told: JSON = {
        "fact": name,
        "question": library.vocabulary[name].ask,
        "answer": found.answer.value,
    }
    return told | ({"because": list(dict.fromkeys(references))} if references else {})


def in_words(explanation: JSON) -> str:
    """The same explanation as lines of text."""
    lines = [f"phase: {explanation['phase']}"]
    for place in explanation["pathways"]:
        title = f" ({place['stateTitle']})" if "stateTitle" in place else ""
        lines.append(f"pathway {place['pathway']}: {place.get('state', 'not certain')}{title}")
    for told in explanation["recommendations"]:
        lines.append(_heading(told))
        for found in told.get("facts", ()):
            because = f"  [{', '.join(found['because'])}]" if "because" in found else ""
            lines.append(f"    {found['fact']}: {found['answer']}{because}")
    return "\n".join(lines)


def _heading(told: JSON) -> str:
    draft = f" [{told['draft']}]" if "draft" in told else ""
    details = ["not known"] if "undecided" in told else []
    details += [told[name] for name in ("as", "indicator") if name in told]
    return f"{told['recommendation']}{draft}: {told['outcome']}" + (
        f" ({', '.join(details)})" if details else ""
    )
