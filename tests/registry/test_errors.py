from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from harness.registry import errors
from harness.registry.validation import Diagnostic, Resource

pytestmark = pytest.mark.portable

FAULT = Diagnostic("model_missing_provider", Resource("models", "m"), Resource("providers", "p"), "m names p")
FILE = (Path("fleet.yaml"), 3, "models[0]", "wants text, is 1", "correct it")
EXAMPLES = [
    errors.AlreadyRegisteredError("providers", "p"),
    errors.CloseError("p", "its loop is closed"),
    errors.DrainTimeoutError((1, 3), 0.5),
    errors.ExecutorClosedError("p"),
    errors.RegistryClosedError(),
    errors.ConfirmationRequiredError("providers", "p", 3),
    errors.EntryInUseError("models", "m", "cascade_unused", (), ("pool",), ("a",)),
    errors.ExecutorConflictError("p", 3),
    errors.ExecutorUnavailableError("p", "anthropic"),
    errors.FileAccessError(*FILE),
    errors.FileContentError(*FILE),
    errors.FileReferenceError(*FILE, (FAULT,)),
    errors.FileSyntaxError(*FILE),
    errors.InvalidIdError("model id", ""),
    errors.InvalidSpecError("wants a model, has none", "give it one"),
    errors.MissingExtraError("networkx", "lab"),
    errors.NestedBuildError("registry"),
    errors.NestedUpdateError(),
    errors.NotSavableError("providers/p", "it is an object", "name its kind"),
    errors.MissingVariableError("KEY", "headers.key"),
    errors.NoRunningLoopError("subscribe"),
    errors.NotFoundError("providers", "mial", 9, ("mail",)),
    errors.ProvenanceError("a", 3),
    errors.ProviderInUseError("p", "block_if_referenced", ("m",), (), ("a",)),
    errors.RegistryFileError(*FILE),
    errors.RegistryValidationError((FAULT,)),
    errors.StalePreviewError("models", "m", 2, 3),
    errors.UnknownNodeError("models", "m"),
    errors.VersionConflictError(2, 3),
    errors.VersionNotKeptError(1, 2, 9),
    errors.WrongTypeError("policy", "a policy", "x"),
]


def test_every_error_has_an_example():
    assert {type(example).__name__ for example in EXAMPLES} == set(errors.__all__) - {"RegistryError"}


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_every_error_pickles_with_its_data_and_text(error):
    copy = pickle.loads(pickle.dumps(error))

    assert str(copy) == str(error)
    assert vars(copy) == vars(error)
    assert isinstance(error, errors.RegistryError)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_every_message_is_one_line_in_the_projects_form(error):
    text = str(error)

    assert "\n" not in text
    assert not text.endswith(".")
    assert text[0].islower()


def test_unknown_names_come_with_near_matches_and_the_version():
    assert (
        str(errors.NotFoundError("providers", "mial", 9, ("mail",))) == "no provider 'mial' in version 9; near: 'mail'"
    )
