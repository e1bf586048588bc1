"""Requests as a person reads them: in the notation in which policies are written."""

from __future__ import annotations

import pytest

from aeterna.cedar.domain.request import BroughtEntity, Request, Uid
from aeterna.policies.domain.requests import shown, value_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7, "7"),
        (True, "true"),
        ('a "word"', r'"a \"word\""'),
        ([1, "x"], '[1, "x"]'),
        ({"plain": 1, "two words": []}, '{plain: 1, "two words": []}'),
        ({"__entity": {"type": "A::User", "id": "ann"}}, 'A::User::"ann"'),
        ({"__extn": {"fn": "decimal", "arg": "1.5"}}, 'decimal("1.5")'),
        (
            {
                "__extn": {
                    "fn": "offset",
                    "args": [
                        {"__extn": {"fn": "datetime", "arg": "2026-11-01"}},
                        {"__extn": {"fn": "duration", "arg": "1h"}},
                    ],
                }
            },
            'offset(datetime("2026-11-01"), duration("1h"))',
        ),
    ],
)
def test_values_are_written_as_in_a_policy(value: object, text: str) -> None:
    assert value_text(value) == text


def test_a_request_names_its_parties_with_what_they_are_and_then_what_else_there_is() -> None:
    team, ann = Uid("Team", "a"), Uid("User", "ann")
    request = Request(
        principal=ann,
        action=Uid("Action", "view"),
        resource=Uid("Document", "d"),
        context={"mfa": True},
        brought=(
            BroughtEntity(uid=ann, attributes={"level": 3}, parents=(team,)),
            BroughtEntity(uid=team, tags={"x": 1}),
            BroughtEntity(uid=Uid("Team", "idle")),
        ),
        tenant="acme",
    )

    assert shown(request) == [
        ("principal", 'User::"ann" {level: 3} in Team::"a"'),
        ("action", 'Action::"view"'),
        ("resource", 'Document::"d"'),
        ("context", "{mfa: true}"),
        ("entity", 'Team::"a" tags {x: 1}'),
        ("tenant", "acme"),
    ]
