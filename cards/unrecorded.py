"""What a card on an NSAID says is not on record: kidney function, and pregnancy.

Neither is assumed. Pregnancy is asked for at ages and sexes that leave it open (safety.md, H-15).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cards.answer import Answer, ChartEntry
from cards.case import Case
from cards.facts.kidney import BANDS, egfr, newest_egfr, staged
from cards.facts.person import age_range
from cards.facts.pregnancy import pregnant
from cards.recommend import Applied
from cards.recommendation import Recommendation

EGFR = "eGFR"
GROUP = "nsaid-safety"
YOUNGEST, OLDEST = 12, 55
SEXES = (None, "female", "unknown")


def says_what_is_unrecorded(recommendation: Recommendation) -> bool:
    """Whether its card says so: those on the dangers of an NSAID."""
    return recommendation.merge_group == GROUP


def unsaid(missing: Iterable[ChartEntry], members: Iterable[Applied]) -> tuple[ChartEntry, ...]:
    """What is missing, but for an eGFR that a member of the card misses in words of its own."""
    said = [entry.display for member in members for entry in member.because if not entry.reference]
    misses_egfr = any(EGFR in words for words in said)
    return tuple(e for e in missing if not (misses_egfr and EGFR in e.display))


def unrecorded(case: Case) -> tuple[ChartEntry, ...]:
    """What was looked for and is not on record; nothing of what was not read to the end."""
    return tuple(ChartEntry("", words) for words in _missing(case))


def _missing(case: Case) -> Iterator[str]:
    if not case.record.read("conditions", "observations"):
        return
    newest = newest_egfr(case)
    coded = any(staged(case, band.stage) for band in BANDS.values())
    if not coded and (newest is None or egfr(newest) is None):
        yield f"kidney function ({EGFR})"
    if _may_be_pregnant(case) and pregnant(case).answer is Answer.UNKNOWN:
        yield "pregnancy status"


def _may_be_pregnant(case: Case) -> bool:
    """Whether sex and age, as far as they are recorded, leave a pregnancy open."""
    patient = case.record.patient
    ages = age_range(patient.birth, case.today)
    open_by_age = ages is None or (ages[0] <= OLDEST and ages[1] >= YOUNGEST)
    return patient.sex in SEXES and open_by_age
