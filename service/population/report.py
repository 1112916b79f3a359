"""What a run over a population found: the figures, from its summed tallies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cards.library import Library
from service.population.report_cards import CardFigures, card_figures
from service.population.report_completeness import Completeness, completeness
from service.population.report_counts import Counts, Share, TallyKey
from service.population.report_pathways import PathwayFigures, pathway_figures


@dataclass(frozen=True, slots=True)
class File:
    """A file of the export; ``bytes`` is None where its size is not known."""

    name: str
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Run:
    """What was run.

    Attributes:
        input: the export, as it was named on the command line.
        as_of: the day all charts were opened, ISO; None in a replay.
        replay: ``visits`` in a replay; None as of a day.
        content_version: of the clinical content; ``version`` is that of the program.
        pseudonymised: whether the tables beside the report have hashed patient keys.
    """

    input: str
    as_of: str | None
    replay: str | None
    engine: str
    version: str
    content_version: str
    pseudonymised: bool
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class Patients:
    """What became of the patients that came in."""

    came_in: int
    judged: int
    without_visit: int
    rejected: int

    @property
    def accounted(self) -> int:
        """Patients of whom it is known what became of them."""
        return self.judged + self.without_visit + self.rejected

    @property
    def add_up(self) -> bool:
        """Whether nobody was lost or counted twice."""
        return self.came_in == self.accounted


@dataclass(frozen=True, slots=True)
class Lines:
    """What became of the lines of the export.

    Attributes:
        read, not_needed: resource type → lines; of what is not needed the service reads none.
        rejected: reason → lines.
        broken: files that break off.
    """

    read: Mapping[str, int]
    not_needed: Mapping[str, int]
    rejected: Mapping[str, int]
    broken: tuple[str, ...] = ()

    @property
    def all(self) -> int:
        """Lines of the export."""
        return sum(sum(each.values()) for each in (self.read, self.not_needed, self.rejected))

    @property
    def rejected_share(self) -> Share:
        """Lines rejected, of all."""
        return Share(sum(self.rejected.values()), self.all)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a run found; nothing of it is about one patient."""

    run: Run
    patients: Patients
    lines: Lines
    cards: CardFigures
    pathways: PathwayFigures
    completeness: Completeness


def build_report(
    tallies: Mapping[TallyKey, int], run: Mapping[str, Any], library: Library
) -> Report:
    """The report on a run.

    Args:
        tallies: (kind, first, second, third) → count, summed over all parts of the run.
        run: the content of ``run.json``; a member that is not there is not told.
        library: the content the run was judged by.
    """
    counts = Counts(tallies)
    return Report(
        run=_run(run),
        patients=Patients(
            came_in=counts.total("patients", "in"),
            judged=counts.total("patients", "judged"),
            without_visit=counts.total("patients", "without a visit"),
            rejected=counts.total("patients", "rejected"),
        ),
        lines=Lines(
            counts.within("lines", "read"),
            counts.within("lines", "not needed"),
            counts.within("lines", "rejected"),
            tuple(name for (name,) in counts.by("broken file", 0)),
        ),
        cards=card_figures(counts, library),
        pathways=pathway_figures(counts, library),
        completeness=completeness(counts, library),
    )


def _run(run: Mapping[str, Any]) -> Run:
    return Run(
        input=str(run.get("input", "")),
        as_of=run.get("as_of"),
        replay=run.get("replay"),
        engine=str(run.get("engine", "")),
        version=str(run.get("version", "")),
        content_version=str(run.get("content_version", "")),
        pseudonymised=bool(run.get("pseudonymised")),
        files=tuple(File(str(one["name"]), one.get("bytes")) for one in run.get("files") or ()),
    )
