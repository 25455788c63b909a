"""A newcomer's first ten minutes: init, a typo, lint, decide, a function, an approval."""

import os
import re
import subprocess
import sys

import pytest

AGENT = """
from policy_engine import ApprovalRequired, Denied, Guard, guarded

guard = Guard.from_path("policies")


@guarded(guard)
def process_refund(order_id: str, amount: float, currency: str = "USD") -> str:
    return f"refunded {amount:.2f} {currency}"


@guarded(guard)
def greet(name: str) -> str:
    return f"hello {name}"


def attempt(function, *args):
    try:
        print(function(*args))
    except Denied as denied:
        print(f"{type(denied).__name__}: {denied}")


with guard.session("s1", agent="support", principal={"id": "u1"}):
    attempt(greet, "ada")
    attempt(process_refund, "ORD-00000001", 40)
    attempt(process_refund, "ORD-00000001", 600)
    attempt(process_refund, "ORD-00000001", 180.0)
    for waiting in guard.approvals.pending():
        guard.approvals.approve(waiting.id, by={"id": "fiona", "roles": ["finance"]}, reason="late")
    attempt(process_refund, "ORD-00000001", 180.0)
    attempt(process_refund, "ORD-00000001", 180.0)
"""


class Desk:
    """A fresh folder with a shell in it."""

    def __init__(self, folder):
        self.folder = folder

    def run(self, *arguments):
        return self._run(sys.executable, "-m", "policy_engine", *arguments)

    def python(self, code):
        (self.folder / "app.py").write_text(code, "utf-8")
        return self._run(sys.executable, "app.py")

    def edit(self, old, new):
        file = self.folder / "policies" / "support.yaml"
        text = file.read_text("utf-8")
        assert text.count(old) >= 1
        file.write_text(text.replace(old, new, 1), "utf-8")

    def _run(self, *command):
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


@pytest.fixture
def begun(desk):
    assert desk.run("init").returncode == 0
    return desk


CALL = ("decide", "--policies", "policies", "--tool", "process_refund", "--session", "s1", "--principal", '{"id": "u1"}')  # fmt: skip  # noqa: E501
WHOLE = '{"order_id": "ORD-00000001", "amount": 40, "currency": "USD"}'


def test_a_typo_is_found_where_it_is_and_said_how_to_mend(begun):
    begun.edit("maximum: 500", "maximun: 500")
    found = begun.run("lint", "policies")
    lines = found.stdout.splitlines()
    assert found.returncode == 2
    assert re.fullmatch(
        r'policies.support\.yaml:\d+:\d+: unknown keyword "maximun" \[PE006\]', lines[0]
    )
    assert lines[2].rstrip().endswith("^^^^^^^")
    assert '  hint: did you mean "maximum"?' in lines
    assert lines[-1] == "1 fault: no policy was loaded"
    refused = begun.run(*CALL, "--args", WHOLE)
    assert refused.returncode == 2
    assert 'did you mean "maximum"?' in refused.stderr
    begun.edit("maximun: 500", "maximum: 500")
    assert begun.run("lint", "policies").returncode == 0


MISSTEPS = {
    "the policies are forgotten": (
        ("decide", "--tool", "process_refund"),
        2,
        ["policy-engine: say where the policies are: --policies policies"],
    ),
    "the policies are misspelt": (
        ("decide", "--policies", "polices", "--tool", "process_refund"),
        2,
        ["cannot be read: no such file or directory", 'hint: did you mean "policies"?'],
    ),
    "the verb is misspelt": (("decid",), 2, ["No such command 'decid'. Did you mean 'decide'?"]),
    "lint is given nothing": (("lint",), 2, ["Missing argument 'PATH'."]),
    "the template is misspelt": (
        ("init", "more", "--template", "bankng"),
        2,
        ['"bankng" is not a template: did you mean "banking"?'],
    ),
    "init is run once more": (("init",), 2, ["exist, so nothing was written: name another folder"]),
    "the arguments are not JSON": (
        (*CALL, "--args", "amount=40"),
        2,
        ["--args is not JSON: line 1, column 1", """such as '{"name": "value"}'"""],
    ),
    "the arguments are written as in Python": (
        (*CALL, "--args", "{'amount': 40}"),
        2,
        ["--args is not JSON: line 1, column 2", "double quotes"],
    ),
    "the arguments are a list": ((*CALL, "--args", "[40]"), 2, ["--args is not a JSON object"]),
    "an argument is missing": (
        (*CALL, "--args", '{"order_id": "ORD-00000001", "currency": "USD"}'),
        1,
        ['The argument "amount" is required. A refund is above 0 and at most 500.'],
    ),
    "an argument has the wrong type": (
        (*CALL, "--args", WHOLE.replace("40", '"40"')),
        1,
        ['The argument "amount" must be of type number. A refund is above 0 and at most 500.'],
    ),
    "an argument is too many": (
        (*CALL, "--args", WHOLE.replace("{", '{"force": true, ')),
        1,
        ["This call takes only these arguments: order_id, amount, currency, note."],
    ),
    "the tool is misspelt": (
        (*CALL[:4], "process_refnd"),
        1,
        ['This tool is not permitted. Did you mean "process_refund"?'],
    ),
    "the session is forgotten": (
        (*CALL[:5], "--args", WHOLE),
        1,
        ["the session: --session ID", "the principal, if a limit counts by it: --principal"],
    ),
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    desk = Desk(tmp_path_factory.mktemp("shared"))
    desk.run("init")
    return desk


@pytest.mark.parametrize("misstep", MISSTEPS)
def test_a_misstep_is_answered_with_what_to_do(misstep, shared):
    arguments, code, said = MISSTEPS[misstep]
    done = shared.run(*arguments)
    assert done.returncode == code
    for text in said:
        assert text in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_without_any_policies_init_is_named(desk):
    done = desk.run("decide", "--tool", "process_refund")
    assert done.returncode == 2
    assert '"policy-engine init" writes some to begin with' in done.stderr
    done = desk.run("lint", "policies")
    assert done.returncode == 2
    assert "no such file or directory" in done.stdout


def test_a_function_of_ones_own_is_denied_granted_limited_and_approved(begun):
    first = begun.python(AGENT)
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.splitlines() == [
        "Denied: This tool is not permitted.",
        "refunded 40.00 USD",
        "Denied: A refund is above 0 and at most 500.",
        "ApprovalRequired: Refunds above 100 need an approval from finance.",
        "refunded 180.00 USD",
        "ApprovalRequired: Refunds above 100 need an approval from finance.",
    ]
    begun.edit("tools:\n", "tools:\n  greet: {args: {name: {type: string}}}\n")
    assert begun.run("lint", "policies").returncode == 0
    assert begun.python(AGENT).stdout.splitlines()[0] == "hello ada"
    assert (begun.folder / "policy-engine.jsonl").read_text("utf-8").count("\n") == 17


def test_a_denial_that_nobody_catches_says_where_to_look(begun):
    head = AGENT.partition("\n\ndef attempt")[0]
    ungranted = begun.python(f'{head}\n\ngreet("ada")\n')
    assert ungranted.returncode == 1
    *_, said, rule, remedy = ungranted.stderr.splitlines()
    assert said.endswith("Denied: This tool is not permitted.")
    assert re.fullmatch(
        r"policies.support\.yaml:\d+:1: support/default: no entry names it, .* \[default\.deny\]",
        rule,
    )
    assert remedy.startswith("to grant it, write its name")
    alone = begun.python(f'{head}\n\nprocess_refund("ORD-00000001", 40.0)\n')
    *_, said, first, second, remedy = alone.stderr.splitlines()
    assert "cannot be told" in said
    assert first.endswith("[limit.cannot_tell]")
    assert second.endswith("[limit.cannot_tell]")
    assert "call it inside `with guard.session(" in remedy


MISTAKES = {
    "no guard": (
        "from policy_engine import guarded\n@guarded\ndef f(): ...\n",
        'TypeError: @guarded needs the guard that decides: write @guarded(guard), with guard = Guard.from_path("policies")',  # noqa: E501
    ),
    "no such folder": (
        'from policy_engine import Guard\nGuard.from_path("polices")\n',
        'hint: did you mean "policies"?',
    ),
    "too few arguments": (
        f"{AGENT}\nprocess_refund()\n",
        (
            "TypeError: process_refund() missing 2 required positional arguments: "
            "'order_id' and 'amount'"
        ),
    ),
    "a fact that is no function": (
        'from policy_engine import Guard\nGuard.from_path("policies").fact("order", 1)\n',
        'TypeError: the fact "order" needs a function, not int',
    ),
    "a parameter that the model does not supply": (
        f"{AGENT}\n@guard.tool\ndef lookup_order(order_id, db): ...\nlookup_order('ORD-00000001', print)\n",  # noqa: E501
        'inject=("db",)',
    ),
    "a parameter to inject that there is not": (
        f"{AGENT}\n@guard.tool(inject=('bd',))\ndef lookup_order(order_id, db): ...\n",
        'TypeError: inject names "bd"',
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_code_is_said_with_its_remedy(mistake, begun):
    code, said = MISTAKES[mistake]
    done = begun.python(code)
    assert done.returncode == 1
    assert said in done.stderr
