from jina.looks.outline import outline_of
from jina.types.document import Document


def sizes(branch):
    return [(g.name, g.total, [sizes(b) for b in g.branches]) for g in branch.groups]


def test_it_has_chunks_and_matches():
    doc = Document(chunks=[Document(matches=[Document()]), Document()], matches=[Document()])
    assert sizes(outline_of(doc, 9, 99)) == [('chunks', 2, [[('matches', 1, [[]])], []]), ('matches', 1, [[]])]


def test_of_a_group_the_first_are_shown():
    [group] = outline_of(Document(chunks=[Document() for _ in range(7)]), 5, 99).groups
    assert (group.total, len(group.branches), group.left) == (7, 5, 2)


def test_it_is_filled_level_by_level():
    doc = Document(chunks=[Document(chunks=[Document(), Document()]) for _ in range(3)])
    [group] = outline_of(doc, 9, 4).groups
    assert [sizes(b) for b in group.branches] == [[('chunks', 2, [[]])], [('chunks', 2, [])], [('chunks', 2, [])]]


def test_it_ends_where_a_document_is_its_own_match():
    doc = Document()
    doc.matches.append(doc)
    branch, depth = outline_of(doc, 5, 10), 0
    while branch.groups and branch.groups[0].branches:
        branch, depth = branch.groups[0].branches[0], depth + 1
    assert depth == 10
