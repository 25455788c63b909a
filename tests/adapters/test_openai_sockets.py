"""Runs that share a connection to the provider: the SDK's sessions of websockets."""

import asyncio
import json

import pytest
from agents import Agent, ResponsesWebSocketSession, Runner, responses_websocket_session
from openai_desk import desk_of
from websockets.asyncio.server import serve

from policy_engine.adapters.openai_agents import UnmediatedError, guard_agent
from policy_engine.guard import Denied

POLICY = {
    "models": {"small": "allow"},
    "input": [{"id": "bad", "check": {"terms": {"any": ["acme"]}}, "effect": "deny"}],
    "output": [{"id": "out", "check": {"terms": {"any": ["hunter2"]}}, "effect": "redact"}],
}
USAGE = {
    "input_tokens": 1,
    "output_tokens": 1,
    "total_tokens": 2,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens_details": {"reasoning_tokens": 0},
}


async def talked(desk, talk):
    """Talk over a session of websockets with a server that answers."""
    asked = []

    async def answer(connection):
        async for text in connection:
            asked.append(json.loads(text))
            part = {"type": "output_text", "text": "it is hunter2", "annotations": []}
            message = {"type": "message", "id": "m", "role": "assistant", "status": "completed"}
            response = {
                "id": "r",
                "created_at": 1,
                "model": asked[-1]["model"],
                "object": "response",
                "status": "completed",
                "parallel_tool_calls": False,
                "tool_choice": "auto",
                "tools": [],
                "output": [{**message, "content": [part]}],
                "usage": USAGE,
            }
            done = {"type": "response.completed", "sequence_number": 0, "response": response}
            await connection.send(json.dumps(done))

    async with serve(answer, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        url = f"http://127.0.0.1:{port}/v1"
        async with responses_websocket_session(base_url=url, api_key="x") as session:
            found = await talk(session, guard_agent(Agent(name="desk", model="small"), desk.guard))
    return found, asked


@pytest.mark.usefixtures("loopback")
def test_a_session_of_websockets_says_how_to_run_under_the_policies(tmp_path):
    desk = desk_of(tmp_path, POLICY)

    async def talk(session, agent):
        with pytest.raises(UnmediatedError) as caught:
            await session.run(agent, "hello")
        return str(caught.value)

    said, asked = asyncio.run(talked(desk, talk))
    assert said.endswith(
        "for a responses_websocket_session run with Runner and run_config(guard, …, "
        "model_provider=session.run_config.model_provider)\n1 gap: the run ends here"
    )
    assert asked == []


@pytest.mark.usefixtures("loopback")
@pytest.mark.parametrize("way", ["Runner", "a session of its configuration"])
@pytest.mark.parametrize("is_streamed", [False, True], ids=["at once", "streamed"])
def test_a_run_over_a_session_of_websockets_is_judged(tmp_path, way, is_streamed):
    desk = desk_of(tmp_path, POLICY)

    async def talk(session, agent):
        config = desk.config(model_provider=session.run_config.model_provider)
        runner, settings = Runner, {"run_config": config}
        if way != "Runner":
            runner = ResponsesWebSocketSession(provider=session.provider, run_config=config)
            settings = {}
        with pytest.raises(Denied):
            await ended(runner, agent, "about acme", settings)
        return await ended(runner, agent, "hello", settings)

    async def ended(runner, agent, text, settings):
        if not is_streamed:
            return await runner.run(agent, text, **settings)
        running = runner.run_streamed(agent, text, **settings)
        async for _ in running.stream_events():
            pass
        return running

    found, asked = asyncio.run(talked(desk, talk))
    assert found.final_output == "it is <TERM>"
    assert [one["model"] for one in asked] == ["small"]
    assert ("model_request", "small", "allow") in desk.decisions()
