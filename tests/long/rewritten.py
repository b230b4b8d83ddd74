"""Run a test module of CPython with its own code rewritten, outside any task: prints counts as one line of JSON.

Used as ``python -m tests.long.rewritten test.test_with``; hooks are in place and let everything pass. With a second
argument the code runs as it is, to compare with.
"""

from __future__ import annotations

import importlib
import json
import sys
import unittest
import warnings

from harness.instrument import Instrumentation, install_hooks
from tests.instrument.passing import passing_hooks


def main(name: str, *, is_plain: bool) -> None:
    warnings.simplefilter("ignore")
    module = importlib.import_module(name)
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    instrumentation = Instrumentation([module])
    if not is_plain:
        instrumentation.swap_in()
        install_hooks(passing_hooks(instrumentation.sites))
    counts = unittest.TestResult()
    suite.run(counts)
    bad = [(test.id(), text.strip().splitlines()[-1]) for test, text in (*counts.failures, *counts.errors)]
    answer = {"run": counts.testsRun, "skipped": len(counts.skipped), "bad": bad, "sites": len(instrumentation.sites)}
    answer["limits"] = instrumentation.limits
    print(json.dumps(answer), file=sys.__stdout__)


if __name__ == "__main__":
    main(sys.argv[1], is_plain=len(sys.argv) > 2)
