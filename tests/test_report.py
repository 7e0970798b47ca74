"""The report: what it says agrees with what was derived, and the page is sound, by itself and harmless."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dvaec.cli.report import report_of
from dvaec.compiler import run
from dvaec.derive.explain_text import Verdict
from dvaec.emit.mathml import math, mathml_writer
from dvaec.emit.report import report_page
from dvaec.emit.report_parts import equation_parts, factors, terms
from dvaec.emit.report_questions import covered
from dvaec.emit.report_schedule import computed, schedules
from dvaec.emit.report_values import Report
from dvaec.plan.model import Entry, FirstFrame, HeadNode, HoldNode, Loop, Node, ValueNode, head_name
from dvaec.runtime.source import load_class
from dvaec.spec import notation
from dvaec.spec.model import Direction, Side
from dvaec.spec.offsets import of
from tests.html_page import Page
from tests.program import dvaec
from tests.shipped import ROOT, SHIPPED, SPECS

STRANGE = sorted((ROOT / "tests" / "regressions").glob("*.yaml"))
EVERY = [*(SPECS / f"{name}.yaml" for name in SHIPPED), *STRANGE]


@cache
def report(path: Path) -> Report:
    return report_of(run(path))


@cache
def page(path: Path) -> Page:
    return Page(report_page(report(path)))


def sound_and_by_itself(path: Path) -> None:
    made = page(path)
    assert len(made.ids) == len(set(made.ids))
    local = [link[1:] for link in made.links if link.startswith("#")]
    assert local == [link[1:] for link in made.links], "a link leads out of the page"
    assert not set(local) - set(made.ids)
    assert [one for one in made.loaded if not one.startswith("data:")] == []
    assert not made.having("script")
    assert not [name for one in made.elements for name in one.attributes if name.startswith("on")]
    assert made.having("style")  # the page's, and one in each picture
    for style in made.having("style"):
        assert "url(" not in style.text
        assert "@import" not in style.text
        assert "http" not in style.text


def arguments_keep_what_the_posterior_reads(path: Path) -> None:
    made = report(path)
    parts = factors(made, mathml_writer(made.spec))
    derived = made.derivation.posterior.factors
    assert len(parts) == len(derived)
    for part, factor in zip(parts, derived, strict=True):
        if factor.conditional.frame is not None or not made.spec.variable(factor.conditional.target).framed:
            continue  # those are argued at the frames of a network of one length
        kept = {one.window for one in part.arguments if one.verdict is Verdict.KEPT}
        read = [p for p in factor.conditional.parents if p.frame is None]
        first = {v.name: v.first for v in made.spec.variables}
        assert kept >= {notation.page(p.name, p.offsets) for p in read if first[p.name] == 1}
        asked_once = [p for p in factor.conditional.parents if p.frame is not None and covered(p, factor)]
        assert len(kept) == len(factor.conditional.parents) - len(asked_once)


def test_a_window_that_covers_a_single_frame_is_argued_once(tmp_path: Path) -> None:
    """z_t reads z_{1:t-1}, and z_1 among it."""
    text = (
        "dvaec: 1\nmodel: M\nvariables:\n  x: {role: observed, dim: 3}\n  z: {role: latent, dim: 2}\n"
        "  v: {role: latent, dim: 2}\ngeneration: [v | z_<1>, z_t | z_<t-1>, 'x_t | z_t, v']\n"
        "inference: exact\norder: [z, v]\n"
    )
    (tmp_path / "m.yaml").write_text(text, encoding="utf-8")
    made = report_of(run(tmp_path / "m.yaml"))
    of_z = factors(made, mathml_writer(made.spec))[0]
    assert [(one.verdict.value, one.window) for one in of_z.arguments] == [
        ("kept", "x_<1:T>"),
        ("kept", "z_<<t>"),
        ("later", "z_<t:T>"),
        ("later", "v"),
    ]


def every_trained_value_in_one_equation(path: Path) -> None:
    made = report(path)
    parts = equation_parts(made)
    module = load_class(made.module, made.spec.name)()
    assert sum(part.size for part in parts) == made.size == sum(p.numel() for p in module.parameters())
    owned = [name for part in parts for name, _, _ in part.modules]
    assert len(owned) == len(set(owned))


def equations_lead_to_their_lines(path: Path) -> None:
    made = report(path)
    lines = made.module.splitlines()
    found = made.mentions
    for one in found:
        assert f"({one.equation})" in lines[one.line - 1]
    fixed = {
        number
        for number, node in enumerate((n for n in made.plan.network.nodes if not isinstance(n, ValueNode)), 1)
        if isinstance(node, HeadNode) and node.fixed
    }
    numbers = {part.number for part in equation_parts(made)}
    assert {one.equation for one in found} == numbers - fixed
    assert len(page(path).under("module", "span", "line")) == len(lines)


def spoken_for(entry: Entry, node: Node, frame: int, read: str) -> bool:
    """Whether a step need not wait for a read: another line speaks there, or its frame 1 is made before."""
    ahead = [name for step in entry.steps if isinstance(step, FirstFrame) for name in step.nodes]
    if isinstance(node, HeadNode) and node.head.frame == 1:
        return frame > 1 or read in ahead
    if isinstance(node, HeadNode) and node.begins and frame == 1:
        return read != node.begins
    return isinstance(node, HoldNode) and node.frame == 1 and not node.past and frame > 1


def loops_numbered_in_order(path: Path) -> None:
    made = report(path)
    frames, network = 6, made.plan.network
    for entry in made.plan.entries:
        for loop in (step for step in entry.steps if isinstance(step, Loop)):
            places = computed(loop, frames)
            assert sorted(places.values()) == list(range(1, len(loop.nodes) * frames + 1))
            for (name, frame), number in places.items():
                node = network.node(name)
                reads = [
                    (read.node, there)
                    for port in node.ports
                    for read in port.reads
                    for there in range(1, frames + 1)
                    if there - frame in (port.window or of(read.offset or 0)) and read.offset is not None
                ]
                if isinstance(node, ValueNode):
                    reads = [(head_name(side, name, None), frame) for side in Side]
                reads = [one for one in reads if not spoken_for(entry, node, frame, one[0])]
                assert all(places[one] < number for one in reads if one in places)


def formulas_well_formed(path: Path) -> None:
    formulas = re.findall(r"<math.*?</math>", page(path).source, flags=re.DOTALL)
    assert len(formulas) > 4
    for one in formulas:
        for element in ElementTree.fromstring(one).iter():
            # MathML: text stands in tokens only, and a script has its base and one or two scripts.
            if element.tag not in ("mi", "mn", "mo"):
                assert not (element.text or "").strip()
            assert not (element.tail or "").strip()
            assert {"msub": 2, "munderover": 3}.get(element.tag, len(element)) == len(element)


CHECKS = (
    sound_and_by_itself,
    arguments_keep_what_the_posterior_reads,
    every_trained_value_in_one_equation,
    equations_lead_to_their_lines,
    loops_numbered_in_order,
    formulas_well_formed,
)


@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.stem)
def test_a_report_is_sound_and_agrees_with_what_is_derived(path: Path) -> None:
    for check in CHECKS:
        check(path)


def test_loops_whose_nodes_are_steps_apart_are_among_them() -> None:
    found = [report(path) for path in EVERY if path.stem.startswith("read_be")]
    loops = [s for made in found for e in made.plan.entries for s in e.steps if isinstance(s, Loop)]
    assert any(any(loop.ahead) and loop.direction is way for loop in loops for way in Direction)


@pytest.mark.parametrize("name", ["srnn", "kvae", "dsae_full", "babaeizadeh", "grnn"])
def test_the_page_says_all_that_is_derived(name: str) -> None:
    made, shown = report(SPECS / f"{name}.yaml"), page(SPECS / f"{name}.yaml")
    whole = shown.elements[0].text
    assert made.spec.name in whole
    assert made.spec.about in whole
    parts = terms(made, mathml_writer(made.spec))
    assert [part.kind for part in parts] == [t.kind.value for t in (*made.elbo.terms, *made.elbo.auxiliary)]
    estimators = [one.text for one in shown.under("elbo", "span", "estimator")]
    assert [e.replace("_", "") for e in estimators] == [part.words.replace("_", "") for part in parts]
    assert [one.text for one in shown.under("page", "span", "line")] == [
        f"{number}{line}\n" for number, line in enumerate(made.source.texts[made.source.file].splitlines(), 1)
    ]
    drawn = shown.under("schedule", "svg", "schedule")
    assert len(drawn) == len(schedules(made.plan)) >= len([e for e in made.plan.entries if e.steps])
    assert len(shown.under("pictures", "svg", "diagram")) == (4 if made.spec.latents else 2)
    if made.spec.latents:
        compared = [(c.golden, c.silver, c.redundant) for c in made.derivation.comparisons]
        cells = [cell.text != "–" for cell in shown.under("q", "td")]
        assert cells == [bool(links) for row in compared for links in row]


def test_names_on_the_page_lead_to_their_definitions() -> None:
    shown = page(SPECS / "srnn.yaml")
    definitions = {one.attributes["id"]: one for one in shown.having("span", "definition")}
    assert sorted(definitions) == ["name-g", "name-h", "name-x", "name-z"]
    assert definitions["name-h"].attributes["title"] == "state: LSTM, runs forward; line 18"
    assert definitions["name-x"].attributes["title"] == "observed, 88 wide, per frame, Bernoulli; line 8"
    names = [(one.text, one.attributes["href"]) for one in shown.having("a", "name")]
    # z_t | z_<t-1>, x_<<t>; x_t | z_t, x_<<t>; two states, three heads with what they read
    assert [text for text, _ in names] == [*"zzxxzx", *"xhx", *"zzh", *"xzh", *"zzg"]
    assert all(href == f"#name-{text}" for text, href in names)


def test_what_a_page_says_cannot_become_markup(tmp_path: Path) -> None:
    text = (SPECS / "srnn.yaml").read_text(encoding="utf-8")
    evil = '</title><script>alert(1)</script><img src=x onerror="alert(2)">&amp;'
    text = re.sub("^about:.*$", f"about: '{evil}'  # {evil}", text, flags=re.MULTILINE)
    text = re.sub("^cites:.*$", f"cites: ['{evil}']", text, flags=re.MULTILINE)
    (tmp_path / "<b>evil.yaml").write_text(text, encoding="utf-8")
    plain = page(SPECS / "srnn.yaml")
    made = Page(report_page(report_of(run(tmp_path / "<b>evil.yaml", ["z.dim=7"]))))
    assert [one.tag for one in made.elements if one.tag in ("script", "img", "b")] == ["b"] * len(
        plain.having("b")
    )
    assert made.elements[0].text.count(evil) >= 4
    assert evil not in made.source
    [policy] = [m for m in made.having("meta") if m.attributes.get("http-equiv") == "Content-Security-Policy"]
    assert policy.attributes["content"].startswith("default-src 'none';")


def test_a_page_is_the_same_wherever_its_spec_lies(tmp_path: Path) -> None:
    shutil.copy(SPECS / "kvae.yaml", tmp_path / "other.yaml")
    copied = report_page(report_of(run(tmp_path / "other.yaml")))
    assert copied == page(SPECS / "kvae.yaml").source


def test_mathml_has_the_symbols_of_the_formula_in_order() -> None:
    spec = report(SPECS / "srnn.yaml").spec
    writer = mathml_writer(spec)
    tree = ElementTree.fromstring(math(writer.joint()))
    leaves = "".join(one.text or "" for one in tree.iter())
    assert leaves == "pθ(x1:T,z1:T)=∏t=1Tpθz(zt∣x1:t−1,zt−1)pθx(xt∣x1:t−1,zt)"
    assert "".join(one.text or "" for one in ElementTree.fromstring(math(writer.bound())).iter()) == (
        "ℒ(θ,φ;x1:T)"
    )
    below = [one for one in tree.iter("msub") if one[0].text == "x"]
    assert ["".join(leaf.text or "" for leaf in one[1].iter()) for one in below] == [
        "1:T",
        "1:t−1",
        "t",
        "1:t−1",
    ]


def test_the_command_writes_a_page_and_prints_its_path(tmp_path: Path) -> None:
    done = dvaec("report", str(SPECS / "vae.yaml"), cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "vae.html\n", "")
    assert (tmp_path / "vae.html").read_text(encoding="utf-8") == page(SPECS / "vae.yaml").source
    changed = dvaec("report", str(SPECS / "vae.yaml"), "--set", "x.dim=5", "-o", "a/b.html", cwd=tmp_path)
    assert (changed.returncode, changed.stdout) == (0, "a/b.html\n")
    assert "x.dim=5" in (tmp_path / "a" / "b.html").read_text(encoding="utf-8")


def test_many_specs_make_a_site_with_an_overview(tmp_path: Path) -> None:
    names = ["vae", "kvae", "grnn", "srnn_filtering"]
    done = dvaec("report", *(str(SPECS / f"{name}.yaml") for name in names), "-o", "site", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "site/index.html\n", "")
    site = tmp_path / "site"
    made = Page((site / "index.html").read_text(encoding="utf-8"))
    assert [one.attributes["id"] for one in made.under("comparison", "tr") if "id" in one.attributes] == names
    local = [link.partition("#") for link in made.links]
    for target, _, anchor in local:
        there = Page((site / (target or "index.html")).read_text(encoding="utf-8"))
        assert not anchor or anchor in there.ids
    pictures = [one.attributes["src"] for one in made.having("img")]
    assert len(pictures) == 2 * len(names) - 1, "a model without latents has no q"
    assert all(ElementTree.parse(site / src).getroot().tag.endswith("svg") for src in pictures)
    assert [one for one in made.loaded if one.startswith(("http", "//"))] == []
    back = Page((site / "kvae.html").read_text(encoding="utf-8")).links[0]
    assert back == "index.html"
    rows = {row.attributes["id"]: row for row in made.under("comparison", "tr") if "id" in row.attributes}
    cells = [one for one in made.having("td") if one.around[-1] is rows["kvae"]]
    assert len(cells) == 8
    assert cells[3].text == "at ← a1:t−1,xt+1:T,u1:T"
    assert cells[4].text == "–"
    assert cells[6].text.startswith("xt: Monte Carlo, parallel draws of a")
    assert "log-ratio, sequential draws of a and z" in cells[6].text


def test_a_folder_behind_o_makes_a_site_of_one(tmp_path: Path) -> None:
    done = dvaec("report", str(SPECS / "vae.yaml"), "-o", "site", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "site/index.html\n")
    assert sorted(p.name for p in (tmp_path / "site").iterdir()) == ["index.html", "pictures", "vae.html"]


def test_what_cannot_be_written_is_said_and_nothing_is(tmp_path: Path) -> None:
    one, two = str(SPECS / "vae.yaml"), str(SPECS / "srnn.yaml")
    (tmp_path / "bad.yaml").write_text("dvaec: 1\nmodel: Bad\nvariables: {x: {role: observd, dim: 2}}\n")
    (tmp_path / "vae.yaml").write_text(Path(one).read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "index.yaml").write_text(Path(one).read_text(encoding="utf-8"), encoding="utf-8")
    page_for_two = dvaec("report", one, two, "-o", "both.html", cwd=tmp_path)
    assert page_for_two.returncode == 2
    assert "name a folder" in page_for_two.stderr.replace("\n", " ")
    faulty = dvaec("report", one, "bad.yaml", "-o", "site", cwd=tmp_path)
    assert faulty.returncode == 1
    assert "bad.yaml:3:" in faulty.stderr
    same = dvaec("report", one, "vae.yaml", "-o", "site", cwd=tmp_path)
    assert same.returncode == 1
    assert "would be written to vae.html" in same.stderr
    taken = dvaec("report", one, "index.yaml", "-o", "site", cwd=tmp_path)
    assert taken.returncode == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.yaml", "index.yaml", "vae.yaml"]


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals here")
def test_a_bar_moves_on_a_terminal_and_only_there(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    words = [sys.executable, "-m", "dvaec", "report", str(SPECS / "vae.yaml"), "-o", str(tmp_path / "site")]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "80"}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=theirs, env=environment) as done:
        os.close(theirs)
        said = b""
        # Linux answers a terminal whose other end is closed with an error.
        with suppress(OSError):
            while piece := os.read(ours, 4096):
                said += piece
        assert done.stdout is not None
        assert done.stdout.read().decode().strip() == str(tmp_path / "site" / "index.html")
    os.close(ours)
    assert b"compiling vae" in said
    assert b"writing VAE" in said
