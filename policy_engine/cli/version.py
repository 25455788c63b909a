"""Which version is installed."""

from importlib.metadata import PackageNotFoundError, version

__all__ = ["installed"]


def installed() -> str:
    """Return the version of the installed package."""
    try:
        return version("policy-engine")
    except PackageNotFoundError:
        return "(not installed)"
