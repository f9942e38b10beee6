"""The security report in a real browser: it opens, complains of nothing, and follows light and dark."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from policy import controls
from sandbox.report import write
from tests.sandbox.browser_support import Browser, find_browser
from tests.sandbox.report_support import report_of_stack

pytestmark = pytest.mark.browser

SECTIONS = ("summary", "secret-paths", "access", "network", "policy", "limits", "settings")
#: Asks the browser what a person would see; added to a copy of the page, which runs no script itself.
PROBE = """<script>
const box = (e) => { const b = e.getBoundingClientRect(); return [b.width, b.height]; };
document.documentElement.dataset.seen = JSON.stringify({
  dark: matchMedia('(prefers-color-scheme: dark)').matches,
  ground: getComputedStyle(document.body).backgroundColor,
  text: getComputedStyle(document.body).color,
  overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  sections: Object.fromEntries([...document.querySelectorAll('section')].map((s) => [s.id, box(s)])),
  bars: [...document.querySelectorAll('svg.chart rect')].filter((r) => box(r)[0] > 0).length,
  scrolled: [...document.querySelectorAll('.scroll, pre')].filter(
    (e) => e.scrollWidth > e.clientWidth).map((e) => e.textContent.trim().slice(0, 60)),
  cut: [...document.querySelectorAll('g.box')].filter((g) =>
    [...g.querySelectorAll('text')].some((t) =>
      t.getBoundingClientRect().right > g.querySelector('rect').getBoundingClientRect().right)
  ).map((g) => g.textContent.trim()),
});
</script></body>"""


@pytest.fixture(scope="module")
def browser() -> Browser:
    return Browser(find_browser())


@pytest.fixture(scope="module", params=["local", "local-vault", "example-azure-key-vault"])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("report") / "report.html"
    write(report_of_stack(request.param), target)
    return target


def seen(browser: Browser, page: Path, *, printed: bool = False, **how: Any) -> dict[str, Any]:
    """What a person would see of a page; as printed: with the style of paper on the screen."""
    text = page.read_text()
    if printed:
        assert "@media print" in text
        text = text.replace("@media print", "@media all")
    open_page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    copy = page.with_name("probed.html")
    copy.write_text(open_page.replace("</body>", PROBE))
    dom = browser.show(copy, **how).dom
    (result,) = re.findall(r'data-seen="([^"]*)"', dom)
    return json.loads(result.replace("&quot;", '"').replace("&amp;", "&"))


def test_the_page_opens_with_all_sections_and_without_complaint(
    browser: Browser, page: Path
) -> None:
    shown = browser.show(page)
    assert shown.console == []
    for section in SECTIONS:
        assert shown.dom.count(f'<section id="{section}"') == 1
    for control in controls.ALL:
        assert f">{control.id}</code>" in shown.dom


def test_the_browser_would_complain_if_the_page_loaded_something(
    browser: Browser, page: Path
) -> None:
    bad = page.with_name("bad.html")
    bad.write_text(
        page.read_text().replace("</main>", "<script>throw Error('planted')</script></main>")
    )
    assert any("Content Security Policy" in line for line in browser.show(bad).console)


@pytest.mark.parametrize("dark", [False, True])
def test_the_page_follows_light_and_dark(browser: Browser, page: Path, dark: bool) -> None:
    result = seen(browser, page, dark=dark)
    assert result["dark"] is dark
    ground, text = (
        sum(map(int, re.findall(r"\d+", result[name])[:3])) for name in ("ground", "text")
    )
    assert (ground < text) is dark


def test_sections_and_charts_have_a_size_and_no_text_leaves_its_box(
    browser: Browser, page: Path
) -> None:
    result = seen(browser, page)
    assert set(result["sections"]) == set(SECTIONS)
    assert all(width > 600 and height > 100 for width, height in result["sections"].values())
    assert result["bars"] >= len(controls.AREAS)
    assert result["cut"] == []
    assert result["overflow"] <= 0


def test_a_narrow_window_scrolls_tables_and_not_the_page(browser: Browser, page: Path) -> None:
    assert seen(browser, page, size="500,800")["overflow"] <= 0


def test_on_paper_everything_is_there_and_nothing_is_cut_off(browser: Browser, page: Path) -> None:
    # 186 mm of paper between its margins, at 96 points an inch; light, whatever the screen is.
    result = seen(browser, page, printed=True, dark=True, size="703,1000")
    assert result["overflow"] <= 0
    assert result["scrolled"] == []
    assert result["ground"] == "rgb(255, 255, 255)"


def test_pictures_of_both_schemes_can_be_looked_at(browser: Browser, page: Path) -> None:
    pictures = [
        browser.picture(page, page.with_name(f"{scheme}.png"), dark=scheme == "dark", size="1280,2400")
        for scheme in ("light", "dark")
    ]  # fmt: skip
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert pictures[0] != pictures[1]
