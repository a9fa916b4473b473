"""BentoML: one Service, or three, of which each is a process of its own."""

import bentoml

QUIET = {'access': {'enabled': False}}
# A connection to another Service is renewed after 100 requests, and those that are on it fail: under load a quarter.
CONNECTION = {'max_requests': 1_000_000_000}


@bentoml.service(logging=QUIET)
class Upper:
    @bentoml.api
    async def upper(self, text: str) -> dict:
        return {'text': text.upper()}


@bentoml.service(logging=QUIET, runner_connection=CONNECTION)
class Exclaim:
    @bentoml.api
    async def exclaim(self, text: str) -> str:
        return text + '!'


@bentoml.service(logging=QUIET, runner_connection=CONNECTION)
class ExclaimAgain:
    @bentoml.api
    async def exclaim(self, text: str) -> str:
        return text + '!'


@bentoml.service(logging=QUIET)
class UpperOfThree:
    second = bentoml.depends(Exclaim)
    third = bentoml.depends(ExclaimAgain)

    @bentoml.api
    async def upper(self, text: str) -> dict:
        text = await self.second.to_async.exclaim(text.upper())
        return {'text': await self.third.to_async.exclaim(text)}
