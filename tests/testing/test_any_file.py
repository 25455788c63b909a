"""Whatever stands in a test file, it is read or refused with a place; nothing else comes out."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy_engine.errors import PolicyError
from policy_engine.testing.outcome import run_tests
from policy_engine.testing.reading import read_suites

KEYS = [
    "name",
    "request",
    "expect",
    "steps",
    "texts",
    "matrix",
    "unknown",
    "accepts",
    "refuses",
    "in",
    "usage",
    "accepts_without",
    "refuses_without",
    "repeat",
    "approved",
    "defaults",
    "tool",
    "args",
    "now",
    "stage",
    "text",
    "effect",
    "rules",
    "approvals",
    "labels",
    "timeout",
    "principals",
    "tools",
    "allow",
    "after",
    "amount",
    "ada",
    "principal",
    "facts",
    "context",
    "$text",
    "$list",
]
WORDS = [
    *("", "refund", "lookup", "allow", "deny", "desk/large", "input", "tool_call", "output", "1h"),
    *("ok: hello", "deny: boom", "redact: boom => x", "2026-01-05T10:00:00Z", "order", "args.note"),
]  # fmt: skip
LEAVES = st.one_of(
    st.sampled_from(WORDS), st.none(), st.booleans(), st.integers(-1, 3), st.just(0.5)
)
VALUES = st.recursive(
    LEAVES,
    lambda below: st.one_of(
        st.lists(below, max_size=3), st.dictionaries(st.sampled_from(KEYS), below, max_size=4)
    ),
    max_leaves=12,
)
REQUESTS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("tool", "args", "now", "stage", "text", "facts"), VALUES)
)
STEPS = st.fixed_dictionaries(
    {"tool": st.just("lookup"), "args": st.just({})},
    optional=dict.fromkeys(("now", "after", "repeat", "expect", "approved", "facts"), VALUES),
)
MATRICES = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("principals", "tools", "unknown", "allow", "require_approval"), VALUES),
)
SHAPED = st.one_of(
    st.fixed_dictionaries({"request": REQUESTS, "expect": VALUES}),
    st.fixed_dictionaries({"steps": st.lists(st.one_of(STEPS, VALUES), max_size=3)}),
    st.fixed_dictionaries({"matrix": MATRICES}),
    st.fixed_dictionaries({"texts": VALUES, "in": VALUES}),
)
TESTS = st.lists(
    st.one_of(SHAPED, st.dictionaries(st.sampled_from(KEYS[:20]), VALUES, max_size=4)), max_size=3
)


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(tests=TESTS, defaults=st.one_of(st.just({}), VALUES))
def test_reading_never_raises_anything_else(desk, tests, defaults):
    for number, test in enumerate(tests):
        test.setdefault("name", f"t{number}")
    path = desk(f"defaults: {json.dumps(defaults)}\ntests: {json.dumps(tests)}\n")
    try:
        loaded = read_suites([str(path)])
    except PolicyError as error:
        faults = error.faults
    else:
        faults = ()
        run_tests(loaded, coverage=True)
        (suite,) = loaded.suites
        lines = {case.location.line for case in suite.cases}
        assert len({case.name for case in suite.cases}) == len(suite.cases) >= len(tests)
        assert all(line >= 1 for line in lines)
    assert all(fault.location.line >= 1 and str(fault) for fault in faults)
