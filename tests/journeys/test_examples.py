"""The example notebooks are journeys: each does what its first cell says, on the data that ships with it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from jupyter_selfcode.plugins.sandboxes import tiers

EXAMPLES = Path(__file__).parents[2] / "example_notebooks"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
RULES = ("--policy", "deploy", "--proposers", "rules", "--heals", "12")


def sources(path: Path) -> dict[str, str]:
    return {c.id: c.source for c in nbformat.read(path, 4).cells}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_an_example_is_a_valid_notebook_that_says_what_it_is_for(path):
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.cells[0].cell_type == "markdown"
    assert not [c.id for c in notebook.cells if len(c.id) > 20 or c.id.isdigit()]
    assert not [c.id for c in notebook.cells if c.get("outputs")]


@pytest.mark.timeout(180)
def test_the_drifted_report_is_healed_by_rules_alone_to_level_2(cli, example, tmp_path):
    path = example("drifted_sales_report.ipynb")
    plain = [sys.executable, "-c", "from nbclient.cli import main; main()", path.name]
    assert subprocess.run(plain, cwd=tmp_path, capture_output=True, check=False).returncode != 0
    answer = cli("run", path.name, "report.ipynb", *RULES, "--json")
    assert answer.code == 10, answer.out
    report = answer.json
    assert report["calls"] == 0
    assert {v["proposer"] for v in report["versions"]} == {"rules"}
    assert min(v["level"] for v in report["versions"]) == 2
    after = sources(path)
    for healed in (".ffill()", 'groupby("region")', "pd.concat([by_region", 'resample("ME")', "np.prod(", "table.map("):
        assert any(healed in s for s in after.values()), healed
    executed = {c.id: c for c in nbformat.read(tmp_path / "report.ipynb", 4).cells}
    assert executed["growth"].outputs[0].text == "June against January: 1.76 times\n"
    assert "image/png" in executed["picture"].outputs[-1].data
    assert cli("run", path.name).code == 0


@pytest.mark.timeout(180)
def test_a_near_column_that_is_the_wrong_one_is_refused_by_the_contract(cli, example, tmp_path):
    """The export lost its column `region` and gained `regions`, a number: near, and wrong."""
    path = example("drifted_sales_report.ipynb")
    data = tmp_path / "data" / "sales_2026.csv"
    head, *rows = data.read_text().splitlines()
    assert head == "date,region,units,unit_price"
    changed = [",".join((d, "4", u, p)) for d, _, u, p in (row.split(",") for row in rows)]
    data.write_text("\n".join(["date,regions,units,unit_price", *changed]) + "\n")
    answer = cli("run", path.name, *RULES, "--json")
    assert answer.code == 20, answer.out
    report = answer.json
    assert (report["failures"][-1]["cell_id"], report["failures"][-1]["ename"]) == ("by-region", "KeyError")
    refused = [t for t in report["trials"] if not t["passed"]]
    assert refused
    assert any(f["severity"] == "block" and f["cell_id"] == "by-region" for f in refused[-1]["findings"])
    assert 'groupby("Region")' in sources(path)["by-region"]


def test_new_data_that_breaks_a_promise_is_noticed_though_nothing_raises(cli, example):
    path = example("new_data_breaks_contract.ipynb")
    before = path.read_bytes()
    assert cli("run", path.name, "-p", "month", "2026-01").code == 0
    answer = cli("run", path.name, "-p", "month", "2026-02", *RULES, "--json")
    assert (answer.code, answer.json["status"]) == (20, "failed")
    failure = answer.json["failures"][0]
    assert (failure["cell_id"], failure["ename"], failure["triage"]) == ("daily", "ContractBroken", "code")
    assert path.read_bytes() == before


def test_an_error_whose_cause_is_above_is_not_mended_where_it_shows(cli, example):
    path = example("cause_two_cells_above.ipynb")
    before = path.read_bytes()
    answer = cli("run", path.name, *RULES, "--json")
    assert answer.code == 20
    assert (answer.json["failures"][0]["cell_id"], answer.json["failures"][0]["ename"]) == ("route", "ValueError")
    assert path.read_bytes() == before


CAUSE = """\
<rationale>
Postcodes were read as numbers, which loses their leading zeros; they are read as text now.
</rationale>
<cell id="read-parcels" action="replace">
import pandas as pd

parcels = pd.read_csv("data/parcels.csv", dtype={"postcode": str})
depots = pd.read_csv("data/depots.csv", dtype={"postcode": str})
</cell>
"""
SYMPTOM = '''\
<rationale>
The column is converted to text before the merge.
</rationale>
<cell id="route" action="replace">
"""Every parcel with the depot of its postcode; none is lost and none goes nowhere.

>>> len(routed) == len(parcels)
True
>>> int(routed["depot"].isna().sum())
0
"""
routed = parcels.assign(postcode=parcels["postcode"].astype(str)).merge(depots, on="postcode", how="left")
</cell>
'''


@pytest.mark.timeout(120)
def test_the_contract_refuses_the_mend_of_the_symptom_and_takes_that_of_the_cause(cli, example, tmp_path):
    """The answers are scripted: what is tested is what becomes of a plausible wrong one and of the right one after it."""
    path = example("cause_two_cells_above.ipynb")
    failure = cli("run", path.name, "--policy", "report", "--json").json["failures"][0]
    records = [
        {"request": f"{failure['ename']}: {failure['evalue']}", "attempt": n, "answer": answer, "kind": "scripted"}
        for n, answer in ((1, SYMPTOM), (2, CAUSE))
    ]
    (tmp_path / "answers.jsonl").write_text("\n".join(map(json.dumps, records)))
    answer = cli("run", path.name, "out.ipynb", "--policy", "deploy", "--model", "replay:answers.jsonl", "--json")
    assert answer.code == 10, answer.out
    report = answer.json
    assert [v["cells"] for v in report["versions"]] == [["read-parcels"]]
    assert (report["calls"], report["replayed"]) == (2, True)
    assert not report["trials"][-2]["passed"]
    assert report["trials"][-1]["passed"]
    assert report["executed"] == 3 + 4, "the cause is above the failed cell, so the notebook ran anew"
    assert cli("run", path.name).code == 0


@pytest.mark.parametrize("name", ["must_not_be_edited.ipynb", "must_not_be_edited_network.ipynb"])
def test_what_is_not_the_fault_of_the_code_is_left_alone(cli, example, tmp_path, name):
    path = example(name)
    before = path.read_bytes()
    (tmp_path / "answers.jsonl").write_text("")
    answer = cli("run", name, "out.ipynb", "--policy", "deploy", "--model", "replay:answers.jsonl", "--json")
    assert (answer.code, answer.json["status"], answer.json["calls"]) == (21, "environment", 0)
    assert answer.json["trials"] == []
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("*.patch"))


def test_words_without_code_need_a_model_and_say_so(cli, example):
    path = example("described_analysis.ipynb")
    before = path.read_bytes()
    answer = cli("run", path.name, *RULES, "--json")
    assert (answer.code, answer.json["failures"][0]["cell_id"]) == (20, "load")
    assert path.read_bytes() == before


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_analysis_is_built_from_four_intents(cli, example, tmp_path):
    path = example("described_analysis.ipynb")
    recorded = EXAMPLES / "recorded" / "described_analysis.jsonl"
    answer = cli("run", path.name, "out.ipynb", "--policy", "deploy", "--model", f"replay:{recorded}", "--json")
    assert answer.code == 10, answer.out
    assert [v["cells"] for v in answer.json["versions"]] == [["load"], ["separation"], ["scatter"], ["accuracy"]]
    assert {v["level"] for v in answer.json["versions"]} == {2}
    assert cli("run", path.name).code == 0


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_demo_goes_on_where_no_cage_can_be_had_and_says_so(cli, tmp_path, monkeypatch):
    monkeypatch.setattr(tiers, "probe", lambda: tiers.Given({"A": "bubblewrap is not installed", "B": "no Landlock"}))
    answer = cli("demo")
    assert answer.code == 0, answer.out + answer.err
    assert "NO CAGE can be had here" in answer.out
    assert "by policy" not in answer.out
    assert "tier C" in answer.out


def test_the_demo_does_what_it_says(cli, tmp_path):
    answer = cli("demo")
    assert answer.code == 0, answer.out + answer.err
    assert (tmp_path / "selfcode-demo" / "report.ipynb").exists()
    assert "REPLAYED" in answer.out
