"""Publishing: the answer, and below it asv's own sites, one for each upstream and source.

Everything is made of the results on disk, beside which the order of the commits lies.
"""

from __future__ import annotations

import copy
import itertools
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asv.plugin_manager  # noqa: F401 (loads the parts of asv's pages, which asv then finds)
from asv.results import iter_results_paths

from fixwatch.asv_adapter.answer_pages import write_answer
from fixwatch.asv_adapter.publish_hook import publish_with_asv
from fixwatch.asv_adapter.published_history import (
    NoSuchPublishedNameError,
    PublishedBranch,
    PublishedHistory,
    find_branch,
)
from fixwatch.asv_adapter.results import install_hooks
from fixwatch.asv_adapter.site_assets import ASSETS, write_assets
from fixwatch.asv_adapter.site_pages import refine_pages
from fixwatch.configuration import Configuration, describe_configuration, load_configuration
from fixwatch.durable_files import make_own_folder
from fixwatch.errors import CouldNotMeasureError, FixwatchError, NoResultsError
from fixwatch.history.order import RevisionOrder, load_order
from fixwatch.layout import CONFIGURATIONS, SHIELD_RESULTS_DIR
from fixwatch.records.asv_files import BENCHMARKS_NAME, MACHINE_NAME, check_beside_results
from fixwatch.records.asv_results import has_result
from fixwatch.records.evidence import Evidence, iter_evidence
from fixwatch.report.page import PAGE_NAME
from fixwatch.verdicts.series import Series, build_series

Report = Callable[[str], None]

# Where a release is, by its version.
RELEASES_URL = "https://pypi.org/project"


@dataclass(frozen=True)
class Results:
    """What is on disk: the records of each results folder, their order, and what they say.

    What was measured with the shield says nothing of a revision as it is, and is kept apart.
    """

    records: dict[Path, list[Evidence]]
    order: RevisionOrder
    series: list[Series]
    shielded: list[Evidence]


@dataclass(frozen=True, kw_only=True)
class Site:
    """One of asv's sites: the history of one upstream from one configuration."""

    configuration: Configuration
    upstream: str
    records: tuple[Evidence, ...]
    branch: PublishedBranch

    @property
    def folder(self) -> Path:
        """Where it lies below the root: ``numba``, or ``releases/numba``."""
        folder = Path(self.configuration.results_dir.name)
        return folder / self.upstream if self.configuration.source == "releases" else folder

    @property
    def history(self) -> PublishedHistory:
        """What names and ranges are resolved by."""
        return PublishedHistory(self.branch, self.upstream)


def publish_all(report: Report) -> Path:
    """Write the whole site anew from what is on disk, and return the page that answers.

    Raises
    ------
    NoResultsError
        If nothing is measured.
    """
    configurations = [load_configuration(Path(name)) for name in CONFIGURATIONS]
    results = load_results(configurations, report)
    if not results.series:
        searched = ", ".join(str(configuration.results_dir) for configuration in configurations)
        raise NoResultsError(f"nothing is measured in {searched}; run make dashboard first")
    root = configurations[0].html_dir
    sites = [site for each in configurations for site in find_sites(each, results, report)]
    report(f"publishing {', '.join(str(site.folder) for site in sites) or 'the answer'}")
    return _publish(sites, results, root, report, keeps_others=False)


def publish_configuration(conf: Any, range_spec: str | None, report: Report) -> None:
    """Publish the sites of a configuration that asv has read, and the answer from all results.

    The other sites stay as they are. A range leaves out what lies beyond it in asv's graphs. A
    configuration that is not of `CONFIGURATIONS` has a history of its own, and its own answer.

    Raises
    ------
    NoResultsError
        If nothing is measured by the configuration.
    """
    own = describe_configuration(Path(CONFIGURATIONS[0]), conf)
    configurations = [load_configuration(Path(name)) for name in CONFIGURATIONS]
    folders = {each.results_dir.resolve() for each in configurations}
    is_alone = own.results_dir.resolve() not in folders
    results = load_results([own] if is_alone else configurations, report)
    sites = find_sites(own, results, report)
    if not sites:
        raise NoResultsError(f"nothing is measured in {own.results_dir}; use asv run first")
    if range_spec is not None:
        sites = _narrow_sites(sites, range_spec, report)
    _publish(sites, results, own.html_dir, report)


def _narrow_sites(sites: Sequence[Site], range_spec: str, report: Report) -> list[Site]:
    """Leave out of asv's sites what lies beyond a range.

    A range names revisions of one upstream; the sites of others stay as they are.
    """
    narrowed, errors = [], []
    for site in sites:
        try:
            chosen = set(site.history.get_hashes_from_range(range_spec))
        except NoSuchPublishedNameError as unknown:
            errors.append(unknown)
            continue
        records = tuple(record for record in site.records if record.commit in chosen)
        if records:
            revisions = tuple(one for one in site.branch.revisions if one.commit in chosen)
            branch = replace(site.branch, revisions=revisions)
            narrowed.append(replace(site, records=records, branch=branch))
    if not narrowed:
        raise errors[0] if errors else NoResultsError(f"nothing is measured in {range_spec}")
    for error in errors:
        report(f"{error}; not published")
    return narrowed


def _publish(
    sites: Sequence[Site],
    results: Results,
    root: Path,
    report: Report,
    *,
    keeps_others: bool = True,
) -> Path:
    """Build everything beside what is there, and put it in its place once it is whole."""
    install_hooks()
    building = make_own_folder(root, ".publishing-")
    try:
        for site in sites:
            _build_site(site, results.series, building / site.folder, report)
        write_assets(building)
        write_answer(results.series, results.order.releases, building, results.shielded)
        folders = [site.folder for site in sites]
        _put_in_place(building, root, folders, keeps_others=keeps_others)
    except shutil.Error as error:
        # Of each file that could not be copied.
        _, place, reason = error.args[0][0]
        raise CouldNotMeasureError(
            f"{place}: {reason}; mend that and run the command again"
        ) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return root / PAGE_NAME


def load_results(configurations: Iterable[Configuration], report: Report) -> Results:
    """Read every record of the configurations' results folders."""
    folders = [each.results_dir.resolve() for each in configurations]
    records = {folder: list(iter_evidence(folder, report)) for folder in folders}
    for folder, own in records.items():
        _report_strangers(folder, own, report)
    order = load_order(folders)
    every = list(itertools.chain.from_iterable(records.values()))
    series = build_series((record for record in every if not record.is_shielded), order)
    shielded = [record for record in every if record.is_shielded]
    if SHIELD_RESULTS_DIR.resolve() not in records:
        shielded += iter_evidence(SHIELD_RESULTS_DIR, report)
    return Results(records, order, series, shielded)


def _report_strangers(folder: Path, records: Iterable[Evidence], report: Report) -> None:
    """Name the results of asv that have no record beside them: no site shows these."""
    if _find_damage(folder):
        # asv passes over all of it, and whoever publishes it says so.
        return
    known = {record.commit[:8] for record in records}
    found = {name.partition("-")[0] for _, name, _ in iter_results_paths(folder)}
    if found - known:
        names = ", ".join(sorted(found - known))
        report(f"{folder}: left out {len(found - known)} revisions without evidence: {names}")


def _find_damage(results_dir: Path) -> str | None:
    """Say which file beside asv's results keeps it from showing them; None if none does."""
    machines = sorted({path.parent for path in results_dir.glob("*/*.json")})
    names = (results_dir / BENCHMARKS_NAME, *(folder / MACHINE_NAME for folder in machines))
    try:
        for path in names:
            check_beside_results(path)
    except FixwatchError as error:
        return str(error)
    return None


def find_sites(configuration: Configuration, results: Results, report: Report) -> list[Site]:
    """Return the sites of what asv has results of by a configuration.

    Where a file that asv needs is damaged that is reported, and there is none.
    """
    records = list(filter(has_result, results.records[configuration.results_dir.resolve()]))
    if records and (damage := _find_damage(configuration.results_dir)):
        report(f"{damage}; without it {configuration.results_dir.name} has no graphs")
        return []
    return [
        Site(
            configuration=configuration,
            upstream=upstream,
            records=tuple(record for record in records if record.upstream == upstream),
            branch=find_branch(
                configuration.branch, upstream, configuration.source, records, results.order
            ),
        )
        for upstream in sorted({record.upstream for record in records})
    ]


def _build_site(site: Site, all_series: Iterable[Series], folder: Path, report: Report) -> None:
    """Let asv publish a site into a folder, and change what it wrote."""
    _report_gaps(site, report)
    conf = copy.copy(site.configuration.asv)
    conf.dvcs, conf.repo = PublishedHistory.dvcs, site.branch
    conf.branches = [site.branch.name]
    conf.results_dir = str(site.configuration.results_dir)
    conf.html_dir = str(folder)
    names = {}
    if site.configuration.source == "releases":
        # Hashes of releases mean nothing to anybody.
        names = {one.commit: one.tag for one in site.branch.revisions if one.tag is not None}
        conf.hash_length = max(map(len, names.values()), default=conf.hash_length)
        conf.project = f"{site.upstream} releases"
        conf.project_url = conf.show_commit_url = f"{RELEASES_URL}/{site.upstream}/"
    folder.parent.mkdir(parents=True, exist_ok=True)
    publish_with_asv(conf, sorted({record.commit for record in site.records}), pull=False)
    records = set(map(id, site.records))
    own = [
        series
        for series in all_series
        if any(id(revision.record) in records for revision in series.revisions)
    ]
    refine_pages(folder, own, names, "../" * len(site.folder.parts), report)


def _report_gaps(site: Site, report: Report) -> None:
    """Say which results asv's graphs cannot place, or not where they belong."""
    unlisted = site.branch.unlisted
    if unlisted:
        report(
            f"{len(unlisted)} measured commits of {site.upstream} are not in its list of relevant "
            f"commits and stand where their dates are: {', '.join(unlisted)}"
        )


def _put_in_place(
    building: Path, root: Path, folders: Sequence[Path], *, keeps_others: bool
) -> None:
    """Move what was built to where it is read, in place of what was there."""
    if not keeps_others:
        for old in root.iterdir():
            if old != building:
                _remove(old)
    files = [path.relative_to(building) for path in building.iterdir() if path.is_file()]
    for part in (*folders, ASSETS, *files):
        _remove(root / part)
        (root / part).parent.mkdir(parents=True, exist_ok=True)
        os.replace(building / part, root / part)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
