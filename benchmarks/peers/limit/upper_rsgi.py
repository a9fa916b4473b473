"""The same in granian: a Rust server, and its own interface RSGI."""

import orjson


async def app(scope, proto):
    text = orjson.loads(await proto())['text']
    proto.response_bytes(200, [('content-type', 'application/json')], orjson.dumps({'text': text.upper()}))
