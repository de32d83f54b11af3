"""What ``asv publish`` runs in place of asv's own publishing, which is kept here."""

from __future__ import annotations

from typing import Any

from asv.commands.publish import Publish
from asv.console import log
from asv.util import UserError

from fixwatch.errors import FixwatchError

# Bound before the plugin puts the other one in its place.
publish_with_asv = Publish.run


def install_publisher() -> None:
    """Let ``asv publish`` write the site of this project."""
    Publish.run = classmethod(_publish)


def _publish(_cls: type, conf: Any, range_spec: str | None = None, pull: bool = True) -> None:
    """Publish a configuration; there is nothing to pull, as the results are all it needs."""
    # asv loads this module at every start; what only publishing needs would double its time.
    from fixwatch.asv_adapter.publisher import publish_configuration

    del pull
    try:
        publish_configuration(conf, range_spec, log.warning)
    except FixwatchError as error:
        raise UserError(str(error)) from error
