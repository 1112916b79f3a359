"""Work-up: what closes a red flag.

A work-up counts only when dated after the flag: after the newest entry that raised it, and after
the onset or flare of the pain. A date that may lie on either side leaves the flag open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from cards.answer import NO, UNKNOWN, Answer, Finding, all_of, any_of, yes
from cards.case import Case, fact, once_a_call
from cards.facts.entries import (
    FINISHED,
    absence,
    active_conditions,
    belongs,
    dated,
    days_ago,
    for_back_pain,
    history_conditions,
    is_active,
    last_day,
    procedures,
    reasons,
    within,
)
from cards.facts.fracture import (
    INJURY_DAYS,
    VERTEBRAL_FRACTURE_DAYS,
    falls,
    major_injuries,
)
from cards.facts.infection import (
    CODED_FEVER_DAYS,
    PORT_OF_ENTRY_DAYS,
    SPINAL_INFECTION_DAYS,
    coded_fevers,
    measured_fevers,
)
from cards.facts.pain import episode
from cards.facts.red_flag_signs import (
    CES_DIAGNOSIS_DAYS,
    DEFICITS,
    LATE_DEFICIT_DAYS,
    SYMPTOM_DAYS,
    deficits,
    saddle_findings,
    sphincter_symptoms,
)
from cards.facts.weight import CODED_LOSS_DAYS, weight_fall
from cards.record import Concept, Condition, DiagnosticReport, Observation, Procedure

KEYS = ("procedures", "diagnosticReports", "observations", "conditions")
CROSS_SECTIONAL = ("spine-mri", "spine-ct")
ANY_IMAGING = ("spine-imaging", *CROSS_SECTIONAL)
BLOOD_TESTS = ("crp", "esr", "blood-culture")
NEEDS_REASON = "needs back-pain reason"  # note of studies not of the spine alone
INFECTION_RISKS = ("iv-drug-use", "immunosuppression", "bacteraemia-endocarditis")
CANCERS = ("malignant-neoplasm", "personal-history-of-cancer")
FRAGILITY = ("osteoporosis-fracture-risk", "long-term-steroid")

Flag = Sequence[Condition | Observation | Procedure]
Study = Procedure | DiagnosticReport | Observation


@fact
@once_a_call
def ces_workup_done(case: Case) -> Finding:
    """Suspected cauda equina syndrome was imaged, refuted or has resolved."""
    flag = (
        *_in_window(case, history_conditions(case, "cauda-equina", suspected=True),
                    CES_DIAGNOSIS_DAYS),
        *_in_window(case, saddle_findings(case), SYMPTOM_DAYS),
        *_in_window(case, sphincter_symptoms(case), SYMPTOM_DAYS),
    )  # fmt: skip
    return _closed(
        case,
        _studied(case, flag, CROSS_SECTIONAL),
        _refuted(case, flag, "cauda-equina"),
        _over(case, flag),
    )


@fact
@once_a_call
def deficit_workup_done(case: Case) -> Finding:
    """A new deficit of the legs was imaged, refuted or has resolved."""
    found = (entry for name in DEFICITS for entry in deficits(case, name))
    flag = _in_window(case, found, LATE_DEFICIT_DAYS)
    return _closed(
        case,
        _studied(case, flag, CROSS_SECTIONAL),
        _refuted(case, flag, *DEFICITS),
        _over(case, flag),
    )


@fact
@once_a_call
def infection_workup_done(case: Case) -> Finding:
    """A suspected infection of the spine was imaged and tested for in blood, or ruled out."""
    risks = active_conditions(case, *INFECTION_RISKS[:2], suspected=True)
    blood = history_conditions(case, INFECTION_RISKS[2], suspected=True)
    procedures_done = procedures(case, "spinal-injection-epidural", "spine-surgery")
    diagnoses = history_conditions(case, "spinal-infection", suspected=True)
    flag: Flag = (
        *_in_window(case, diagnoses, SPINAL_INFECTION_DAYS),
        *_in_window(case, coded_fevers(case), CODED_FEVER_DAYS),
        *_in_window(case, measured_fevers(case), CODED_FEVER_DAYS),
        *_in_window(case, blood, PORT_OF_ENTRY_DAYS),
        *_in_window(case, procedures_done, PORT_OF_ENTRY_DAYS),
        *risks,
    )
    studied = all_of((_studied(case, flag, CROSS_SECTIONAL), _studied(case, flag, BLOOD_TESTS)))
    return _closed(case, studied, _refuted(case, flag, "spinal-infection"), _over(case, flag))


@fact
@once_a_call
def cancer_workup_done(case: Case) -> Finding:
    """Pain with a history of cancer was imaged; remission is no work-up."""
    flag = history_conditions(case, *CANCERS, suspected=True)
    return _closed(case, _studied(case, flag, CROSS_SECTIONAL), _refuted(case, flag))


@fact
@once_a_call
def weight_workup_done(case: Case) -> Finding:
    """Pain with weight loss was imaged, or the loss was refuted or has resolved."""
    fall = weight_fall(case)
    coded = history_conditions(case, "weight-loss", suspected=True)
    flag: Flag = (
        *_in_window(case, coded, CODED_LOSS_DAYS),
        *((fall.newest,) if fall and fall.percent >= 5 else ()),
    )
    return _closed(
        case,
        _studied(case, flag, CROSS_SECTIONAL),
        _refuted(case, flag),
        _over(case, flag),
    )


@fact
@once_a_call
def trauma_workup_done(case: Case) -> Finding:
    """Pain after a severe injury was imaged in any way; healing is no work-up."""
    flag = _in_window(case, major_injuries(case), INJURY_DAYS)
    return _closed(case, _studied(case, flag, ANY_IMAGING), _refuted(case, flag))


@fact
@once_a_call
def fracture_workup_done(case: Case) -> Finding:
    """Pain with a risk of fracture was imaged in any way; healing is no work-up."""
    fractures = history_conditions(case, "vertebral-fracture", suspected=True)
    flag: Flag = (
        *active_conditions(case, *FRAGILITY, suspected=True),
        *_in_window(case, falls(case), INJURY_DAYS),
        *_in_window(case, fractures, VERTEBRAL_FRACTURE_DAYS),
    )
    return _closed(case, _studied(case, flag, ANY_IMAGING), _refuted(case, flag))


def _closed(case: Case, *ways: Finding) -> Finding:
    """Closed by any way; with none, open for sure only when every source was read."""
    finding = any_of(ways)
    return absence(case, *KEYS) if finding.answer is Answer.NO else finding


def _in_window(
    case: Case, entries: Iterable[Condition | Observation | Procedure], days: int
) -> tuple[Condition | Observation | Procedure, ...]:
    """The entries that may lie in the window, partial dates included."""
    return tuple(e for e in entries if within(dated(e), case.today, days) is not Answer.NO)


def _latest_day(entries: Flag) -> date | None:
    return max((day for e in entries if (day := last_day(e))), default=None)


def flag_date(case: Case, flag: Flag) -> date | None:
    """The later of the newest entry of the flag and the onset or flare of the pain.

    Pain without an onset began at the latest when it was recorded. None when nothing is dated.
    """
    pain = episode(case)
    began = [pain.exacerbation] if pain.exacerbation else []
    if pain.onset:
        began.append(pain.onset.latest)
    else:
        began += [c.recorded.latest for c in pain.conditions if c.recorded]
    raised = _latest_day(flag)
    days = [*began, *((raised,) if raised else ())]
    return min(max(days), case.today) if days else None


def _studied(case: Case, flag: Flag, sets: Sequence[str]) -> Finding:
    """A finished study of the sets dated after the flag."""
    studies = tuple(_studies(case, sets))
    if not studies:
        return NO
    after = flag_date(case, flag)
    unsure = False
    for study in studies:
        when = dated(study)
        if when is None or days_ago(when, case.today) is None or after is None:
            unsure = True
        elif when.earliest > after:
            return yes(reasons((study,)))
        elif when.latest > after:
            unsure = True
    return UNKNOWN if unsure else NO


def _studies(case: Case, sets: Sequence[str]) -> Iterator[Study]:
    record = case.record
    for done in record.procedures_in(*sets):
        relevant = not _needs_reason(done.concept) or _says_back(done)
        if relevant and done.status == "completed":
            yield done
    reports = record.reports_in(*sets)
    results: tuple[DiagnosticReport | Observation, ...] = (
        *reports,
        *record.observations_in(*sets),
    )
    for result in results:
        if result.status in FINISHED and not _needs_reason(result.concept):
            yield result


def _needs_reason(concept: Concept) -> bool:
    return NEEDS_REASON in concept.sets.get("spine-imaging", "")


def _says_back(done: Procedure) -> bool:
    return bool(done.reasons) and for_back_pain(done.reasons)


def _refuted(case: Case, flag: Flag, *diagnoses: str) -> Finding:
    """Everything that raised the flag was refuted, or the suspected disease was, since then.

    An entry is refuted by one of the same code, no older than itself.
    """
    if not case.record.refuted:
        return NO
    after = flag_date(case, flag)
    disease = [
        condition
        for condition in case.record.refuted
        if belongs(condition.concept, *diagnoses) and _not_before(condition, after)
    ]
    if disease:
        return yes(reasons(disease))
    matches = [_refutations(case, entry) for entry in flag]
    if matches and all(matches):
        return yes(reasons(match[0] for match in matches))
    return NO


def _refutations(case: Case, entry: Condition | Observation | Procedure) -> list[Condition]:
    day = last_day(entry)
    return [
        condition
        for condition in case.record.refuted
        if set(condition.concept.codings) & set(entry.concept.codings)
        and _not_before(condition, day)
    ]


def _not_before(condition: Condition, day: date | None) -> bool:
    when = dated(condition)
    return when is not None and (day is None or when.earliest >= day)


def _over(case: Case, flag: Flag) -> Finding:
    """Everything that raised the flag was a diagnosis, and each has ended after the flag date."""
    if not flag:
        return NO
    return all_of(_ended(case, flag, entry) for entry in flag)


def _ended(case: Case, flag: Flag, entry: Condition | Observation | Procedure) -> Finding:
    if not isinstance(entry, Condition) or is_active(entry, case.today):
        return NO
    after = flag_date(case, flag)
    if entry.abatement is None or after is None or entry.abatement.latest > case.today:
        return UNKNOWN
    if entry.abatement.earliest > after:
        return yes(reasons((entry,)))
    return UNKNOWN if entry.abatement.latest > after else NO
