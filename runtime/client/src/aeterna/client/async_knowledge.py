"""Knowledge as asynchronous code sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.client import knowledge_operations as operations

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aeterna.client.async_runner import AsyncRunner
    from aeterna.client.graph_operations import AsOf
    from aeterna.client.knowledge_values import KnowledgeAnswer, KnownDocument, WrittenDocument


class AsyncKnowledge:
    """The tenant's documents, and questions to them.

    A question without ``as_of`` sees at least what this client has put and deleted, whichever replica answers.
    """

    def __init__(self, runner: AsyncRunner) -> None:
        self._runner = runner
        self._latest: int | None = None  # the seq of the newest session that a write of ours led to

    async def put(
        self, document: str, content: bytes, *, name: str | None = None, media_type: str | None = None
    ) -> WrittenDocument:
        """Put a document in the place of what it said before; raise `DocumentRefusedError` with the reason.

        Its kind is told by ``media_type``, or else by the ending of ``name`` or of its id.
        """
        return self._seen(await self._runner.run(operations.put(document, content, name=name, media_type=media_type)))

    async def delete(self, document: str) -> WrittenDocument:
        """Remove a document and exactly what only it said."""
        return self._seen(await self._runner.run(operations.delete(document)))

    async def document(
        self, document: str, *, start: int | None = None, end: int | None = None, context: int | None = None
    ) -> KnownDocument:
        """Read a document, with the place opened that a citation names; raise `DocumentNotFoundError`."""
        return await self._runner.run(operations.document(document, start=start, end=end, context=context))

    async def documents(self, *, prefix: str = "", page: int | None = None) -> AsyncIterator[str]:
        """Give out the ids that begin with a prefix, in their order."""
        cursor: str | None = None
        while True:
            answer = await self._runner.run(operations.documents(prefix=prefix, limit=page, cursor=cursor))
            for each in answer.documents:
                yield each
            cursor = answer.next_cursor
            if cursor is None:
                return

    async def ask(
        self, question: str, *, limit: int | None = None, tokens: int | None = None, as_of: AsOf | None = None
    ) -> KnowledgeAnswer:
        """Return the passages that may answer a question, the best first."""
        return await self._runner.run(
            operations.ask(question, limit=limit, tokens=tokens, as_of=as_of, fresh_as=self._latest)
        )

    def _seen(self, written: WrittenDocument) -> WrittenDocument:
        self._latest = max(written.seq, self._latest or 0)
        return written
