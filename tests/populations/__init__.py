"""Synthetic populations as FHIR Bulk Data exports: own patients, seeded, of any number."""

from tests.populations.population import write_population
from tests.populations.written import FORMS, Planted, Written

__all__ = ["FORMS", "Planted", "Written", "write_population"]
