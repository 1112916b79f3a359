"""In the place of NumPy, which is not in every install."""

raise ImportError("only extras bring it")
