"""Tests of policies inside a pytest run: the ini option `policy_engine_tests` names them.

Each test of a file is an item. Nothing of policy-engine is imported before a file is collected,
so that a suite without such tests pays nothing.
"""

from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from policy_engine.testing.run import Result

__all__ = ["PolicyFailedError", "PolicyTest", "PolicyTestFile"]

_OPTION = "policy_engine_tests"
_ENDINGS = frozenset({".yaml", ".yml"})


class PolicyFailedError(Exception):
    """A test of policies did not come as expected."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option that names test files."""
    parser.addini(
        _OPTION,
        "files and folders with tests of policies, as `policy-engine test` takes them",
        type="paths",
        default=[],
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "PolicyTestFile | None":
    """Collect the test files that the option names, below the paths that pytest looks at."""
    if file_path.suffix not in _ENDINGS:
        return None
    named: list[Path] = parent.config.getini(_OPTION)
    for path in named:
        if file_path == path or path in file_path.parents:
            return PolicyTestFile.from_parent(parent, path=file_path)
    return None


class PolicyTestFile(pytest.File):
    """A file with tests of policies."""

    def collect(self) -> Iterator["PolicyTest"]:
        """Read the file and the policy set that it tests; one fault keeps all from running."""
        reading = import_module("policy_engine.testing.reading")
        errors = import_module("policy_engine.errors")
        try:
            loaded = reading.read_suites([str(self.path)])
        except errors.PolicyError as error:
            raise self.CollectError(str(error)) from None
        engine_of = import_module("policy_engine.engine").Engine
        prices_of = import_module("policy_engine.testing.replay").prices_of
        for suite in loaded.suites:
            engine = engine_of(loaded.policies[suite.policies])
            prices = prices_of(engine.compiled)
            for case in suite.cases:
                yield PolicyTest.from_parent(
                    self, name=case.name, engine=engine, prices=prices, case=case
                )


class PolicyTest(pytest.Item):
    """One test of policies."""

    def __init__(self, *, engine: Any, prices: Any, case: Any, **others: Any) -> None:
        super().__init__(**others)
        self._engine = engine
        self._prices = prices
        self._case = case

    def runtest(self) -> None:
        """Decide its requests.

        Raises:
            PolicyFailedError: One of them came otherwise than expected.
        """
        run_case = import_module("policy_engine.testing.run").run_case
        result: Result = run_case(self._engine, self._prices, self._case)
        if not result.passed:
            raise PolicyFailedError("\n".join(_told(result)))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Say what came instead; a traceback would show only this plugin."""
        if isinstance(excinfo.value, PolicyFailedError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Point at the test in its file."""
        return self.path, self._case.location.line - 1, self.name


def _told(result: "Result") -> Iterable[str]:
    failure_lines = import_module("policy_engine.testing.output.lines").failure_lines
    for failure in result.failures:
        yield f"{failure.location}: {result.case.name}"
        yield from (f"  {line}" for line in failure_lines(result, failure))
