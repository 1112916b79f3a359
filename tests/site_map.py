"""Every page the site serves, with an example wherever an address names something."""

from __future__ import annotations

from functools import cache

from flask import Flask
from werkzeug.routing import Rule

from service.pages.site import SITE, open_site
from service.settings import Settings

SECRET = "of-the-administrators-of-the-tests"
# What an address may name, and an example of it that has much to show.
EXAMPLES = {
    "/recommendations": "acetaminophen-alternative",
    "/pathways": "chronic-low-back-pain",
    "/facts": "nsaid_contraindication_serious",
    "/sources": "acp-2017",
    "/value-sets": "low-back-pain",
}
# What the scripts of pages ask for, and what is saved as a file: nobody looks at it in a browser.
NO_PAGES = frozenset({"/try/patients/<name>", "/dashboard/charts/<name>.svg"})


@cache
def pages() -> tuple[str, ...]:
    """The address of each page."""
    app = Flask("site")
    open_site(app, Settings(pages="all", admin_token=SECRET))
    return tuple(sorted({_example(rule) for rule in app.url_map.iter_rules() if _is_page(rule)}))


def _is_page(rule: Rule) -> bool:
    blueprint, _, name = rule.endpoint.partition(".")
    shown = "GET" in (rule.methods or ()) and rule.rule not in NO_PAGES
    return blueprint in SITE and name != "static" and shown


def _example(rule: Rule) -> str:
    folder, _, _ = rule.rule.partition("/<")
    return f"{folder}/{EXAMPLES[folder]}" if rule.arguments else rule.rule
