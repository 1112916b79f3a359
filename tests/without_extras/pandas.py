"""In the place of pandas, which is not in every install."""

raise ImportError("only extras bring it")
