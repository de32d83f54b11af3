"""The scripts and styles of asv's own page, as the asv that is installed writes it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import asv
import pytest

from fixwatch.asv_adapter.site_assets import FILES, PACKAGES, localise_assets

ASV_PAGE = Path(asv.__file__).parent / "www" / "index.html"


@pytest.fixture
def html_dir(tmp_path, monkeypatch):
    """Return a published site with asv's page, in a checkout where nothing is installed."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "html"
    folder.mkdir()
    shutil.copy(ASV_PAGE, folder)
    return folder


def install(names):
    """Put a file where npm would put each of these."""
    for name in names:
        path = PACKAGES / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def loaded(html_dir):
    """Return the addresses of the scripts and styles that the page loads."""
    text = (html_dir / "index.html").read_text()
    return re.findall(r'<(?:script|link)[^>]*? (?:src|href)="([^"]+\.(?:js|css))"', text)


def test_everything_is_loaded_from_the_site(html_dir):
    """With all packages installed no address leads out of the site, and each leads to a file."""
    install(FILES.values())
    warnings = []
    localise_assets(html_dir, warnings.append)
    assert warnings == []
    vendored = [path for path in loaded(html_dir) if path.startswith("vendor/")]
    assert len(vendored) == len(FILES)
    assert [path for path in loaded(html_dir) if path.startswith("https:")] == []
    for path in vendored:
        assert (html_dir / path).read_text() == path.removeprefix("vendor/")
    text = (html_dir / "index.html").read_text()
    assert text.count("js_load_failure()") == ASV_PAGE.read_text().count("js_load_failure()")
    # The hashes are those of other bytes: npm has flot unminified.
    assert "integrity" not in text


def test_what_is_not_installed_is_loaded_from_the_network(html_dir):
    """A file that is missing keeps its address, and a warning names it."""
    install(path for path in FILES.values() if "jquery.min.js" not in path)
    warnings = []
    localise_assets(html_dir, warnings.append)
    assert len(warnings) == 1
    assert "jquery-3.3.1.min.js" in warnings[0]
    assert [path for path in loaded(html_dir) if path.startswith("https:")] == [
        "https://code.jquery.com/jquery-3.3.1.min.js"
    ]


def test_the_page_stays_as_asv_wrote_it_where_npm_is_missing(html_dir):
    """Nothing is installed, so nothing is changed or warned of."""
    localise_assets(html_dir, pytest.fail)
    assert (html_dir / "index.html").read_bytes() == ASV_PAGE.read_bytes()
