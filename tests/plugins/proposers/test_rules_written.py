"""A file that is written in another way than the notebook reads it: what was seen tells how it is to be read."""

from __future__ import annotations

from pathlib import Path

import pytest

READ = "import pandas as pd\nsales = pd.read_csv('sales.csv')"


@pytest.fixture(autouse=True)
def _data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def lay(text: str, encoding: str = "utf-8") -> None:
    Path("sales.csv").write_text(text, encoding)


@pytest.mark.parametrize("mark", [";", "\t", "|"])
async def test_columns_that_are_one_by_now_are_divided_by_what_stands_between_them(mend, mark):
    lay(f"region{mark}units\nN{mark}1\n")
    mending = await mend(READ, "sales['units'].sum()")
    assert mending.sources == [READ[:-1] + f", sep={mark!r})", "sales['units'].sum()"]


@pytest.mark.parametrize("name", ["sep", "delimiter"])
async def test_a_separator_that_was_said_becomes_the_one_there_is(mend, name):
    lay("region,units\nN,1\n")
    mending = await mend(READ[:-1] + f", {name}=';', header=0)", "sales['units'].sum()")
    assert mending.sources[0] == READ[:-1] + f", {name}=',', header=0)"


async def test_a_column_that_is_in_none_of_them_is_not_found_by_dividing(mend):
    lay("region;units\nN;1\n")
    assert (await mend(READ, "sales['price'].sum()")).notebook is None


@pytest.mark.parametrize(("written", "said"), [("utf-16", "utf-16"), ("latin-1", "cp1252"), ("cp1252", "cp1252")])
@pytest.mark.parametrize(
    "cell",
    ["pd.read_csv('sales.csv'{})", "open('sales.csv'{}).read()", "open('sales.csv', 'r'{}).read()", "Path('sales.csv').read_text({})"],
)
async def test_what_is_no_utf_8_is_read_as_what_it_most_likely_is(mend, written, said, cell):
    lay("region,units\nKöln,1\n", written)
    mending = await mend("import pandas as pd\nfrom pathlib import Path", cell.format(""))
    argument = f"encoding={said!r}"
    assert mending.sources[1] == cell.format(argument if "({})" in cell else f", {argument}")
    assert mending.candidates[-1].warrant == ""


async def test_an_encoding_that_was_said_and_bytes_are_left_alone(mend):
    lay("Köln\n", "latin-1")
    assert (await mend("open('sales.csv', encoding='utf-8').read()")).notebook is None
    assert (await mend("open('sales.csv', 'rb').read().decode()")).notebook is None


async def test_a_call_over_several_lines_keeps_its_lines(mend):
    lay("region;units\nN;1\n")
    read = "import pandas as pd\nsales = pd.read_csv(\n    'sales.csv',\n    header=0,\n)"
    mending = await mend(read, "sales['units'].sum()")
    assert mending.sources[0] == "import pandas as pd\nsales = pd.read_csv(\n    'sales.csv',\n    header=0, sep=';')"
