"""How the tables came to be, step by step; each step runs once on every store."""
