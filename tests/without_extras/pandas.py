"""In the place of pandas, which is not in every install."""

raise ModuleNotFoundError("only extras bring it", name="pandas")
