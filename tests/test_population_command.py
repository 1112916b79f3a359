"""``backpath population`` from the outside: options, errors, files, and what it does not tell."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from stat import S_IMODE

import pytest

from cards.library import Library
from service.population.engine import run_population
from service.population.problems import PopulationProblem
from service.population.run import Wanted
from tests.population_charts import JSON, write_lines
from tests.population_runs import DAY, Tables, command, commanded, ended, finished
from tests.populations import write_population
from tests.without_extras import PYTHON_PATH

AS_OF = ("--as-of", DAY.isoformat())
SECRET = "Mustermann-4711"


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    write_population(folder, patients=50, day=DAY, bad=1)
    return folder


@pytest.fixture(scope="module")
def two_workers(export: Path, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    folder = tmp_path_factory.mktemp("two") / "run"
    return finished(folder, "--input", export, *AS_OF, "--workers", 2)


def test_the_number_of_workers_changes_nothing(
    export: Path, two_workers: Tables, tmp_path: Path
) -> None:
    """One process or two: the same tables, byte by byte, and the same report."""
    one = finished(tmp_path / "run", "--input", export, *AS_OF, "--workers", 1)

    assert two_workers.content == one.content
    for report in ("report.json", "report.html"):
        assert (two_workers.folder / report).read_text() == (one.folder / report).read_text()


@pytest.mark.parametrize("form", ["ndjson", "parquet"])
def test_no_package_of_an_extra_is_needed(form: str, tmp_path: Path) -> None:
    """Spark's pandas and numpy are here in the tests, and not where users install the product."""
    write_population(tmp_path / "export", patients=5, day=DAY, form=form)
    asked = ("--input", tmp_path / "export", "--replay", "visits")
    plain = finished(tmp_path / "plain", *asked, PYTHONPATH=PYTHON_PATH)

    assert plain.content == finished(tmp_path / "run", *asked).content
    assert plain.rows("states")


def test_only_who_runs_it_may_look_at_the_files(two_workers: Tables) -> None:
    """Folders open to their owner alone, files as well, and what was in work is gone."""
    run = two_workers.folder
    found = [run, *run.rglob("*")]

    assert {0o700} == {S_IMODE(one.stat().st_mode) for one in found if one.is_dir()}
    assert {0o600} == {S_IMODE(one.stat().st_mode) for one in found if one.is_file()}
    names = {one.name for one in run.iterdir()}
    tables = {"cards", "states", "rejects", "tallies"}
    assert names == tables | {".lock", "run.json", "report.json", "report.html"}
    assert not [one for one in found if one.name.endswith(".unfinished")]


def test_a_folder_made_before_by_others_holds_nothing_they_can_read(
    export: Path, tmp_path: Path
) -> None:
    """A folder anybody may enter is left so; what the run puts there is not for anybody."""
    run = tmp_path / "run"
    run.mkdir(mode=0o755)
    finished(run, "--input", export, *AS_OF)

    assert not [one for one in run.rglob("*") if S_IMODE(one.stat().st_mode) & 0o077]


def test_the_keys_are_the_patients_own_ids(export: Path, two_workers: Tables) -> None:
    """Without a wish for pseudonyms the tables can be joined with the clinic's own."""
    lines = (export / "Patient.ndjson").read_bytes().splitlines()
    ids = {json.loads(line).get("id") for line in lines if line.startswith(b'{"resource')}

    assert {row["patient"] for row in two_workers.rows("states")} <= ids
    assert len(two_workers.of_patients("states")) == 50


def test_the_report_adds_up(two_workers: Tables) -> None:
    report = json.loads((two_workers.folder / "report.json").read_text())

    assert report["patients"]["addUp"]
    assert report["patients"]["judged"] == 50
    assert report["run"]["asOf"] == DAY.isoformat()


def test_without_a_day_it_is_today(library: Library, tmp_path: Path) -> None:
    """The day of the first start is noted in the description of the run."""
    before = date.today()  # noqa: DTZ011 the command's own day is meant
    folder = write_lines(tmp_path / "export", [{"resourceType": "Patient", "id": "p1"}])
    run_population(str(tmp_path / "run"), Wanted(str(folder), None), 1, None, lambda _: None)
    described = json.loads((tmp_path / "run" / "run.json").read_text())

    assert before <= date.fromisoformat(described["as_of"]) <= date.today()  # noqa: DTZ011


def hostile() -> list[JSON]:
    """Patients whose lines are wrong in every way, each with a name in it."""
    named = {"name": [{"family": SECRET}]}
    wrong: list[JSON] = [{}, {"birthDate": SECRET}, {"gender": [SECRET]}]
    return [
        {"resourceType": "Patient", "id": f"{SECRET}-{number}", **named, **more}
        for number, more in enumerate(wrong)
    ] + [
        {"resourceType": "Patient", **named},
        {"resourceType": SECRET, "id": "x"},
        {"resourceType": "Condition", "subject": {"reference": f"Patient/{SECRET}"}},
        {"resourceType": "Condition", "subject": {"reference": f"Group/{SECRET}"}},
        {"resourceType": "Observation", "subject": {"reference": f"Patient/{SECRET}-9"}},
    ]


def test_no_patient_is_told_on_the_terminal(tmp_path: Path) -> None:
    """Whatever lines hold, also the broken ones, is not printed; rejects name places only."""
    folder = tmp_path / "export"
    folder.mkdir()
    lines = [json.dumps(one) for one in hostile()]
    broken = [line[:-1] for line in lines] + [f"[{line}]" for line in lines]
    deep = '{"resourceType":"Patient","id":"' + SECRET + '","x":' + "[" * 5_000
    numbered = '{"resourceType":"Patient","id":"' + SECRET + '-n","multipleBirthInteger":1e999}'
    text = "\n".join([*lines, *broken, deep, numbered, "[" * 100_000])
    (folder / "Patient.ndjson").write_text(text)
    (folder / "Condition.ndjson").write_text("")
    done = commanded(tmp_path / "run", "--input", folder, *AS_OF)

    assert done.returncode == 0
    assert SECRET not in done.stderr + done.stdout
    run = tmp_path / "run"
    others = [one for one in run.rglob("*") if one.is_file() and one.parent.name != "states"]
    assert not [one for one in others if SECRET.encode() in one.read_bytes()]


@pytest.mark.parametrize(
    ("words", "arguments", "code"),
    [
        ("is not a folder", ("run", "--input", "nowhere"), 1),
        ("holds no NDJSON", ("run", "--input", "empty"), 1),
        ("holds other files", ("full", "--input", "export"), 1),
        ("is a file; choose a folder", ("file", "--input", "export"), 1),
        ("cannot be written: Not a directory", ("file/run", "--input", "export"), 1),
        ("lies in the folder of the export", ("export/run", "--input", "export"), 1),
        ("exclude each other", ("run", "--input", "export", *AS_OF, "--replay", "visits"), 2),
        ("--salt-file needs", ("run", "--input", "export", "--salt-file", "file"), 2),
        (
            "16 characters or more",
            ("run", "--input", "export", "--pseudonymise", "--salt-file", "file"),
            2,
        ),
        ("must be a date", ("run", "--input", "export", "--as-of", "soon"), 2),
        ("Missing option '--input'", ("run",), 2),
        ("--workers", ("run", "--input", "export", "--workers", "0"), 2),
        ("with --engine spark", ("run", "--input", "s3://bucket/export"), 1),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    words: str, arguments: tuple[str, ...], code: int, tmp_path: Path
) -> None:
    """No traceback, and the number programs tell misuse from failure by."""
    write_lines(tmp_path / "export", [{"resourceType": "Patient", "id": "p1"}])
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("years of work")
    (tmp_path / "file").write_text("short")
    done = ended(command(*arguments), cwd=tmp_path)

    assert done.returncode == code
    assert words in done.stderr.splitlines()[-1]
    assert done.stderr.count("Error: ") == 1
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert (tmp_path / "full" / "thesis.txt").read_text() == "years of work"


def test_a_folder_of_something_else_is_left_as_it_is(export: Path, tmp_path: Path) -> None:
    """Refused, it has no file more than before, and whoever could look into it still can."""
    other = tmp_path / "thesis"
    other.mkdir()
    other.chmod(0o755)
    (other / "chapter.txt").write_text("years of work")
    done = commanded(other, "--input", export, *AS_OF)

    assert done.returncode == 1
    assert ["chapter.txt"] == [one.name for one in other.iterdir()]
    assert S_IMODE(other.stat().st_mode) == 0o755


def test_a_description_nobody_can_read_is_refused(export: Path, tmp_path: Path) -> None:
    wrong = ("{", "[]", "{}", '{"input": "", "as_of": "soon"}', '{"input": "", "as_of": 5}')
    for text in wrong:
        (tmp_path / "run.json").write_text(text)
        with pytest.raises(PopulationProblem, match="choose a new folder"):
            run_population(str(tmp_path), Wanted(str(export), None), 1, None, lambda _: None)


LOADED = """
import sys
{}
heavy = {{"duckdb", "pyarrow", "tqdm", "pyspark"}} & set(sys.modules)
print(sorted(heavy))
"""


@pytest.mark.parametrize(
    ("words", "does"),
    [
        ("the service", "import service.app, service.server"),
        (
            "help on all commands",
            "from service.cli import main\nmain(['--help'], standalone_mode=False)",
        ),
        (
            "help on this command",
            "from service.cli import main\nmain(['population', '--help'], standalone_mode=False)",
        ),
    ],
)
def test_what_judges_populations_is_not_loaded_for(words: str, does: str) -> None:
    """The service starts, and help is given, without a database and readers of columns."""
    done = ended([sys.executable, "-c", LOADED.format(does)])

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
