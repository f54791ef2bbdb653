"""The Jupyter server extension: the history for front ends, also where no kernel runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_server.utils import url_path_join

from ...config import settings
from ...values.errors import BadInput, StoreError
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
    _follow_renames(app, desk)


def _follow_renames(app: Any, desk: Desk) -> None:
    """Let the history of a notebook that is renamed through this server go with it."""
    contents = app.contents_manager
    find = getattr(contents, "_get_os_path", None)
    if find is None:
        return  # it keeps no files

    async def heard(logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        if data["action"] == "rename" and data["path"].endswith(".ipynb"):
            old, new = (Path(find(data[key])) for key in ("source_path", "path"))
            try:
                await desk.run(lambda: desk.renamed(old, new))
            except StoreError as e:
                app.log.warning("jupyter_selfcode: %s", e)

    app.event_logger.add_listener(schema_id=contents.event_schema_id, listener=heard)
