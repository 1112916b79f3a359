"""Grouping by patient and counting, left to Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.population.reasons import Reason

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

BY_PATIENT = ("patient", "kind", "file", "block", "line")
# As the local engine's: nothing of patients who are not in the export, and a Medication for every
# patient who has an order for it.
_PATIENTS = "SELECT DISTINCT patient FROM {rows} WHERE kind = 'Patient'"
_TOLD_OF = """
    SELECT DISTINCT patient FROM {rows} LEFT SEMI JOIN {patients} USING (patient) WHERE telling
"""
_CHARTS = """
    SELECT patient, kind, file, block, line, telling, body FROM {rows} WHERE kind = 'Patient'
    UNION ALL
    SELECT patient, kind, file, block, line, telling, body
    FROM {rows} LEFT SEMI JOIN {wanted} USING (patient) WHERE kind <> 'Patient'
    UNION ALL
    SELECT ordered.patient, kind, file, block, line, telling, body
    FROM {medications} AS medications JOIN (
        SELECT DISTINCT patient, medication
        FROM {rows} LEFT SEMI JOIN {wanted} USING (patient) WHERE medication IS NOT NULL
    ) AS ordered ON ordered.medication = medications.patient
"""
_ORPHANS = """
    SELECT file, block, line, kind FROM (
        SELECT patient, file, block, line, kind FROM {rows}
        UNION ALL SELECT patient, file, block, line, kind FROM {noise}
    ) LEFT ANTI JOIN {patients} USING (patient)
"""
_BEFORE = """
    SELECT file, block, sum(lines) OVER (PARTITION BY file ORDER BY block) - lines AS before
    FROM {blocks}
"""
_REJECTS = """
    SELECT file, before + line + 1 AS line, reason
    FROM (
        SELECT file, block, line, reason FROM {gathered}
        UNION ALL SELECT file, block, line, reason FROM {judged}
        UNION ALL SELECT file, block, line, :unknown AS reason FROM {orphans}
    ) JOIN {before} USING (file, block)
    ORDER BY file, line
"""
_TALLIES = """
    SELECT kind, first, second, third, sum(number) AS number
    FROM (
        SELECT kind, first, second, third, number FROM {gathered}
        UNION ALL SELECT kind, first, second, third, number FROM {judged}
        UNION ALL SELECT 'lines', 'read', kind, '', -1 FROM {orphans}
        UNION ALL SELECT 'lines', 'rejected', :unknown, '', 1 FROM {orphans}
    ) GROUP BY kind, first, second, third
    ORDER BY kind, first, second, third
"""
_UNKNOWN = {"unknown": Reason.UNKNOWN_PATIENT.value}


def patients_of(spark: SparkSession, rows: DataFrame) -> DataFrame:
    """The keys of all patients in the export."""
    return spark.sql(_PATIENTS, rows=rows)


def told_of(spark: SparkSession, rows: DataFrame, patients: DataFrame) -> DataFrame:
    """The keys of those who have something that may make a pathway concern them."""
    return spark.sql(_TOLD_OF, rows=rows, patients=patients)


def charts_of(
    spark: SparkSession, rows: DataFrame, wanted: DataFrame, medications: DataFrame
) -> DataFrame:
    """The rows of each patient together and sorted, as ``charts`` of the local engine takes them.

    Args:
        wanted: the keys of the patients of whom there is more than the Patient.
    """
    charts = spark.sql(_CHARTS, rows=rows, wanted=wanted, medications=medications)
    return charts.repartition("patient").sortWithinPartitions(*BY_PATIENT)


def orphans_of(
    spark: SparkSession, rows: DataFrame, noise: DataFrame, patients: DataFrame
) -> DataFrame:
    """File, block, line and kind of what names patients who are not in the export."""
    return spark.sql(_ORPHANS, rows=rows, noise=noise, patients=patients)


def rejects_of(
    spark: SparkSession,
    gathered: DataFrame,
    judged: DataFrame,
    orphans: DataFrame,
    blocks: DataFrame,
) -> DataFrame:
    """The table of rejects, of what each stage rejected, its lines counted from the file's first.

    Args:
        blocks: how many lines each block of a file has.
    """
    before = spark.sql(_BEFORE, blocks=blocks)
    tables = {"gathered": gathered, "judged": judged, "orphans": orphans, "before": before}
    return spark.sql(_REJECTS, args=_UNKNOWN, **tables)


def tallies_of(
    spark: SparkSession, gathered: DataFrame, judged: DataFrame, orphans: DataFrame
) -> DataFrame:
    """The table of tallies, of what each stage counted, summed."""
    tables = {"gathered": gathered, "judged": judged, "orphans": orphans}
    return spark.sql(_TALLIES, args=_UNKNOWN, **tables)
