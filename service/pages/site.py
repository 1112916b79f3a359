"""Which pages a site serves: all, those about the content only, or none."""

from __future__ import annotations

from flask import Flask, Response, request

from service.settings import Settings

# The names of all blueprints of pages; other sites' web pages have no business in them.
SITE = frozenset({"looks", "home", "catalogue", "playground", "smart", "dashboard"})


def open_site(app: Flask, settings: Settings) -> None:
    """Serve the pages that the settings ask for.

    Each is imported only where it is served: charts and OAuth take time and memory.
    """
    pages = settings.pages_served
    if pages == "off":
        return
    from service.pages.catalogue import catalogue  # noqa: PLC0415
    from service.pages.frame import guard, looks  # noqa: PLC0415
    from service.pages.home import home  # noqa: PLC0415
    from service.pages.troubles import tell_people  # noqa: PLC0415

    def guarded(response: Response) -> Response:
        return guard(response) if request.blueprint in SITE else response

    app.after_request(guarded)
    tell_people(app)

    app.register_blueprint(looks)
    app.register_blueprint(home)
    app.register_blueprint(catalogue)
    if pages == "all":
        from service.pages.playground import playground  # noqa: PLC0415

        app.register_blueprint(playground)
    if settings.admin_token:
        from service.pages.dashboard import dashboard  # noqa: PLC0415

        app.register_blueprint(dashboard)
    _open_smart(app, settings)


def _open_smart(app: Flask, settings: Settings) -> None:
    """Serve the pathway view, or the page that says how to switch it on."""
    if not settings.smart_served:
        from service.pages.smart_off import smart_off  # noqa: PLC0415

        app.register_blueprint(smart_off)
        return
    from service.pages.smart import EXTENSION, Opening, smart  # noqa: PLC0415

    app.extensions[EXTENSION] = Opening(settings)
    app.register_blueprint(smart)
