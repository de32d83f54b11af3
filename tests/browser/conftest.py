"""A site published by real asv, served to a real browser."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import threading

import pytest
from playwright.sync_api import sync_playwright

from tests.committed_pages import make_committed_pages
from tests.end_to_end.small_history import copy_measured_history
from tests.once import make_once

# .ci/run sets it, so that a browser that is missing there is no silent skip.
REQUIRED = os.environ.get("FIXWATCH_REQUIRE_BROWSER") == "1"
HOSTILE_TAG = "before-0.58<script>document.title='hit'</script>"


def find_chromium():
    """Return the path of a Chromium that the system has; none is ever downloaded."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        message = "no Chromium; install Debian's package: apt-get install chromium"
        pytest.fail(message) if REQUIRED else pytest.skip(message)
    return path


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """A server of files that prints nothing."""

    def log_message(self, *_arguments):
        """Print nothing."""


@pytest.fixture(scope="session")
def browser():
    """Return a running Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(),
            # Chromium's own sandbox does not work for root, as whom containers run.
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Return the address of a published site of the small upstream, a hostile tag in it."""
    find_chromium()

    def publish(folder):
        history = copy_measured_history(tmp_path_factory, "site")
        history.tag_upstream("appeared", HOSTILE_TAG)
        done = history.run_commits(["appeared"])
        assert done.returncode == 0, done.stdout + done.stderr
        done = history.asv("publish")
        assert done.returncode == 0, done.stdout + done.stderr
        (history.path / "html").rename(folder / "html")

    yield from serve(make_once(tmp_path_factory, "site", publish) / "html")


@pytest.fixture(scope="session")
def committed(tmp_path_factory):
    """Return the address of our pages as they are made of the committed results."""
    yield from serve(make_committed_pages(tmp_path_factory))


def serve(folder):
    """Yield the address of a server of a folder's files."""
    handler = functools.partial(QuietHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Visit:
    """A page, and what went wrong or out while it was looked at."""

    def __init__(self, page, site):
        self.page = page
        self.site = site
        self.errors = []
        self.left = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", lambda dialog: self.errors.append(dialog.message))

    def unfold(self):
        """Open whatever can be unfolded."""
        self.page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true })")

    def route(self, route):
        """Let nothing but the site itself through: the network is cut."""
        if route.request.url.startswith(self.site):
            route.continue_()
        else:
            self.left.append(route.request.url)
            route.abort()


@pytest.fixture
def visit(open_page, site):
    """Return a function that opens a page of the site in a browser of its own."""
    return functools.partial(open_page, site)


@pytest.fixture
def open_page(browser):
    """Return a function that opens a page of some site in a browser of its own."""
    contexts = []

    def open_page(site, path, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        opened = Visit(page, site)
        context.route("**/*", opened.route)
        page.goto(f"{site}/{path}")
        return opened

    yield open_page
    for context in contexts:
        context.close()
