"""asv's third-party scripts and styles, copied into the published site so that it works offline.

They come from the lock file in `fixwatch/report/site_packages` by npm, without running any of its
scripts, and are not committed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from fixwatch.durable_files import write_text_atomically
from fixwatch.layout import STATE_DIR

LOCKED = Path(__file__).with_name("site_packages")
INSTALLED = STATE_DIR / "site-packages"
VENDOR = "vendor"
TIMEOUT_S = 300.0
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
# Loaded by the style of bootstrap, from beside it.
_FOLDERS = ("bootstrap/dist/fonts",)
_SCRIPT = re.compile(r'<script src="https://[^"]*/([^"/]+)"[^>]*></script>')
_STYLE = re.compile(r'<link rel="stylesheet" href="https://[^"]*/([^"/]+)"[^>]*>')

Announce = Callable[[str], None]


def install_site_assets(announce: Announce) -> bool:
    """Install the locked packages unless they are there; say so where that is not possible."""
    stamp = INSTALLED / "package-lock.json"
    lock = LOCKED / "package-lock.json"
    if stamp.is_file() and stamp.read_bytes() == lock.read_bytes() and _are_all_there():
        return True
    npm = shutil.which("npm")
    if npm is None:
        announce("npm is not installed: asv's own pages keep loading their scripts from CDNs")
        return False
    shutil.rmtree(INSTALLED, ignore_errors=True)
    INSTALLED.mkdir(parents=True)
    shutil.copy(LOCKED / "package.json", INSTALLED)
    shutil.copy(lock, INSTALLED / "package-lock.json.new")
    (INSTALLED / "package-lock.json.new").rename(stamp)
    try:
        done = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"],
            cwd=INSTALLED,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        reason = (done.stderr or done.stdout).strip() if done.returncode else ""
        is_missing = not _are_all_there()
    except (OSError, subprocess.TimeoutExpired) as error:
        reason, is_missing = str(error), True
    if reason or is_missing:
        # Without the stamp the next run tries again.
        stamp.unlink(missing_ok=True)
        last = reason.splitlines()[-1] if reason else "files are missing"
        announce(f"npm ci failed ({last}): asv's own pages keep loading their scripts from CDNs")
        return False
    return True


def _are_all_there() -> bool:
    return all((INSTALLED / "node_modules" / name).is_file() for name in FILES.values())


def localise_assets(html_dir: Path, announce: Announce) -> None:
    """Copy what is installed into a published site, and let its pages load that.

    Where nothing is installed, or asv's page names what is not known, asv's references stay.
    """
    packages = INSTALLED / "node_modules"
    if not _are_all_there():
        return
    index = html_dir / "index.html"
    text = index.read_text(encoding="utf-8")
    named = {*_SCRIPT.findall(text), *_STYLE.findall(text)}
    unknown = sorted(named - FILES.keys())
    if unknown:
        announce(f"asv's page loads {', '.join(unknown)}, which is not locked; left as it is")
    for name in named & FILES.keys():
        target = html_dir / VENDOR / FILES[name]
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(packages / FILES[name], target)
    for folder in _FOLDERS:
        shutil.copytree(packages / folder, html_dir / VENDOR / folder, dirs_exist_ok=True)

    def localise(template: str) -> Callable[[re.Match[str]], str]:
        def replace(match: re.Match[str]) -> str:
            path = FILES.get(match[1])
            return template.format(f"{VENDOR}/{path}") if path else match[0]

        return replace

    text = _SCRIPT.sub(localise('<script src="{}" onerror="js_load_failure()"></script>'), text)
    text = _STYLE.sub(localise('<link rel="stylesheet" href="{}">'), text)
    write_text_atomically(index, text)
