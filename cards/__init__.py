"""What Backpath knows: facts, recommendations and cards; nothing of HTTP or FHIR's JSON."""
