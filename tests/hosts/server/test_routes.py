"""Every route of the server, by what its OpenAPI document says of it."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager

import pytest
import requests
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from jupyter_selfcode.hosts.server.handlers import HANDLERS
from jupyter_selfcode.hosts.server.routes import READING

from .conftest import HOSTILE, PATH, PREFIX, TOKEN, write_notebook

QUERIES = {
    "version": {"name": "2"}, "diff": {"from": "1", "to": "head"}, "blame": {"cell": "c0"}, "why": {"cell": "c0"},
    "versions": {"limit": "3"},
}  # fmt: skip
BODIES = {"command": {"path": PATH, "line": "history"}, "stop": {"path": PATH}}
GET = sorted({*HANDLERS, *(r.name for r in READING)} - set(BODIES) - {"events"})


@pytest.fixture(scope="session")
def spec(client):
    return client.get("openapi.json").json()


def fits(spec, route, method, answer):
    """The answer keeps to the schema of the route."""
    schema = spec["paths"][f"/{route}"][method]["responses"]["200"]["content"]["application/json"]["schema"]
    Draft202012Validator({**schema, "components": spec["components"]}).validate(answer)


def test_the_document_is_openapi_3_1_and_names_every_route_and_no_other(spec):
    validate(spec)
    assert spec["openapi"].startswith("3.1")
    assert {name.strip("/") for name in spec["paths"]} == {*HANDLERS, *(r.name for r in READING)}


@pytest.mark.parametrize("route", GET)
def test_a_reading_route_answers_as_its_schema_says(client, spec, route):
    if route == "waiting":
        found = client.get(route, path=PATH)
        assert (found.status_code, found.json()["message"]) == (400, "Nothing waits for a decision.")
        return
    found = client.get(route, path=PATH, **QUERIES.get(route, {}))
    assert found.status_code == 200, found.text
    assert found.headers["Content-Type"].startswith("application/json")
    fits(spec, route, "get", found.json())


@pytest.mark.parametrize("route", sorted(BODIES))
def test_a_changing_route_answers_as_its_schema_says(client, spec, route):
    found = client.post(route, BODIES[route])
    assert found.status_code == 200, found.text
    fits(spec, route, "post", found.json())


# ---- who may ask ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", [*GET, "events"])
def test_without_a_token_nothing_is_read(client, route):
    assert requests.get(client.base + route, params={"path": PATH}, timeout=30).status_code == 403


@pytest.mark.parametrize("route", sorted(BODIES))
def test_without_a_token_nothing_is_done(client, route):
    assert requests.post(client.base + route, data=json.dumps(BODIES[route]), timeout=30).status_code == 403


@pytest.mark.parametrize("route", sorted(BODIES))
def test_a_cookie_does_nothing_without_the_xsrf_header(client, route):
    person = requests.Session()
    origin = client.base.removesuffix(PREFIX.removeprefix("/base/"))
    assert person.get(f"{origin}tree", params={"token": TOKEN}, timeout=30).ok
    assert person.get(client.base + "state", params={"path": PATH}, timeout=30).ok
    refused = person.post(client.base + route, data=json.dumps(BODIES[route]), timeout=30)
    assert refused.status_code == 403
    header = {"X-XSRFToken": person.cookies["_xsrf"]}
    assert person.post(client.base + route, data=json.dumps(BODIES[route]), headers=header, timeout=30).ok


# ---- what may be given ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["../outside.ipynb", "sub/../../outside.ipynb", "/etc/passwd", "no.ipynb", "sub", ".hidden.ipynb"])
def test_only_notebooks_below_the_root_are_found(client, path):
    write_notebook(client.root.parent / "outside.ipynb", "secret = 1")
    write_notebook(client.root / ".hidden.ipynb", "secret = 1")
    for found in (client.get("state", path=path), client.post("command", {"path": path, "line": "history"})):
        assert found.status_code == 404
        assert "secret" not in found.text


@pytest.mark.parametrize("body", ["", "no json", "[]", '{"path": 3, "line": "history"}', '{"path": "a.ipynb"}'])
def test_a_body_that_does_not_fit_is_refused_in_one_line(client, body):
    found = requests.post(client.base + "command", data=body, headers={"Authorization": f"token {TOKEN}"}, timeout=30)
    assert found.status_code == 400
    assert found.json()["message"].startswith("Not a Asked") or "path" in found.json()["message"]
    assert "\n" not in found.json()["message"]


@pytest.mark.parametrize(
    ("route", "query", "said"),
    [
        ("version", {"name": "99"}, "There is no version 99"),
        ("versions", {"limit": "many"}, "limit must be a whole number"),
        ("versions", {"before": "-1"}, "before must be a whole number"),
        ("diff", {"from": "now"}, "from must be a version"),
        ("blame", {}, "cell is missing"),
        ("blame", {"cell": "nobody"}, "No cell is named"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(client, route, query, said):
    found = client.get(route, path=PATH, **query)
    assert found.status_code == 400
    assert said in found.json()["message"]


def test_an_unknown_word_changes_nothing_and_the_known_ones_are_named(client):
    found = client.post("command", {"path": PATH, "line": "destroy %s %d 100 %"})
    assert found.status_code == 400
    assert "accept" in found.json()["message"]


# ---- what is said --------------------------------------------------------------------------------------------------


def test_the_state_names_the_newest_version_and_where_undo_leads(client):
    state = client.get("state", path=PATH).json()
    ids = [r["id"] for r in client.get("versions", path=PATH).json()["versions"]]
    assert (state["store"], state["head"], state["total"]) == ("ok", ids[0], len(ids))
    assert state["undo"] in ids
    assert state["settings"]["policy"] == "propose"


def test_versions_come_newest_first_by_pages_with_their_lanes(client):
    whole = client.get("versions", path=PATH).json()["versions"]
    assert [r["number"] for r in whole] == list(range(len(whole), 0, -1))
    pages, before = [], None
    while page := client.get("versions", path=PATH, limit=2, **({"before": before} if before else {})).json()["versions"]:
        pages += page
        before = page[-1]["number"]
    assert pages == whole
    by_number = {r["number"]: r for r in whole}
    assert by_number[3]["behind"]
    assert by_number[3]["lane"] == 1
    assert by_number[2]["lane"] == 0


def test_what_differs_comes_as_data_to_draw_and_whole_for_a_merge_view(client):
    found = client.get("diff", path=PATH, **{"from": "1", "to": "2"}).json()
    (cell,) = found["cells"]
    assert cell["cell_id"] == "c0"
    assert cell["before"] == "x = 1"
    (change,) = [b for b in found["view"]["blocks"] if b["block"] == "change"]
    assert change["added"] == 4
    assert {line["sign"] for line in change["lines"]} == {"+", " "}


def test_text_of_strangers_comes_as_it_is_and_never_as_markup(client):
    found = client.command("show 1")
    assert HOSTILE in json.dumps(found)
    assert client.get("export", path=PATH).headers["Content-Type"].startswith("application/json")


def test_rollback_through_the_server_changes_the_file(client):
    path = "rolled.ipynb"
    write_notebook(client.root / path, "a = 1")
    client.command("check a == 1 --cell c0", path)
    assert ">>> a == 1" in (client.root / path).read_text()
    done = client.command("rollback 1", path)
    assert done["data"]["status"] == "deployed"
    assert ">>> a == 1" not in (client.root / path).read_text()


def test_a_history_that_cannot_be_read_is_told_and_breaks_nothing(client):
    path = "broken/nb.ipynb"
    write_notebook(client.root / path, "a = 1")
    history = client.root / "broken/.selfcode/history.sqlite"
    history.parent.mkdir()
    history.write_bytes(b"this is no database, but it is long enough to be taken for one" * 20)
    state = client.get("state", path=path).json()
    assert state["store"] == "broken"
    assert "move it aside" in state["message"]
    assert client.get("versions", path=path).status_code == 503


def test_a_notebook_without_a_history_is_not_given_one_by_looking(client):
    path = "fresh/nb.ipynb"
    write_notebook(client.root / path, "a = 1")
    assert client.get("state", path=path).json()["store"] == "none"
    assert client.get("versions", path=path).json() == {"total": 0, "versions": []}
    assert not (client.root / "fresh/.selfcode").exists()


def test_a_proposal_is_made_shown_and_accepted_without_a_kernel_of_the_notebook(client, spec):
    path = "waits/nb.ipynb"
    write_notebook(client.root / path, "root = math.sqrt(16)", "%selfcode history")
    asked = client.command("fix", path)
    assert asked["data"]["status"] == "proposed", asked
    state = client.get("state", path=path).json()
    (waits,) = state["waiting"]
    fits(spec, "state", "get", state)
    shown = client.get("waiting", path=path, name=waits["name"][:6]).json()
    fits(spec, "waiting", "get", shown)
    assert "import math" in shown["cells"][0]["after"]
    write_notebook(client.root / path, "root = math.sqrt(16)", "%selfcode accept", "below = 1")
    done = client.command(f"accept {waits['name']}", path)
    assert done["data"]["status"] == "deployed"
    saved = (client.root / path).read_text()
    assert "import math" in saved
    assert "below = 1" in saved
    assert client.get("state", path=path).json()["waiting"] == []


def test_settings_of_the_person_go_with_a_command(client):
    path = "asked/nb.ipynb"
    write_notebook(client.root / path, "root = math.sqrt(16)")
    found = client.post("command", {"path": path, "line": "fix", "settings": {"policy": "report"}}).json()
    assert found["data"]["status"] == "reported", found
    for settings, said in (({"sandbox": "C"}, "sandbox is a setting of the server"), ({"policy": "all"}, "cannot be used")):
        refused = client.post("command", {"path": path, "line": "fix", "settings": settings})
        assert (refused.status_code, said in refused.json()["message"]) == (400, True)


def test_what_waits_is_edited_and_tried_without_a_kernel_of_the_notebook(client):
    path = "edited/nb.ipynb"
    write_notebook(client.root / path, "root = math.sqrt(16)")
    name = client.command("fix", path)["data"]["proposal"]
    (cell,) = client.get("waiting", path=path, name=name).json()["cells"]
    mine = json.dumps({cell["cell_id"]: "from math import sqrt\nroot = sqrt(16)"})
    assert client.command(f"revise --name {name} {mine}", path)["data"]["status"] == "proposed"
    client.command("accept", path)
    assert "from math import sqrt" in (client.root / path).read_text()


def test_a_proposal_whose_cells_have_changed_is_refused_and_the_file_stays(client):
    path = "stale/nb.ipynb"
    write_notebook(client.root / path, "root = math.sqrt(16)")
    name = client.command("fix", path)["data"]["proposal"]
    write_notebook(client.root / path, "root = math.sqrt(25)")
    before = (client.root / path).read_bytes()
    refused = client.post("command", {"path": path, "line": f"accept {name}"})
    assert refused.status_code == 409
    assert "Ask again." in refused.json()["message"]
    assert (client.root / path).read_bytes() == before


def test_a_command_at_work_keeps_others_out_and_is_stopped(client):
    path = "slow/nb.ipynb"
    write_notebook(client.root / path, "import time\ntime.sleep(300)")
    answers: list[requests.Response] = []
    asking = threading.Thread(target=lambda: answers.append(client.post("command", {"path": path, "line": "fix"})))
    with listening(client, path) as heard:
        asking.start()
        assert heard("working")["line"]
        busy = client.post("command", {"path": path, "line": "undo"})
        assert (busy.status_code, "at work" in busy.json()["message"]) == (409, True)
        assert client.post("stop", {"path": path}).json() == {"stopped": True}
        heard("rest")
    asking.join(60)
    assert answers[0].json()["message"] == "Stopped; nothing was changed."
    assert client.post("stop", {"path": path}).json() == {"stopped": False}


@contextmanager
def listening(client, path):
    """A stream of events; `heard(name)` waits for the next one of that name."""
    headers = {"Authorization": f"token {TOKEN}"}
    with requests.get(client.base + "events", params={"path": path}, headers=headers, stream=True, timeout=60) as r:
        assert r.headers["Content-Type"].startswith("text/event-stream")
        lines = r.iter_lines(decode_unicode=True, chunk_size=1)

        def heard(name):
            for line in lines:
                if line == f"event: {name}":
                    return json.loads(next(lines).removeprefix("data: "))
            raise AssertionError(f"The stream ended without {name}.")

        yield heard


def test_what_happens_is_streamed(client):
    path = "streamed/nb.ipynb"
    write_notebook(client.root / path, "a = 1")
    with listening(client, path) as heard:
        assert heard("changed")["head"] is None
        done = client.command("check a == 1 --cell c0", path)
        assert heard("changed")["head"] == done["data"]["version"]


def test_a_notebook_that_is_renamed_through_the_server_takes_its_history_along(client):
    write_notebook(client.root / "old.ipynb", "x = 1")
    client.command("check x == 1 --cell c0", "old.ipynb")
    (client.root / "old.ipynb").write_text(  # saved over by a front end that knows nothing of our metadata
        (client.root / "old.ipynb").read_text("utf-8").replace("jupyter_selfcode", "of_somebody_else"), encoding="utf-8"
    )
    contents = client.base.replace("jupyter-selfcode/", "api/contents/")
    headers = {"Authorization": f"token {TOKEN}"}
    renamed = requests.patch(contents + "old.ipynb", json={"path": "new.ipynb"}, headers=headers, timeout=60)
    assert renamed.status_code == 200
    end = time.monotonic() + 30
    while not (state := client.get("state", path="new.ipynb").json())["total"]:
        assert time.monotonic() < end
    assert (state["total"], state["notebook"]) == (2, "new.ipynb")
