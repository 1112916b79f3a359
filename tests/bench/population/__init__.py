"""What judging a population costs, as a multiple of reading the same export as JSON."""
