"""Which schemas are taken, and what is said about those that are not."""

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_engine.checks import check_schema, compile_schema
from policy_engine.checks.schema import FORMATS, KEYWORDS, LATER_KEYWORDS

TAKEN = {
    "anything": {},
    "an enum needs no type": {"enum": ["USD", "EUR", None, 1, True]},
    "a const": {"const": 5},
    "a bounded number": {"type": "number", "exclusiveMinimum": 0, "maximum": 500},
    "several types": {"type": ["string", "null"], "maxLength": 5},
    "a text of ours": {"type": "string", "maxBytes": 20, "message": "Too long.", "optional": True},
    "an array": {"type": "array", "items": {"type": "string", "maxBytes": 3}, "uniqueItems": True},
    "a tuple": {"type": "array", "prefixItems": [{"type": "string"}], "items": False},
    "an object": {
        "type": "object",
        "properties": {"a": {"type": "string", "optional": True}, "b": {}},
        "dependentRequired": {"a": ["b"]},
    },
    "any object": {"type": "object", "additionalProperties": True},
    "types reach into branches": {"type": "number", "anyOf": [{"maximum": 5}, {"minimum": 9}]},
    "property names are texts": {
        "type": "object",
        "additionalProperties": True,
        "propertyNames": {"pattern": "^x"},
    },
    "branches may require what is declared around them": {
        "type": "object",
        "properties": {"a": {}, "b": {}},
        "required": [],
        "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
    },
    "a recursive definition": {
        "$ref": "#/$defs/node",
        "$defs": {
            "node": {"type": "object", "properties": {"child": {"$ref": "#/$defs/node"}}},
        },
    },
    "values that are not the same": {"enum": [1, True, [1], [True], {"a": 1}, {"a": 2}, {"b": 1}]},
    "a whole number with a point": {"type": "integer", "const": 1.0},
    "consts of their types": {
        "anyOf": [
            {"type": "array", "const": []},
            {"type": "object", "const": {}},
            {"type": "boolean", "const": True},
            {"type": "null", "const": None},
            True,
        ]
    },
    "a condition": {
        "type": "object",
        "properties": {"kind": {"enum": ["a", "b"]}, "x": {"type": "integer", "optional": True}},
        "if": {"properties": {"kind": {"const": "a"}}},
        "then": {"required": ["x"]},
    },
}

REFUSED = {
    "no mapping": (["x"], (), "PE008", False),
    "unknown keyword": ({"type": "string", "maxlength": 5}, ("maxlength",), "PE006", True),
    "no schema keyword of the standard beyond the list": (
        {"$id": "x"},
        ("$id",),
        "PE006",
        True,
    ),
    "type-specific without a type": ({"maximum": 5}, ("maximum",), "PE015", True),
    "type-specific for another type": (
        {"type": "string", "maximum": 5},
        ("maximum",),
        "PE015",
        True,
    ),
    "below an enum, still no type": (
        {"enum": ["a"], "maxLength": 5},
        ("maxLength",),
        "PE015",
        True,
    ),
    "unknown type": ({"type": "text"}, ("type",), "PE009", False),
    "unknown type in a list": ({"type": ["string", "nil"]}, ("type", 1), "PE009", False),
    "unknown format": ({"type": "string", "format": "mail"}, ("format",), "PE009", False),
    "a remote reference": ({"$ref": "https://x.test/s"}, ("$ref",), "PE015", False),
    "a reference to the whole": ({"$ref": "#"}, ("$ref",), "PE015", False),
    "a dangling reference": ({"$ref": "#/$defs/a", "$defs": {"b": {}}}, ("$ref",), "PE011", False),
    "a reference without end": (
        {"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}]}}},
        ("$defs", "a"),
        "PE015",
        True,
    ),
    "definitions below the top": (
        {"type": "array", "items": {"$defs": {"a": {}}}},
        ("items", "$defs"),
        "PE015",
        True,
    ),
    "a wrong count": ({"type": "string", "maxLength": "5"}, ("maxLength",), "PE008", False),
    "a boolean count": ({"type": "string", "maxLength": True}, ("maxLength",), "PE008", False),
    "a negative count": ({"type": "string", "maxLength": -1}, ("maxLength",), "PE008", False),
    "a wrong number": ({"type": "number", "maximum": "5"}, ("maximum",), "PE008", False),
    "an infinite number": (
        {"type": "number", "maximum": float("inf")},
        ("maximum",),
        "PE008",
        False,
    ),
    "a zero step": ({"type": "number", "multipleOf": 0}, ("multipleOf",), "PE008", False),
    "a wrong flag": ({"type": "array", "uniqueItems": "yes"}, ("uniqueItems",), "PE008", False),
    "a wrong text": ({"title": 5}, ("title",), "PE008", False),
    "a wrong list": ({"anyOf": {}}, ("anyOf",), "PE008", False),
    "an empty list": ({"anyOf": []}, ("anyOf",), "PE008", False),
    "a wrong map": ({"type": "object", "properties": []}, ("properties",), "PE008", False),
    "a wrong subschema": ({"type": "array", "items": "x"}, ("items",), "PE008", False),
    "names that are none": (
        {"type": "object", "properties": {}, "required": "a"},
        ("required",),
        "PE008",
        False,
    ),
    "a name twice": (
        {"type": "object", "properties": {"a": {}}, "required": ["a", "a"]},
        ("required", 1),
        "PE015",
        False,
    ),
    "a pattern that does not compile": (
        {"type": "string", "pattern": "a("},
        ("pattern",),
        "PE016",
        False,
    ),
    "a pattern that is not linear": (
        {"type": "string", "pattern": "(?=a)b"},
        ("pattern",),
        "PE016",
        False,
    ),
    "an empty pattern": ({"type": "string", "pattern": ""}, ("pattern",), "PE016", False),
    "a bad property pattern": (
        {"type": "object", "patternProperties": {"(": {}}},
        ("patternProperties", "("),
        "PE016",
        True,
    ),
    "an empty enum": ({"enum": []}, ("enum",), "PE020", False),
    "a value twice": ({"enum": ["a", "a"]}, ("enum", 1), "PE015", False),
    "a number twice": ({"enum": [1, 1.0]}, ("enum", 1), "PE015", False),
    "an enum against its type": (
        {"type": "string", "enum": ["a", 5]},
        ("enum", 1),
        "PE020",
        False,
    ),
    "a boolean is no integer": ({"type": "integer", "enum": [True]}, ("enum", 0), "PE020", False),
    "a const against its type": ({"type": "integer", "const": 1.5}, ("const",), "PE020", False),
    "crossed bounds": (
        {"type": "number", "minimum": 5, "maximum": 4},
        ("minimum",),
        "PE020",
        False,
    ),
    "bounds that exclude each other": (
        {"type": "number", "exclusiveMinimum": 5, "maximum": 5},
        ("exclusiveMinimum",),
        "PE020",
        False,
    ),
    "crossed lengths": (
        {"type": "string", "minLength": 5, "maxLength": 4},
        ("minLength",),
        "PE020",
        False,
    ),
    "an object that can only be empty": ({"type": "object"}, ("type",), "PE020", False),
    "then without if": ({"then": {}}, ("then",), "PE021", True),
    "if alone": ({"if": {}}, ("if",), "PE021", True),
    "minContains alone": ({"type": "array", "minContains": 1}, ("minContains",), "PE021", True),
    "required and optional": (
        {"type": "object", "properties": {"a": {"optional": True}}, "required": ["a"]},
        ("properties", "a", "optional"),
        "PE021",
        False,
    ),
    "required by optional false only": (
        {"type": "object", "properties": {"a": {"optional": False}, "b": {}}, "required": ["b"]},
        ("properties", "a", "optional"),
        "PE021",
        False,
    ),
    "required but undeclared": (
        {"type": "object", "properties": {"amount": {}}, "required": ["amout"]},
        ("required", 0),
        "PE011",
        False,
    ),
    "optional in items": (
        {"type": "array", "items": {"optional": True}},
        ("items", "optional"),
        "PE015",
        True,
    ),
    "a message in a branch": (
        {"anyOf": [{"message": "No."}]},
        ("anyOf", 0, "message"),
        "PE015",
        True,
    ),
    "ours in additionalProperties": (
        {"type": "object", "additionalProperties": {"type": "string", "maxBytes": 5}},
        ("additionalProperties", "maxBytes"),
        "PE015",
        True,
    ),
    "ours below a branch": (
        {"anyOf": [{"type": "object", "properties": {"a": {"message": "No."}}}]},
        ("anyOf", 0, "properties", "a", "message"),
        "PE015",
        True,
    ),
    "values of every type against another": (
        {"type": "string", "enum": ["a", None]},
        ("enum", 1),
        "PE020",
        False,
    ),
    "an array is no object": (
        {"type": "object", "const": []},
        ("const",),
        "PE020",
        False,
    ),
    "an object is no array": ({"type": "array", "const": {}}, ("const",), "PE020", False),
    "nothing is no boolean": ({"type": "boolean", "const": None}, ("const",), "PE020", False),
    "false is not nothing": ({"type": "null", "const": False}, ("const",), "PE020", False),
    "an array twice": ({"enum": [[1, {"a": 1}], [1.0, {"a": 1}]]}, ("enum", 1), "PE015", False),
    "no types": ({"type": []}, ("type",), "PE008", False),
    "types that are no names": ({"type": ["string", 5]}, ("type",), "PE008", False),
    "a format that is no name": ({"type": "string", "format": 5}, ("format",), "PE008", False),
    "a pattern that is no text": ({"type": "string", "pattern": 5}, ("pattern",), "PE008", False),
    "an enum that is no list": ({"enum": "a"}, ("enum",), "PE008", False),
    "examples that are no list": ({"examples": "a"}, ("examples",), "PE008", False),
    "a default that is no JSON": ({"default": {1}}, ("default",), "PE008", False),
    "name lists that are none": (
        {"type": "object", "properties": {}, "dependentRequired": []},
        ("dependentRequired",),
        "PE008",
        False,
    ),
    "a reference that is no text": ({"$ref": 5}, ("$ref",), "PE008", False),
    "a huge pattern": (
        {"type": "string", "pattern": "a" * 10_001},
        ("pattern",),
        "PE016",
        False,
    ),
    "a pattern of another dialect": (
        {"type": "string", "pattern": r"a\Z"},
        ("pattern",),
        "PE016",
        False,
    ),
    "a property that is no name": (
        {"type": "object", "properties": {5: {}}},
        ("properties", "5"),
        "PE008",
        True,
    ),
    "a key that is no text": ({5: "x"}, ("5",), "PE006", True),
}


@pytest.mark.parametrize("schema", TAKEN.values(), ids=TAKEN)
def test_taken(schema):
    assert check_schema(schema, top=True, allow_ours=True) == []
    compile_schema(schema)


@pytest.mark.parametrize(("schema", "path", "code", "on_key"), REFUSED.values(), ids=REFUSED)
def test_refused(schema, path, code, on_key):
    faults = check_schema(schema, top=True, allow_ours=True)
    assert [(path, code, on_key)] == [(f.path, f.code, f.on_key) for f in faults]


@pytest.mark.parametrize("keyword", sorted(LATER_KEYWORDS))
def test_keywords_of_later_versions(keyword):
    (fault,) = check_schema({"type": "string", keyword: {}}, top=True, allow_ours=True)
    assert ("PE018", f'this version does not have "{keyword}" yet') == (fault.code, fault.message)


def test_a_hint_names_what_was_meant():
    (fault,) = check_schema({"type": "string", "maxlength": 5}, top=True, allow_ours=True)
    assert fault.hint == 'did you mean "maxLength"?'


def test_a_pattern_that_is_not_linear_says_so():
    (fault,) = check_schema({"type": "string", "pattern": r"(a)\1"}, top=True, allow_ours=True)
    assert "linear time" in fault.hint


@pytest.mark.parametrize("keyword", ["message", "maxBytes", "check"])
def test_outside_arguments_only_optional_is_ours(keyword):
    schema = {"type": "object", "properties": {"a": {"type": "string", keyword: "x"}}}
    (fault,) = check_schema(schema, top=False, allow_ours=False)
    assert (("properties", "a", keyword), "PE015") == (fault.path, fault.code)


def test_outside_arguments_optional_stands_below_properties():
    schema = {"type": "object", "properties": {"a": {"type": "string", "optional": True}}}
    assert check_schema(schema, top=False, allow_ours=False) == []
    assert check_schema({"optional": True}, top=True, allow_ours=False) == []
    assert check_schema({"optional": True}, top=False, allow_ours=False) != []


def test_deep_schemas_are_refused_and_do_not_exhaust_the_stack():
    schema: dict[str, object] = {}
    for _ in range(5000):
        schema = {"not": schema}
    faults = check_schema(schema, top=True, allow_ours=True)
    assert [fault.code for fault in faults] == ["PE015"]


FORMAT_CASES = {
    "date": ("2020-02-28", "2020-02-30"),
    "date-time": ("2020-01-01T00:00:00Z", "2020-01-01 00:00"),
    "duration": ("P1D", "1 day"),
    "email": ("a@b.example", "a@"),
    "hostname": ("a.example", "-a"),
    "idn-email": ("é@b.example", "é"),
    "idn-hostname": ("é.example", "a b"),
    "ipv4": ("1.2.3.4", "01.2.3.4"),
    "ipv6": ("::1", "1"),
    "iri": ("http://é.example/", "é"),
    "iri-reference": ("é", "a b"),
    "json-pointer": ("/a", "a"),
    "regex": ("a+", "(("),
    "relative-json-pointer": ("0/a", "a"),
    "time": ("10:00:00Z", "ten"),
    "uri": ("http://a.example/", "/a"),
    "uri-reference": ("/a", "a b"),
    "uri-template": ("/{a}", "/{a"),
    "uuid": ("12345678-1234-1234-1234-123456789012", "1234"),
}


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_is_enforced(name):
    good, bad = FORMAT_CASES[name]
    validator = compile_schema({"type": "string", "format": name})
    assert (validator.fits(good), validator.fits(bad)) == (True, False)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 9)
    | st.text("ab$(", max_size=3)
    | st.just("string"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*KEYWORDS, "optional", "message", "a"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_taken_is_a_schema_of_the_standard_and_compiles(value):
    if check_schema(value, top=True, allow_ours=True):
        return
    standard = {key: item for key, item in value.items() if key not in {"optional", "message"}}
    jsonschema.Draft202012Validator.check_schema(standard)
    compile_schema(value)
