"""The importer carries codes, names and strengths over, and nothing that nobody reads."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from cards.product import Strength
from cards.terminology_files import read_drugs
from tests.import_terminology import ROOT, import_terminology, terminology_directory

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
RELEASE = "RxNorm Current Prescribable Content 2025-10 (somebody/list)"
DRUGS = f"""\
rxcui,name,tty,ingredients,strengths,dose_form,route,extended_release,source,confidence
20,b 2 MG / a 1 MG Oral Tablet [Ab],SBD,2|b;1|a,2|MG;1|MG,Oral Tablet,oral,n,{RELEASE}; more,high
9,{{21 (A 4 MG Oral Tablet) }} Pack,GPCK,1|a,4|MG,Oral Tablet Pack,oral,y,a list,medium
"""
INGREDIENTS = f"""\
rxcui,name,tty,classes,source,confidence
2,b,IN,opioid,{RELEASE},high
1,A,IN,,a list,high
x-c,c,,,name only,low
"""
FORMS = """\
rxcui,name,tty,ingredient_rxcuis
3,b sulfate,PIN,2
4,a / b,MIN,1;2
"""
ROUTES = """\
system,code,display,route,note,confidence,source
rxnorm-dose-form-name,,Oral Tablet,oral,seen twice,high,"RxNorm names, parsed"
http://snomed.info/sct,6064005,Topical route,topical,,high,a list; another
"""
VALUE_SET = f"""\
system,code,display,match,note,confidence,source
{RXNORM},1,a,exact,,high,us
{RXNORM},50,captopril,exact,,high,a list; another
{RXNORM},60,captopril 25 MG Oral Tablet,exact,,high,a list
http://snomed.info/sct,70,Something else,exact,,high,us
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A made-up package: two products, three ingredients, two of their forms, two routes."""
    folder = tmp_path / "package"
    folder.mkdir()
    texts = {"drugs": DRUGS, "ingredients": INGREDIENTS, "ingredient_forms": FORMS}
    for name, text in {**texts, "routes": ROUTES}.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def content(package: Path, tmp_path: Path) -> Path:
    """Our content, with a value set that names an ingredient of its own, after the import."""
    sets = tmp_path / "cards" / "value_sets"
    sets.mkdir(parents=True)
    (sets / "acei.csv").write_text(VALUE_SET, encoding="utf-8")
    (sets / "again.csv").write_text(VALUE_SET, encoding="utf-8")
    import_terminology(package, tmp_path / "cards")
    return tmp_path / "cards"


def _rows(content: Path, name: str) -> list[dict[str, str]]:
    with (content / "terminology" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.csv"))}


def test_importing_twice_changes_nothing(package: Path, content: Path) -> None:
    """An unchanged package leaves every file as it is, so a diff shows changed drugs only."""
    before = _files(content / "terminology")
    import_terminology(package, content)

    assert before == _files(content / "terminology")


def test_products_keep_their_facts(content: Path) -> None:
    """Code, name, ingredients with strengths, form, route, release and pack, in order of code."""
    pack, tablet = _rows(content, "products")

    assert tablet == {
        "rxcui": "20",
        "name": "b 2 MG / a 1 MG Oral Tablet [Ab]",
        "ingredients": "2 1",
        "strengths": "2 MG;1 MG",
        "form": "Oral Tablet",
        "route": "oral",
        "extended_release": "",
        "pack": "",
        "origin": "RxNorm 2025-10",
    }
    assert (pack["rxcui"], pack["pack"], pack["extended_release"]) == ("9", "y", "y")
    assert pack["origin"] == "a list"


def test_ingredients_salts_and_combinations(content: Path) -> None:
    """A salt or a combination names what it stands for; each row says where it was read."""
    rows = [tuple(row.values()) for row in _rows(content, "ingredients")]

    assert rows == [
        ("1", "A", "", "a list"),
        ("2", "b", "", "RxNorm 2025-10"),
        ("3", "b sulfate", "2", "RxNorm PIN"),
        ("4", "a / b", "1 2", "RxNorm MIN"),
        ("50", "captopril", "", "a list"),
        ("x-c", "c", "", "name only"),
    ]


def test_what_is_written_can_be_read(content: Path) -> None:
    """The reader takes every row the importer writes."""
    names = "other_names.csv"  # written by hand
    shutil.copy(ROOT / "cards" / "terminology" / names, content / "terminology" / names)
    drugs = read_drugs(content / "terminology")
    tablet = drugs.product("20")

    assert tablet is not None
    assert tablet.strengths == (Strength("2", "b", 2.0, "MG"), Strength("1", "a", 1.0, "MG"))
    assert drugs.product("60") is None
    assert drugs.routes == {
        ("rxnorm-dose-form-name", "Oral Tablet"): "oral",
        ("http://snomed.info/sct", "6064005"): "topical",
    }


def test_a_package_without_a_column_is_refused(package: Path, tmp_path: Path) -> None:
    """A table of another shape stops the import before anything is written."""
    (package / "routes.csv").write_text("system,code\na,b\n", encoding="utf-8")

    with pytest.raises(KeyError):
        import_terminology(package, tmp_path / "cards")
    assert not (tmp_path / "cards").exists()


def test_where_the_package_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line comes first, then the environment, then beside the repository."""
    monkeypatch.setenv("BACKPATH_TERMINOLOGY", "from-environment")

    assert Path("named") == terminology_directory(["named"])
    assert Path("from-environment") == terminology_directory([])
    monkeypatch.delenv("BACKPATH_TERMINOLOGY")
    assert ROOT.parent / "shared" / "terminology" == terminology_directory([])


@pytest.mark.skipif(
    not (terminology_directory([]) / "drugs.csv").exists(),
    reason="the terminology package is not on this machine; the made-up one is tested above",
)
def test_our_tables_are_what_the_package_says(tmp_path: Path) -> None:
    """With the package at hand, importing it again changes nothing in our tables."""
    shutil.copytree(ROOT / "cards" / "value_sets", tmp_path / "value_sets")
    import_terminology(terminology_directory([]), tmp_path)

    ours = _files(ROOT / "cards" / "terminology")
    del ours["other_names.csv"]  # written by hand

    assert ours == _files(tmp_path / "terminology")
