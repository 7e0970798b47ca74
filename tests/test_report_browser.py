"""Reports in a real browser: nothing in the console, formulas drawn, nothing wider than the window, print."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tests.browser import browser
from tests.program import dvaec
from tests.shipped import SPECS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("srnn", "kvae_mixture", "dsae_full", "rssm", "fhvae", "grnn")
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
MEASURE = """() => {
  document.querySelectorAll('details').forEach(one => one.open = true);
  const flat = one => { const box = one.getBoundingClientRect(); return box.width < 1 || box.height < 1; };
  const reachable = one => {
    for (let at = one.parentElement; at; at = at.parentElement)
      if (['auto', 'scroll'].includes(getComputedStyle(at).overflowX)) return true;
    return one.getBoundingClientRect().right <= innerWidth + 1;
  };
  return {
    width: document.documentElement.scrollWidth,
    formulas: document.querySelectorAll('math').length,
    flat: [...document.querySelectorAll('math, math mi, math mo, svg')].filter(flat).map(e => e.outerHTML),
    cut: [...document.querySelectorAll('math, svg, table, p, pre, img')].filter(e => !reachable(e)).map(e => e.outerHTML),
    ink: getComputedStyle(document.body).color,
    paper: getComputedStyle(document.body).backgroundColor,
  };
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = dvaec("report", *(str(SPECS / f"{name}.yaml") for name in NAMES), "-o", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser() as started:
        yield started


def opened(
    chrome: Browser, path: Path, width: int, scheme: Literal["light", "dark"]
) -> tuple[Page, list[str]]:
    """Open a file; what the page says in the console, throws or fails to fetch is collected."""
    page = chrome.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("requestfailed", lambda request: said.append(f"failed: {request.url}"))
    page.on("request", lambda request: said.append(request.url) if request.url.startswith("http") else None)
    page.goto(path.as_uri())
    return page, said


def luminance(colour: str) -> float:
    """Return the relative luminance of rgb(...), as WCAG has it."""
    parts = [int(one) / 255 for one in colour.removeprefix("rgb(").rstrip(")").split(", ")]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("name", [*NAMES, "index"])
def test_a_page_fits_every_window_in_light_and_dark(chrome: Browser, site: Path, name: str) -> None:
    for width in (400, 1000, 1600):
        for scheme in SCHEMES:
            page, said = opened(chrome, site / f"{name}.html", width, scheme)
            found: dict[str, Any] = page.evaluate(MEASURE)
            assert said == []
            assert found["width"] <= width
            assert found["formulas"] >= 5
            assert found["flat"] == []
            assert found["cut"] == []
            ink, paper = luminance(found["ink"]), luminance(found["paper"])
            assert (ink < paper) == (scheme == "light")
            assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) > 7
            page.close()


def test_the_gallery_shows_its_pictures(chrome: Browser, site: Path) -> None:
    page, said = opened(chrome, site / "index.html", 1000, "light")
    page.wait_for_load_state("load")
    sizes = page.evaluate("[...document.images].map(one => [one.complete, one.naturalWidth])")
    assert said == []
    assert len(sizes) == 2 * len(NAMES) - 1
    assert all(complete and width > 50 for complete, width in sizes)


def test_links_go_where_they_say(chrome: Browser, site: Path) -> None:
    page, _ = opened(chrome, site / "index.html", 1000, "light")
    page.click("a[href='srnn.html']")
    assert page.title() == "SRNN"
    page.click("#eq-1 .places a >> nth=1")
    target = "document.querySelector(':target').id"
    assert page.evaluate(target).startswith("module-")
    page.click(":target a.tag")
    assert page.evaluate(target) == "eq-1"
    page.click("#page a.name >> nth=0")
    assert page.evaluate(target) == "name-z"


def test_what_is_folded_is_printed(chrome: Browser, site: Path) -> None:
    page, _ = opened(chrome, site / "kvae_mixture.html", 1000, "dark")
    seen = "[...document.querySelectorAll('details:not([open]) > p')].map(one => one.checkVisibility())"
    assert set(page.evaluate(seen)) == {False}
    page.emulate_media(media="print", color_scheme="dark")
    assert set(page.evaluate(seen)) == {True}
    assert luminance(page.evaluate("getComputedStyle(document.body).color")) < 0.1, "ink on paper"
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_the_overview_prints_every_column(chrome: Browser, site: Path) -> None:
    page, _ = opened(chrome, site / "index.html", 1030, "light")  # an A4 page on its side, less its margins
    page.emulate_media(media="print")
    right = "document.querySelector('table.models').getBoundingClientRect().right"
    assert page.evaluate(right) <= 1030


def test_a_script_in_a_spec_never_runs(chrome: Browser, tmp_path: Path) -> None:
    text = (SPECS / "vae.yaml").read_text(encoding="utf-8")
    about = next(line for line in text.splitlines() if line.startswith("about:"))
    evil = "about: '</title></style><script>document.title = \"run\"</script><img src=x onerror=alert(1)>'"
    (tmp_path / "vae.yaml").write_text(text.replace(about, evil), encoding="utf-8")
    assert dvaec("report", "vae.yaml", cwd=tmp_path).returncode == 0
    page, said = opened(chrome, tmp_path / "vae.html", 400, "light")
    assert said == []
    assert page.title() == "VAE"
    assert "<script>" in page.inner_text(".about")
    # Were something to get through nevertheless, the page's own policy would stop it.
    made = "const s = document.createElement('script'); s.text = 'document.title = `run`'; document.body.append(s)"
    page.evaluate(f"() => {{ {made} }}")
    assert page.title() == "VAE"
    assert any("Content Security Policy" in one for one in said)
