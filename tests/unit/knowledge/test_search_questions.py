"""How a question is read, how rankings are joined, and what of a report tree is looked at."""

from __future__ import annotations

import itertools

import pytest

from aeterna.knowledge.domain.answers import SearchLimits
from aeterna.knowledge.domain.communities import CommunityId
from aeterna.knowledge.domain.documents import DocumentId, Span, UnitId
from aeterna.knowledge.domain.extracted_answers import Candidate, extracted
from aeterna.knowledge.domain.fusion import fused
from aeterna.knowledge.domain.passages import MAX_WINDOW_CHARS, Rarity, joined, rated, window
from aeterna.knowledge.domain.queries import MAX_QUESTION_CHARS, query_of, stem_of, stems_in
from aeterna.knowledge.domain.report_trees import selected, tree_of
from aeterna.knowledge.domain.reports import Citation, Evidence, MaterialDigest, Passage, Report, Sentence
from aeterna.knowledge.errors import QuestionRefusedError


@pytest.mark.parametrize(
    ("words", "stem"),
    [
        (["deletes", "deleted", "deleting", "deletion", "delete"], "delet*"),
        (["policy", "policies"], "polic*"),
        (["stops", "stopped", "stopping"], "stop*"),
        (["key", "keys"], "key"),
        (["status"], "status*"),
        (["ipv4"], "ipv4"),
        (["straße"], "straße"),
    ],
)
def test_forms_of_a_word_have_one_stem(words: list[str], stem: str) -> None:
    assert {stem_of(word) for word in words} == {stem}


def test_a_name_counts_as_it_stands_and_by_its_parts() -> None:
    assert stems_in("The checkoutApi") == {"the": 1, "checkoutapi*": 1, "checkout*": 1, "api": 1}


def test_a_question_is_what_tells_in_it() -> None:
    query = query_of('How do I delete the table order_items with "two words"?')

    weights = dict(query.weights)
    assert weights["delet*"] == 1.0
    assert 0 < weights["eras*"] < weights["delet*"]
    assert "the" not in weights
    assert query.phrases == ("two words", "order_items")
    assert "table order_item" in query.names or "order_item" in " ".join(query.names)


@pytest.mark.parametrize("text", ["", "?!", "x" * (MAX_QUESTION_CHARS + 1)])
def test_a_question_without_a_word_or_end_is_refused(text: str) -> None:
    with pytest.raises(QuestionRefusedError):
        query_of(text)


def test_what_two_rankings_agree_on_comes_before_what_one_has_first() -> None:
    found = fused({"text": ["a", "b", "c"], "graph": ["b", "d"]})

    assert [each.item for each in found] == ["b", "a", "d", "c"]
    assert found[0].ranks == (("graph", 1), ("text", 2))


def test_equals_come_in_their_own_order_whatever_the_order_of_the_rankings() -> None:
    one = fused({"x": ["b"], "y": ["a"]})

    assert [each.item for each in one] == ["a", "b"]
    assert one == fused({"y": ["a"], "x": ["b"]})


def test_a_ranking_that_is_trusted_less_decides_less() -> None:
    found = fused({"text": ["a"], "graph": ["b"]}, weights={"graph": 0.1})

    assert [each.item for each in found] == ["a", "b"]


def _passages(*texts: str, heading: str = "H") -> list[Passage]:
    starts = itertools.accumulate((len(text) + 2 for text in texts), initial=0)
    return [
        Passage(
            unit=UnitId(f"u{place}"),
            document=DocumentId("d"),
            span=Span(start=start, end=start + len(text)),
            heading=(heading,),
            text=text,
        )
        for place, (text, start) in enumerate(zip(texts, starts, strict=False))
    ]


def test_a_rare_word_tells_more_than_a_common_one() -> None:
    passages = _passages("about zebras", "about clouds", "about nothing")
    rarity = Rarity(nodes=100, holders={"zebra*": 1, "cloud*": 60})

    scores = rated(query_of("zebras or clouds"), passages, rarity)

    assert min(scores, key=lambda unit: -scores[unit]) == "u0"


def test_a_window_is_of_one_section_and_bounded_and_can_be_cited_into() -> None:
    passages = [*_passages("one", "two", "x" * MAX_WINDOW_CHARS), *_passages("other", heading="I")]

    found = window(passages[0], passages[:3], {}, set())
    whole = joined(found, passages[0])

    assert [each.unit for each in found] == ["u0", "u1"]
    assert [whole.text[each.span.start - whole.span.start : each.span.end - whole.span.start] for each in found] == [
        "one",
        "two",
    ]


def test_a_window_ends_at_what_was_shown_already() -> None:
    passages = _passages("one", "two", "three")

    assert window(passages[0], passages, {}, {UnitId("u1")}) == passages[:1]


def _sentence(text: str) -> Sentence:
    cited = Citation(document=DocumentId("d"), unit=UnitId("u"), span=Span(start=0, end=len(text)))
    return Sentence(text=text, citations=(cited,))


def test_an_answer_says_what_was_asked_and_no_more_than_there_is_room_for() -> None:
    candidates = [
        Candidate(sentence=_sentence("Nothing of it."), rank=1),
        Candidate(sentence=_sentence("A zebra has stripes."), rank=2),
        Candidate(sentence=_sentence("Zebra, zebra, zebra." * 100), rank=3),
    ]

    found = extracted(query_of("Which stripes has a zebra?"), candidates, SearchLimits(answer_tokens=20))

    assert [each.text for each in found] == ["A zebra has stripes."]


def _report(community: str, level: int, text: str, *children: str) -> Report:
    return Report(
        community=CommunityId(community),
        level=level,
        digest=MaterialDigest(f"digest-{community}"),
        title=community,
        sentences=(_sentence(text),),
        made_by="extractive",
        tokens=10,
        evidence=(Evidence(unit=UnitId(f"u-{community}"), document=DocumentId("d"), start=0),),
        children=tuple(MaterialDigest(f"digest-{child}") for child in children),
    )


_TREE = tree_of(
    [
        _report("animals", 0, "Zebras and lions.", "stripes", "manes"),
        _report("stripes", 1, "Zebras have stripes.", "fine"),
        _report("manes", 1, "Lions have manes."),
        _report("fine", 2, "The stripes of zebras are fine."),
        _report("weather", 0, "Clouds bring rain.", "rain"),
        _report("rain", 1, "Rain falls."),
    ]
)


def test_nothing_is_rated_below_a_report_that_is_not_relevant() -> None:
    found = selected(_TREE, query_of("What are the stripes of zebras?"))

    assert "weather" in dict(found.rated)
    assert "rain" not in dict(found.rated)


def test_a_report_gives_way_to_those_below_it_that_are_relevant() -> None:
    assert selected(_TREE, query_of("zebras stripes")).chosen == ("fine",)
    assert selected(_TREE, query_of("zebras stripes"), max_level=1).chosen == ("stripes",)


def test_where_no_root_is_relevant_what_is_below_is_rated() -> None:
    assert selected(_TREE, query_of("manes")).chosen == ("manes",)


def test_no_more_reports_are_rated_than_allowed() -> None:
    assert len(selected(_TREE, query_of("zebras"), most=2).rated) == 2
    assert selected(_TREE, query_of("zebras"), stop=lambda: True).rated == ()


def test_a_unit_leads_to_the_reports_that_stand_on_it() -> None:
    assert _TREE.by_unit[UnitId("u-manes")] == ("manes",)
