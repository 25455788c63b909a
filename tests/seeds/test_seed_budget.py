"""A budget of tokens and of money, with an alert at four fifths."""

from datetime import UTC, datetime, timedelta

import pytest

from policy_engine import Denied, Request

POLICY = """
models: {gpt-4o-mini: allow, gpt-4o: allow, local: allow}
prices:
  gpt-4o-mini: {input: 0.15, output: 0.60}
  gpt-4o: {input: 2.50, output: 10.00}
limits:
  - {id: tokens, of: tokens, max: 10000, by: [session], alert_at: 0.8, message: The tokens are used up.}
  - {id: cost, of: cost_usd, max: 0.10, per: day, by: [tenant], alert_at: 0.8, message: The money is used up.}
"""  # noqa: E501 - a policy keeps its lines


@pytest.fixture
def budget(guard_by):
    class Budget:
        """The loop of a user: ask the guard, ask the model, say what it used."""

        def __init__(self):
            self.now = datetime(2026, 1, 5, 10, tzinfo=UTC)
            self.alerts = []
            self.guard = guard_by(POLICY, on_alert=self.alerts.append, clock=lambda: self.now)

        def session(self, name, tenant="acme"):
            return self.guard.session(name, agent="a", principal={"id": "u1", "tenant": tenant})

        def ask(self, session, model="gpt-4o-mini"):
            self.guard.enforce(
                Request(
                    stage="model_request",
                    model=model,
                    agent=session.agent,
                    session=session.id,
                    principal=session.principal,
                )
            )

        def turn(self, session, tokens, model="gpt-4o-mini"):
            with session:
                self.ask(session, model)
                return self.guard.record_usage(model=model, input_tokens=tokens, output_tokens=0)

    return Budget()


def limits(alerts):
    return [alert.limit for alert in alerts]


def test_tokens_run_until_they_are_used_up(budget):
    session = budget.session("s1")
    for _ in range(4):
        budget.turn(session, 2500)
    with pytest.raises(Denied, match="The tokens are used up") as denied:
        budget.turn(session, 1)
    assert denied.value.decision.reasons[0].rule == "seed0/tokens"


def test_another_session_has_its_own_tokens(budget):
    budget.turn(budget.session("s1"), 10000)
    budget.turn(budget.session("s2"), 10000)


def test_the_alert_comes_once_at_four_fifths(budget):
    session = budget.session("s1")
    budget.turn(session, 7999)
    assert budget.alerts == []
    budget.turn(session, 1)
    assert limits(budget.alerts) == ["seed0/tokens"]
    assert (budget.alerts[0].used, budget.alerts[0].max) == (8000, 10000)
    budget.turn(session, 1000)
    assert limits(budget.alerts) == ["seed0/tokens"]


def test_money_is_counted_by_the_prices_and_by_tenant(budget):
    # 2.50 USD for a million tokens: 10,000 cost 0.025.
    costs = [budget.turn(budget.session(f"s{i}"), 10000, "gpt-4o") for i in range(3)]
    assert costs == [pytest.approx(0.025)] * 3
    assert "seed0/cost" not in limits(budget.alerts)
    budget.turn(budget.session("s4"), 10000, "gpt-4o")
    assert limits(budget.alerts).count("seed0/cost") == 1
    with pytest.raises(Denied, match="The money is used up"):
        budget.turn(budget.session("s5"), 1, "gpt-4o")
    budget.turn(budget.session("s6", tenant="other"), 1, "gpt-4o")


def test_a_new_day_has_new_money_and_a_new_alert(budget):
    for i in range(4):
        budget.turn(budget.session(f"s{i}"), 10000, "gpt-4o")
    budget.now += timedelta(days=1)
    budget.turn(budget.session("s5"), 10000, "gpt-4o")
    assert limits(budget.alerts).count("seed0/cost") == 1
    for i in range(6, 9):
        budget.turn(budget.session(f"s{i}"), 10000, "gpt-4o")
    assert limits(budget.alerts).count("seed0/cost") == 2


def test_a_model_without_a_price_cannot_be_held_to_a_budget(budget):
    with pytest.raises(Denied) as denied:
        budget.turn(budget.session("s1"), 1, "local")
    assert "seed0/cost" in {r.rule for r in denied.value.decision.reasons if r.effect == "deny"}


def test_a_model_that_no_policy_names_is_denied(budget):
    with pytest.raises(Denied):
        budget.turn(budget.session("s1"), 1, "gpt-9")


def test_usage_that_was_never_reported_blocks_the_next_call(budget):
    session = budget.session("s1")
    with session:
        budget.ask(session)
        with pytest.raises(Denied) as denied:
            budget.ask(session)
        assert denied.value.decision.reasons[0].rule in ("seed0/cost", "seed0/tokens")
        budget.guard.record_usage(model="gpt-4o-mini", input_tokens=10, output_tokens=10)
        budget.ask(session)


def test_nobodys_tokens_cannot_be_counted(budget):
    with pytest.raises(Denied):
        budget.turn(budget.guard.session(agent="a"), 1)


def test_a_hook_that_fails_changes_nothing(guard_by, caplog):
    def fail(alert):
        raise RuntimeError("the pager is broken")

    guard = guard_by(POLICY, on_alert=fail)
    principal = {"id": "u1", "tenant": "acme"}
    with guard.session("s1", agent="a", principal=principal):
        request = Request(
            stage="model_request",
            model="gpt-4o-mini",
            agent="a",
            session="s1",
            principal=principal,
        )
        guard.enforce(request)
        guard.record_usage(model="gpt-4o-mini", input_tokens=9000, output_tokens=0)
        guard.enforce(request)
    assert "the alert hook" in caplog.text
