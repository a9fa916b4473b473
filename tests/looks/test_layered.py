import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jina.looks.layered import GAP, LAYER_GAP, arrange, crossings, ordered, ranks_of, spread

SIZE = (40.0, 20.0)


@st.composite
def graphs(draw):
    """Boxes of any size, and arrows that lead from earlier to later ones."""
    count = draw(st.integers(1, 9))
    side = st.floats(1, 100)
    sizes = {str(n): (draw(side), draw(side)) for n in range(count)}
    pairs = list(itertools.combinations(sizes, 2))
    edges = draw(st.lists(st.sampled_from(pairs), max_size=20)) if pairs else []
    return sizes, edges


def box(layout, sizes, key):
    (x, y), (width, height) = layout.centres[key], sizes[key]
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


@given(graphs(), st.booleans())
def test_boxes_do_not_overlap_and_lie_inside(graph, vertical):
    sizes, edges = graph
    layout = arrange(sizes, edges, vertical)
    boxes = [box(layout, sizes, key) for key in sizes]
    for left, top, right, bottom in boxes:
        assert min(left, top) >= -0.01
        assert right <= layout.size[0] + 0.01
        assert bottom <= layout.size[1] + 0.01
    for a, b in itertools.combinations(boxes, 2):
        apart = max(b[0] - a[2], a[0] - b[2], b[1] - a[3], a[1] - b[3])
        assert apart >= min(GAP, LAYER_GAP) - 0.01


@given(graphs(), st.booleans())
def test_arrows_lead_forward_from_side_to_side(graph, vertical):
    sizes, edges = graph
    layout = arrange(sizes, edges, vertical)
    along = 1 if vertical else 0
    assert set(layout.routes) == set(edges)
    for (source, target), route in layout.routes.items():
        assert route[0][along] == pytest.approx(box(layout, sizes, source)[2 + along])
        assert route[-1][along] == pytest.approx(box(layout, sizes, target)[along])
        assert [point[along] for point in route] == sorted(point[along] for point in route)


@given(graphs())
def test_arrows_pass_by_boxes(graph):
    sizes, edges = graph
    layout = arrange(sizes, edges)
    for route in layout.routes.values():
        for x, y in route[1:-1]:
            for key in sizes:
                left, top, right, bottom = box(layout, sizes, key)
                assert not (left < x < right and top < y < bottom)


@given(graphs())
def test_to_turn_it_changes_nothing_else(graph):
    sizes, edges = graph
    turned = arrange({key: size[::-1] for key, size in sizes.items()}, edges, vertical=True)
    assert {key: point[::-1] for key, point in turned.centres.items()} == arrange(sizes, edges).centres


def test_nothing_takes_no_room():
    assert arrange({}, []) == ({}, {}, (0.0, 0.0))


def test_a_chain_is_straight():
    layout = arrange(dict.fromkeys('abc', SIZE), [('a', 'b'), ('b', 'c')])
    assert layout.centres == {'a': (20, 10), 'b': (108, 10), 'c': (196, 10)}
    assert layout.routes['a', 'b'] == [(40, 10), (88, 10)]
    assert layout.size == (216, 20)


def test_branches_lie_around_where_they_part_and_join():
    edges = [('a', 'b'), ('a', 'c'), ('b', 'd'), ('c', 'd')]
    centres = arrange(dict.fromkeys('abcd', SIZE), edges).centres
    assert [centres[key][1] for key in 'abcd'] == pytest.approx([30, 10, 50, 30], abs=0.1)


def test_a_chain_goes_on_straight_after_a_join():
    needs = {'b': 'a', 'c': 'a', 'd': 'c', 'j': 'abd', 'k': 'j', 'l': 'k'}
    edges = [(source, target) for target, sources in needs.items() for source in sources]
    centres = arrange(dict.fromkeys('abcdjkl', SIZE), edges).centres
    assert centres['j'][1] == pytest.approx(centres['k'][1], abs=0.2) == pytest.approx(centres['l'][1], abs=0.2)


def test_the_longest_path_counts():
    assert ranks_of('abc', [('a', 'b'), ('b', 'c'), ('a', 'c')]) == {'a': 0, 'b': 1, 'c': 2}


def test_what_crosses_without_need_is_untangled():
    layers = [['a', 'b'], ['c', 'd']]
    before, after = {'c': ['b'], 'd': ['a']}, {'a': ['d'], 'b': ['c']}
    assert crossings(layers, after) == 1
    assert ordered(layers, before, after) == [['a', 'b'], ['d', 'c']]


@given(st.lists(st.permutations(range(5)), min_size=2, max_size=2), st.sets(st.tuples(*[st.integers(0, 4)] * 2)))
def test_crossings_are_counted(orders, edges):
    layers = [[f'{side}{n}' for n in order] for side, order in zip('ab', orders, strict=True)]
    after = {f'a{n}': [f'b{m}' for k, m in sorted(edges) if k == n] for n in range(5)}
    places = [(layers[0].index(f'a{n}'), layers[1].index(f'b{m}')) for n, m in edges]
    expected = sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for a, b in itertools.combinations(places, 2))
    assert crossings(layers, after) == expected


wishes = st.lists(st.tuples(st.floats(-100, 100), st.floats(1, 50), st.floats(0.5, 8)), min_size=1, max_size=6)


@given(wishes, st.lists(st.floats(-1, 1), min_size=6, max_size=6))
@example([(0.0, 1.0, 1.0)] * 2, [2e-07, 0.0, 0.0, 0.0, 0.0, 0.0])
def test_to_spread_is_the_best_that_can_be(boxes, moves):
    wanted, extents, weights = zip(*boxes, strict=True)
    centres = spread(wanted, extents, weights)
    assert fits(centres, extents)
    moved = [centre + move for centre, move in zip(centres, moves, strict=False)]
    if fits(moved, extents, slack=0.0):
        assert cost(centres, wanted, weights) <= cost(moved, wanted, weights) + 1e-6


def fits(centres, extents, slack=1e-6):
    pairs = itertools.pairwise(zip(centres, extents, strict=True))
    return all(b - a >= (x + y) / 2 + GAP - slack for (a, x), (b, y) in pairs)


def cost(centres, wanted, weights):
    return sum(w * (c - x) ** 2 for c, x, w in zip(centres, wanted, weights, strict=True))
