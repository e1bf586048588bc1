"""The routes by which operators look at notifications that were given up, send them again or discard them."""

# Without the postponed annotations that we have elsewhere: FastAPI reads these at run time.
import re
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Query, Request

from aeterna.threads.api.access import OperatorOfAll
from aeterna.threads.api.push_bodies import (
    DeadLetterBody,
    DeadLettersBody,
    LetterChoiceInput,
    LettersChangedBody,
)
from aeterna.threads.domain.push import LetterChoice, LetterId
from aeterna.threads.errors import CursorInvalidError, DeadLetterNotFoundError
from aeterna.threads.ports import DeadLetters

Limit = Annotated[int, Query(ge=1, le=500)]

# As PostgreSQL's bigint holds it.
_NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)

router = APIRouter(prefix="/api/v1/dead-letters", tags=["push"])


def _letters(request: Request) -> DeadLetters:
    return cast("DeadLetters", request.app.state.dead_letters)


def _path_letter(request: Request) -> LetterChoice:
    """Return the dead letter that the path names; a malformed id names none."""
    text = request.path_params["letter_id"]
    if not _NUMBER.fullmatch(text):
        raise DeadLetterNotFoundError(text)
    return LetterChoice(letter_id=LetterId(int(text)))


def _before(cursor: str | None = None) -> LetterId | None:
    if cursor is None:
        return None
    if not _NUMBER.fullmatch(cursor):
        raise CursorInvalidError
    return LetterId(int(cursor))


TheLetters = Annotated[DeadLetters, Depends(_letters)]
PathLetter = Annotated[LetterChoice, Depends(_path_letter)]


@router.get("")
async def list_dead_letters(
    caller: OperatorOfAll,
    letters: TheLetters,
    choice: Annotated[LetterChoiceInput, Query()],
    before: Annotated[LetterId | None, Depends(_before)],
    limit: Limit = 50,
) -> DeadLettersBody:
    """List the tenant's dead letters, newest first."""
    # One more than asked for tells whether there is a next page.
    found = await letters.letters(caller.tenant, choice.choice(), before=before, limit=limit + 1)
    page = found[:limit]
    return DeadLettersBody(
        letters=[DeadLetterBody.of(letter) for letter in page],
        next_cursor=str(page[-1].letter_id) if len(found) > limit else None,
    )


@router.get("/{letter_id}")
async def read_dead_letter(letter_id: PathLetter, caller: OperatorOfAll, letters: TheLetters) -> DeadLetterBody:
    """Return one dead letter."""
    found = await letters.letters(caller.tenant, letter_id, before=None, limit=1)
    if not found:
        raise DeadLetterNotFoundError(letter_id.letter_id)
    return DeadLetterBody.of(found[0])


@router.post("/replay")
async def replay_dead_letters(
    choice: LetterChoiceInput, caller: OperatorOfAll, letters: TheLetters
) -> LettersChangedBody:
    """Have dead letters sent again: all of the tenant's, or those of a task or of one of its receivers."""
    return LettersChangedBody(letters=await letters.replay(caller.tenant, choice.choice()))


@router.post("/discard")
async def discard_dead_letters(
    choice: LetterChoiceInput, caller: OperatorOfAll, letters: TheLetters
) -> LettersChangedBody:
    """Forget dead letters for good: all of the tenant's, or those of a task or of one of its receivers."""
    return LettersChangedBody(letters=await letters.discard(caller.tenant, choice.choice()))


@router.post("/{letter_id}/replay")
async def replay_dead_letter(letter_id: PathLetter, caller: OperatorOfAll, letters: TheLetters) -> LettersChangedBody:
    """Have one dead letter sent again."""
    return LettersChangedBody(letters=await letters.replay(caller.tenant, letter_id))


@router.delete("/{letter_id}")
async def discard_dead_letter(letter_id: PathLetter, caller: OperatorOfAll, letters: TheLetters) -> LettersChangedBody:
    """Forget one dead letter for good."""
    return LettersChangedBody(letters=await letters.discard(caller.tenant, letter_id))
