"""From files to policies: everything that is wrong, in one error."""

from policy_engine.loader.files import read_texts
from policy_engine.loader.loader import load, load_texts

__all__ = ["load", "load_texts", "read_texts"]
