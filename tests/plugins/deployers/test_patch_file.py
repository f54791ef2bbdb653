"""A patch file is one that the field's tools take, whatever the lines are."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_selfcode.plugins.deployers.patch_file import file_diff

LINES = st.lists(
    st.sampled_from(["", "a", "b", "--- a", "+++ b", "@@ -1 +1 @@", "é\u2028x", "x\x0cy", " c", "\\ No"]), max_size=12
)
TEXTS = st.builds(lambda lines, end: "\n".join(lines) + end, LINES, st.sampled_from(["", "\n"])).filter(bool)


@settings(max_examples=60)
@given(TEXTS, TEXTS)
def test_patch_makes_the_new_text_of_the_old_one(old, new):
    with tempfile.TemporaryDirectory() as made:
        path = Path(made) / "nb.ipynb"
        path.write_text(old, encoding="utf-8", newline="")
        told = "# words\n# --- of evidence\n\n" + file_diff(old, new, "nb.ipynb")
        (Path(made) / "it.patch").write_text(told, encoding="utf-8", newline="")
        if old == new:
            assert "@@" not in told
            return
        for tool in (["git", "apply", "--check", "it.patch"], ["patch", "-s", "-p1", "-i", "it.patch"]):
            done = subprocess.run(tool, cwd=made, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr + told
        assert path.read_bytes().decode() == new


def test_equal_lines_at_the_top_are_counted():
    old = "".join(f"{n}\n" for n in range(100))
    assert "@@ -87,7 +87,7 @@\n" in file_diff(old, old.replace("89\n", "x\n"), "f")
