"""The routes as OpenAPI 3.1, made from the same table and from the schemas of the values."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from ...codec import schemas
from ...values.messages import Changed, Working
from ...values.shown import State
from .routes import READING, Answer, Asked, Grammar, Query, Stop, Which

PREFIX = "jupyter-selfcode"
_REF = "#/components/schemas/"
_ERRORS = {
    "400": "What was given cannot be used; the message says what to do",
    "403": "Not signed in, without the XSRF header, or not allowed",
    "404": "No such notebook below the server's root",
    "409": "The notebook has changed, a cell is locked, or another command is at work",
    "503": "The history is locked or damaged",
}
_PATH = Query("path", "the notebook's path from the server's root", required=True)


def _parameter(query: Query) -> dict[str, Any]:
    kind = {"type": "integer", "minimum": 0} if query.integer else {"type": "string"}
    return {"name": query.name, "in": "query", "required": query.required, "description": query.help, "schema": kind}


def _answers(name: str | None, media: str = "application/json") -> dict[str, Any]:
    held: dict[str, Any] = {"schema": {"$ref": _REF + name} if name else {"type": "object"}}
    if media == "text/event-stream":
        held = {"schema": {"type": "string"}}
    failed = {"content": {"application/json": {"schema": {"$ref": _REF + "Failure"}}}}
    return {"200": {"description": "The answer", "content": {media: held}}} | {
        code: {"description": text, **failed} for code, text in _ERRORS.items()
    }


def _get(name: str, help: str, answer: str | None, *queries: Query, media: str = "application/json") -> dict[str, Any]:
    return {
        "get": {
            "operationId": name.replace(".", "_"),
            "summary": help,
            "parameters": [_parameter(q) for q in queries],
            "responses": _answers(answer, media),
        }
    }


def _post(name: str, help: str, body: str, answer: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": _REF + body}}}
    return {
        "post": {
            "operationId": name,
            "summary": help,
            "requestBody": {"required": True, "content": content},
            "responses": _answers(answer),
        }
    }


def document(base_url: str) -> dict[str, Any]:
    """The OpenAPI document of a server at `base_url`."""
    stream = (
        "What happens to a notebook: events `changed` (Changed), `working` (Working) and `rest`; a comment every 15 seconds"
    )
    paths = {
        "openapi.json": _get("openapi.json", "This document", None),
        "grammar": _get("grammar", "The words that a command may hold", "Grammar"),
        "state": _get("state", "The first look: newest version, what waits, cost, settings", "State", _PATH),
        **{r.name: _get(r.name, r.help, r.answer.__name__, _PATH, *r.parameters) for r in READING},
        "command": _post("command", "Do what a line of the grammar says to the notebook file", "Asked", "Answer"),
        "stop": _post("stop", "Stop the command that is at work on a notebook", "Which", "Stop"),
        "events": _get("events", stream, None, _PATH, media="text/event-stream"),
    }
    kinds = {Answer, Grammar, State, Stop, Changed, Working, *(r.answer for r in READING)}
    failure = {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "jupyter_selfcode", "version": version("jupyter_selfcode")},
        "servers": [{"url": f"{base_url.rstrip('/')}/{PREFIX}"}],
        "security": [{"token": []}, {"cookie": []}],
        "paths": {f"/{name}": path for name, path in paths.items()},
        "components": {
            "schemas": schemas(kinds, _REF) | schemas({Asked, Which}, _REF, given=True) | {"Failure": failure},
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "token …"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "username", "description": "and X-XSRFToken to write"},
            },
        },
    }
