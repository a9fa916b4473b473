"""Swagger UI and ReDoc, from this machine alone: no page of them asks another host for anything."""

import html
import importlib.util
from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

OPENAPI = '/openapi.json'
SWAGGER = '/docs'
REDOC = '/redoc'
ASSETS = ('swagger-ui.css', 'swagger-ui-bundle.js', 'redoc.standalone.js', 'start.js')

# Browsers hold the pages to it: the logo that ReDoc has at its publisher's host, for one, is not asked for.
_ONLY_FROM_HERE = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "worker-src 'self' blob:"
)
_START = "SwaggerUIBundle({url: 'openapi.json', dom_id: '#here', validatorUrl: null, deepLinking: true})"
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
{style}
</head>
<body>
{body}
</body>
</html>
"""


def path_of(asset: str) -> str:
    """Where an asset is served."""
    return f'{SWAGGER}/{asset}'


def swagger(title: str) -> Response:
    """The page of Swagger UI, on which requests can be tried out."""
    style = '<link rel="stylesheet" href="docs/swagger-ui.css">'
    scripts = ''.join(f'<script src="docs/{name}"></script>' for name in ('swagger-ui-bundle.js', 'start.js'))
    return _page(f'{title} – Swagger UI', style, f'<div id="here"></div>{scripts}')


def redoc(title: str) -> Response:
    """The page of ReDoc, which is for reading."""
    style = '<style>body { margin: 0 }</style>'
    body = '<redoc spec-url="openapi.json"></redoc><script src="docs/redoc.standalone.js"></script>'
    return _page(f'{title} – ReDoc', style, body)


def asset(request: Request) -> Response:
    """A script or style sheet of these pages."""
    name = request.url.path.rpartition('/')[2]
    if name == 'start.js':
        return Response(_START, media_type='text/javascript')
    return FileResponse(_folder() / name)


def _page(title: str, style: str, body: str) -> Response:
    text = _PAGE.format(title=html.escape(title), style=style, body=body)
    return HTMLResponse(text, headers={'content-security-policy': _ONLY_FROM_HERE})


@cache
def _folder() -> Path:
    """Where fastapi-offline keeps what it ships. It is not imported: that would load FastAPI, for a few files."""
    found = importlib.util.find_spec('fastapi_offline')
    if found is None or found.origin is None:
        raise HTTPException(501, 'the pages of the documentation need the package fastapi-offline: pip install it')
    return Path(found.origin).parent / 'static'
