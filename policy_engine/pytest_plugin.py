"""Tests of policies inside a pytest run: the ini option `policy_engine_tests` names them.

Each test of a file is an item. Where pytest is told no paths, they run beside `testpaths`. Nothing
of policy-engine is imported before a file is collected, so that a suite without such tests pays
nothing.
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
_FOLDER = "tests"


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


def pytest_configure(config: pytest.Config) -> None:
    """Look at the named paths: one that holds no tests would pass without a word.

    Raises:
        pytest.UsageError: There is nothing there, or no tests.
    """
    named: list[Path] = config.getini(_OPTION)
    for path in named:
        if not path.exists():
            raise pytest.UsageError(f"{_OPTION}: there is no file or folder {path}")
        if path.is_dir() and not any(_is_test(file, path) for file in path.rglob("*")):
            message = "holds no tests: those are the *.yaml and *.yml files in folders named tests"
            raise pytest.UsageError(f"{_OPTION}: {path} {message}")
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        known = [config.invocation_params.dir / arg for arg in config.args]
        config.args.extend(
            str(path) for path in named if not any(_is_below(path, one) for one in known)
        )


def _is_below(path: Path, other: Path) -> bool:
    return path == other or other in path.parents


def _is_test(file: Path, named: Path) -> bool:
    """Whether a path of the option means a file, as `policy-engine test` takes it."""
    if file.suffix not in _ENDINGS or not _is_below(file, named):
        return False
    return file == named or _FOLDER in (named.name, *file.relative_to(named).parts[:-1])


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "PolicyTestFile | None":
    """Collect the test files that the option names, below the paths that pytest looks at."""
    named: list[Path] = parent.config.getini(_OPTION)
    if any(_is_test(file_path, path) for path in named):
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
        printable = import_module("policy_engine.report.printable").printable
        for suite in loaded.suites:
            engine = engine_of(loaded.policies[suite.policies])
            prices = prices_of(engine.compiled)
            for case in suite.cases:
                # Two colons part the names of a node id, here and in reports.
                name = printable(case.name).replace("::", ": :")
                yield PolicyTest.from_parent(
                    self, name=name, engine=engine, prices=prices, case=case
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
    printable = import_module("policy_engine.report.printable").printable
    for failure in result.failures:
        # What differs comes first: pytest shows the first line only where it sums up.
        lines = list(failure_lines(result, failure))
        lines.insert(len(failure.differences), f"  at {failure.location}")
        yield from map(printable, lines)
