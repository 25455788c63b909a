"""Reading the conformance cases of CEL, and running one of them."""

import json
import math
import os
from pathlib import Path
from types import SimpleNamespace

from policy_engine.cel import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    UINT,
    Environment,
    ExpressionError,
    ListType,
    MapType,
    Variable,
)
from policy_engine.cel.checker import Checker
from policy_engine.cel.expression import compile_tree
from policy_engine.cel.parser import parse
from policy_engine.cel.values import (
    CANNOT_TELL,
    FALSE_KEY,
    TRUE_KEY,
    Duration,
    List,
    Map,
    Timestamp,
    TypeValue,
    Uint,
)

ERROR = "an error"
PROTO_FILES = {"proto2", "proto3", "enums", "proto2_ext", "dynamic", "wrappers"}
PROTO_WORDS = (
    "TestAllTypes",
    "google.protobuf.Any",
    "google.protobuf.BoolValue",
    "google.protobuf.BytesValue",
    "google.protobuf.DoubleValue",
    "google.protobuf.Float",
    "google.protobuf.Int",
    "google.protobuf.UInt",
    "google.protobuf.StringValue",
    "google.protobuf.Struct",
    "google.protobuf.ListValue",
    "google.protobuf.Value",
    "google.protobuf.Empty",
    "google.protobuf.FieldMask",
    "cel.expr.",
    "GlobalEnum",
    "proto.",
    "enum_value",
    "wrapper",
)
_PRIMITIVES = {
    "BOOL": BOOL,
    "INT64": INT,
    "UINT64": UINT,
    "DOUBLE": DOUBLE,
    "STRING": STRING,
    "BYTES": BYTES,
}
_WELL_KNOWN = {"google.protobuf.Timestamp": TIMESTAMP, "google.protobuf.Duration": DURATION}


def read_cases():
    """Return every case, each with an id of its own."""
    folder = os.environ.get("POLICY_ENGINE_DATA")
    if not folder:
        return []
    seen = {}
    cases = []
    for line in Path(folder, "cel_conformance.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        name = f"{case['file']}/{case['section']}/{case['name']}"
        seen[name] = seen.get(name, 0) + 1
        case["expr"] = unescaped(case["expr"])
        case["id"] = name if seen[name] == 1 else f"{name}#{seen[name]}"
        cases.append(case)
    return cases


def unescaped(text):
    """Undo what the data file left: texts with other than ASCII characters are escaped twice."""
    if text.isascii() or "\\" not in text:
        return text
    return text.replace("\\\\", "\0").replace('\\"', '"').replace("\0", "\\")


def needs_protobuf(case):
    """Say whether a case is about messages."""
    if case["file"] in PROTO_FILES:
        return True
    text = json.dumps([case["expr"], case["type_env"], case["value"], case["container"]])
    return any(word in text for word in PROTO_WORDS)


def _many(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def to_value(wire):
    """Return a value of the wire form as a value of expressions."""
    ((kind, value),) = wire.items()
    if kind == "list_value":
        return List([to_value(item) for item in _many(value.get("values"))])
    if kind == "map_value":
        pairs = [(to_value(e["key"]), to_value(e["value"])) for e in _many(value.get("entries"))]
        keys = {True: TRUE_KEY, False: FALSE_KEY}
        return Map({keys[k] if type(k) is bool else k: v for k, v in pairs})
    if kind == "bytes_value":
        if isinstance(value, dict):
            return bytes.fromhex(value["$bytes"])
        return value.encode("latin-1" if case_is_latin(value) else "utf-8")
    if kind == "object_value":
        return _well_known(value)
    makers = {
        "int64_value": int,
        "uint64_value": Uint,
        "double_value": _double,
        "string_value": _text,
        "bool_value": bool,
        "null_value": lambda _: None,
        "type_value": TypeValue,
    }
    return makers[kind](value)


def _double(value):
    return float(value["$enum"]) if isinstance(value, dict) else float(value)


def _text(value):
    """Undo the escapes that the data file left in some values."""
    if ("\\u" in value or "\\U" in value) and "\\X" not in value:
        return value.encode("latin-1", "backslashreplace").decode("unicode_escape")
    return value


def case_is_latin(value):
    """Say whether bytes were written as one character each."""
    return value.isascii()


def _well_known(value):
    ((name, fields),) = value.items()
    nanoseconds = int(fields.get("seconds", 0)) * 10**9 + int(fields.get("nanos", 0))
    kinds = {"Timestamp": Timestamp, "Duration": Duration}
    return kinds[name.rstrip("]").rsplit(".", 1)[1]](nanoseconds)


def to_type(wire):
    """Return a type of the wire form."""
    ((kind, value),) = wire.items()
    if kind == "primitive":
        return _PRIMITIVES[value["$enum"]]
    if kind == "list_type":
        return ListType(to_type(value["elem_type"]))
    if kind == "map_type":
        return MapType(to_type(value["key_type"]), to_type(value["value_type"]))
    if kind == "message_type":
        return _WELL_KNOWN[value]
    return NULL if kind == "null" else DYN


def checks(text, variables):
    """Say whether an expression fits the types of its variables."""
    declared = {name: Variable(kind, ("bindings", "x")) for name, kind in variables.items()}
    try:
        checker = Checker(Environment(declared, ("bindings",)))
        checker.check(parse(text))
    except ExpressionError:
        return False
    return not checker.problems


def evaluate(text, variables=None, bindings=None, *, checked=True):
    """Return the value of an expression, or `ERROR`."""
    names = {
        name: "n_" + name.replace(".", "_") for name in {*(variables or {}), *(bindings or {})}
    }
    declared = {
        name: Variable((variables or {}).get(name, DYN), ("bindings", names[name]))
        for name in names
    }
    environment = Environment(declared, ("bindings",))
    try:
        checker = Checker(environment)
        tree = checker.check(parse(text))
    except ExpressionError:
        return ERROR
    if checked and checker.problems:
        return ERROR
    function = compile_tree(tree, environment, lambda value: value)
    held = {names[name]: value for name, value in (bindings or {}).items()}
    value = function(SimpleNamespace(**held))
    return ERROR if value is CANNOT_TELL else value


def same(first, second):
    """Say whether two values are the same, types included."""
    if type(first) is not type(second):
        lists = (list, tuple, List)
        if type(first) in lists and type(second) in lists:
            return same(List(first), List(second))
        return False
    if isinstance(first, float):
        return first == second or (math.isnan(first) and math.isnan(second))
    if isinstance(first, List):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, Map):
        return first.keys() == second.keys() and all(same(first[k], second[k]) for k in first)
    if isinstance(first, TypeValue):
        return first.name == second.name
    return first == second


def _variables(case):
    return {
        entry["name"]: to_type(entry["ident"]["type"])
        for entry in _many(case["type_env"])
        if "ident" in entry
    }


def run(case):
    """Return what a case gives and what it should give."""
    variables = _variables(case)
    bindings = {
        entry["key"]: to_value(entry["value"]["value"]) for entry in _many(case["bindings"])
    }
    got = evaluate(case["expr"], variables, bindings, checked=not case["disable_check"])
    if case["eval_error"] is not None:
        return got, ERROR
    if case["value"] is None:
        return got, True
    return got, to_value(case["value"])


def passes(case):
    """Say whether a case gives what it should."""
    try:
        if case["check_only"]:
            return checks(case["expr"], _variables(case))
        got, wanted = run(case)
    except (KeyError, ValueError):
        return False
    if case["file"] == "type_deduction":
        return got is not ERROR
    if got is ERROR or wanted is ERROR:
        return got is wanted
    return same(got, wanted)
