"""In the place of pytz, which is not in every install."""

raise ModuleNotFoundError("only extras bring it", name="pytz")
