"""What failed requests count for: no budget is evaded by errors, and no retry is held up."""

import asyncio
import contextlib
import json
import socket
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from agents import (
    ModelRetrySettings,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    Usage,
    retry_policies,
)
from agents.testing import ModelStep
from openai import APIConnectionError, AsyncOpenAI
from openai.types.responses import Response, ResponseFailedEvent, ResponseTextDeltaEvent
from openai_desk import agent_of, desk_of, say, scripted
from test_openai_runs import used

from policy_engine.adapters.openai_agents import guard_agent
from policy_engine.adapters.openai_agents.spending import Sent, spent, usage_of
from policy_engine.guard import Denied

HELLO = "hello " * 50
READ = len(json.dumps(HELLO)) // 3
"""Fewer tokens than a request that says it is counted for."""


def budget(most):
    return {"limits": [{"id": "tokens", "of": "tokens", "max": most, "by": ["session"]}]}


def counted(desk):
    """Return what the counter of the token limit holds, and what is owed to it."""
    now = int(desk.guard._parts.clock().timestamp() * 1_000_000)
    found = [
        (counter.used(now), counter.unsettled)
        for (limit, _), counter in desk.guard.state._counters._counters.items()
        if limit.endswith("tokens")
    ]
    return found[0] if found else (0.0, 0)


def failing(desk, *steps, streamed=False, **settings):
    """Run an agent whose model fails; return what was counted then."""
    agent = agent_of(scripted(*steps), **settings)
    with contextlib.suppress(Exception):
        (desk.stream if streamed else desk.run)(agent, HELLO)
    return counted(desk)


class OddError(Exception):
    """What a model of somebody's own may raise."""


BOTH = pytest.mark.parametrize("streamed", [False, True], ids=["at once", "streamed"])


@BOTH
def test_a_failure_that_tells_nothing_counts_what_was_sent(tmp_path, streamed):
    found, owed = failing(desk_of(tmp_path, budget(9999)), OddError("down"), streamed=streamed)
    assert READ < found < 3 * READ
    assert owed == 0


@BOTH
def test_what_the_request_allowed_to_be_said_counts_too(tmp_path, streamed):
    settings = ModelSettings(max_tokens=700)
    desk = desk_of(tmp_path, budget(9999))
    found, _ = failing(desk, OddError("down"), streamed=streamed, model_settings=settings)
    assert 700 + READ < found < 700 + 3 * READ


@BOTH
def test_what_the_error_tells_is_what_counts(tmp_path, streamed):
    error = OddError("down")
    error.usage = Usage(requests=1, input_tokens=7, output_tokens=3, total_tokens=10)
    outer = OddError("further")
    outer.__cause__ = error
    assert failing(desk_of(tmp_path, budget(9999)), outer, streamed=streamed) == (10.0, 0)


def test_a_budget_is_not_evaded_by_provoking_errors(tmp_path):
    desk, attempts = desk_of(tmp_path, budget(1000)), 0
    while attempts < 30:
        attempts += 1
        model = scripted(OddError("provoked"), say("never"))
        with pytest.raises((OddError, Denied)) as caught:
            desk.run(agent_of(model), HELLO)
        if caught.type is Denied:
            break
    assert caught.type is Denied
    assert 3 < attempts <= 1000 / READ + 1


def test_a_budget_is_not_evaded_by_retries(tmp_path):
    settings = ModelSettings(
        retry=ModelRetrySettings(max_retries=50, policy=lambda context: True, backoff=NO_DELAY)
    )
    model = scripted(*(OddError("down") for _ in range(50)))
    with pytest.raises(Denied):
        desk_of(tmp_path, budget(1000)).run(agent_of(model, model_settings=settings), HELLO)
    assert 3 <= len(model.calls) <= 1000 / READ


NO_DELAY = {"initial_delay": 0.0, "max_delay": 0.0, "jitter": False}


@BOTH
def test_a_request_that_took_too_long_holds_up_no_retry(tmp_path, streamed):
    async def forever(call):
        await asyncio.sleep(60)

    async def forever_streamed(call):
        await asyncio.sleep(60)
        yield None

    settings = ModelSettings(
        timeout=0.05,
        retry=ModelRetrySettings(
            max_retries=2, policy=retry_policies.any(lambda context: True), backoff=NO_DELAY
        ),
    )
    slow = ModelStep.stream(forever_streamed) if streamed else ModelStep(responder=forever)
    desk = desk_of(tmp_path, budget(9999))
    found, owed = failing(
        desk, slow, used(5, *say("up")), streamed=streamed, model_settings=settings
    )
    assert owed == 0
    assert found > READ


def test_a_run_that_is_cancelled_counts_and_holds_up_nothing(tmp_path):
    async def forever(call):
        await asyncio.sleep(60)

    desk = desk_of(tmp_path, budget(9999))
    guarded = guard_agent(agent_of(scripted(ModelStep(responder=forever))), desk.guard)

    async def go():
        running = asyncio.create_task(Runner.run(guarded, HELLO, run_config=desk.config()))
        await asyncio.sleep(0.2)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(go())
    found, owed = counted(desk)
    assert found > READ
    assert owed == 0


def test_a_stream_that_broke_off_counts_what_came(tmp_path):
    async def broken(call):
        for _ in range(100):
            yield ResponseTextDeltaEvent.model_construct(
                type="response.output_text.delta", delta="word " * 20, sequence_number=0
            )
        raise OddError("the line broke")

    found, owed = failing(desk_of(tmp_path, budget(99999)), ModelStep.stream(broken), streamed=True)
    assert found > 100 * 20
    assert owed == 0


def test_a_response_that_failed_counts_what_it_reports(tmp_path):
    usage = {"input_tokens": 40, "output_tokens": 2, "total_tokens": 42}
    usage |= {"input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0}}
    usage |= {"output_tokens_details": {"reasoning_tokens": 0}}
    whole = {"id": "r", "object": "response", "created_at": 1, "model": "m", "output": []}
    whole |= {"status": "failed", "parallel_tool_calls": False, "tool_choice": "auto"}
    response = Response.model_validate({**whole, "tools": [], "usage": usage})

    async def failed(call):
        yield ResponseFailedEvent(type="response.failed", sequence_number=0, response=response)

    found = failing(desk_of(tmp_path, budget(9999)), ModelStep.stream(failed), streamed=True)
    assert found == (42.0, 0)


def test_a_stream_without_an_end_counts_and_holds_up_nothing(tmp_path):
    async def short(call):
        return
        yield

    found, owed = failing(desk_of(tmp_path, budget(9999)), ModelStep.stream(short), streamed=True)
    assert found > READ
    assert owed == 0


def test_a_tool_list_that_cannot_be_made_counts_nothing(tmp_path):
    class Provider:
        def get_model(self, name):
            raise OddError("no such model")

        async def aclose(self): ...

    desk = desk_of(tmp_path, budget(9999))
    config = desk.config(model_provider=Provider())
    with pytest.raises(OddError):
        desk.run(agent_of("small"), HELLO, config=config)
    assert counted(desk) == (0.0, 0)


# Over HTTP, with the SDK's own models


class _Failing(BaseHTTPRequestHandler):
    """Answers with one status, or breaks the line."""

    def log_message(self, *args): ...

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        status = self.server.status
        if status is None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n{")
            self.close_connection = True
            return
        body = b'{"error": {"message": "no", "code": "x"}}'
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def api(loopback):
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Failing)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def asked(desk, port, kind, *, streamed):
    """Ask over HTTP; return what was counted for it."""

    async def go():
        client = AsyncOpenAI(api_key="none", base_url=f"http://127.0.0.1:{port}/v1", max_retries=0)
        made = OpenAIChatCompletionsModel if kind == "chat" else OpenAIResponsesModel
        settings = ModelSettings(max_tokens=700)
        agent = agent_of(made("small", client), model_settings=settings)
        guarded = guard_agent(agent, desk.guard)
        try:
            if not streamed:
                await Runner.run(guarded, HELLO, run_config=desk.config())
                return
            running = Runner.run_streamed(guarded, HELLO, run_config=desk.config())
            async for _ in running.stream_events():
                pass
        finally:
            await client.close()

    with contextlib.suppress(Exception):
        asyncio.run(go())
    return counted(desk)


@BOTH
@pytest.mark.parametrize("kind", ["chat", "responses"])
@pytest.mark.parametrize("status", [401, 403, 404, 429])
def test_a_request_that_was_turned_away_counts_nothing(tmp_path, api, status, kind, streamed):
    api.status = status
    desk = desk_of(tmp_path, budget(9999))
    assert asked(desk, api.server_port, kind, streamed=streamed) == (0.0, 0)


@BOTH
@pytest.mark.parametrize("kind", ["chat", "responses"])
@pytest.mark.parametrize("status", [400, 500, 503])
def test_a_request_that_somebody_looked_at_counts_what_was_sent(
    tmp_path, api, status, kind, streamed
):
    # A content filter reads a request before it answers 400, and some providers charge for it.
    api.status = status
    desk = desk_of(tmp_path, budget(9999))
    found, owed = asked(desk, api.server_port, kind, streamed=streamed)
    assert READ < found < 700
    assert owed == 0


@BOTH
@pytest.mark.parametrize("kind", ["chat", "responses"])
@pytest.mark.parametrize("status", [408, 504, None])
def test_a_request_that_may_have_gone_on_counts_all_it_may_have_used(
    tmp_path, api, status, kind, streamed
):
    api.status = status
    desk = desk_of(tmp_path, budget(9999))
    found, owed = asked(desk, api.server_port, kind, streamed=streamed)
    assert found > 700 + READ
    assert owed == 0


@pytest.mark.usefixtures("loopback")
@BOTH
@pytest.mark.parametrize("kind", ["chat", "responses"])
def test_a_request_that_never_left_counts_nothing(tmp_path, kind, streamed):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    desk = desk_of(tmp_path, budget(9999))
    assert asked(desk, port, kind, streamed=streamed) == (0.0, 0)


# The estimate


@pytest.mark.parametrize(
    ("text", "least"),
    [("word " * 30, 30), ("日本語" * 10, 30), ("🙂" * 10, 10), ("", 0)],
    ids=["words", "ideographs", "signs", "nothing"],
)
def test_an_estimate_is_rather_more_than_fewer(text, least):
    items = [{"role": "user", "content": text}]
    assert Sent(None, None, items, [], [], None).tokens >= least


def test_an_image_counts_not_by_its_bytes():
    part = {"type": "input_image", "image_url": "data:image/png;base64," + "A" * 9000}
    items = [{"role": "user", "content": [part]}]
    assert Sent(None, None, items, [], [], None).tokens < 20


def test_instructions_and_tools_are_sent_too():
    @dataclass
    class Tool:
        name: str = "refund"
        description: str = "Pay money back. " * 10
        params_json_schema: object = None

    schema = {"properties": {"order": {"description": "Which. " * 10}}}
    plain = Sent(None, None, [], [], [], None).tokens
    assert Sent("Be kind. " * 30, None, [], [], [], None).tokens > plain + 60
    assert Sent(None, None, [], [Tool(params_json_schema=schema)], [], None).tokens > plain + 60


def test_a_connection_that_broke_is_not_one_that_never_was():
    request = httpx.Request("POST", "http://x")
    sent = Sent("word " * 30, None, [], [], [], 50)

    def cut(cause):
        error = APIConnectionError(request=request)
        error.__cause__ = cause
        return spent(sent, error, [])

    assert cut(httpx.ConnectError("refused")) == (0, 0)
    assert cut(httpx.ReadError("reset")) == (sent.tokens, 50)
    assert cut(None) == (sent.tokens, 50)


def test_usage_of_nothing_is_nothing_that_was_reported():
    error = OddError("x")
    error.usage = Usage()
    assert usage_of(error) is None
    assert usage_of(None) is None
