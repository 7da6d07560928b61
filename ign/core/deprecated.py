"""Deprecated module names of version 0.1, which import the new modules with a warning."""

__all__ = ["MOVED", "install", "renamed", "renamed_method"]

import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

MOVED = {
    "ign.card": "ign.evaluate.card",
    "ign.demo": "ign.figures.demo",
    "ign.density": "ign.objective.match",
    "ign.distance": "ign.objective.distance",
    "ign.files": "ign.core.files",
    "ign.hub": "ign.io.hub",
    "ign.page": "ign.view.html",
    "ign.pictures": "ign.view.pictures",
    "ign.plots": "ign.view.plots",
    "ign.pretrained": "ign.io.packaged",
    "ign.processes": "ign.core.processes",
    "ign.random": "ign.core.random",
    "ign.saved": "ign.io.format",
    "ign.stream": "ign.view.stream",
    "ign.terminal": "ign.core.terminal",
    "ign.video": "ign.view.video",
}
"""The new name of each module of version 0.1."""


class _Moved(MetaPathFinder, Loader):
    """Imports a module under its old name."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name in MOVED else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        new = MOVED[spec.name]
        warnings.warn(
            f"{spec.name} is now {new}; the old name will be removed in version 0.3",
            DeprecationWarning,
            stacklevel=2,  # frames of the import system are skipped
        )
        module, source = ModuleType(spec.name, f"Moved to {new}."), import_module(new)
        vars(module).update({k: v for k, v in vars(source).items() if k[:2] != "__"})
        vars(module)["__getattr__"] = partial(
            getattr, source
        )  # attributes that are created on first use
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: the module was filled when it was created."""


def install() -> None:
    """Make the old names importable; further calls have no effect."""
    if not any(isinstance(finder, _Moved) for finder in sys.meta_path):
        sys.meta_path.append(_Moved())


def renamed(module: str, name: str, names: Mapping[str, str]) -> Any:
    """Return the attribute that was renamed, for use in a module's ``__getattr__``.

    Args:
        module: The module's ``__name__``.
        name: The attribute that is missing.
        names: A mapping from old names to new names.

    Raises:
        AttributeError: The name is not an old name.
    """
    if name not in names:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    new = names[name]
    warnings.warn(
        f"{module}.{name} is now {module}.{new}; the old name will be removed in version 0.3",
        DeprecationWarning,
        stacklevel=3,
    )
    return getattr(sys.modules[module], new)


def renamed_method(old: str, new: str) -> Callable[..., Any]:
    """Return a method that warns and calls the method with the new name.

    Args:
        old: The old name, with its class, for the warning.
        new: The name of the method now.
    """

    def method(self: Any, *args: Any, **options: Any) -> Any:
        warnings.warn(
            f"{old} is now {new}; the old name will be removed in version 0.3",
            DeprecationWarning,
            stacklevel=2,
        )
        return getattr(self, new)(*args, **options)

    method.__doc__ = f"Deprecated; use :meth:`{new}`."
    return method
