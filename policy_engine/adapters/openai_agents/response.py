"""All that can be read in a model's response, judged before anything of it is acted on."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from policy_engine.adapters.openai_agents.parts import decided_plain, decided_texts
from policy_engine.adapters.openai_agents.scope import about
from policy_engine.adapters.openai_agents.texts import Part, parts_of_output, with_parts
from policy_engine.adapters.openai_agents.used import judged_uses
from policy_engine.decision import Request
from policy_engine.guard import Guard, GuardSession

__all__ = ["judged_output"]


async def judged_output(
    guard: Guard, session: GuardSession, model: str, output: Iterable[Any]
) -> list[Any]:
    """Return the items of a response as they may be handed on, calls aside.

    What tools of the provider's brought back is judged as their result, and, as everything else
    in a response, as what the model said.

    Raises:
        Denied: Something in it may not.
    """

    def said(text: str) -> Request:
        return about(session, "model_response", model=model, text=text)

    items = await judged_uses(guard, session, model, output)
    changes: dict[Part, str] = {}
    for _, group in itertools.groupby(parts_of_output(items), lambda part: part.whole):
        parts = list(group)
        texts = [part.text for part in parts]
        if parts[0].is_said:
            permitted = await decided_texts(guard, session, model, texts)
        else:
            permitted = [await decided_plain(guard, session, said, text) for text in texts]
        told = zip(parts, permitted, strict=True)
        changes |= {part: text for part, text in told if text != part.text}
    return with_parts(items, changes) if changes else items
