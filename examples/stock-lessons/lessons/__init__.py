"""Lessons about stocks, with the progress of those who take them."""

from flask import Flask

from . import admin, observe, pages
from .settings import read
from .store import Store


def create_app():
    settings = read()
    app = Flask(__name__)
    # A browser asks again only when a file may have changed.
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 3600
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
    app.extensions["settings"] = settings
    app.extensions["store"] = Store(settings.database)
    observe.install(app)
    app.register_blueprint(pages.pages)
    app.register_blueprint(admin.admin)
    return app
