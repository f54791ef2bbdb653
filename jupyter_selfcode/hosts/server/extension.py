"""The Jupyter server extension: the history for front ends, also where no kernel runs."""

from __future__ import annotations

from typing import Any

from jupyter_server.utils import url_path_join

from ...config import settings
from ...values.errors import BadInput
from .desk import Desk
from .handlers import HANDLERS, ReadingHandler
from .openapi import PREFIX
from .routes import READING


def _load_jupyter_server_extension(app: Any) -> None:
    """Called by the server at its start. A setting that cannot be read is told in its log, and is not in force."""
    try:
        made = settings(app.config)
    except BadInput as e:
        app.log.error("jupyter_selfcode: %s", e)
        return
    desk = Desk(made)

    def at(name: str) -> str:
        return url_path_join(app.web_app.settings["base_url"], PREFIX, name)

    fixed = [(at(name), handler, {"desk": desk}) for name, handler in HANDLERS.items()]
    reading = [(at(route.name), ReadingHandler, {"desk": desk, "route": route}) for route in READING]
    app.web_app.add_handlers(".*$", [*fixed, *reading])
    app.web_app.settings["jupyter_selfcode_desk"] = desk
