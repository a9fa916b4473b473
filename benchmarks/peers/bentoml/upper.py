"""BentoML: one Service, or three, of which each is a process of its own."""

import bentoml

# Its default of 256 requests a runner connection makes a quarter of the answers under load errors.
CONNECTION = {'max_requests': 1_000_000_000}


@bentoml.service(logging={'access': {'enabled': False}})
class Upper:
    @bentoml.api
    async def upper(self, text: str) -> dict:
        return {'text': text.upper()}


@bentoml.service(logging={'access': {'enabled': False}})
class Exclaim:
    @bentoml.api
    async def exclaim(self, text: str) -> str:
        return text + '!'


@bentoml.service(logging={'access': {'enabled': False}})
class ExclaimAgain:
    @bentoml.api
    async def exclaim(self, text: str) -> str:
        return text + '!'


@bentoml.service(logging={'access': {'enabled': False}}, runner_connection=CONNECTION)
class UpperOfThree:
    second = bentoml.depends(Exclaim)
    third = bentoml.depends(ExclaimAgain)

    @bentoml.api
    async def upper(self, text: str) -> dict:
        text = await self.second.to_async.exclaim(text.upper())
        return {'text': await self.third.to_async.exclaim(text)}
