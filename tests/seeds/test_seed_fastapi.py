"""FastAPI endpoints, sync and async: a session a request, and nobody acts for somebody else."""

import asyncio
import threading
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI, Header, Request
from fastapi.responses import JSONResponse

from policy_engine import ApprovalRequired, Denied

POLICY = """
facts:
  order: {from: app:order, with: [args.order_id], schema: {type: object, properties: {owner: {type: string}}}}
tools:
  read_order:
    args: {order_id: {type: string}}
    rules:
      - {id: own-order, when: facts.order.owner != principal.id, effect: deny, message: That is not your order.}
  cancel_order: {effect: require_approval, approval: {approvers: [clerk], expires: 1h}, args: {order_id: {type: string}}, message: A clerk must agree.}
limits:
  - {id: reads, tools: [read_order], max: 3, by: [session], message: Three orders are the most.}
"""  # noqa: E501 - a policy keeps its lines


def build(guard, meeting):  # noqa: C901 - an application in one piece
    """What a user writes: tools, a dependency for the session, endpoints, one handler."""
    app = FastAPI()
    guard.fact("order", lambda order_id: {"owner": order_id.partition("-")[0]})

    @guard.tool
    def read_order(order_id: str) -> str:
        meeting()
        return f"{order_id} is on its way"

    @guard.tool(name="read_order")
    async def read_order_async(order_id: str) -> str:
        await asyncio.sleep(0.01)
        return f"{order_id} is on its way"

    @guard.tool
    async def cancel_order(order_id: str) -> str:
        return f"{order_id} is cancelled"

    async def session(user: Annotated[str, Header()], conversation: Annotated[str, Header()]):
        # Async, so that what it sets holds in the endpoint: FastAPI runs a sync dependency in a
        # thread of its own.
        principal = {"id": user, "roles": ["customer"]}
        async with guard.session(conversation, agent="web", principal=principal):
            yield

    @app.get("/sync/{order_id}", dependencies=[Depends(session)])
    def sync_order(order_id: str) -> str:
        return read_order(order_id)

    @app.get("/async/{order_id}", dependencies=[Depends(session)])
    async def async_order(order_id: str) -> str:
        return await read_order_async(order_id)

    @app.delete("/async/{order_id}", dependencies=[Depends(session)])
    async def cancel(order_id: str) -> str:
        return await cancel_order(order_id)

    @app.get("/nobody/{order_id}")
    def nobody(order_id: str) -> str:
        return read_order(order_id)

    def unheard(user: Annotated[str, Header()], conversation: Annotated[str, Header()]):
        with guard.session(conversation, agent="web", principal={"id": user}):
            yield

    @app.get("/unheard/{order_id}", dependencies=[Depends(unheard)])
    async def unheard_order(order_id: str) -> str:
        return await read_order_async(order_id)

    @app.exception_handler(Denied)
    async def denied(request: Request, error: Denied) -> JSONResponse:
        body = {"detail": error.message}
        if isinstance(error, ApprovalRequired):
            body["approvals"] = [approval.id for approval in error.approvals]
            return JSONResponse(body, status_code=409)
        return JSONResponse(body, status_code=403)

    return app


@pytest.fixture
def served(guard_by):
    """Run a test as a coroutine with a client of the application."""
    guard = guard_by(POLICY)

    def run(test, meeting=lambda: None):
        async def talk():
            transport = httpx.ASGITransport(build(guard, meeting))
            async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
                return await test(client)

        return asyncio.run(talk())

    run.guard = guard
    return run


def as_user(user, conversation):
    return {"user": user, "conversation": conversation}


kinds = pytest.mark.parametrize("kind", ["sync", "async"])


@kinds
def test_each_request_acts_for_its_own_user(kind, served):
    async def test(client):
        own = await client.get(f"/{kind}/ada-1", headers=as_user("ada", "s1"))
        others = await client.get(f"/{kind}/ada-1", headers=as_user("eve", "s2"))
        return own, others

    own, others = served(test)
    assert (own.status_code, own.json()) == (200, "ada-1 is on its way")
    assert (others.status_code, others.json()) == (403, {"detail": "That is not your order."})


@kinds
def test_requests_at_the_same_time_do_not_mix_their_users(kind, served, recorded):
    users = [f"user{i}" for i in range(30)]

    async def test(client):
        return await asyncio.gather(
            *(
                client.get(f"/{kind}/{owner}-1", headers=as_user(user, f"s-{user}-{owner}"))
                for user in users
                for owner in (user, "ada")
            )
        )

    answers = served(test)
    assert [answer.status_code for answer in answers] == [200, 403] * len(users)
    permitted = [r for r in recorded() if r["effect"] == "allow"]
    assert sorted(r["principal"] for r in permitted) == sorted(users)
    assert all(r["session"] == f"s-{r['principal']}-{r['principal']}" for r in permitted)


def test_sync_endpoints_that_run_side_by_side_do_not_mix_either(served, recorded):
    barrier = threading.Barrier(4, timeout=20)

    async def test(client):
        return await asyncio.gather(
            *(client.get(f"/sync/u{i}-1", headers=as_user(f"u{i}", f"s{i}")) for i in range(4))
        )

    answers = served(test, meeting=barrier.wait)
    assert [a.json() for a in answers] == [f"u{i}-1 is on its way" for i in range(4)]
    assert {(r["principal"], r["session"]) for r in recorded()} == {
        (f"u{i}", f"s{i}") for i in range(4)
    }


@kinds
def test_a_session_spans_requests_and_is_its_users_own(kind, served):
    async def test(client):
        mine = [await client.get(f"/{kind}/ada-1", headers=as_user("ada", "s1")) for _ in range(4)]
        # The same name of a session, from somebody else: another session.
        theirs = await client.get(f"/{kind}/eve-1", headers=as_user("eve", "s1"))
        return [answer.status_code for answer in mine], theirs.status_code

    assert served(test) == ([200, 200, 200, 403], 200)


def test_an_approval_comes_between_two_requests(served):
    async def test(client):
        first = await client.delete("/async/ada-1", headers=as_user("ada", "s1"))
        (waiting,) = first.json()["approvals"]
        served.guard.approvals.approve(waiting, by={"id": "carl", "roles": ["clerk"]})
        others = await client.delete("/async/ada-1", headers=as_user("eve", "s1"))
        second = await client.delete("/async/ada-1", headers=as_user("ada", "s1"))
        third = await client.delete("/async/ada-1", headers=as_user("ada", "s1"))
        return first, others, second, third

    first, others, second, third = served(test)
    assert [a.status_code for a in (first, others, second, third)] == [409, 409, 200, 409]
    assert second.json() == "ada-1 is cancelled"


def test_an_endpoint_without_a_session_is_denied(served):
    async def test(client):
        return await client.get("/nobody/ada-1")

    assert served(test).status_code == 403


def test_a_session_that_does_not_reach_the_endpoint_is_denied_and_not_guessed(served):
    async def test(client):
        return await client.get("/unheard/ada-1", headers=as_user("ada", "s1"))

    assert served(test).status_code == 403
