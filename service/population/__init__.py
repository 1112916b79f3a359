"""What the service would do to a population: a Bulk Data export judged patient by patient."""
