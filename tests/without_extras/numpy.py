"""In the place of NumPy, which is not in every install."""

raise ModuleNotFoundError("only extras bring it", name="numpy")
