"""Blocks as HTML: inline styles, no script, no class names, every given text escaped.

Colours are the theme's own where the front end has them (JupyterLab and Notebook 7: `--jp-…`, VS Code: `--vscode-…`),
else ones that read on white and on black. Backgrounds of a diff are translucent, so one value serves both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from .blocks import (
    CHANGE_WORDS,
    Block,
    Change,
    Facts,
    Fold,
    Listing,
    Paragraph,
    Source,
    Spans,
    Steps,
    Table,
    Title,
    visible,
)
from .highlight import Word, diff_rows, highlighted

_DIM = "var(--jp-ui-font-color2,var(--vscode-descriptionForeground,#7a7a7a))"
_OK = "var(--jp-success-color1,#3a9a4b)"
_WARNING = "var(--jp-warn-color1,#c77700)"
_ERROR = "var(--jp-error-color1,#d9463b)"
_BORDER = "var(--jp-border-color2,rgba(128,128,128,.3))"
_SOFT = "rgba(128,128,128,.1)"
_MONO = "font-family:var(--jp-code-font-family,ui-monospace,Menlo,Consolas,monospace);font-size:var(--jp-code-font-size,13px)"
_ROOT = (
    "font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:var(--jp-ui-font-size1,13px);line-height:1.5;"
    "max-width:64em;color:var(--jp-ui-font-color1,inherit)"
)
_COLOR = {"plain": "inherit", "ok": _OK, "warning": _WARNING, "error": _ERROR}
_STYLE = {
    "dim": f"color:{_DIM}",
    "strong": "font-weight:600",
    "code": _MONO,
    "ok": f"color:{_OK}",
    "warning": f"color:{_WARNING}",
    "error": f"color:{_ERROR}",
}
_WORD: dict[Word, str] = {
    "keyword": "color:var(--jp-mirror-editor-keyword-color,#2f8f2f)",
    "string": "color:var(--jp-mirror-editor-string-color,#c0483c)",
    "comment": "color:var(--jp-mirror-editor-comment-color,#7d9090);font-style:italic",
    "number": "color:var(--jp-mirror-editor-number-color,#3a8f5a)",
    "name": "color:var(--jp-mirror-editor-builtin-color,#4f7fd0)",
}
_LINE = {"+": "background:rgba(46,160,67,.16)", "-": "background:rgba(235,80,70,.14)", " ": "", "@": f"color:{_DIM}"}
_SIGN = {"+": _OK, "-": _ERROR, " ": _DIM, "@": _DIM}
_ROW = "vertical-align:top;text-align:left;padding:1px 14px 1px 0;border:0;background:none"


def _text(text: str) -> str:
    return escape(visible(text), quote=True)


def _styled(tag: str, style: str, inner: str) -> str:
    return f'<{tag} style="{style}">{inner}</{tag}>' if style else f"<{tag}>{inner}</{tag}>"


def _spans(spans: Spans) -> str:
    return "".join(_styled("span", _STYLE[s.style], _text(s.text)) if s.style else _text(s.text) for s in spans)


def _pieces(pieces: Sequence[tuple[str, Word]]) -> str:
    return "".join(_styled("span", _WORD[w], _text(t)) if w else _text(t) for t, w in pieces)


def _code_lines(lines: Iterable[tuple[str, str, str]]) -> str:
    """Lines of (sign, number, inner HTML)."""
    rows = "".join(
        f'<div style="display:flex;{_LINE[sign]}">'
        f'<span style="flex:none;width:2.4em;padding-right:.7em;text-align:right;color:{_DIM};user-select:none;opacity:.7">{number}</span>'
        f'<span style="flex:none;width:1.1em;color:{_SIGN[sign]};user-select:none">{sign if sign in "+-" else ""}</span>'
        f'<span style="white-space:pre-wrap;overflow-wrap:anywhere;min-width:0">{inner or "&#8203;"}</span></div>'
        for sign, number, inner in lines
    )
    return f'<div style="{_MONO};line-height:1.45;overflow-x:auto;padding:3px 0">{rows}</div>'


def _change(block: Change) -> str:
    c, rows = block.change, diff_rows(block.change)
    lines = [(sign, str(n) if sign != "@" else "", _pieces(p) if sign != "@" else "⋯") for sign, n, p in rows]
    added, removed = (sum(sign == s for sign, _, _ in rows) for s in "+-")
    counts = f'<span style="color:{_OK}">+{added}</span> <span style="color:{_ERROR}">−{removed}</span>'
    head = (
        f'<div style="display:flex;gap:.8em;padding:3px 10px;background:{_SOFT}">'
        f'<span style="font-weight:600">{_text(block.title or f"Cell {c.place}")}</span><span style="{_MONO};color:{_DIM}">{_text(c.cell_id)}</span>'
        f'<span style="color:{_DIM}">{_text(CHANGE_WORDS[c.change])}{" · " + _text(c.type) if c.type in ("markdown", "raw") else ""}</span>'
        f'<span style="margin-left:auto">{counts if lines else ""}</span></div>'
    )
    body = _code_lines(lines) if lines else ""
    return f'<div style="border:1px solid {_BORDER};border-radius:4px;margin:8px 0;overflow:hidden">{head}{body}</div>'


def _table(block: Table) -> str:
    def cell(tag: str, i: int, inner: str, more: str = "") -> str:
        style = _ROW.replace("text-align:left", "text-align:right") if i in block.right else _ROW
        style += f";{_MONO};white-space:pre" if i in block.code and tag == "td" else ""
        style += ";white-space:nowrap" if i != block.wide and i not in block.code else ""
        style += ";overflow-wrap:anywhere" if i == block.wide and tag == "td" else ""
        return f'<{tag} style="{style}{more}">{inner}</{tag}>'

    head = "".join(
        cell("th", i, _text(c), f";color:{_DIM};font-weight:400;border-bottom:1px solid {_BORDER}")
        for i, c in enumerate(block.columns)
    )
    rows = "".join(
        f'<tr style="background:none">{"".join(cell("td", i, _spans(s)) for i, s in enumerate(row))}</tr>'
        for row in block.rows
    )
    top = f"<thead><tr>{head}</tr></thead>" if any(block.columns) else ""
    return (
        f'<div style="overflow-x:auto"><table style="border-collapse:collapse;border:0;margin:4px 0;font-size:inherit;table-layout:auto">'
        f"{top}<tbody>{rows}</tbody></table></div>"
    )


def _pairs(rows: Iterable[tuple[str, str]]) -> str:
    inner = "".join(
        f'<div style="color:{_DIM};white-space:nowrap">{a}</div><div style="min-width:0;overflow-wrap:anywhere">{b}</div>'
        for a, b in rows
    )
    return f'<div style="display:grid;grid-template-columns:max-content 1fr;gap:1px 1.1em;margin:4px 0">{inner}</div>'


def _block(block: Block) -> str:
    match block:
        case Title(text, kind, remark):
            mark = f'<span style="display:inline-block;width:.6em;height:.6em;border-radius:50%;margin-right:.55em;background:{_COLOR[kind]}"></span>'
            beside = f' <span style="color:{_DIM};font-weight:400">{_text(remark)}</span>' if remark else ""
            return f'<div style="font-weight:600;margin-bottom:4px">{mark if kind != "plain" else ""}{_text(text)}{beside}</div>'
        case Paragraph(spans):
            return f'<div style="margin:3px 0;white-space:pre-wrap;overflow-wrap:anywhere">{_spans(spans)}</div>'
        case Facts(rows):
            return _pairs((_text(label), _spans(said)) for label, said in rows)
        case Listing(items):
            lines = "".join(f'<li style="margin:0">{_spans(i)}</li>' for i in items)
            return f'<ul style="margin:3px 0;padding-left:1.3em">{lines}</ul>'
        case Table():
            return _table(block)
        case Change():
            return _change(block)
        case Source(text, language):
            if not language:
                return f'<pre style="{_MONO};margin:3px 0;white-space:pre-wrap;overflow-wrap:anywhere;max-height:30em;overflow:auto">{_text(text)}</pre>'
            shown = ((" ", str(i), _pieces(p)) for i, p in enumerate(highlighted(text, language), 1))
            return f'<div style="border:1px solid {_BORDER};border-radius:4px;margin:6px 0">{_code_lines(shown)}</div>'
        case Fold(title, blocks, shown, _):
            inner = "".join(map(_block, blocks))
            return (
                f'<details{" open" if shown else ""} style="margin:4px 0"><summary style="color:{_DIM};cursor:pointer">{_text(title)}</summary>'
                f'<div style="margin:2px 0 4px 1.1em">{inner}</div></details>'
            )
        case Steps(rows):
            typed = (
                (
                    f'<code style="{_MONO};background:{_SOFT};padding:1px 6px;border-radius:3px;white-space:pre-wrap;color:var(--jp-ui-font-color1,inherit)">{_text(c)}</code>',
                    _text(what),
                )
                for c, what in rows
            )
            return f'<div style="border-top:1px solid {_BORDER};margin-top:8px;padding-top:5px">{_pairs(typed)}</div>'


def draw_html(blocks: Iterable[Block]) -> str:
    """The blocks as one HTML element."""
    return f'<div style="{_ROOT}">{"".join(map(_block, blocks))}</div>'
