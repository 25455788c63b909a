"""Retries with backoff around a guarded tool: tries are counted, denials are not tried again."""

import asyncio

import pytest
from tenacity import (
    AsyncRetrying,
    RetryError,
    Retrying,
    retry_if_exception_type,
    retry_if_not_exception_type,
    stop_after_attempt,
    wait_exponential,
)

from policy_engine import Denied

POLICY = """
tools:
  fetch: {args: {url: {type: string, pattern: '^https://', message: Only https.}}}
limits:
  - {id: fetches, tools: [fetch], max: 3, by: [session], message: Three fetches are the most.}
"""
BACKOFF = {"wait": wait_exponential(multiplier=0.001, max=0.002), "reraise": True}


class Web:
    """A page that can be fetched after a number of failures."""

    def __init__(self, guard, failures):
        self.failures = failures
        self.tried = 0

        @guard.tool
        def fetch(url: str) -> str:
            self.tried += 1
            if self.tried <= self.failures:
                raise ConnectionError("the line is busy")
            return "a page"

        @guard.tool(name="fetch")
        async def fetch_async(url: str) -> str:
            await asyncio.sleep(0)
            return fetch.__wrapped__(url)

        self.fetch = fetch
        self.fetch_async = fetch_async


@pytest.fixture
def web(guard_by):
    guard = guard_by(POLICY)

    def made(failures):
        return Web(guard, failures), guard.session("s1", agent="a", principal={"id": "u1"})

    return made


def in_line(web, url, **settings):
    retrying = Retrying(**{**BACKOFF, **settings})
    return retrying(web.fetch, url), retrying.statistics["attempt_number"]


def in_loop(web, url, **settings):
    async def run():
        retrying = AsyncRetrying(**{**BACKOFF, **settings})
        return await retrying(web.fetch_async, url), retrying.statistics["attempt_number"]

    return asyncio.run(run())


both = pytest.mark.parametrize("fetching", [in_line, in_loop], ids=["sync", "async"])
SENSIBLE = {"retry": retry_if_not_exception_type(Denied)}


@both
def test_a_tool_that_recovers_is_tried_until_it_does(fetching, web, recorded):
    page, session = web(2)
    with session:
        assert fetching(page, "https://example.com", **SENSIBLE) == ("a page", 3)
    assert [r["effect"] for r in recorded()] == ["allow"] * 3
    outcomes = [(r["status"], r["error"]) for r in recorded("outcome")]
    assert outcomes == [("raised", "ConnectionError")] * 2 + [("returned", None)]


@both
def test_each_try_counts_so_a_broken_tool_is_not_hammered(fetching, web, recorded):
    page, session = web(100)
    with session, pytest.raises(Denied, match="Three fetches are the most"):
        fetching(page, "https://example.com", **SENSIBLE, stop=stop_after_attempt(50))
    assert page.tried == 3
    assert [r["effect"] for r in recorded()] == ["allow"] * 3 + ["deny"]


@both
def test_a_denial_is_not_tried_again(fetching, web, recorded):
    page, session = web(0)
    with session, pytest.raises(Denied, match="Only https"):
        fetching(page, "http://example.com", **SENSIBLE, stop=stop_after_attempt(50))
    assert page.tried == 0
    assert [r["effect"] for r in recorded()] == ["deny"]


@both
def test_only_what_is_worth_it_is_tried_again(fetching, web):
    page, session = web(1)
    with session:
        worth = {"retry": retry_if_exception_type(ConnectionError)}
        assert fetching(page, "https://example.com", **worth)[1] == 2
        with pytest.raises(Denied):
            fetching(page, "http://example.com", **worth)


@both
def test_a_blind_retry_runs_nothing_that_is_denied(fetching, web, recorded):
    page, session = web(0)
    with session, pytest.raises(RetryError):
        fetching(page, "http://example.com", stop=stop_after_attempt(4), reraise=False)
    assert page.tried == 0
    assert [r["effect"] for r in recorded()] == ["deny"] * 4


@both
def test_denials_use_up_nothing(fetching, web):
    page, session = web(0)
    with session:
        for _ in range(10):
            with pytest.raises(Denied):
                fetching(page, "http://example.com", **SENSIBLE)
        for _ in range(3):
            fetching(page, "https://example.com", **SENSIBLE)
        with pytest.raises(Denied):
            fetching(page, "https://example.com", **SENSIBLE)
