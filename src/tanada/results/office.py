"""Tables for other programs: Word documents (python-docx) and great_tables objects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tanada.errors import ModelError
from tanada.results.text import Block

EXTRA = "pip install 'tanada[tables]'"


def write_docx(blocks: Sequence[Block], path: Any) -> None:
    """Write titled tables to a Word document: rules above and below, numbers flush right.

    Parameters
    ----------
    blocks : sequence of Block
    path : str or path
        File to write; ".docx" is added when it has no ending.

    Raises
    ------
    ModelError
        When python-docx is not installed, or the path has another ending.
    """
    try:
        from docx import Document
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.shared import Pt
    except ImportError:
        raise ModelError(f"to_docx() needs the package python-docx: {EXTRA}.") from None
    document = Document()
    document.styles["Normal"].font.size = Pt(10)
    for block in blocks:
        if block.title:
            document.add_paragraph().add_run(block.title).bold = True
        lines = [*([block.header] if any(block.header) else []), *block.rows]
        if lines:
            table = document.add_table(rows=len(lines), cols=len(lines[0]))
            for i, line in enumerate(lines):
                for j, cell in enumerate(line):
                    paragraph = table.cell(i, j).paragraphs[0]
                    paragraph.paragraph_format.space_after = Pt(0)
                    run = paragraph.add_run(cell)
                    run.bold = (i == 0 and any(block.header)) or _is_section(line)
                    paragraph.alignment = WD_ALIGN_PARAGRAPH.LEFT if j in block.left else WD_ALIGN_PARAGRAPH.RIGHT
            _rules(table, any(block.header))
        for note in block.foot:
            document.add_paragraph(note).paragraph_format.space_after = Pt(0)
        if lines or block.foot:
            document.add_paragraph()
    document.save(str(_docx_path(path)))


def _docx_path(path: Any) -> Path:
    out = Path(path)
    if out.suffix == "":
        return out.with_suffix(".docx")
    if out.suffix.lower() != ".docx":
        raise ModelError(f"to_docx: '{out.name}' should end in .docx.")
    return out


def _is_section(line: Sequence[str]) -> bool:
    return len(line) > 1 and bool(line[0]) and not any(line[1:])


def _rules(table: Any, header: bool) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    def rule(row: int, side: str) -> None:
        for cell in table.rows[row].cells:
            properties = cell._tc.get_or_add_tcPr()
            borders = properties.find(qn("w:tcBorders"))
            if borders is None:
                borders = OxmlElement("w:tcBorders")
                properties.append(borders)
            line = OxmlElement(f"w:{side}")
            for key, value in (("val", "single"), ("sz", "6"), ("space", "0"), ("color", "000000")):
                line.set(qn(f"w:{key}"), value)
            borders.append(line)

    rule(0, "top")
    if header:
        rule(0, "bottom")
    rule(len(table.rows) - 1, "bottom")


def as_great_table(blocks: Sequence[Block], title: str = "") -> Any:
    """Tables of the same columns as one great_tables object, one row group a table.

    Parameters
    ----------
    blocks : sequence of Block
    title : str

    Returns
    -------
    great_tables.GT

    Raises
    ------
    ModelError
        When great_tables is not installed.
    """
    try:
        from great_tables import GT, md
    except ImportError:
        raise ModelError(f"as_gt() needs the package great_tables: {EXTRA}.") from None
    import pandas as pd

    rows = []
    for b in blocks:
        section = b.title.rstrip(":")
        for line in b.rows:
            if _is_section(line):
                section = line[0]
                continue
            rows.append(dict(zip(unique_names(b.header), line), Part=section))
    table = pd.DataFrame(rows).fillna("")
    first = table.columns[0]
    grouped = table["Part"].nunique() > 1
    gt = GT(table if grouped else table.drop(columns="Part"), rowname_col=first, groupname_col="Part" if grouped else None)
    numbers = [c for c in table.columns if c not in (first, "Part")]
    gt = gt.cols_align("right", columns=numbers)
    notes = [n for b in blocks for n in b.foot]
    for note in dict.fromkeys(notes):
        gt = gt.tab_source_note(md(note.replace("*", "\\*")))
    return gt.tab_header(title) if title else gt


def unique_names(names: Sequence[str]) -> list[str]:
    """Column names without repetitions or empty ones."""
    out: list[str] = []
    for i, n in enumerate(names):
        name = n or ("Term" if i == 0 else " ")
        while name in out:
            name += " "
        out.append(name)
    return out
