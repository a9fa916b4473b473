import subprocess
import sys
from xml.etree import ElementTree

import pytest
from PIL import Image

from jina import Document, Flow
from jina.looks.picture import Png, Svg

NOTEBOOK = """
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from jina import Document, DocumentArray, Flow

shell = InteractiveShell.instance()
docs = DocumentArray([Document(embedding=[n, 1, 2]) for n in range(3)])

with capture_output() as captured:
    Flow().plot(inline_display=True)
    docs[0].plot(inline_display=True)
print([sorted(output.data) for output in captured.outputs])

for shown in (Flow(), docs[0], docs, docs[0].plot(), docs.visualize()):
    data, _ = shell.display_formatter.format(shown)
    print(sorted(data))
"""

SHOWN = """\
[['image/svg+xml', 'text/plain'], ['image/svg+xml', 'text/plain']]
['image/svg+xml', 'text/plain']
['text/html', 'text/plain']
['text/html', 'text/plain']
['image/svg+xml', 'text/plain']
['image/png', 'text/plain']
"""


@pytest.mark.parametrize('suffix', ['png', 'jpg', 'jpeg', 'PNG'])
def test_an_image_is_drawn_twice_as_sharp(tmp_path, suffix):
    svg = Document(text='a', chunks=[Document(text='b')], matches=[Document()]).plot(tmp_path / f'd.{suffix}')
    root = ElementTree.fromstring(svg)
    with Image.open(tmp_path / f'd.{suffix}') as image:
        assert image.width == pytest.approx(2 * int(root.attrib['width']), abs=2)
        assert image.height == pytest.approx(2 * int(root.attrib['height']), abs=2)
        colours = {colour for _, colour in image.convert('RGB').getcolors(100_000)}
    assert len(colours) > 10


def test_a_png_has_no_background(tmp_path):
    Flow().plot(tmp_path / 'f.png')
    with Image.open(tmp_path / 'f.png') as image:
        assert image.convert('RGBA').getpixel((0, 0))[3] == 0


def test_a_pdf(tmp_path):
    Flow().plot(tmp_path / 'f.pdf')
    assert (tmp_path / 'f.pdf').read_bytes().startswith(b'%PDF')


def test_an_image_without_matplotlib(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, 'jina.looks.figures', raising=False)
    monkeypatch.setitem(sys.modules, 'matplotlib', None)
    with pytest.raises(ImportError, match='drawn by matplotlib: pip install matplotlib'):
        Flow().plot(tmp_path / 'f.png')
    Flow().plot(tmp_path / 'f.svg')
    assert not (tmp_path / 'f.png').exists()


def test_what_a_notebook_shows(tmp_path):
    environment = {'HOME': str(tmp_path), 'IPYTHONDIR': str(tmp_path)}
    command = [sys.executable, '-W', 'error', '-c', NOTEBOOK]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr
    assert done.stdout == SHOWN


def test_inline_display_does_nothing_elsewhere(capsys):
    Document().plot(inline_display=True)
    assert capsys.readouterr().out == ''


def test_pictures_have_a_short_repr():
    assert repr(Svg('<svg width="30" height="20"/>')) == '<Svg 30×20>'
    assert repr(Svg('')) == '<Svg>'
    png = Png(b'\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x1e\0\0\0\x14')
    assert repr(png) == str(png) == '<Png 30×20>'
