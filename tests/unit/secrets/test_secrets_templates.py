"""Templates: what they can say, what they cannot reach, and that a failing one shows nothing of a secret."""

from __future__ import annotations

import traceback

import pytest

from aeterna.secrets.adapters.jinja_templates import JinjaTemplates
from aeterna.secrets.domain.rendition import FileSpec
from aeterna.secrets.domain.secret import Fields, Secret
from aeterna.secrets.errors import ConfigurationInvalidError, RenderError

CANARY = "canary-9d1f"
HELD = {
    "database": Secret(
        fields=Fields({"username": "app", "password": CANARY, "port": 5432, "tls": True, "hosts": ["a", "b"]}),
        version="1",
    ),
    "api": Secret(fields=Fields({"items": "not a method", "quoted": "it's"}), version="7"),
}


def spec(template: str) -> FileSpec:
    """Return a file with a template."""
    return FileSpec(file="app.ini", shape="template", template=template)


@pytest.mark.parametrize(
    ("template", "content"),
    [
        ("user={{ database.username }}\npw={{ database['password'] }}\n", f"user=app\npw={CANARY}\n"),
        ("{{ database.port }} {{ database.tls }}", "5432 true"),
        ("{{ database.hosts|tojson }}", '["a", "b"]'),
        ("{% for host in database.hosts %}{{ host }};{% endfor %}", "a;b;"),
        ("{{ api.items }}", "not a method"),
        ("{{ api.quoted|quote }}", "'it'\"'\"'s'"),
        ("{{ database.username|b64encode }} {{ 'YXBw'|b64decode }}", "YXBw app"),
        ("{{ database.nope|default('none') }}", "none"),
        ("{{ database.username }}{{ api.quoted }}", "appit's"),
    ],
)
def test_a_template_says_what_the_secrets_hold(template: str, content: str) -> None:
    assert JinjaTemplates().render(spec(template), HELD).decode() == content


def test_a_template_tells_which_secrets_it_needs() -> None:
    needed = JinjaTemplates().needs(spec("{{ database.a }}{% set x = api %}{% for y in x %}{{ y }}{% endfor %}"))

    assert needed == {"database", "api"}


@pytest.mark.parametrize(
    "template",
    [
        "{{ database.password",
        "{% include 'x' %}",
        "{% extends 'x' %}",
        "{% import 'x' as y %}",
        "{{ Database.a }}",
        "{% nonsense %}",
        "{{ a|nofilter }}",
    ],
)
def test_what_is_no_template_is_refused_before_there_is_any_secret(template: str) -> None:
    with pytest.raises(ConfigurationInvalidError):
        JinjaTemplates().needs(spec(template))


@pytest.mark.parametrize(
    "template",
    [
        "{{ database.nope }}",
        "{{ database[database.password] }}",
        "{{ database.password.nope }}",
        "{{ database.password + 1 }}",
        "{{ database.password|b64decode }}",
        "{{ database.password.__class__.__mro__ }}",
        "{{ ''.__class__.__base__.__subclasses__() }}",
        "{{ database.update({'password': 'x'}) }}",
        "{{ database.hosts.append('x') }}",
        "{{ range(3) }}",
        "{{ 1 / 0 }}",
        "{% for i in database.hosts %}{{ 'a' * 600000 }}{% endfor %}",
    ],
)
def test_a_template_that_cannot_be_filled_in_is_an_error_in_which_no_value_shows(template: str) -> None:
    with pytest.raises(RenderError) as failed:
        JinjaTemplates().render(spec(template), HELD)

    assert CANARY not in "".join(traceback.format_exception(failed.value))


def test_a_field_that_is_not_there_is_named_with_its_line() -> None:
    with pytest.raises(RenderError, match=r"file 'app\.ini': line 2: there is no 'pasword'"):
        JinjaTemplates().render(spec("[db]\npw={{ database.pasword }}"), HELD)


def test_what_a_template_holds_is_not_changed_by_it() -> None:
    """Two files are made of one secret; the first must not change what the second shows."""
    templates = JinjaTemplates()
    with pytest.raises(RenderError):
        templates.render(spec("{% set _ = database.hosts.clear() %}"), HELD)

    assert HELD["database"].fields["hosts"] == ["a", "b"]
