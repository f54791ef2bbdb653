"""A scheduled notebook over several nights, with real kernels: it heals, has to prove itself, is rolled back, and rests."""

from __future__ import annotations

import nbformat
import pandas as pd
import pytest

CELLS = (
    "import pandas as pd\nsales = pd.read_csv('sales.csv')",
    '%%selfcode\n"""The total of all sales.\n\n>>> int(total)\n60\n"""\ntotal = sales["amount"].sum()',
    "print(int(total))",
)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_notebook_under_cron_heals_once_is_rolled_back_and_is_then_left_alone(cli, notebook, tmp_path):
    path = notebook(*CELLS)

    def night(**columns):
        pd.DataFrame(columns).to_csv(tmp_path / "sales.csv", index=False)
        answer = cli("run", "nb.ipynb", "--policy", "deploy", "--proposers", "rules", "--json")
        return answer.code, answer.json

    def code():
        return nbformat.read(path, 4).cells[1].source

    assert cli("watch", "nb.ipynb", "on").code == 0
    assert night(amount=[10, 20, 30])[0] == 0

    exit_code, report = night(amounts=[10, 20, 30])
    assert exit_code == 10, report
    assert report["since"] == ["sales no longer has the column amount.", "sales has the new column amounts."]
    assert '["amounts"]' in code()
    assert [h["ended"] for h in report["heals"]] == ["deployed"]
    (version,) = report["probation"]

    exit_code, report = night(amount=[10, 20, 30])
    assert exit_code == 10
    assert [v["kind"] for v in report["versions"]] == ["rollback"]
    assert '["amount"]' in code()
    assert cli("why", "nb.ipynb", "2", "--json").json["brought_back_by"] == version + 1
    why = " ".join(cli("why", "nb.ipynb", "2").out.split())
    assert f"roll back — version {version} was on probation and failed: KeyError in c1; probation takes it back" in why

    exit_code, report = night(amounts=[10, 20, 30])
    assert exit_code == 20
    assert "was rolled back on probation. It is not tried again unasked." in report["message"]
    assert report["trials"] == []
    assert '["amount"]' in code()

    assert night(amount=[10, 20, 30])[0] == 0
    told = cli("cost", "nb.ipynb", "--json").json["unasked"]
    assert [h["ended"] for h in told] == ["rolled back"]
    assert cli("verify", "nb.ipynb").code == 0
