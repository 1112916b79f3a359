"""In the place of dateutil, which is not in every install."""

raise ModuleNotFoundError("only extras bring it", name="dateutil")
