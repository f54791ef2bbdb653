"""Runs a contract's examples INSIDE the kernel. The text of this module is sent there, so it imports only Python and
nothing of this package; `contract.probe` wraps it.

It does what `doctest.DocTestRunner` does: one shallow copy of the namespace for all examples, `single` mode, printed
text and displayed values captured, an exception reduced to its last line. It compares nothing.
"""

import io
import sys
import traceback
from typing import Any

PRINTED = 20_000
"""Characters that one example may print; more is cut, and said."""


class Capture(io.StringIO):
    """A text stream that keeps no more than `PRINTED` characters."""

    def write(self, text: str) -> int:
        room = PRINTED - self.tell()
        if room > 0:
            super().write(text[:room])
        return len(text)

    def said(self) -> str:
        """What was printed, as doctest takes it: it ends with a newline."""
        text = self.getvalue()
        if len(text) >= PRINTED:
            return text + "\n… (cut)\n"
        return text + "\n" if text and not text.endswith("\n") else text


def _flags(namespace: dict[str, Any]) -> int:
    import __future__

    flags = 0
    for name in __future__.all_feature_names:
        if namespace.get(name) is getattr(__future__, name):
            flags |= int(getattr(__future__, name).compiler_flag)
    return flags


def run_examples(sources: "list[str | None]", namespace: dict[str, Any]) -> "dict[str, list[Any]]":
    """What each source printed and the last line of its exception, or None. A source of None is passed over."""
    copied = dict(namespace)
    got: list[Any] = []

    def show(value: Any) -> None:
        if value is not None:
            copied["_"] = value
            print(repr(value))

    before = sys.stdout, sys.stderr, sys.displayhook
    try:
        for source in sources:
            if source is None:
                got.append(["", None])
                continue
            capture = Capture()
            sys.stdout, sys.stderr, sys.displayhook = capture, Capture(), show
            raised = None
            try:
                exec(compile(source, "<contract>", "single", _flags(copied), True), copied)
            except BaseException as e:
                raised = traceback.format_exception_only(type(e), e)[-1][:PRINTED]
                interrupted = isinstance(e, KeyboardInterrupt)
            else:
                interrupted = False
            got.append([capture.said(), raised])
            if interrupted:
                break  # a person wants it to end: what follows is not reported, so it does not pass
    finally:
        sys.stdout, sys.stderr, sys.displayhook = before
    return {"got": got}
