"""What is wrong with an expression is said with its place and a way out."""

import pytest
from test_three_values import ENVIRONMENT

from policy_engine.cel import (
    BOOL,
    DOUBLE,
    DYN,
    INT,
    NULL,
    STRING,
    Environment,
    ExpressionError,
    Field,
    ListType,
    MapType,
    RecordType,
    Variable,
    compile_condition,
    compile_value,
    schema_type,
)


def problems(text, environment=ENVIRONMENT):
    with pytest.raises(ExpressionError) as raised:
        compile_condition(text, environment)
    return raised.value.problems


MESSAGES = [
    # text, kind, offset, length, message, hint
    ("args.amout > 1", "type", 5, 5, '"amout" is not a field of "args"', 'did you mean "amount"?'),
    ("arg.amount > 1", "type", 0, 3, '"arg" is not declared', 'did you mean "args"?'),
    ('"x" == vars.limt', "type", 12, 4, '"limt" is not one of the constants',
     'did you mean "limit"?'),
    ('args.name.startswith("x")', "type", 0, 25, '"startswith" is not a function',
     'did you mean "startsWith"?'),
    ("args.name.size > 1", "type", 10, 4, '"size" is read from a string, without fields', None),
    ("args.amount > 'x'", "type", 0, 17, '">" does not go with a double and a string', None),
    ("args.name == null", "type", 0, 17, '"==" compares a string with null',
     "ask has() whether it is present"),
    ("args.name && true", "type", 0, 9, 'what "&&" takes is a bool, not a string', None),
    ("args.name", "type", 0, 9, 'a condition is a bool, and "args.name" is of type string', None),
    ("args.tags.all(t, t + 1 > 1)", "type", 17, 5, '"+" does not go with a string and an int',
     None),
    ("args.count.all(t, true)", "type", 0, 10,
     '"all" goes over a list or a map, not over an int', None),
    ("args.tags['a'] == 'x'", "type", 10, 3, "a list is indexed by an int, not by a string", None),
    ('args.note == "x"', "optional", 5, 4, '"note" is optional and read outside has()',
     "guard it: has(args.note) && …"),
    ('args.name.matches("(")', "type", 0, 22, '"(" is not a pattern: missing ): (', None),
    ('now.getHours("Mars/Base") > 1', "type", 0, 25, '"Mars/Base" is not a time zone', None),
    ('now > timestamp("yesterday")', "type", 6, 22, '"yesterday" is not a timestamp', None),
    ('ip("1.2.3") == ip("1.2.3.4")', "type", 0, 11, '"1.2.3" is not an IP address', None),
    ("session == session", "type", 0, 7, '"session" is not a value itself',
     "read one of its fields"),
    ('"id" in session', "type", 8, 7, '"session" is not a value itself',
     "read one of its fields"),
    ("vars.limit == 10 || x", "type", 20, 1, '"x" is not declared',
     "there are age, args, now, session, vars"),
    ("args.flag = true", "syntax", 10, 1, '"=" cannot stand here', 'write "=="'),
    ("args.flag and args.flag", "syntax", 10, 3, '"and" cannot stand here', 'write "&&"'),
    ("(args.flag", "syntax", 9, 1, "the expression ends too early", '")" is missing'),
    ('args.name == "x', "syntax", 13, 2, "a string is not closed", None),
    ("", "syntax", 0, 1, "an expression is empty", None),
    ("   ", "syntax", 0, 3, "an expression is empty", None),
    (r'"\q" == "q"', "syntax", 1, 2, r'"\q" is not an escape',
     r'write "\\" for a backslash, or a raw string r"…"'),
    ("args.count == 9223372036854775808", "syntax", 14, 19,
     '"9223372036854775808" is too large an integer', None),
    ("args.count < 1e308500", "syntax", 13, 8, '"1e308500" is too large a number', None),
    ("args.count < 1.5e999", "syntax", 13, 7, '"1.5e999" is too large a number', None),
    ("has(args)", "syntax", 0, 9, '"has" takes one field, such as has(args.note)', None),
    ("args.tags.map(1, true) == []", "syntax", 14, 1, "a macro's variable is a plain name", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "offset", "length", "message", "hint"), MESSAGES)
def test_one_problem(text, kind, offset, length, message, hint):
    problem = problems(text)[0]
    found = (problem.kind, problem.offset, problem.length, problem.message, problem.hint)
    assert found == (kind, offset, length, message, hint)


def test_all_problems_are_reported_at_once_in_the_order_of_the_text():
    found = problems('args.amout > 1 && args.note == "x" && foo(1) && args.count > "y"')
    assert [(p.kind, p.offset) for p in found] == [
        ("type", 5),
        ("optional", 23),
        ("type", 38),
        ("type", 48),
    ]


def test_offsets_count_code_points():
    (problem,) = problems('"😀é" == args.nam')
    assert (problem.offset, problem.length) == (13, 3)


GUARDS = [
    # what stands around a read of args.note, and whether it is guarded
    ("has(args.note) && args.note == 'x'", True),
    ("args.note == 'x' && has(args.note)", False),
    ("!has(args.note) || args.note == 'x'", True),
    ("has(args.note) || args.note == 'x'", False),
    ("has(args.note) ? args.note == 'x' : true", True),
    ("has(args.note) ? true : args.note == 'x'", False),
    ("!has(args.note) ? true : args.note == 'x'", True),
    ("has(args.note) && (args.flag || args.note == 'x')", True),
    ("(has(args.note) && args.flag) && args.note == 'x'", True),
    ("(has(args.note) || args.flag) && args.note == 'x'", False),
    ("!(has(args.note) && args.flag) || args.note == 'x'", True),
    ("!(!has(args.note) || args.flag) && args.note == 'x'", True),
    ("(!has(args.note) || args.flag) || args.note == 'x'", True),
    ("!!has(args.note) && args.note == 'x'", True),
    ("(args.flag ? has(args.note) : false) && args.note == 'x'", True),
    ("(args.flag ? has(args.note) : true) && args.note == 'x'", False),
    ("(args.flag ? has(args.note) : has(args.note)) && args.note == 'x'", True),
    ("has(args.note) && args.tags.all(t, t == args.note)", True),
    ("args.tags.all(t, has(args.note) && t == args.note)", True),
    ("args.tags.all(t, t == args.note)", False),
    ("args.items.all(i, has(i.memo) && i.memo == 'x')", True),
    ("args.items.all(i, i.memo == 'x')", False),
    ("args.items.filter(i, has(i.memo)).all(i, i.memo == 'x')", False),
    ("args.items.map(i, has(i.memo), i.memo) == ['x']", True),
    ("args.items.all(i, has(i.memo) && args.items.all(i, i.memo == 'x'))", False),
    ("has(args.note) && [1].all(args, true) && args.note == 'x'", True),
    ("has(args.note) && args['note'] == 'x'", True),
    ("args.?note.orValue('x') == 'x'", True),
    ("args[?'note'].orValue('x') == 'x'", True),
    ("has(args.note)", True),
    ("has(args.maybe.x)", False),
    ("has(args.maybe) && has(args.maybe.x)", True),
    ("args.maybe.x == 1", False),
    ("cel.bind(a, args, has(a.note) && a.note == 'x')", True),
    ("cel.bind(n, args.note, n == 'x')", False),
    ("has(args.note) && cel.bind(n, args.note, n == 'x')", True),
    ("false && args.note == 'x'", True),
    ("has(session.id) && session.id == 'x'", True),
    ("session.id == 'x'", False),
]


@pytest.mark.parametrize(("text", "guarded"), GUARDS)
def test_an_optional_field_is_read_under_has_only(text, guarded):
    if guarded:
        compile_condition(text, ENVIRONMENT)
    else:
        assert {problem.kind for problem in problems(text)} == {"optional"}


SCHEMAS = [
    ({"type": "string"}, STRING),
    ({"type": "integer"}, INT),
    ({"type": "number"}, DOUBLE),
    ({"type": "boolean"}, BOOL),
    ({"type": "null"}, NULL),
    ({"type": "array", "items": {"type": "string"}}, ListType(STRING)),
    ({"type": "array"}, ListType(DYN)),
    ({"type": "array", "prefixItems": [{"type": "string"}], "items": False}, ListType(DYN)),
    ({"type": "object", "additionalProperties": {"type": "integer"}}, MapType(STRING, INT)),
    ({"type": "object"}, MapType(STRING, DYN)),
    ({"type": ["string", "null"]}, DYN),
    ({"anyOf": [{"type": "string"}]}, DYN),
    ({"$ref": "#/x"}, DYN),
    ({"enum": ["a", "b"]}, STRING),
    ({"enum": [1, 2]}, INT),
    ({"enum": [1, 2.5]}, DYN),
    ({"enum": [True]}, BOOL),
    ({"const": "a"}, STRING),
    ({}, DYN),
    (True, DYN),
]


@pytest.mark.parametrize(("schema", "kind"), SCHEMAS)
def test_schema_types(schema, kind):
    assert schema_type(schema) == kind


def test_an_object_schema_is_a_record():
    properties = {"a": {"type": "string"}, "b": {"type": "integer", "optional": True}}
    record = schema_type({"type": "object", "properties": properties})
    assert isinstance(record, RecordType)
    assert dict(record.fields) == {"a": Field(STRING), "b": Field(INT, optional=True)}
    assert not record.open
    required = schema_type({"type": "object", "properties": properties, "required": ["b"]})
    assert isinstance(required, RecordType)
    assert dict(required.fields) == {
        "a": Field(STRING, optional=True),
        "b": Field(INT, optional=True),
    }
    opened = schema_type({"type": "object", "properties": {}, "additionalProperties": True})
    assert isinstance(opened, RecordType)
    assert opened.open


def test_a_value_of_another_type_than_wanted_is_a_problem():
    with pytest.raises(ExpressionError) as raised:
        compile_value("args.name", ENVIRONMENT, (DOUBLE, INT))
    (problem,) = raised.value.problems
    assert problem.message == '"args.name" is of type string, not double or int'


def test_reads_name_what_an_expression_may_read():
    condition = compile_condition(
        'args.amount > 1 && args["name"] == session.labels[0] && has(args.order.total)'
        " && now.getHours() > 1 && args.items.all(i, i.price > 1) && vars.limit > 1",
        ENVIRONMENT,
    )
    assert condition.reads == {
        ("args", "amount"),
        ("args", "name"),
        ("session", "labels"),
        ("args", "order", "total"),
        ("now",),
        ("args", "items"),
    }


@pytest.mark.parametrize(
    ("variable", "parameters"),
    [
        (Variable(INT), ("request",)),
        (Variable(INT, ("other", "x")), ("request",)),
        (Variable(INT, ("request", "__class__")), ("request",)),
        (Variable(INT, ("request", "a b")), ("request",)),
        (Variable(RecordType("r", {"x": Field(INT)})), ("request",)),
    ],
)
def test_an_environment_refuses_paths_that_code_may_not_read(variable, parameters):
    with pytest.raises(ValueError, match=r"path|name|record|fields"):
        Environment({"x": variable}, parameters)
