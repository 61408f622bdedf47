"""Looks for faults in a report: headless Chromium, desktop and phone width, light and dark.

usage: check-report.py REPORT.html [FOLDER for pictures]

Fails on: any request but the page itself, any console message, a page wider than its window,
no verdict heading.
"""

import pathlib
import shutil
import sys

from playwright.sync_api import sync_playwright


def main() -> int:
    page_path = pathlib.Path(sys.argv[1]).resolve()
    folder = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    if browser_path is None:
        print("no Chromium found: run scripts/setup --tests", file=sys.stderr)
        return 2
    faults = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        for width, height in [(1280, 900), (390, 844)]:
            for scheme in ["light", "dark"]:
                name = f"{width}-{scheme}"
                page = browser.new_page(
                    viewport={"width": width, "height": height}, color_scheme=scheme
                )
                page.on("console", lambda m, name=name: faults.append(f"{name}: console: {m.text}"))
                page.on(
                    "request",
                    lambda r, name=name: (
                        r.url != page_path.as_uri() and faults.append(f"{name}: request: {r.url}")
                    ),
                )
                page.goto(page_path.as_uri())
                page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
                wide = page.evaluate("document.documentElement.scrollWidth")
                if wide > width:
                    faults.append(f"{name}: the page is {wide} px wide")
                if page.locator("h1").count() != 1:
                    faults.append(f"{name}: expected one main heading")
                page.evaluate("document.querySelectorAll('details').forEach(d => d.open = false)")
                if folder:
                    folder.mkdir(parents=True, exist_ok=True)
                    page.screenshot(path=folder / f"{name}.png", full_page=True)
                page.close()
        browser.close()
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{page_path.name}: {len(faults)} faults in 4 views")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
