"""Time conditions beside plain Python and Google's implementation, in one run.

Run `python tests/benchmarks/bench_cel.py`. The candidates take turns; a figure is the median of
the rounds, in nanoseconds.
"""

import statistics
import sys
import time
from types import SimpleNamespace

from cel_expr_python import cel

from policy_engine.cel import (
    DOUBLE,
    STRING,
    Constant,
    Environment,
    Field,
    ListType,
    RecordType,
    Variable,
    compile_condition,
)

ROUNDS = 15
CALLS = 20_000

ARGS = RecordType(
    "args",
    {
        "amount": Field(DOUBLE),
        "currency": Field(STRING),
        "path": Field(STRING),
        "note": Field(STRING, optional=True),
        "tags": Field(ListType(STRING)),
    },
)
SESSION = RecordType(
    "session", {"labels": Field(ListType(STRING), path=("facts", "session", "labels"))}
)
ENVIRONMENT = Environment(
    {
        "args": Variable(ARGS, ("request", "args")),
        "session": Variable(SESSION),
        "vars": Constant({"currencies": ["USD", "EUR"]}),
    }
)
THREE = 'args.amount > 100 && args.currency == "USD" && args.path.startsWith("/srv/")'


class Request:
    """What a condition reads."""

    __slots__ = ("args",)

    def __init__(self, args):
        self.args = args


def plain(request, _facts):
    args = request.args
    return args["amount"] > 100 and args["currency"] == "USD" and args["path"].startswith("/srv/")


def ours(text):
    return compile_condition(text, ENVIRONMENT).function


def google():
    environment = cel.NewEnv(
        variables={"args": cel.Type.Map(cel.Type.STRING, cel.Type.DYN)},
    )
    expression = environment.compile(THREE)
    return lambda request, _facts: expression.eval(data={"args": request.args}).plain_value()


def request(**changes):
    args = {"amount": 120.5, "currency": "USD", "path": "/srv/data", "tags": ["a", "b"]}
    return Request(args | changes)


FACTS = SimpleNamespace(session=SimpleNamespace(labels=frozenset({"untrusted"})))


def rows():
    """Return the table's rows: what, function, request, calls."""
    function = ours(THREE)
    yield "an empty function", lambda _request, _facts: None, request(), CALLS
    yield "three clauses, plain Python", plain, request(), CALLS
    yield "three clauses, true", function, request(), CALLS
    yield "three clauses, an integer amount", function, request(amount=120), CALLS
    yield "three clauses, Google's C++", google(), request(), CALLS // 20
    yield "first clause decides, plain Python", plain, request(amount=1.0), CALLS
    yield "first clause decides", function, request(amount=1.0), CALLS
    yield "first clause decides, Google's C++", google(), request(amount=1.0), CALLS // 20
    yield "an argument is missing: cannot tell", function, Request({}), CALLS
    yield "a label of the session", ours('"untrusted" in session.labels'), request(), CALLS
    yield "one of the constants", ours("args.currency in vars.currencies"), request(), CALLS
    yield "a guarded optional", ours('has(args.note) && args.note == "x"'), request(), CALLS
    yield "matches", ours('args.path.matches("^/srv/[a-z]+$")'), request(), CALLS
    yield "all() over two strings", ours('args.tags.all(t, t != "x")'), request(), CALLS


def measure(function, argument, calls):
    start = time.perf_counter_ns()
    for _ in range(calls):
        function(argument, FACTS)
    return (time.perf_counter_ns() - start) / calls


def main():
    table = list(rows())
    figures = [[] for _ in table]
    for _ in range(ROUNDS):
        for found, (_, function, argument, calls) in zip(figures, table, strict=True):
            found.append(measure(function, argument, calls))
    start = time.perf_counter_ns()
    for _ in range(200):
        compile_condition(THREE, ENVIRONMENT)
    compiling = (time.perf_counter_ns() - start) / 200
    for found, (what, *_) in zip(figures, table, strict=True):
        line = f"{what:40} {statistics.median(found):10.0f} ns   (least {min(found):.0f})"
        sys.stdout.write(line + "\n")
    sys.stdout.write(f"{'compiling three clauses':40} {compiling:10.0f} ns\n")


if __name__ == "__main__":
    main()
