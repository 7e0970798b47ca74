"""Pages and inputs that a hurried or a hostile person writes: said plainly, and nothing obeyed."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import numpy as np
import pytest

from dvaec.compiler import Compilation, run_text
from dvaec.derive.explain import explain
from dvaec.derive.explain_text import explanation_text
from dvaec.derive.question import parse_question
from dvaec.diagnostics import Diagnostic, Fault, Sources, Span, render
from dvaec.emit.derivation_json import derivation_json
from dvaec.emit.derivation_text import derivation_text
from dvaec.emit.diagram import Form
from dvaec.emit.diagram_title import title
from dvaec.emit.latex import derivation_latex, elbo_tex
from dvaec.emit.render import write_picture
from dvaec.runtime.data import load_splits
from dvaec.runtime.faults import DataFault
from dvaec.spec.names import model_name_fault, name_fault
from tests.runtime_stand_in import CARD, arrays, write

HEAD = "dvaec: 1\nmodel: M\nvariables:\n  x: {role: observed, dim: 3}\n"
PAGE = HEAD + "  z: {role: latent, dim: 2}\ngeneration:\n  - z_t | z_<t-1>\n  - x_t | z_t\n"
UNLATENT = HEAD + "  u: {role: input, dim: 1}\ngeneration:\n  - x_t | x_<<t>, u_t\n"


def derived(text: str) -> Compilation:
    return run_text(text, "page.yaml", until="module")


def printed(known: Compilation) -> tuple[str, str, str]:
    assert known.derivation is not None
    assert known.elbo is not None
    return (
        derivation_text(known.spec, known.derivation, known.elbo),
        derivation_latex(known.spec, known.derivation, known.elbo),
        elbo_tex(known.spec, known.derivation, known.elbo),
    )


def test_without_latents_the_bound_is_the_log_likelihood() -> None:
    known = derived(UNLATENT)
    text, latex, _ = printed(known)
    assert "= log p(x₁:ᴛ | u₁:ᴛ)\n    = ∑ₜ log p(xₜ | x₁:ₜ₋₁, uₜ)\n" in text
    assert "there is no posterior" in text
    assert "q(" not in text
    assert r"\log p_{\theta_x}(\mathbf{x}_t \mid \mathbf{x}_{1:t-1}, \mathbf{u}_t)" in latex
    assert known.derivation is not None
    assert known.elbo is not None
    assert json.dumps(derivation_json(known.spec, known.derivation, known.elbo))
    with pytest.raises(Fault, match="nothing is latent in this model"):
        parse_question("x_t <- x_<t-1>", known.spec)


def test_the_title_and_the_citations_command_neither_terminal_nor_emitted_code() -> None:
    quotes = r'''about: "a\"\"\" + exec('1') + \"\"\" \\ {{ 7*7 }} {x} %s \n \e[2J \u202E \x07 \0 end\\"'''
    known = derived(PAGE.replace("model: M\n", f'model: M\n{quotes}\ncites: ["\\udcff <b>\\n", "\'\'\'"]\n'))
    assert known.spec.about == 'a""" + exec(\'1\') + """ \\ {{ 7*7 }} {x} %s [2J end\\'
    assert known.spec.cites == ("<b>", "'''")
    for text in printed(known):
        assert all(c == "\n" or c.isprintable() for c in text)
        text.encode("utf-8")
    assert known.module is not None
    calls = [n.func for n in ast.walk(ast.parse(known.module)) if isinstance(n, ast.Call)]
    assert not any(isinstance(called, ast.Name) and called.id == "exec" for called in calls)


def test_a_latent_cannot_read_itself_and_the_answer_says_so() -> None:
    known = derived(PAGE)
    assert known.derivation is not None
    asked = parse_question("z_t <- z_t", known.spec)
    said = explanation_text(explain(known.spec, known.derivation, asked), known.source)
    assert said == "no: z_t is the target itself; its factor may not read z_t."


def test_an_excerpt_shows_the_place_in_a_long_line_and_nothing_that_a_terminal_obeys() -> None:
    line = "a" * 500 + "BAD" + "c" * 500 + "\x1b[2J"
    shown = render(
        [Diagnostic("DV999", "\x1b\u202e", Span("f\n.yaml", 1, 501, 3))], Sources({"f\n.yaml": line})
    )
    heading, excerpt, caret = shown.split("\n")
    assert heading == r"f\u000a.yaml:1:501: error[DV999]: \u001b\u202e"
    assert len(excerpt) < 140
    assert excerpt[caret.index("^") : caret.rindex("^") + 1] == "BAD"
    assert shown.replace("\n", "").isprintable()


def test_the_caret_stands_under_what_wide_characters_precede() -> None:
    shown = render([Diagnostic("DV999", "wrong", Span("f", 1, 3, 2))], Sources({"f": "変数xy\n"}))
    assert shown.split("\n")[-1] == "   |     ^^"


def test_a_picture_is_not_written_over_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "a.svg"
    folder.mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        write_picture("digraph {}", folder)
    assert caught.value.filename == str(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["a.svg"]


def test_numbers_beyond_single_precision_are_refused_before_training(tmp_path: Path) -> None:
    content = arrays()
    name = next(key for key in content if key == "train_x")
    content[name] = content[name].astype(np.float64)
    content[name][2, 0] = 1e300
    with pytest.raises(DataFault, match="finite, in single precision too"):
        load_splits(write(tmp_path / "set.npz", content), CARD, ["train"])


def test_what_is_no_archive_is_not_recommended_to_be_unpickled(tmp_path: Path) -> None:
    page = tmp_path / "page.yaml"
    page.write_text(PAGE)
    with pytest.raises(DataFault) as caught:
        load_splits(str(page), CARD, ["train"])
    assert caught.value.message == f"{page}: not an .npz archive"
    with pytest.raises(DataFault, match="a folder that holds no"):
        load_splits(str(tmp_path), CARD, ["train"])


def test_nothing_is_called_like_a_function_of_the_emitted_module() -> None:
    templates = Path(__file__).parent.parent / "dvaec" / "emit" / "templates"
    texts = [path.read_text() for path in sorted(templates.glob("*.py.jinja"))]
    functions = [name for text in texts for name in re.findall(r"^def (\w+)", text, re.MULTILINE)]
    assert "gaussian_kl" in functions
    assert [name for name in functions if model_name_fault(name) is None] == []
    assert [name for name in functions if name_fault(name) is None] == []


def test_titles_give_conditions_in_the_order_of_the_printed_formulas() -> None:
    known = derived(PAGE)
    assert known.derivation is not None
    drawn = title(known.spec, Form.INFERENCE_COMPACT, known.derivation.inference)
    assert drawn[1] == "q(z₁:ᴛ | x₁:ᴛ) = ∏ₜ q(zₜ | zₜ₋₁, xₜ:ᴛ)"
    assert drawn[1] in printed(known)[0]


def test_frames_where_windows_are_loose_are_named_as_runs() -> None:
    page = PAGE.replace("z_<t-1>", "z_<t-3>").replace("x_t | z_t", "x_t | z_t, z_<t-2>")
    assert "larger than needed at t = T-2 to T\n" in printed(derived(page))[0]
