"""Where the example recipes are: in the wheel beside this package, in a checkout at its top."""

from pathlib import Path

import connector
from connector.errors import ConnectorError


def gallery() -> Path:
    """The folder of the example recipes. Raises ConnectorError when this installation lacks it."""
    package = Path(connector.__file__).parent
    for folder in (package / "gallery", package.parent / "recipes"):
        if folder.is_dir():
            return folder
    raise ConnectorError("the example recipes are missing: install the connector again")
