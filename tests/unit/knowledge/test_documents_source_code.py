"""Source code is read for what it defines and for the prose in its comments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.knowledge.adapters.documents.languages import language_of
from aeterna.knowledge.adapters.documents.source_code import read_source
from aeterna.knowledge.domain.documents import DocumentId
from aeterna.knowledge.domain.phrases import masked
from aeterna.knowledge.domain.units import cut

if TYPE_CHECKING:
    from aeterna.knowledge.domain.documents import Parsed

FILES = {
    "a.py": (
        "class A(B):\n    def m(self):\n        def inner(): pass\n\nasync def f(): g()\n",
        ["A", "A.m", "A.m.inner", "f"],
    ),
    "a.go": ("type T struct {}\n\nfunc (t *T) M(a int) {}\n\nfunc f() { g() }\n", ["T", "T.M", "f"]),
    "a.rs": ("struct S;\nimpl<T> Tr<T> for S<T> {\n    fn m(&self) { g() }\n}\nfn f() {}\n", ["S", "S.m", "f"]),
    "A.java": ("class A {\n    int m() { return g(); }\n}\ninterface I {}\n", ["A", "A.m", "I"]),
    "a.c": ("struct s { int x; };\nint main(void) {\n    f();\n}\n", ["s", "main"]),
    "a.rb": ("module M\n  class A\n    def m\n    end\n  end\nend\n", ["M", "M.A", "M.A.m"]),
    "a.kt": ("class A {\n    fun m() { g() }\n}\nfun f() {}\n", ["A", "A.m", "f"]),
    "a.ts": (
        "class A<T> {\n  private x = f();\n  async m(a: string): Promise<void> {\n    if (a) {\n    }\n  }\n}\n",
        ["A", "A.m"],
    ),
    "b.ts": ("interface I {}\nfunction f() { g() }\n", ["I", "f"]),
    "a.js": (
        "class A {\n  constructor(x) {\n    super(x)\n  }\n  static #m() {\n  }\n}\n",
        ["A", "A.constructor", "A.m"],
    ),
    "a.cs": (
        "namespace N {\n  class A {\n    public int M(int a)\n    {\n      return G(a);\n    }\n  }\n}\n",
        ["N", "N.A", "N.A.M"],
    ),
    "a.cpp": ("class A {\n public:\n  int m() const {\n    return g();\n  }\n};\n", ["A", "A.m"]),
}


def read(text: str, name: str) -> Parsed:
    language = language_of(name)
    assert language is not None
    return read_source(text, name, language)


@pytest.mark.parametrize(("name", "text", "symbols"), [(name, *said) for name, said in FILES.items()])
def test_what_a_file_defines_is_found_with_what_it_stands_in(name: str, text: str, symbols: list[str]) -> None:
    parsed = read(text, name)

    assert [symbol.name for symbol in parsed.symbols] == symbols
    assert all(text[each.span.start : each.span.end] == each.name.rpartition(".")[2] for each in parsed.symbols)


def test_comments_and_docstrings_are_prose_and_nothing_else_is() -> None:
    text = '"""About leases."""\n\n# Why it waits\nholder = "no prose"\n'
    parsed = read(text, "a.py")

    assert masked(text, parsed.markup).replace("|", "") == '"""About leases."""# Why it waits\n'.replace("\n", "")


def test_a_function_after_a_class_is_not_of_the_class() -> None:
    assert [symbol.name for symbol in read("class A:\n    x = 1\n\nif True:\n    def f(): pass\n", "a.py").symbols] == [
        "A",
        "f",
    ]


def test_a_definition_begins_with_its_decorators_and_the_comment_above_it() -> None:
    text = "import os\n\n# Holds it\n@final\nclass A:\n    pass\n"
    section = read(text, "a.py").sections[0]

    assert text[section.span.start : section.span.end].startswith("# Holds it\n@final\nclass A")


def test_a_name_that_is_no_source_code_has_no_language() -> None:
    assert language_of("letter.unknown") is None


def test_units_of_a_file_are_its_definitions() -> None:
    text = (
        "class A:\n    x = 1\n\n    def one(self):\n        return 1\n\n"
        "    def two(self):\n        return 2\n\n\ndef f():\n    pass\n"
    )
    units = cut(read(text, "a.py"), DocumentId("a.py"))

    assert [(unit.heading, unit.text.split("(")[0]) for unit in units] == [
        (("A",), "class A:\n    x = 1"),
        (("A", "one"), "def one"),
        (("A", "two"), "def two"),
        (("f",), "def f"),
    ]
