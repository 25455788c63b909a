"""A loop over the tool calls of chat completions, against a server on the loopback."""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

import pytest

from policy_engine import Denied, Request, RequestError, parse_json

POLICY = """
tools:
  lookup_order:
    args:
      order_id: {type: string, pattern: '^ORD-[0-9]{8}$', message: An order number is ORD- and eight digits.}
  refund:
    args:
      order_id: {type: string}
      amount: {type: number, exclusiveMinimum: 0, maximum: 100, message: A refund is at most 100.}
limits:
  - {id: refunds, tools: [refund], max: 2, by: [session], message: Two refunds are the most.}
"""  # noqa: E501 - a policy keeps its lines


# What a user has: a client, tools, and the loop.


def ask(url, messages):
    body = json.dumps({"model": "gpt-4o-mini", "messages": messages}).encode()
    with urlopen(HttpRequest(f"{url}/v1/chat/completions", body)) as answer:
        return json.load(answer)["choices"][0]["message"]


def converse(url, tools, guard, text):
    messages = [{"role": "user", "content": text}]
    while True:
        reply = ask(url, messages)
        messages.append(reply)
        if not reply.get("tool_calls"):
            return messages
        for call in reply["tool_calls"]:
            said = dispatch(tools, guard, call["function"]["name"], call["function"]["arguments"])
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": said})


def dispatch(tools, guard, name, arguments):
    try:
        args = parse_json(arguments)
        if name not in tools:
            guard.enforce(Request(tool=name, args=args))
        return tools[name](**args)
    except (RequestError, Denied) as error:
        return str(error)
    except TypeError as error:
        return f"The arguments do not fit the tool: {error}"


# What the guard adds: one decorator a tool.


@pytest.fixture
def desk(guard_by):
    guard = guard_by(POLICY)
    ran = []

    @guard.tool(on_denied="return")
    def lookup_order(order_id: str) -> str:
        ran.append(("lookup_order", order_id))
        return f"{order_id}: 64.00"

    @guard.tool(on_denied="return")
    def refund(order_id: str, amount: float) -> str:
        ran.append(("refund", order_id, amount))
        return f"refunded {amount}"

    return guard, {"lookup_order": lookup_order, "refund": refund}, ran


@pytest.fixture
def model(loopback):
    """Serve the replies that a test has put into its script, one a request."""
    script, heard = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["Content-Length"])
            heard.append(json.loads(self.rfile.read(length))["messages"])
            body = json.dumps({"choices": [{"index": 0, "message": script.pop(0)}]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", script, heard
    server.shutdown()
    thread.join()
    server.server_close()


def calling(*calls):
    """Write a reply as the API has it: `arguments` is a string that the model wrote."""
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": f"call_{i}", "type": "function", "function": {"name": name, "arguments": text}}
            for i, (name, text) in enumerate(calls)
        ],
    }


DONE = {"role": "assistant", "content": "Done."}


def talk(desk, model, *replies):
    guard, tools, ran = desk
    url, script, heard = model
    script.extend([*replies, DONE])
    with guard.session("s1", agent="support", principal={"id": "u1"}):
        messages = converse(url, tools, guard, "My order was late.")
    assert heard[-1] == messages[:-1]
    return [m["content"] for m in messages if m["role"] == "tool"], ran


def test_what_is_permitted_runs_and_what_is_not_is_told_to_the_model(desk, model):
    said, ran = talk(
        desk,
        model,
        calling(("lookup_order", '{"order_id": "ORD-00000001"}')),
        calling(
            ("refund", '{"order_id": "ORD-00000001", "amount": 640}'),
            ("refund", '{"order_id": "ORD-00000001", "amount": 64}'),
        ),
    )
    assert said == ["ORD-00000001: 64.00", "A refund is at most 100.", "refunded 64"]
    assert ran == [("lookup_order", "ORD-00000001"), ("refund", "ORD-00000001", 64)]


def test_a_limit_spans_the_turns_of_a_session(desk, model):
    one = ("refund", '{"order_id": "ORD-00000001", "amount": 1}')
    said, ran = talk(desk, model, calling(one), calling(one, one))
    assert said == ["refunded 1", "refunded 1", "Two refunds are the most."]
    assert len(ran) == 2


TWISTED = {
    "malformed JSON": ("refund", '{"order_id": "ORD-1", "amount": 5', "line 1, column "),
    "no JSON at all": ("refund", "amount=5", "line 1, column 1"),
    "a number that is none": ("refund", '{"order_id": "ORD-1", "amount": NaN}', "NaN"),
    "a key twice": (
        "refund",
        '{"order_id": "ORD-1", "amount": 5, "amount": 900}',
        "stands twice in one object",
    ),
    "a key twice, the harmless one last": (
        "refund",
        '{"order_id": "ORD-1", "amount": 900, "amount": 5}',
        "stands twice in one object",
    ),
    "a number as a text": ("refund", '{"order_id": "ORD-1", "amount": "5"}', "A refund is at most"),
    "true for a number": ("refund", '{"order_id": "ORD-1", "amount": true}', "A refund is at most"),
    "an argument too many": (
        "refund",
        '{"order_id": "ORD-1", "amount": 5, "approved": true}',
        "unexpected keyword argument",
    ),
    "an argument too few": ("refund", '{"amount": 5}', "missing 1 required positional argument"),
    "a list instead of an object": ("refund", "[5]", "do not fit the tool"),
    "a tool that nobody has": ("run_command", '{"command": "env"}', "This tool is not permitted."),
    "a tool that is misspelt": ("lookup_orders", "{}", 'Did you mean "lookup_order"?'),
    "a query for an order": ("lookup_order", '{"order_id": "x\' OR 1=1"}', "ORD- and eight digits"),
}


@pytest.mark.parametrize("case", TWISTED)
def test_what_a_model_may_write_instead_of_a_call(case, desk, model):
    name, arguments, told = TWISTED[case]
    said, ran = talk(desk, model, calling((name, arguments)))
    assert told in said[0]
    assert ran == []


def test_every_judged_call_is_recorded_and_a_made_up_name_is_not(desk, model, recorded):
    talk(
        desk,
        model,
        calling(("lookup_order", '{"order_id": "ORD-00000001"}'), ("rm -rf /", "{}")),
        calling(("refund", '{"order_id": "ORD-00000001", "amount": 640}')),
    )
    assert [(r["tool"], r["effect"]) for r in recorded()] == [
        ("lookup_order", "allow"),
        (None, "deny"),
        ("refund", "deny"),
    ]
    assert [r["status"] for r in recorded("outcome")] == ["returned"]


def test_the_loopback_is_all_that_can_be_reached(loopback):
    with socket.socket() as client, pytest.raises(RuntimeError, match="tried to reach"):
        client.connect(("192.0.2.1", 80))
