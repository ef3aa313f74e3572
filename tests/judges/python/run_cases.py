"""Runs cases of unittest and prints one line of JSON for each.

run_cases.py list MODULE...   {"case": id}
run_cases.py run ID...        {"case": id, "passed": bool, "detail": text}
"""

import json
import logging
import sys
import unittest


def cases_in(tests):
    for test in tests:
        if isinstance(test, unittest.TestSuite):
            yield from cases_in(test)
        else:
            yield test


class Lines(unittest.TestResult):
    """A case may report several parts; it passed when none of them failed."""

    def __init__(self):
        super().__init__()
        self.failed = {}

    def _fail(self, test, text):
        self.failed.setdefault(test.id(), []).append(text)

    def addError(self, test, err):
        self._fail(test, self._exc_info_to_string(err, test))

    addFailure = addError

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self._fail(test, f"{subtest}\n{self._exc_info_to_string(err, test)}")

    def addSkip(self, test, reason):
        self._fail(test, f"skipped: {reason}")

    def addUnexpectedSuccess(self, test):
        self._fail(test, "it passed, and the suite expects a failure")


def list_cases(modules):
    for test in cases_in(unittest.defaultTestLoader.loadTestsFromNames(modules)):
        print(json.dumps({"case": test.id()}))


def run_cases(names):
    # The suites log every request.
    logging.disable(logging.CRITICAL)
    lines = Lines()
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    suite.run(lines)
    # An error of a class's setup has the id "setUpClass (module.Class)", and the class's cases do not run.
    of_classes = {name[name.index("(") + 1 : -1]: texts for name, texts in lines.failed.items() if "(" in name}
    for name in names:
        texts = lines.failed.get(name, []) + of_classes.get(name.rpartition(".")[0], [])
        print(json.dumps({"case": name, "passed": not texts, "detail": "\n".join(texts)}), flush=True)


if __name__ == "__main__":
    sys.path.insert(0, "")
    {"list": list_cases, "run": run_cases}[sys.argv[1]](sys.argv[2:])
