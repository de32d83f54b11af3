"""The scripts and styles of asv's pages: one copy for all sites, with nothing from the network.

asv's page loads six libraries from other sites. They lie in `site_packages`, as npm has them, so
that a published site works offline; ``make site-packages`` copies them again.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import asv

from fixwatch.durable_files import write_text_atomically

ASSETS = Path("assets")
LIBRARIES = Path(__file__).with_name("site_packages") / "vendor"
SCRIPTS = Path(__file__).with_name("site_scripts")
ASV_PAGES = Path(asv.__file__).with_name("www")
# The end of the address in asv's index.html, and the file in npm's package.
FILES = {
    "jquery-3.3.1.min.js": "jquery/dist/jquery.min.js",
    "jquery.flot.min.js": "flot/jquery.flot.js",
    "jquery.flot.time.min.js": "flot/jquery.flot.time.js",
    "jquery.flot.selection.min.js": "flot/jquery.flot.selection.js",
    "jquery.flot.categories.min.js": "flot/jquery.flot.categories.js",
    "jquery.flot.orderBars.js": "flot-orderbars/js/jquery.flot.orderBars.js",
    "stupidtable.min.js": "stupid-table-plugin/stupidtable.min.js",
    "md5.min.js": "blueimp-md5/js/md5.min.js",
    "bootstrap.min.js": "bootstrap/dist/js/bootstrap.min.js",
    "bootstrap.min.css": "bootstrap/dist/css/bootstrap.min.css",
}
# Files of asv's own that all sites share; what else it writes is of one site.
_SHARED = ("*.js", "*.css", "*.png")
# Of those, what is written anew here: asv's name, and the file that stands in for it.
_REPLACED = {"summarygrid.js": "grid.js"}
_ADDED = '<script src="{}/tags.js"></script>\n  </head>'
# With the attributes that hold for the bytes at that address, or for other sites alone.
_ADDRESS = re.compile(
    r'(src|href)="https://[^"]*/([^"/]+)"((?: (?:integrity|crossorigin|referrerpolicy)="[^"]*")+)'
)
_OWN_FILE = re.compile(r'(src|href)="([^"/:#]+\.(?:js|css|png))"')


def write_assets(root: Path) -> None:
    """Write the one copy of what the sites below a root load."""
    shutil.copytree(LIBRARIES, root / ASSETS)
    for pattern in _SHARED:
        for path in ASV_PAGES.glob(pattern):
            if path.name not in _REPLACED:
                shutil.copyfile(path, root / ASSETS / path.name)
    for path in SCRIPTS.iterdir():
        shutil.copyfile(path, root / ASSETS / path.name)


def share_assets(folder: Path, to_root: str, report: Callable[[str], None]) -> None:
    """Let a site load the copy at the root, to which a relative address leads, and drop its own.

    An address that is not in `FILES`, as another version of asv may have, stays as it is.
    """
    assets = f"{to_root}{ASSETS.as_posix()}"

    def share(match: re.Match[str]) -> str:
        if match[2] not in FILES:
            report(f"{match[2]} is not among the libraries: asv's pages load it from the network")
            return match[0]
        return f'{match[1]}="{assets}/{FILES[match[2]]}"'

    def share_own(match: re.Match[str]) -> str:
        return f'{match[1]}="{assets}/{_REPLACED.get(match[2], match[2])}"'

    index = folder / "index.html"
    text = _ADDRESS.sub(share, index.read_text(encoding="utf-8"))
    text = _OWN_FILE.sub(share_own, text)
    write_text_atomically(index, text.replace("</head>", _ADDED.format(assets), 1))
    for pattern in _SHARED:
        for path in folder.glob(pattern):
            path.unlink()
