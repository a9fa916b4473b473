"""The limit: one bare uvicorn process that does the work itself, without any hop. Raw ASGI, no framework."""

import orjson

HEADERS = [(b'content-type', b'application/json')]


async def app(scope, receive, send):
    assert scope['type'] == 'http'
    body, more = b'', True
    while more:
        message = await receive()
        body += message['body']
        more = message.get('more_body', False)
    answer = orjson.dumps({'text': orjson.loads(body)['text'].upper()})
    length = (b'content-length', b'%d' % len(answer))
    await send({'type': 'http.response.start', 'status': 200, 'headers': [*HEADERS, length]})
    await send({'type': 'http.response.body', 'body': answer})
