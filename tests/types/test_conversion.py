import base64
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest.mock import patch
from urllib.parse import quote

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina.excepts import BadDocType, BadDocument, BadOption
from jina.types.document import Document


def state(doc: Document) -> tuple:
    return doc.content_type, doc.content, doc.uri, doc.mime_type


@pytest.fixture
def unchanged():
    """``unchanged(doc, name, error, match)``: the conversion fails and leaves everything as it was."""

    def check(doc, name, error=BadDocument, match=None, **options):
        before = state(doc)
        with pytest.raises(error, match=match) as caught:
            getattr(doc, name)(**options)
        assert state(doc) == before
        return caught.value

    return check


class TestFiles:
    def test_buffer(self, tmp_path):
        (tmp_path / 'a.bin').write_bytes(b'\x00\xff')
        doc = Document(uri=str(tmp_path / 'a.bin'))
        assert doc.convert_uri_to_buffer() is doc
        assert (doc.buffer, doc.content_type) == (b'\x00\xff', 'buffer')

    def test_text(self, tmp_path):
        (tmp_path / 'a b ü.html').write_text('<b>☃</b>', 'utf-8')
        for uri in (str(tmp_path / 'a b ü.html'), (tmp_path / 'a b ü.html').as_uri()):
            doc = Document(uri=uri).convert_uri_to_text()
            assert (doc.text, doc.mime_type, doc.uri) == ('<b>☃</b>', 'text/html', uri)

    def test_a_relative_path(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (tmp_path / 'a.txt').write_text('a')
        assert Document(uri='a.txt').convert_uri_to_text().text == 'a'

    def test_charsets(self, tmp_path, unchanged):
        (tmp_path / 'a').write_bytes('é'.encode('latin-1'))
        doc = Document(uri=str(tmp_path / 'a'), buffer=b'before')
        unchanged(doc, 'convert_uri_to_text', match='no text in utf-8')
        unchanged(doc, 'convert_uri_to_text', BadOption, 'charset', charset='nonsense')
        assert doc.convert_uri_to_text(charset='latin-1').text == 'é'
        (tmp_path / 'a').write_bytes(b'\xef\xbb\xbfa')
        assert doc.convert_uri_to_text().text == 'a'

    def test_other_content_is_replaced(self, tmp_path):
        (tmp_path / 'a').write_text('b')
        doc = Document(text='before', uri=str(tmp_path / 'a')).convert_uri_to_buffer()
        assert (doc.text, doc.buffer) == ('', b'b')

    def test_missing(self, tmp_path, unchanged):
        error = unchanged(
            Document(uri=str(tmp_path / 'none.txt'), text='a'), 'convert_uri_to_buffer', match=r'none\.txt'
        )
        assert isinstance(error.__cause__, FileNotFoundError)
        unchanged(Document(uri=str(tmp_path)), 'convert_uri_to_buffer', match='cannot read')
        unchanged(Document(), 'convert_uri_to_buffer', match='no uri')

    def test_too_large(self, tmp_path, unchanged):
        (tmp_path / 'a').write_bytes(bytes(100))
        doc = Document(uri=str(tmp_path / 'a'))
        unchanged(doc, 'convert_uri_to_buffer', match='more than the 99 bytes', limit=99)
        assert len(doc.convert_uri_to_buffer(limit=100).buffer) == 100

    def test_endless(self, unchanged):
        unchanged(Document(uri='/dev/zero'), 'convert_uri_to_buffer', match='limit', limit=1_000_000)

    @pytest.mark.parametrize('uri', ['ftp://a/b', 'gopher:x', 's3://bucket/key', 'javascript:1', 'file://other/etc'])
    def test_other_schemes(self, uri, unchanged):
        unchanged(Document(uri=uri), 'convert_uri_to_buffer', match='cannot read')


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        getattr(self, f'get_{self.path.split("?")[0].rsplit("/")[-1]}', self.get_echo)()

    def send(self, body, code=200, length=None, **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace('_', '-'), value)
        self.send_header('Content-Length', str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def get_echo(self):
        self.send(self.path.encode(), Content_Type='text/plain; charset=ascii')

    def get_latin(self):
        self.send(b'\xe9', Content_Type='text/html; charset=latin-1')

    def get_untyped(self):
        self.send(b'x')

    def get_missing(self):
        self.send(b'no', 404)

    def get_moved(self):
        self.send(b'', 302, Location='/latin')

    def get_away(self):
        self.send(b'', 302, Location='ftp://127.0.0.1/x')

    def get_round(self):
        self.send(b'', 302, Location='/round')

    def get_short(self):
        self.send(b'abc', length=10)

    def get_large(self):
        self.send(b'abc', length=10**9)

    def get_endless(self):
        self.send_response(200)
        self.end_headers()
        self.drip(b'x' * 100_000, 0)

    def get_drip(self):
        self.send_response(200)
        self.end_headers()
        self.drip(b'x', 0.01)

    def drip(self, piece, pause):
        try:
            while not self.server.over.wait(pause):
                self.wfile.write(piece)
        except OSError:  # the client went away, as it should
            pass

    def get_silent(self):
        self.server.over.wait(10)

    def log_message(self, *args):
        pass


@pytest.fixture(scope='module')
def server():
    with ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        server.over = threading.Event()
        thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.01})
        thread.start()
        yield f'http://127.0.0.1:{server.server_port}'
        server.over.set()
        server.shutdown()
        thread.join()


class TestHttp:
    def test_text(self, server):
        doc = Document(uri=f'{server}/latin').convert_uri_to_text()
        assert (doc.text, doc.mime_type) == ('é', 'text/html')
        assert Document(uri=f'{server}/moved').convert_uri_to_text().text == 'é'

    def test_mime_type_is_kept(self, server):
        assert Document(uri=f'{server}/latin', mime_type='a/b').convert_uri_to_buffer().mime_type == 'a/b'
        assert Document(uri=f'{server}/untyped').convert_uri_to_buffer().mime_type == ''

    def test_letters_that_are_not_ascii(self, server):
        doc = Document(uri=f'{server}/ü b/%20?q=ü&r=a%20b#part').convert_uri_to_text()
        assert doc.text == f'/{quote("ü b")}/%20?q={quote("ü")}&r=a%20b'

    @pytest.mark.parametrize(
        ('path', 'told'),
        [
            ('missing', '404'),
            ('away', 'ftp'),
            ('round', 'redirect'),
            ('short', 'before the end|7'),
            ('large', 'limit='),
            ('endless', 'limit='),
        ],
    )
    def test_errors_name_the_uri(self, server, path, told, unchanged):
        doc = Document(uri=f'{server}/{path}', text='before')
        error = unchanged(doc, 'convert_uri_to_buffer', match=told, limit=1_000_000)
        assert path in str(error)
        assert error.__cause__ is not None

    @pytest.mark.parametrize('path', ['silent', 'drip'])
    def test_slow_servers(self, server, path, unchanged):
        unchanged(Document(uri=f'{server}/{path}'), 'convert_uri_to_buffer', match='timed out|too long', timeout=0.2)

    def test_nobody_there(self, unchanged):
        unchanged(Document(uri='http://127.0.0.1:1/'), 'convert_uri_to_buffer', match='refused')
        unchanged(Document(uri='http://'), 'convert_uri_to_buffer', match='cannot read')
        unchanged(Document(uri='http://a b:x/'), 'convert_uri_to_buffer', match='cannot read')

    def test_proxies_are_for_other_hosts(self, server, monkeypatch):
        monkeypatch.setenv('http_proxy', 'http://127.0.0.1:1')
        for name in ('no_proxy', 'NO_PROXY'):
            monkeypatch.delenv(name, raising=False)
        for host in ('127.0.0.1', 'localhost'):
            uri = server.replace('127.0.0.1', host) + '/untyped'
            assert Document(uri=uri).convert_uri_to_buffer().buffer == b'x'
        monkeypatch.setenv('http_proxy', server)
        assert Document(uri='http://example.invalid/a').convert_uri_to_text().text == 'http://example.invalid/a'


class TestDataUris:
    @pytest.mark.parametrize(
        ('uri', 'data', 'mime_type'),
        [
            ('data:,A%20brief%20note', b'A brief note', 'text/plain'),
            ('data:,', b'', 'text/plain'),
            ('data:text/html,%3Cb%3E', b'<b>', 'text/html'),
            ('data:;base64,aGk=', b'hi', 'text/plain'),
            ('DATA:image/gif;BASE64,AAE', b'\x00\x01', 'image/gif'),
            ('data:image/gif;base64,AA%3D%3D', b'\x00', 'image/gif'),
            ('data:text/plain;charset=utf-8;base64, aG\nk=', b'hi', 'text/plain'),
            ('data:text/plain;x="a;b",a,b', b'a,b', 'text/plain'),
        ],
    )
    def test_reading(self, uri, data, mime_type):
        doc = Document(uri=uri).convert_uri_to_buffer()
        assert (doc.buffer, doc.mime_type) == (data, mime_type)

    def test_charsets(self):
        assert Document(uri='data:text/plain;charset=iso-8859-1,%E9').convert_uri_to_text().text == 'é'
        assert Document(uri='data:text/plain,%C3%A9').convert_uri_to_text().text == 'é'

    @pytest.mark.parametrize('uri', ['data:', 'data:text/plain', 'data:;base64,?', 'data:;base64,A', 'data:,%E9'])
    def test_malformed(self, uri, unchanged):
        unchanged(Document(uri=uri), 'convert_uri_to_text', match='data:')

    def test_too_large(self, unchanged):
        unchanged(Document(uri='data:,abcdef'), 'convert_uri_to_buffer', match='limit', limit=5)
        unchanged(Document(uri='data:;base64,YWJjZGVm'), 'convert_uri_to_buffer', match='limit', limit=5)
        assert Document(uri='data:;base64,YWJjZGVm').convert_uri_to_buffer(limit=6).buffer == b'abcdef'

    def test_text(self):
        doc = Document(text='hé llo,#')
        assert doc.convert_text_to_uri() is doc
        assert doc.uri == 'data:text/plain;charset=utf-8,h%C3%A9%20llo%2C%23'
        assert doc.text == 'hé llo,#'
        encoded = base64.b64encode('hé llo,#'.encode()).decode()
        assert doc.convert_text_to_uri(base64=True).uri == f'data:text/plain;charset=utf-8;base64,{encoded}'
        assert Document(text='é').convert_text_to_uri('latin-1').uri == 'data:text/plain;charset=latin-1,%E9'

    def test_text_that_the_charset_has_not(self, unchanged):
        unchanged(Document(text='☃'), 'convert_text_to_uri', match='ascii', charset='ascii')
        unchanged(Document(text='☃'), 'convert_text_to_uri', BadOption, 'charset', charset='nonsense')

    def test_buffer(self):
        doc = Document(buffer=b'\xff a').convert_buffer_to_uri()
        assert (doc.uri, doc.mime_type) == ('data:application/octet-stream,%FF%20a', 'application/octet-stream')
        doc = Document(buffer=b'\xff a', mime_type='image/x').convert_buffer_to_uri(base64=True)
        assert doc.uri == 'data:image/x;base64,/yBh'
        doc = Document(buffer=b'a').convert_buffer_to_uri(mime_type='text/css')
        assert (doc.uri, doc.mime_type) == ('data:text/css;charset=utf-8,a', 'text/css')

    def test_content(self, unchanged):
        assert Document(content='a').convert_content_to_uri().uri == 'data:text/plain;charset=utf-8,a'
        assert Document(content=b'\xff').convert_content_to_uri().uri == 'data:application/octet-stream;base64,/w=='
        assert Document(uri='u').convert_content_to_uri().uri == 'u'
        unchanged(Document(content=[1]), 'convert_content_to_uri', match='blob has no form')

    def test_of_a_file(self, tmp_path):
        (tmp_path / 'a.css').write_text('b{}')
        doc = Document(uri=str(tmp_path / 'a.css'), text='kept').convert_uri_to_datauri()
        assert (doc.uri, doc.text) == ('data:text/css;charset=utf-8,b%7B%7D', 'kept')
        assert doc.convert_uri_to_datauri().uri == 'data:text/css;charset=utf-8,b%7B%7D'

    @given(st.text(), st.booleans())
    def test_text_there_and_back(self, text, in_base64):
        uri = Document(text=text).convert_text_to_uri(base64=in_base64).uri
        assert uri.isascii()
        assert Document(uri=uri).convert_uri_to_text().text == text.removeprefix('\ufeff')

    @given(st.binary(), st.booleans())
    def test_buffers_there_and_back(self, buffer, in_base64):
        uri = Document(buffer=buffer).convert_buffer_to_uri(base64=in_base64).uri
        assert Document(uri=uri).convert_uri_to_buffer().buffer == buffer


class TestNumbers:
    def test_blob(self):
        doc = Document(buffer=np.arange(4, dtype='f4').tobytes()).convert_buffer_to_blob('float32')
        assert (doc.blob.tolist(), doc.blob.dtype) == ([0, 1, 2, 3], np.float32)
        doc.blob[0] = 7
        assert np.frombuffer(doc.convert_blob_to_buffer().buffer, 'f4').tolist() == [7, 1, 2, 3]

    def test_a_part(self):
        doc = Document(buffer=b'\xff' + np.arange(4.0).tobytes())
        assert doc.convert_buffer_to_blob(count=2, offset=1).blob.tolist() == [0, 1]

    @pytest.mark.parametrize('options', [{}, {'dtype': 'i2'}, {'dtype': 'nonsense'}, {'dtype': 'O'}, {'count': 9}])
    def test_buffers_that_do_not_fit(self, options, unchanged):
        unchanged(Document(buffer=b'abc'), 'convert_buffer_to_blob', match='3 bytes', **options)

    def test_no_numbers(self, unchanged):
        unchanged(Document(buffer=b'abcd'), 'convert_buffer_to_blob', BadDocType, dtype='S2')

    @pytest.mark.parametrize(
        'name',
        [
            'convert_buffer_to_blob',
            'convert_blob_to_buffer',
            'convert_buffer_to_uri',
            'convert_image_buffer_to_blob',
            'convert_image_blob_to_uri',
        ],
    )
    def test_nothing_to_convert(self, name, unchanged):
        unchanged(Document(text='a'), name, match='content is text')


class TestImages:
    @pytest.fixture(autouse=True)
    def pillow(self):
        self.Image = pytest.importorskip('PIL.Image')

    @pytest.fixture
    def pixels(self):
        return np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)

    @pytest.fixture
    def path(self, tmp_path, pixels):
        self.Image.fromarray(pixels).save(tmp_path / 'a.png')
        return tmp_path / 'a.png'

    def test_file(self, path, pixels):
        doc = Document(uri=str(path)).convert_image_uri_to_blob()
        assert (doc.blob.shape, doc.blob.dtype, doc.mime_type) == ((4, 6, 3), np.float32, 'image/png')
        assert np.array_equal(doc.blob, pixels)

    def test_buffer_and_axis(self, path, pixels):
        doc = Document(buffer=path.read_bytes()).convert_image_buffer_to_blob(color_axis=0)
        assert np.array_equal(doc.blob, pixels.transpose(2, 0, 1))

    def test_prefix(self, path):
        assert Document(uri='a.png').convert_image_uri_to_blob(uri_prefix=f'{path.parent}/').blob.shape == (4, 6, 3)

    @pytest.mark.parametrize('mode', ['L', 'RGBA', '1', 'P', 'I;16'])
    def test_modes(self, mode, tmp_path):
        self.Image.new(mode, (6, 4)).save(tmp_path / 'a.png')
        assert Document(uri=str(tmp_path / 'a.png')).convert_image_uri_to_blob().blob.shape == (4, 6, 3)

    @pytest.mark.parametrize(
        ('size', 'shape'),
        [({'width': 3}, (2, 3, 3)), ({'height': 8}, (8, 12, 3)), ({'width': 5, 'height': 1}, (1, 5, 3))],
    )
    def test_resizing(self, path, size, shape):
        doc = Document(uri=str(path))
        assert doc.convert_image_uri_to_blob(**size).blob.shape == shape
        doc.convert_image_uri_to_blob().convert_image_blob_to_uri(**size, resize_method='nearest')
        assert doc.convert_image_datauri_to_blob().blob.shape == shape

    def test_there_and_back(self, pixels):
        doc = Document(blob=pixels)
        assert doc.convert_image_blob_to_uri(6, 4) is doc
        assert doc.uri.startswith('data:image/png;base64,')
        assert (doc.blob is pixels, doc.mime_type) == (True, 'image/png')
        assert np.array_equal(Document(uri=doc.uri).convert_image_datauri_to_blob().blob, pixels)

    @pytest.mark.parametrize(
        ('change', 'options'),
        [
            (lambda p: p.astype('f4'), {}),
            (lambda p: p.transpose(2, 0, 1), {'color_axis': 0}),
            (lambda p: p.reshape(-1), {'width': 6, 'height': 4}),
            (lambda p: p[::-1][::-1].astype('i8') * 1, {}),
        ],
    )
    def test_forms_of_blobs(self, pixels, change, options):
        uri = Document(blob=change(pixels)).convert_image_blob_to_uri(**options).uri
        assert np.array_equal(Document(uri=uri).convert_image_datauri_to_blob().blob, pixels)

    @pytest.mark.parametrize('shape', [(24,), (4, 6), (4, 6, 1)])
    def test_grey(self, shape):
        doc = Document(blob=np.full(shape, 7, 'u1')).convert_image_blob_to_uri(6, 4)
        assert set(doc.convert_image_datauri_to_blob().blob.flat) == {7}

    def test_values_out_of_range(self):
        doc = Document(blob=[[-5.0, 300.0, np.nan, np.inf]]).convert_image_blob_to_uri()
        assert doc.convert_image_datauri_to_blob().blob[0, :, 0].tolist() == [0, 255, 0, 255]

    @pytest.mark.parametrize('blob', [np.zeros(24), np.zeros((4, 6, 5)), np.zeros((0, 3)), np.zeros((1, 2, 3, 4)), 1j])
    def test_blobs_that_are_no_images(self, blob, unchanged):
        unchanged(Document(blob=blob), 'convert_image_blob_to_uri', match='no image')

    @pytest.mark.parametrize('data', [b'', b'nonsense', b'\x89PNG\r\n\x1a\n'])
    def test_data_that_are_no_image(self, data, unchanged):
        unchanged(Document(buffer=data), 'convert_image_buffer_to_blob', match='not an image')

    def test_a_cut_image(self, path, unchanged):
        unchanged(Document(buffer=path.read_bytes()[:-40]), 'convert_image_buffer_to_blob', match='not an image')

    def test_a_large_image(self, path, unchanged):
        with patch('jina.types.document.image.MAX_PIXELS', 23):
            unchanged(Document(uri=str(path)), 'convert_image_uri_to_blob', match='6 × 4 pixels')

    @pytest.mark.parametrize('options', [{'resize_method': 'x'}, {'color_axis': 3}, {'width': 0}, {'height': -1}])
    def test_options(self, path, options, unchanged):
        unchanged(Document(uri=str(path)), 'convert_image_uri_to_blob', BadOption, next(iter(options)), **options)

    def test_only_data_uris_are_data_uris(self, path, unchanged):
        unchanged(Document(uri=str(path)), 'convert_image_datauri_to_blob', match='no data URI')


def test_without_pillow(unchanged):
    with patch.dict('sys.modules', {'PIL': None}):
        unchanged(Document(buffer=b'x'), 'convert_image_buffer_to_blob', ImportError, r'pip install pillow')


def test_they_chain(tmp_path):
    (tmp_path / 'a').write_bytes(np.arange(3.0).tobytes())
    doc = Document(uri=str(tmp_path / 'a')).convert_uri_to_buffer().convert_buffer_to_blob()
    assert doc.blob.tolist() == [0, 1, 2]
