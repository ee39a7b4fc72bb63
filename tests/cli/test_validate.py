"""`cronny validate`: every problem at its place, without a server."""

import json
from pathlib import Path

import pytest

from cronny.cli.main import run
from tests.cli.command import Ran, run_cronny

ROOT = Path(__file__).parents[2]
GOOD = "version: 1\nname: good\nstages: [{id: a, uses: set, with: {values: {x: 1}}}]\n"
BAD = "version: 1\nname: bad\nstages:\n  - id: a\n    uses: htp\n    wen: true\n"
LINES = [
    "bad.yaml:5:11: stages.a.uses: no kind 'htp'; did you mean 'http'?",
    "bad.yaml:6:5: stages.a.wen: there is no such field; did you mean 'when'?",
]


def test_a_file_without_problems_is_silent(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(GOOD)
    assert run_cronny("validate", "good.yaml", cwd=tmp_path) == Ran(0, "", "")


def test_all_problems_are_printed_a_line_each(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(BAD)
    ran = run_cronny("validate", "bad.yaml", cwd=tmp_path)
    assert (ran.code, ran.out.splitlines(), ran.err) == (1, LINES, "")


def test_standard_input_is_a_file(tmp_path: Path) -> None:
    ran = run_cronny("validate", "-", stdin=BAD)
    assert ran.out.splitlines() == [line.replace("bad.yaml", "<stdin>") for line in LINES]


def test_programs_get_a_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(BAD)
    assert run(["validate", str(file), "--json"]) == 1
    first = json.loads(capsys.readouterr().out)[0]
    assert first == {
        "file": str(file), "where": "stages.a.uses", "what": "no kind 'htp'", "hint": "did you mean 'http'?",
        "code": first["code"], "line": 5, "column": 11,
    }  # fmt: skip


def test_programs_get_an_empty_list_for_a_good_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "good.yaml").write_text(GOOD)
    assert (run(["validate", str(tmp_path), "--json"]), capsys.readouterr().out) == (0, "[]\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe\x00binary", "not UTF-8"),
        (b"a: b: c", "1:"),
        (b"", "document: "),
        (b"x" * (512 * 1024 + 1), "larger than 512 KiB"),
        (b"name: \x1b[31mred\n", ":1:"),
    ],
)
def test_rubbish_is_a_line(
    content: bytes, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rubbish.yaml").write_bytes(content)
    code, output = run(["validate", str(tmp_path)]), capsys.readouterr()
    assert (code, output.err, message in output.out, "\x1b" in output.out) == (1, "", True, False)


def test_a_file_that_is_not_there_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", "gone.yaml"]) == 1
    assert capsys.readouterr().out == "gone.yaml:1:1: file: cannot be read: No such file or directory\n"


@pytest.mark.parametrize("folder", ["examples", "cronny/demo"])
def test_what_is_shipped_is_valid(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert (run(["validate", str(ROOT / folder)]), capsys.readouterr().out) == (0, "")


def test_the_schema_for_editors_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema"]) == 0
    assert capsys.readouterr().out == (ROOT / "docs/schemas/action.v1.json").read_text()
