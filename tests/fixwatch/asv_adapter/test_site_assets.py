"""The scripts and styles of asv's own page, as the asv that is installed writes it."""

from __future__ import annotations

import re
import shutil

import pytest

from fixwatch.asv_adapter.site_assets import (
    ASSETS,
    ASV_PAGES,
    FILES,
    LIBRARIES,
    share_assets,
    write_assets,
)


@pytest.fixture
def site(tmp_path):
    """Return a site with asv's pages, two folders below a root that has the one copy."""
    folder = tmp_path / "releases" / "numba"
    shutil.copytree(ASV_PAGES, folder)
    write_assets(tmp_path)
    return folder


def loaded(folder):
    """Return the addresses of the scripts, styles and pictures that the page loads."""
    text = (folder / "index.html").read_text()
    return re.findall(r'<(?:script|link|img)[^>]*? (?:src|href)="([^"]+\.(?:js|css|png))"', text)


def test_everything_is_loaded_from_the_one_copy(site, tmp_path):
    """No address leads out of the site, each leads to a file, and asv's own copies are gone."""
    warnings = []
    share_assets(site, "../../", warnings.append)
    assert warnings == []
    addresses = loaded(site)
    assert len(addresses) == len(set(addresses)) > len(FILES) + 5
    for address in addresses:
        assert (site / address).resolve().is_relative_to(tmp_path / ASSETS)
        assert (site / address).is_file()
    assert [path.name for path in site.glob("*.js")] == []
    text = (site / "index.html").read_text()
    # The hashes are those of other bytes: npm has flot unminified.
    assert "integrity" not in text
    assert text.count("js_load_failure()") == (ASV_PAGES / "index.html").read_text().count(
        "js_load_failure()"
    )


def test_our_grid_takes_the_place_of_asvs(site):
    """asv's script is not loaded beside it: both would register the page."""
    share_assets(site, "../../", pytest.fail)
    names = [address.rpartition("/")[2] for address in loaded(site)]
    assert "grid.js" in names
    assert "tags.js" in names
    assert "summarygrid.js" not in names


def test_a_library_that_another_asv_loads_is_named(site):
    """Its address stays, and a warning says that it is loaded from the network."""
    index = site / "index.html"
    index.write_text(index.read_text().replace("md5.min.js", "md6.min.js"))
    warnings = []
    share_assets(site, "../../", warnings.append)
    assert len(warnings) == 1
    assert "md6.min.js" in warnings[0]
    assert next(address for address in loaded(site) if "md6" in address).startswith("https:")


def test_each_library_comes_with_its_licence():
    """Each folder of npm's packages has one, or says so in the file."""
    for path in FILES.values():
        folder = LIBRARIES / path.split("/")[0]
        has_file = any(name.name.startswith("LICENSE") for name in folder.iterdir())
        assert has_file or "Released under the MIT license" in (LIBRARIES / path).read_text()
