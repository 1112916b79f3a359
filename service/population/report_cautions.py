"""What a reader of a report must know before believing its figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from service.population.report import Report
from service.population.report_counts import Share


@dataclass(frozen=True, slots=True)
class Caution:
    """A sentence or two; ``loud`` where the figures must not be relied on before it is settled."""

    text: str
    loud: bool = False


def cautions(report: Report) -> tuple[Caution, ...]:
    """Everything to be told before the figures, the loud ones first."""
    found = [*_of_patients(report), *_of_lines(report), *_of_charts(report), *_of_rules(report)]
    return tuple(sorted(found, key=lambda caution: not caution.loud))


def in_words(share: Share, whole: str) -> str:
    """A number with its whole and its percentage: "3 of 200 patients (1.5%)"."""
    return f"{share.number:,} of {share.of:,} {whole} ({percent(share)})"


def percent(share: Share) -> str:
    """A share in percent to one decimal; never 0 for some, and never 100 for not all."""
    rate = share.in_hundred
    if rate is None:
        return "–"
    if share.number and rate < 0.05:
        return "under 0.1%"
    if share.number < share.of and rate >= 99.95:
        return "over 99.9%"
    return f"{rate:.1f}%"


def _of_patients(report: Report) -> Iterator[Caution]:
    people = report.patients
    if not people.add_up:
        yield Caution(
            f"Patients do not add up: {people.came_in:,} came in, but {people.judged:,} judged, "
            f"{people.without_visit:,} without a visit and {people.rejected:,} rejected make "
            f"{people.accounted:,}. Do not rely on this report before that is explained.",
            loud=True,
        )
    if not people.judged:
        yield Caution("No patient was judged: there are no figures to report.", loud=True)
    for file in report.lines.broken:
        yield Caution(
            f"{file} breaks off: nobody can tell how many resources it lacks. What rests on its "
            "type counts as not read to the end.",
            loud=True,
        )
    if people.rejected:
        rejected = in_words(Share(people.rejected, people.came_in), "patients")
        yield Caution(f"{rejected} were rejected. They are in no figure of this report.")
    if people.without_visit:
        without = in_words(Share(people.without_visit, people.came_in), "patients")
        yield Caution(f"{without} have no visit in the export. Their charts were never opened.")


def _of_lines(report: Report) -> Iterator[Caution]:
    if report.lines.rejected:
        rejected = in_words(report.lines.rejected_share, "lines")
        yield Caution(f"{rejected} of the export could not be used: see “The run”.")


def _of_charts(report: Report) -> Iterator[Caution]:
    asked = [key for key in report.completeness.keys if key.recommendations]
    for key in asked:
        if key.never_sent:
            yield Caution(
                f"The export has no {key.name}: no card says anything about them. What is missing "
                f"is never read as “none recorded”; {key.recommendations:,} recommendations look "
                "at them, and were judged without."
            )
    if empty := [key.name for key in asked if key.always_empty]:
        yield Caution(
            f"Every chart was read as holding no {_listed(empty, 'or')}. If these patients should "
            "have some, the export is not complete, and cards that rest on there being none may "
            "be wrong."
        )
    if broken := [key for key in report.completeness.keys if key.broken]:
        told = [f"{key.name} at {key.broken:,}" for key in broken]
        whole = f"Of {report.cards.visits:,} chart openings"
        yield Caution(f"{whole}, some could not be read to the end: {_listed(told, 'and')}.")


def _of_rules(report: Report) -> Iterator[Caution]:
    for one in report.completeness.failed:
        yield Caution(
            f"The rule of “{one.title}” failed at {in_words(one.share, 'answers')}: its cards "
            "are missing there.",
            loud=True,
        )


def _listed(names: Sequence[str], last_word: str) -> str:
    *others, last = names
    return f"{', '.join(others)} {last_word} {last}" if others else last
