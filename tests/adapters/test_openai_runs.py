"""Budgets, models, traces, sessions and the habits of production."""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import agents
import pytest
from agents import (
    AgentHooks,
    InputGuardrailTripwireTriggered,
    ModelRetrySettings,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIProvider,
    OpenAIResponsesModel,
    OutputGuardrailTripwireTriggered,
    RunHooks,
    Runner,
    SQLiteSession,
    Usage,
    UserError,
    function_tool,
    retry_policies,
    trace,
)
from agents.testing import ModelStep
from agents.tracing import TracingProcessor
from openai import AsyncOpenAI
from openai_desk import WHO, agent_of, call, desk_of, outputs, refund_tool, say, scripted

from policy_engine.adapters.openai_agents import (
    guard_agent,
    input_guardrail,
    output_guardrail,
    run_config,
    tool_guardrails,
)
from policy_engine.guard import Denied

OPEN = {"tools": {"*": "allow"}, "handoffs": {"*": "allow"}}


def used(tokens, *output):
    """Return a model's step that reports usage."""
    usage = Usage(requests=1, input_tokens=tokens, output_tokens=0, total_tokens=tokens)
    return ModelStep(output=list(output), usage=usage)


def tokens(desk):
    """Return what the counters of the token limit hold."""
    now = desk.guard._parts.clock().timestamp() * 1_000_000
    found = desk.guard.state._counters._counters.items()
    return [counter.used(int(now)) for (limit, _), counter in found if limit.endswith("tokens")]


def named(model, name):
    """Give a scripted model a name."""
    model.model = name
    return model


def test_a_model_that_is_not_listed_is_not_called(tmp_path):
    desk = desk_of(tmp_path, OPEN, {"models": {"small": "allow"}})
    model = named(scripted(say("never")), "large")
    with pytest.raises(Denied, match="model"):
        desk.run(agent_of(model))
    assert model.calls == ()
    assert desk.run(agent_of(named(scripted(say("hi")), "small"))).final_output == "hi"


def test_a_model_of_the_configuration_is_judged_too(tmp_path):
    desk = desk_of(tmp_path, OPEN, {"models": {"small": "allow"}})
    model = named(scripted(say("never")), "large")
    with pytest.raises(Denied):
        desk.run(agent_of(named(scripted(), "small")), config=desk.config(model=model))
    assert model.calls == ()


def test_a_model_by_name_comes_from_the_provider_of_the_run(tmp_path):
    model = scripted(say("hi"), say("hi"))

    class Provider(agents.ModelProvider):
        def get_model(self, model_name):
            asked.append(model_name)
            return model

    asked = []

    desk = desk_of(tmp_path, OPEN, {"models": {"small": "allow"}})
    config = desk.config(model_provider=Provider())
    assert desk.run(agent_of("small"), config=config).final_output == "hi"
    assert asked == ["small"]
    with pytest.raises(Denied):
        desk.run(agent_of("large"), config=config)


def budget(most):
    limit = {"id": "tokens", "of": "tokens", "max": most, "by": ["session"]}
    return {**OPEN, "limits": [limit]}


@function_tool
def ping() -> str:
    return "pong"


def test_tokens_are_counted_once_and_before_the_next_call(tmp_path):
    desk = desk_of(tmp_path, budget(100))
    model = scripted(*(used(40, *call("ping")) for _ in range(4)), say("never"))
    with pytest.raises(Denied, match=r"limit|used"):
        desk.run(agent_of(model, tools=[ping]))
    assert len(model.calls) == 3


def test_tokens_of_an_agent_behind_a_tool_are_counted_once(tmp_path):
    desk = desk_of(tmp_path, budget(120))
    inner = agent_of(scripted(used(50, *say("x"))), name="inner")
    model = scripted(used(30, *call("ask", {"input": "x"})), used(30, *say("done")))
    result = desk.run(agent_of(model, tools=[inner.as_tool("ask", "asks")]))
    assert result.final_output == "done"
    assert tokens(desk) == [110.0]
    desk.run(agent_of(scripted(used(10, *say("last")))))
    with pytest.raises(Denied):
        desk.run(agent_of(scripted(used(20, *say("over")))))


def test_a_failed_call_of_a_model_does_not_block_the_next(tmp_path):
    desk = desk_of(tmp_path, budget(100))
    with pytest.raises(RuntimeError):
        desk.run(agent_of(scripted(RuntimeError("down"))))
    assert desk.run(agent_of(scripted(used(5, *say("up"))))).final_output == "up"


def test_usage_that_is_not_reported_blocks_the_next_call(tmp_path):
    desk = desk_of(tmp_path, budget(100))
    desk.run(agent_of(scripted(say("free?"))))
    with pytest.raises(Denied):
        desk.run(agent_of(scripted(say("never"))))


def test_retries_of_the_sdk_go_on_working(tmp_path):
    desk = desk_of(tmp_path, budget(100))
    settings = ModelSettings(
        retry=ModelRetrySettings(max_retries=2, policy=retry_policies.any(lambda context: True))
    )
    model = scripted(RuntimeError("down"), used(5, *say("up")))
    assert desk.run(agent_of(model, model_settings=settings)).final_output == "up"


class Traces(TracingProcessor):
    """Notes spans."""

    def __init__(self):
        self.spans = []

    def on_span_end(self, span):
        self.spans.append(span.export())

    def on_trace_start(self, trace): ...
    def on_trace_end(self, trace): ...
    def on_span_start(self, span): ...
    def shutdown(self): ...
    def force_flush(self): ...


@pytest.fixture
def traces():
    found = Traces()
    agents.set_trace_processors([found])
    agents.set_tracing_disabled(False)
    yield found
    agents.set_trace_processors([])


def test_each_decision_leaves_a_span_without_a_payload(tmp_path, traces):
    desk = desk_of(tmp_path, OPEN)
    model = scripted(call("ping"), say("done"))
    trace_id = "trace_" + "ab" * 16
    config = desk.config(trace_id=trace_id, trace_include_sensitive_data=False)
    desk.run(agent_of(model, tools=[ping]), "SECRET-7", config=config)
    spans = [s for s in traces.spans if s["span_data"].get("name") == "policy.decision"]
    stages = {s["span_data"]["data"]["stage"] for s in spans}
    assert {"input", "model_request", "tool_call", "model_response", "output"} <= stages
    assert "SECRET-7" not in json.dumps(spans)
    assert all(
        "p0" in str(s["span_data"]["data"]["rules"])
        for s in spans
        if s["span_data"]["data"]["stage"] == "tool_call"
    )
    kept = {r["trace_id"] for r in desk.records if r["kind"] == "decision"}
    assert kept == {"ab" * 16}


def test_the_group_of_a_trace_is_the_session(tmp_path):
    desk = desk_of(tmp_path, OPEN)
    assert desk.config().group_id == "s1"
    assert desk.config(group_id="g").group_id == "g"


def test_a_trace_of_the_caller_holds_the_records(tmp_path, traces):
    desk = desk_of(tmp_path, OPEN)
    with trace("workflow", trace_id="trace_" + "cd" * 16):
        desk.run(agent_of(scripted(say("hi"))))
    assert {r["trace_id"] for r in desk.records} == {"cd" * 16}


def test_hooks_of_the_application_go_on_working(tmp_path):
    seen = []

    class Run(RunHooks):
        async def on_tool_start(self, context, agent, tool):
            seen.append(("run", tool.name))

    class Own(AgentHooks):
        async def on_tool_end(self, context, agent, tool, result):
            seen.append(("agent", result))

    desk = desk_of(tmp_path, OPEN)
    model = scripted(call("ping"), say("done"))
    desk.run(agent_of(model, tools=[ping], hooks=Own()), hooks=Run())
    assert seen == [("run", "ping"), ("agent", "pong")]


def test_a_failure_function_of_the_application_goes_on_working(tmp_path):
    @function_tool(failure_error_function=lambda context, error: f"author: {error}")
    def fall() -> str:
        raise RuntimeError("down")

    desk = desk_of(tmp_path, OPEN)
    assert outputs(desk.run(agent_of(scripted(call("fall"), say("x")), tools=[fall]))) == [
        "author: down"
    ]
    assert [r["status"] for r in desk.records if r["kind"] == "outcome"] == ["returned"]


def test_an_error_of_a_tool_is_recorded_and_raised(tmp_path):
    @function_tool(failure_error_function=None)
    def fall() -> str:
        raise RuntimeError("down")

    desk = desk_of(tmp_path, OPEN)
    with pytest.raises(Exception, match="down"):
        desk.run(agent_of(scripted(call("fall"), say("x")), tools=[fall]))
    assert [r["status"] for r in desk.records if r["kind"] == "outcome"] == ["raised"]


def test_a_formatter_of_the_application_goes_on_working(tmp_path):
    desk = desk_of(tmp_path, {"tools": {"*": "allow"}})
    config = desk.config(tool_error_formatter=lambda args: f"author: {args.kind}")
    found = outputs(desk.run(agent_of(scripted(call("gone"), say("x"))), config=config))
    assert found == ["author: tool_not_found"]


def test_siblings_of_a_denied_call_are_each_decided(tmp_path):
    calls = []
    policy = {
        "tools": {
            "refund": {
                "args": {
                    "order": {"type": "string"},
                    "amount": {"type": "number", "maximum": 10},
                    "note": {"type": "string"},
                }
            }
        }
    }
    desk = desk_of(tmp_path, policy)
    one = call("refund", {"order": "A", "amount": 5, "note": ""}, "c1")
    two = call("refund", {"order": "B", "amount": 50, "note": ""}, "c2")
    desk.run(agent_of(scripted([*one, *two], say("done")), tools=[refund_tool(calls)]))
    assert calls == [("A", 5.0, "")]


@pytest.mark.parametrize("kind", ["sqlite", "sqlalchemy", "encrypted"])
def test_sessions_of_the_sdk_work(tmp_path, kind):
    desk = desk_of(tmp_path, OPEN)
    model = scripted(say("one"), say("two"))
    guarded = guard_agent(agent_of(model), desk.guard)

    async def talk():
        memory = await _memory(kind, tmp_path)
        await Runner.run(guarded, "first", run_config=desk.config(), session=memory)
        await Runner.run(guarded, "second", run_config=desk.config(), session=memory)
        items = await memory.get_items()
        if kind == "sqlalchemy":
            await memory.engine.dispose()
        return items

    items = asyncio.run(talk())
    assert [i["role"] for i in items] == ["user", "assistant", "user", "assistant"]
    assert "first" in json.dumps(model.calls[1].input)


async def _memory(kind, folder):
    if kind == "sqlite":
        return SQLiteSession("s", folder / "memory.db")
    if kind == "sqlalchemy":
        pytest.importorskip("sqlalchemy")
        pytest.importorskip("aiosqlite")
        from agents.extensions.memory import SQLAlchemySession

        return SQLAlchemySession.from_url(
            "s", url=f"sqlite+aiosqlite:///{folder}/memory.db", create_tables=True
        )
    pytest.importorskip("cryptography")
    from agents.extensions.memory import EncryptedSession

    inner = SQLiteSession("s", folder / "memory.db")
    return EncryptedSession("s", inner, encryption_key="k" * 32)


def test_guardrails_placed_by_hand(tmp_path):
    policy = {
        "input": [{"id": "i", "check": {"terms": {"any": ["attack"]}}, "effect": "deny"}],
        "output": [{"id": "o", "check": {"terms": {"any": ["hunter2"]}}, "effect": "deny"}],
        "tools": {
            "refund": {
                "args": {
                    "order": {"type": "string"},
                    "amount": {"type": "number", "maximum": 10, "message": "At most 10."},
                    "note": {"type": "string"},
                },
                "result": [
                    {"id": "r", "check": {"terms": {"any": ["refunded 7"]}}, "effect": "redact"}
                ],
                "labels": ["paid"],
            }
        },
        "rules": [],
    }
    calls, desk = [], desk_of(tmp_path, policy)
    tool = refund_tool(calls)
    before, after = tool_guardrails(desk.guard)
    tool.tool_input_guardrails = [before]
    tool.tool_output_guardrails = [after]

    def run(text, *steps):
        agent = agent_of(
            scripted(*steps),
            tools=[tool],
            input_guardrails=[input_guardrail(desk.guard)],
            output_guardrails=[output_guardrail(desk.guard)],
        )
        with desk.guard.session("s1", principal=WHO):
            return asyncio.run(Runner.run(agent, text))

    with pytest.raises(InputGuardrailTripwireTriggered):
        run("attack", say("never"))
    with pytest.raises(OutputGuardrailTripwireTriggered):
        run("hello", say("hunter2"))
    big = call("refund", {"order": "A", "amount": 50, "note": ""})
    small = call("refund", {"order": "A", "amount": 7, "note": ""})
    found = outputs(run("hello", big, small, say("done")))
    assert found[0] == "At most 10."
    assert "refunded 7" not in found[1]
    assert len(calls) == 1


class _Api(BaseHTTPRequestHandler):
    """Chat completions and responses, streamed and not, from a script."""

    def log_message(self, *args): ...

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.bodies.append(body)
        step = self.server.steps.pop(0)
        chat = self.path.endswith("/chat/completions")
        made = (_chat if chat else _responses)(step, streamed=bool(body.get("stream")))
        self.send_response(200)
        kind = "text/event-stream" if body.get("stream") else "application/json"
        self.send_header("content-type", kind)
        self.end_headers()
        self.wfile.write(made.encode())


def _chat(step, *, streamed):
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    if isinstance(step, str):
        message = {"role": "assistant", "content": step}
    else:
        function = {"name": step[0], "arguments": json.dumps(step[1])}
        called = {"id": "c1", "type": "function", "function": function}
        message = {"role": "assistant", "content": None, "tool_calls": [called]}
    base = {"id": "x", "created": 1, "model": "small"}
    if not streamed:
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        return json.dumps(
            {**base, "object": "chat.completion", "choices": [choice], "usage": usage}
        )
    if message.get("tool_calls"):
        message["tool_calls"][0]["index"] = 0
    pieces = [
        {"choices": [{"index": 0, "delta": message}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": usage},
    ]
    lines = [{**base, "object": "chat.completion.chunk", **piece} for piece in pieces]
    return "".join(f"data: {json.dumps(line)}\n\n" for line in lines) + "data: [DONE]\n\n"


def _responses(step, *, streamed):
    if isinstance(step, str):
        text = {"type": "output_text", "text": step, "annotations": []}
        item = {
            "id": "m",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [text],
        }
    else:
        item = {
            "id": "f",
            "type": "function_call",
            "call_id": "c1",
            "name": step[0],
            "arguments": json.dumps(step[1]),
            "status": "completed",
        }
    whole = {
        "id": "r",
        "object": "response",
        "created_at": 1,
        "model": "small",
        "status": "completed",
        "output": [item],
        "parallel_tool_calls": False,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 7,
            "output_tokens": 3,
            "total_tokens": 10,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }
    if not streamed:
        return json.dumps(whole)
    events = []
    if isinstance(step, str):
        delta = {
            "type": "response.output_text.delta",
            "item_id": "m",
            "output_index": 0,
            "content_index": 0,
            "delta": step,
            "sequence_number": 0,
            "logprobs": [],
        }
        events.append(delta)
    events.append({"type": "response.completed", "sequence_number": 1, "response": whole})
    return "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)


@pytest.fixture
def api(loopback):
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Api)
    server.bodies = []
    server.steps = []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("streamed", [False, True], ids=["at once", "streamed"])
@pytest.mark.parametrize("kind", ["chat", "responses", "by name"])
def test_it_holds_end_to_end_over_http(tmp_path, api, kind, streamed):
    policy = {
        "models": {"small": "allow"},
        "input": [{"id": "i", "check": {"terms": {"any": ["acme"]}}, "effect": "redact"}],
        "output": [{"id": "o", "check": {"terms": {"any": ["project x"]}}, "effect": "redact"}],
        "tools": {
            "refund": {
                "args": {
                    "order": {"type": "string"},
                    "amount": {"type": "number", "maximum": 10, "message": "At most 10."},
                    "note": {"type": "string"},
                }
            }
        },
        "limits": [{"id": "tokens", "of": "tokens", "max": 25, "by": ["session"]}],
    }
    calls, desk = [], desk_of(tmp_path, policy)
    api.steps.extend(
        [("refund", {"order": "A", "amount": 90, "note": ""}), "on project x: done", "over"]
    )

    async def go():
        client = AsyncOpenAI(
            api_key="none", base_url=f"http://127.0.0.1:{api.server_port}/v1", max_retries=0
        )
        config = desk.config()
        model = "small"
        if kind == "chat":
            model = OpenAIChatCompletionsModel("small", client)
        elif kind == "responses":
            model = OpenAIResponsesModel("small", client)
        else:
            provider = OpenAIProvider(openai_client=client, use_responses=False)
            config = desk.config(model_provider=provider)
        guarded = guard_agent(agent_of(model, tools=[refund_tool(calls)]), desk.guard)
        try:
            if not streamed:
                result = await Runner.run(guarded, "from acme", run_config=config)
                return result.final_output, ""
            running = Runner.run_streamed(guarded, "from acme", run_config=config)
            events = [event async for event in running.stream_events()]
            return running.final_output, repr(events)
        finally:
            await client.close()

    said, events = asyncio.run(go())
    assert calls == []
    assert "project x" not in said
    assert "project x" not in events
    assert said.endswith("done")
    assert "acme" not in json.dumps(api.bodies)
    assert "At most 10." in json.dumps(api.bodies[1])
    assert tokens(desk) == [20.0]


def test_the_configuration_is_the_sdks_own_kind(tmp_path):
    desk = desk_of(tmp_path, OPEN)
    config = run_config(desk.guard, workflow_name="w", tracing_disabled=True)
    assert isinstance(config, agents.RunConfig)
    assert config.workflow_name == "w"
    assert config.tracing_disabled


@pytest.mark.parametrize("streamed", [False, True], ids=["at once", "streamed"])
@pytest.mark.parametrize(
    "kept",
    [
        {"conversation_id": "conv_1"},
        {"previous_response_id": "resp_1"},
        {"auto_previous_response_id": True},
    ],
    ids=str,
)
def test_a_conversation_that_the_provider_keeps_has_to_be_told(tmp_path, kept, streamed):
    desk, model = desk_of(tmp_path, {"tools": {"*": "allow"}}), scripted(say("ok"))
    run = desk.stream if streamed else desk.run
    with pytest.raises(UserError, match=r"run_config\(guard, …, server_managed=True\)"):
        run(agent_of(model), **kept)
    assert model.calls == ()
    run(agent_of(model), config=desk.config(server_managed=True), **kept)
    assert len(model.calls) == 1


@pytest.mark.parametrize("streamed", [False, True], ids=["at once", "streamed"])
@pytest.mark.parametrize(
    "kept", [{"conversation_id": "c1"}, {"previous_response_id": "r1"}], ids=str
)
def test_an_agent_behind_a_tool_says_what_a_kept_conversation_needs(tmp_path, kept, streamed):
    desk = desk_of(tmp_path, {"tools": {"*": "allow"}})
    run = desk.stream if streamed else desk.run
    inner = agent_of(scripted(say("from within")), name="inner")
    outer = scripted(call("ask", {"input": "x"}), call("ask", {"input": "x"}), say("ok"))
    tool = inner.as_tool("ask", "asks", **kept)
    with pytest.raises(UserError, match=r"as_tool\(…, run_config=run_config\(…\)\)"):
        run(agent_of(outer, tools=[tool]))
    assert inner.model.calls == ()
    config = desk.config(server_managed=True)
    tool = inner.as_tool("ask", "asks", run_config=config, **kept)
    result = run(agent_of(outer, tools=[tool]))
    assert outputs(result[0] if streamed else result) == ["from within"]
