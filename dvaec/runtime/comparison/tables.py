"""The table of a comparison as text, Markdown, LaTeX and CSV; every run by itself as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from dvaec.runtime.comparison.job import Result
from dvaec.runtime.comparison.summary import BESIDE, COLUMNS, SCORES, Row, Spread, numbers
from dvaec.runtime.mode import Mode

_LATEX = {"\\": r"\textbackslash{}", **{sign: f"\\{sign}" for sign in "&%$#_{}"}, "^": r"\^{}", "~": r"\~{}"}


def text_table(rows: Sequence[Row], notes: Sequence[str]) -> str:
    """Columns of equal width, numbers to the right; what failed and the protocol below."""
    cells = [_head(rows), *(_cells(row, rows, " ± ") for row in rows)]
    widths = [max(len(line[k]) for line in cells) for k in range(len(cells[0]))]
    lines = [
        "  ".join(
            cell.ljust(w) if k == 0 else cell.rjust(w)
            for k, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        for line in cells
    ]
    return "\n".join([*(line.rstrip() for line in lines), *_failed(rows), "", *notes])


def markdown_table(rows: Sequence[Row], notes: Sequence[str]) -> str:
    """A table with pipes; what failed and the protocol below."""
    head = _head(rows)
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *(_cells(row, rows, " ± ") for row in rows)]
    below = [line.replace("|", "\\|") for line in (*_failed(rows), *notes)]
    return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), "", *below])


def latex_table(rows: Sequence[Row], notes: Sequence[str]) -> str:
    """A tabular with the rules of booktabs; the protocol as comments above it."""
    head = [
        _escaped(cell).replace("-ELBO", "$-$ELBO").replace("-log p", r"$-\log p$") for cell in _head(rows)
    ]
    body = [[_escaped(row.title), *(_math(cell) for cell in _cells(row, rows, r" \pm ")[1:])] for row in rows]
    lines = [f"% {line}" for line in (*_failed(rows), *notes)]
    lines += [
        f"\\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}",
        "\\toprule",
        f"{' & '.join(head)} \\\\",
        "\\midrule",
    ]
    lines += [f"{' & '.join(line)} \\\\" for line in body]
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}"])


def csv_table(rows: Sequence[Row]) -> str:
    """A line a model, a mean and a standard deviation for each column, in full."""
    keys = _keys(rows, (*COLUMNS, *SCORES, *BESIDE))
    head = [f"{key}_{what}" for key in keys for what in ("mean", "sd")]
    lines = [["model", "mode", "seeds", "parameters", "epochs", "seconds", *head]]
    for row in rows:
        values = [row.values.get(key) for key in keys]
        said = [part for one in values for part in _parts(one)]
        lines.append(
            [
                row.label,
                row.mode.value,
                str(len(row.seeds)),
                str(row.parameters),
                f"{row.epochs:g}",
                f"{row.seconds:.3f}",
                *said,
            ]
        )
    return _csv(lines)


def csv_runs(results: Sequence[Result]) -> str:
    """A line a run, in full."""
    told = [numbers(one) for one in results]
    keys = [*COLUMNS, *(key for key in (*SCORES, *BESIDE) if any(key in one for one in told))]
    lines = [["model", "mode", "seed", "parameters", "epochs", "best_epoch", "seconds", *keys, "fault"]]
    for one in sorted(results, key=lambda one: (one.label, one.seed, one.mode is Mode.GENERATION)):
        found = numbers(one)
        values = [f"{found[key]:.8g}" if key in found else "" for key in keys]
        counts = [
            one.label,
            one.mode.value,
            one.seed,
            one.parameters,
            one.epochs,
            one.best_epoch,
            f"{one.seconds:.3f}",
        ]
        lines.append([*map(str, counts), *values, one.fault or ""])
    return _csv(lines)


def _csv(lines: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    return out.getvalue()


def _parts(one: Spread | None) -> tuple[str, str]:
    if one is None:
        return "", ""
    return f"{one.mean:.8g}", "" if one.deviation is None else f"{one.deviation:.8g}"


def _keys(rows: Sequence[Row], among: Sequence[str] = (*COLUMNS, *SCORES)) -> list[str]:
    return [key for key in among if any(key in row.values for row in rows)]


def _head(rows: Sequence[Row]) -> list[str]:
    units = {key: unit for row in rows for key, unit in (row.units or {}).items() if unit}
    told = {
        **COLUMNS,
        **{key: f"{name}, {units[key]}" if key in units else name for key, name in SCORES.items()},
    }
    return ["model", "seeds", "parameters", *(told[key] for key in _keys(rows)), "epochs", "time"]


def _cells(row: Row, rows: Sequence[Row], sign: str) -> list[str]:
    values = [_shown(row.values.get(key), sign) for key in _keys(rows)]
    done = bool(row.seeds)
    parameters, epochs, seconds = f"{row.parameters:,}", f"{row.epochs:.0f}", f"{row.seconds:.0f} s"
    return [
        row.title,
        str(len(row.seeds)),
        *((parameters, *values, epochs, seconds) if done else ("", *values, "", "")),
    ]


def _shown(one: Spread | None, sign: str) -> str:
    if one is None:
        return ""
    return f"{one.mean:.3f}" if one.deviation is None else f"{one.mean:.3f}{sign}{one.deviation:.3f}"


def _math(cell: str) -> str:
    return f"${cell}$" if "pm" in cell else cell.replace(",", "{,}")


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(sign, sign) for sign in text)


def _failed(rows: Sequence[Row]) -> list[str]:
    return [f"{row.title}, {fault}" for row in rows for fault in row.faults]
