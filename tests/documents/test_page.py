"""HTML reports: complete, self-contained, for mixed models and structural equation models."""

from __future__ import annotations

import base64
import re
import xml.dom.minidom
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import tanada as tn
from tanada.cli.main import run


@pytest.fixture(autouse=True)
def no_display() -> None:
    import matplotlib

    matplotlib.use("Agg", force=True)


@pytest.fixture(scope="module")
def survey() -> Any:
    return tn.center(tn.load_dataset("school_survey"), "escs", by="school_id")


class Outline(HTMLParser):
    """Titles, images and open elements of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.titles: list[str] = []
        self.images: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.images.append(dict(attrs))
        elif tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "h2":
            self.titles.append(data)


def outline(path: Path) -> Outline:
    page = path.read_text(encoding="utf-8")
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", page), "the page asks for something outside itself"
    assert "<script" not in page
    found = Outline()
    found.feed(page)
    assert found.open == []
    for image in found.images:
        svg = base64.b64decode(str(image["src"]).split(",", 1)[1])
        xml.dom.minidom.parseString(svg)
        assert image["alt"]
    return found


def test_a_linear_mixed_model(survey: Any, tmp_path: Path) -> None:
    m = tn.mixed("read_score ~ escs_cwc + (escs_cwc | school_id)", survey)
    path = tn.report(m, tmp_path / "out")
    assert path.name == "out.html"
    found = outline(path)
    assert found.titles == ["In words", "Data", "Estimates", "Explained variance", "Groups", "Checks", "Methods and citation"]
    assert len(found.images) == 10
    page = path.read_text(encoding="utf-8")
    assert "5,766" in page and "Satterthwaite" in page and "tn.mixed(" in page


def test_a_generalized_model_in_japanese(tmp_path: Path) -> None:
    m = tn.mixed("cbind(y, N - y) ~ x + (1 | id)", tn.load_dataset("seed_survival"), family="binomial")
    page = tn.report(m, tmp_path / "ja.html", language="ja").read_text(encoding="utf-8")
    assert '<html lang="ja">' in page and "一般化線形混合モデル" in page
    assert "<h2>診断</h2>" in page and "<h2>Checks</h2>" not in page
    assert len(outline(tmp_path / "ja.html").images) >= 6


def test_names_with_markup_are_escaped(tmp_path: Path) -> None:
    d = tn.load_dataset("school_survey").rename(columns={"read_score": "y<b>&"})
    m = tn.mixed("`y<b>&` ~ (1 | school_id)", d)
    page = tn.report(m, tmp_path / "x.html").read_text(encoding="utf-8")
    assert "<b>&" not in page.replace("<p><b>", "").replace("&amp;", "") and "y&lt;b&gt;" in page


def test_a_two_level_structural_model(survey: Any, tmp_path: Path) -> None:
    model = "level: 1\n f =~ teach1 + teach2 + teach3\nlevel: 2\n g =~ teach1 + teach2 + teach3"
    f = tn.sem(model, survey, cluster="school_id")
    found = outline(tn.report(f, tmp_path / "sem.html"))
    assert "Path diagram" in found.titles and "Fit" in found.titles and len(found.images) == 1


def test_bad_targets(survey: Any, tmp_path: Path) -> None:
    with pytest.raises(tn.ModelError, match="fitted model"):
        tn.report(3, tmp_path / "x.html")
    m = tn.mixed("read_score ~ (1 | school_id)", survey)
    with pytest.raises(tn.DataError, match="does not exist"):
        tn.report(m, tmp_path / "nowhere" / "x.html")


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "fit.html"
    with pytest.raises(SystemExit) as end:
        run(["fit", "read_score ~ (1 | school_id)", "--data", "school_survey", "--report", str(out), "--save", str(tmp_path / "m.zip")])
    assert end.value.code == 0 and out.is_file() and "Random effects" in capsys.readouterr().out
    with pytest.raises(SystemExit) as end:
        run(["report", str(tmp_path / "m.zip"), str(tmp_path / "again.html")])
    assert end.value.code == 0 and outline(tmp_path / "again.html").titles
    (tmp_path / "cfa.txt").write_text("f =~ teach1 + teach2 + teach3 + teach4", encoding="utf-8")
    with pytest.raises(SystemExit) as end:
        run(["report", str(tmp_path / "cfa.txt"), str(tmp_path / "sem.html"), "--data", "school_survey"])
    assert end.value.code == 0 and "Path diagram" in outline(tmp_path / "sem.html").titles
    with pytest.raises(SystemExit) as end:
        run(["report", "nothing", str(tmp_path / "x.html")])
    assert end.value.code == 1 and "neither a formula" in capsys.readouterr().err
