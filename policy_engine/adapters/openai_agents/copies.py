"""Copies of agents of whatever class, without what their classes do when one is made."""

import inspect
from types import MemberDescriptorType
from typing import Any, TypeVar

from agents import Agent

__all__ = ["copied", "is_computed", "put"]

A = TypeVar("A", bound=Agent[Any])


def copied(agent: Agent[Any], kind: type[A]) -> A:
    """Return an agent of a subclass of its class, with all that it has.

    Nothing of the class is called: one that makes its agents of other arguments, keeps more than
    fields, or lets nothing be set, is copied like any other.
    """
    made = object.__new__(kind)
    vars(made).update(vars(agent))
    for each in type(agent).__mro__:
        for member in vars(each).values():
            if isinstance(member, MemberDescriptorType):
                _copy_slot(member, agent, made)
    return made


def put(agent: Agent[Any], name: str, value: object) -> bool:
    """Set a field of a copy; whether it has that value from now on."""
    try:
        object.__setattr__(agent, name, value)
        return getattr(agent, name) is value
    except Exception:  # noqa: BLE001 - whatever a property raises
        return False


def is_computed(agent: Agent[Any], name: str) -> bool:
    """Whether an agent's class has something else than a plain field."""
    return hasattr(inspect.getattr_static(type(agent), name, None), "__set__")


def _copy_slot(member: MemberDescriptorType, agent: Agent[Any], made: Agent[Any]) -> None:
    try:
        value = member.__get__(agent)
    except AttributeError:
        return  # nothing stands there
    member.__set__(made, value)
