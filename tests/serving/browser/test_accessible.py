"""Every page, in both languages: no serious violation that axe-core finds, no overflow."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.serving.browser.conftest import MODEL, Served

Open = Callable[..., Page]
PAGES = {
    "/": "ann",
    "/runs/{run}/": "lea",
    "/runs/{run}/orders/": "ann",
    "/leads/1/": "ann",
    "/groups/1/": "lea",
    "/queue/": "lea",
    "/queue/overdue/": "lea",
    "/teams/": "lea",
    "/boards/": "lea",
    f"/boards/{MODEL}/": "lea",
    "/doubts/": "lea",
    "/account/": "ann",
    "/audit/": "aud",
    "/people/": "adm",
}
WIDE, TABLET = 1280, 768


@pytest.mark.parametrize("path", PAGES)
def test_page_is_accessible_and_fits_the_screen(
    served: Served, page_of: Open, path: str
) -> None:
    page = page_of(PAGES[path])
    response = page.goto(path.format(run=served.run_id))
    assert response is not None
    assert response.ok
    found = Axe().run(page).response["violations"]
    serious = [
        (rule["id"], [node["html"][:120] for node in rule["nodes"]])
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ]
    assert serious == []
    for width in (WIDE, TABLET):
        page.set_viewport_size({"width": width, "height": 900})
        inner = page.evaluate("document.documentElement.scrollWidth")
        assert inner <= width, f"{path} is {inner} pixels wide on {width}"


def test_every_page_is_in_the_language_of_the_user(
    served: Served, page_of: Open
) -> None:
    page = page_of("lea")
    page.get_by_role("button", name="中文").click()
    english = page.locator("body").inner_text()
    assert "退出" in english
    for path in ("/", f"/runs/{served.run_id}/", "/queue/", f"/boards/{MODEL}/"):
        page.goto(path)
        assert page.locator("html").get_attribute("lang") == "zh-hans"
        assert "Sign out" not in page.locator("body").inner_text()
    page.get_by_role("button", name="English").click()
    assert page.locator("html").get_attribute("lang") == "en"
