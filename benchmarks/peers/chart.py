"""The results as one chart: bars of the peers, and the curves of cost against work."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.costs import slope, upper_slope
from benchmarks.peers.turns import Results, spread

BARS = {
    'http/1/32/rate': 'HTTP JSON, one stage, 32 clients\nrequests/s',
    'http/3/32/rate': 'HTTP JSON, 3 stages, 32 clients\nrequests/s',
    'model/1/32/rate': 'a real model over HTTP, 32 clients\nrequests/s',
    'stream/1/1': 'f.post, 1 document a request\ndocuments/s',
    'stream/1/100': 'f.post, 100 documents a request\ndocuments/s',
    'arrays/1': '1 MB arrays there and back, from Python\nMB/s',
    'latency/1/p50': 'one f.post after another\nseconds (less is better)',
    'start/3/flow': 'Flow of 3 stages: start to ready\nseconds (less is better)',
}
OURS_COLOUR, OTHER_COLOUR, LIMIT_COLOUR = '#2a6f97', '#a9b4bd', '#d9c6a5'
COLUMNS = 4


def draw(
    results: Results,
    heads: Mapping[str, str],
    ours: str,
    limits: Sequence[str],
    curves: Mapping[str, Sequence[tuple[float, float]] | str],
    axes: Mapping[str, tuple[str, str]],
    note: str,
    path: Path,
) -> None:
    """Write the chart as SVG; panels of which nothing is known are left out."""
    import matplotlib

    matplotlib.use('svg')
    from matplotlib import pyplot

    bars = [key for key in BARS if any(isinstance(results.of(key, p), list) and results.of(key, p) for p in heads)]
    drawn = {name: points for name, points in curves.items() if not isinstance(points, str)}
    count = max(1, len(bars) + len(drawn))
    rows = -(-count // COLUMNS)
    style = {'font.size': 8, 'svg.fonttype': 'none', 'svg.hashsalt': 'bench-peers'}
    with pyplot.rc_context(style):
        figure, panels = pyplot.subplots(
            rows, COLUMNS, figsize=(4 * COLUMNS, 2.8 * rows), squeeze=False, layout='constrained'
        )
        places = iter(panels.flat)
        for key in bars:
            _bars(next(places), results, key, heads, ours, limits)
        for name, points in drawn.items():
            _curve(next(places), points, *axes[name])
        for place in places:
            place.set_axis_off()
        figure.supxlabel(textwrap.fill(note, 200), fontsize=7)
        figure.savefig(path, format='svg', metadata={'Date': None})
        pyplot.close(figure)


def _bars(panel: Any, results: Results, key: str, heads: Mapping[str, str], ours: str, limits: Sequence[str]) -> None:
    found = {peer: spread(figures) for peer in heads if isinstance(figures := results.of(key, peer), list) and figures}
    peers = list(reversed(found))
    colours = [OURS_COLOUR if p == ours else LIMIT_COLOUR if p in limits else OTHER_COLOUR for p in peers]
    medians = [found[p].median for p in peers]
    errors = [[found[p].median - found[p].low for p in peers], [found[p].high - found[p].median for p in peers]]
    drawn = panel.barh([heads[p] for p in peers], medians, color=colours, xerr=errors, error_kw={'lw': 0.8})
    panel.bar_label(drawn, [f'{m:,.0f}' if m >= 10 else f'{m:.2g}' for m in medians], padding=3, fontsize=7)
    panel.margins(x=0.2)
    panel.set_title(BARS[key], fontsize=8)
    panel.spines[['top', 'right']].set_visible(False)


def _curve(panel: Any, points: Sequence[tuple[float, float]], work: str, unit: str) -> None:
    panel.loglog(*zip(*points, strict=True), marker='o', color=OURS_COLOUR)
    panel.set_xlabel(work)
    panel.set_ylabel(unit)
    panel.set_title(f'ours: slope {slope(points):.2f}, at the upper end {upper_slope(points):.2f}', fontsize=8)
    panel.grid(alpha=0.3)
