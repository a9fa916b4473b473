"""The results as one Markdown table: a row for each measure, a column for each peer."""

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.peers.costs import slope, upper_slope
from benchmarks.peers.turns import Measure, Results, Spread, advantage, spread

SCALES = {'ms': 1e3}


def markdown(results: Results, measures: Iterable[Measure], heads: Mapping[str, str], ours: str) -> str:
    """Write the table.

    A cell of ours holds the median and the spread of the rounds; of another one the median, and how many times better
    ours is: the median of the rounds, and their spread. What was not asked is a dash.

    :param heads: the head of each peer's column, by its name.
    """
    rows = [['', *heads.values()], ['---', *['---:'] * len(heads)]]
    for measure in measures:
        cells = [cell(results, measure, peer, ours) for peer in heads]
        if any(c != '–' for c in cells):
            rows.append([f'{measure.title} ({measure.unit})', *cells])
    return '\n'.join(f'| {" | ".join(row)} |' for row in rows) + '\n'


def cell(results: Results, measure: Measure, peer: str, ours: str) -> str:
    """What one peer did in one measure."""
    figures = results.of(measure.key, peer)
    if isinstance(figures, str):
        return figures.replace('|', '\\|').replace('\n', ' ')
    if not figures:
        return '–'
    found = spread(figures)
    if peer == ours:
        return f'**{amount(found.median, measure.unit)}**{_between(found, figures, measure.unit)}'
    own = results.of(measure.key, ours)
    if isinstance(own, str) or len(own) != len(figures):
        return f'{amount(found.median, measure.unit)}{_between(found, figures, measure.unit)}'
    return f'{amount(found.median, measure.unit)}<br>{times(advantage(measure, own, figures))}'


def _between(found: Spread, figures: Sequence[float], unit: str) -> str:
    if len(figures) == 1:
        return ''
    return f'<br>({amount(found.low, unit)} – {amount(found.high, unit)})'


def amount(value: float, unit: str) -> str:
    """A figure with three digits that mean something."""
    value *= SCALES.get(unit, 1)
    if value >= 100:
        return f'{float(f"{value:.3g}"):,.0f}'
    return f'{value:.3g}'


def times(ratio: Spread) -> str:
    """How many times better ours is."""
    if ratio.low == ratio.high:
        return f'{amount(ratio.median, "")}×'
    return f'{amount(ratio.median, "")}× ({amount(ratio.low, "")} – {amount(ratio.high, "")})'


def cost_lines(curves: Mapping[str, Sequence[tuple[float, float]] | str], axes: Mapping[str, tuple[str, str]]) -> str:
    """The curves of cost against work as Markdown: their points, and their slopes on logarithmic axes."""
    rows = ['| work | cost | points | slope | at the upper end |', '| --- | --- | --- | ---: | ---: |']
    for name, points in curves.items():
        work, unit = axes[name]
        if isinstance(points, str):
            rows.append(f'| {work} | {unit} | {points} | – | – |')
            continue
        shown = ', '.join(f'{x:,.0f}: {y:.3g}' for x, y in points)
        rows.append(f'| {work} | {unit} | {shown} | {slope(points):.2f} | {upper_slope(points):.2f} |')
    return '\n'.join(rows) + '\n'
