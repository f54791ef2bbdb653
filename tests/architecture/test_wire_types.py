"""What the front end takes for the shape of our values is their shape."""

from __future__ import annotations

import runpy
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "labextension" / "generate_types.py"


def test_the_typescript_types_are_generated_from_the_values_as_they_are():
    script = runpy.run_path(str(SCRIPT))
    written = script["FILE"].read_text(encoding="utf-8")
    assert written == script["generated"](), "The values have changed: run python labextension/generate_types.py"
