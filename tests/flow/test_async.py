"""``post`` as an async generator, on the caller's own loop."""

import asyncio

from jina import AsyncFlow, Document


def test_more_async_inputs_than_the_window_admits_are_answered_in_order():
    async def inputs():
        for i in range(100):
            yield Document(text=str(i))
            if i % 7 == 0:
                await asyncio.sleep(0)

    async def texts():
        with AsyncFlow(prefetch=2, quiet=True).add() as flow:
            return [response.docs[0].text async for response in flow.post('/', inputs, request_size=1)]

    assert asyncio.run(asyncio.wait_for(texts(), 20)) == [str(i) for i in range(100)]
