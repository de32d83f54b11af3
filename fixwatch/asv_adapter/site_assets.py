"""asv's third-party scripts and styles, copied into the published site so that it works offline.

``make dashboard`` has npm install what `site_packages/package-lock.json` locks, without running any
of its scripts. The package index has no packages of four of the six libraries.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from fixwatch.durable_files import write_text_atomically
from fixwatch.layout import STATE_DIR

PACKAGES = STATE_DIR / "site-packages" / "node_modules"
VENDOR = "vendor"
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
# With the attributes that hold for the bytes at that address, or for other sites alone.
_ADDRESS = re.compile(
    r'(src|href)="https://[^"]*/([^"/]+)"((?: (?:integrity|crossorigin|referrerpolicy)="[^"]*")+)'
)


def localise_assets(html_dir: Path, warn: Callable[[str], None]) -> None:
    """Copy what is installed into a published site, and let its pages load that.

    An address that is not in `FILES`, or whose file is not installed, stays as it is.
    """
    if not PACKAGES.is_dir():
        return
    index = html_dir / "index.html"

    def localise(match: re.Match[str]) -> str:
        source = PACKAGES / FILES.get(match[2], match[2])
        if not source.is_file():
            warn(f"{match[2]} is not installed: asv's pages load it from the network")
            return match[0]
        target = html_dir / VENDOR / source.relative_to(PACKAGES)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
        return f'{match[1]}="{target.relative_to(html_dir).as_posix()}"'

    write_text_atomically(index, _ADDRESS.sub(localise, index.read_text(encoding="utf-8")))
