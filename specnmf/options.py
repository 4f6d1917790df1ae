"""Options, each declared once: a field of a class, with its help and bounds.

The command line, configuration files, `specnmf config show`, docs/cli.md, the checks
and the reading of run.json all come from these fields::

    class GateOptions(Options, group="Gate"):
        \"\"\"How a gate works.\"\"\"

        threshold: float = option(-40.0, "Level in dB below which the gate closes.")

A class of options is a group in ``--help``, and its docstring lists them. Classes
combine by inheritance; `changed` gives an inherited option another default or help.

msgspec 0.22 reads these classes too. It would save the twenty lines of `_fits`, but it
accepts unknown names, and its messages do not list the choices.
"""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import (
    Any,
    ClassVar,
    Literal,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
)

from specnmf.checks import (
    check_above,
    check_at_least,
    check_at_most,
    check_between,
    check_choice,
)
from specnmf.errors import ParameterError

#: The groups of options in ``--help``, in their order; others follow.
GROUPS = ("What to do", "Fit", "Transform", "Masks", "Output", "Run")
WHAT, FIT, TRANSFORM, MASKS, OUTPUT, RUN = GROUPS

#: How messages name the values of a type.
WORDS: Mapping[Any, str] = {
    NoneType: "null",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Mapping: "a table whose values are lists of text",
}


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """The properties of an option beside its name, type and default.

    Attributes
    ----------
    help : str
        One line for ``--help``.
    flags : tuple of str
        Flags of the command line; by default ``--the-name``, and ``--no-the-name`` for
        a switch.
    least, above, most : float or None
        Bounds: at least, above, and at most.
    parse : callable or None
        Converts text to a value; by default the type of the option decides.
    metavar : str or None
        What ``--help`` shows for the value.
    shown : str or None
        The default as text, where that differs from ``str(default)``.
    group : str
        The heading in ``--help``.
    added : bool
        Whether older runs exist without the option: where run.json lacks it, ``older``
        counts, or else the default.
    older : object
        What older runs did, if that is not the default.
    """

    help: str
    flags: tuple[str, ...] = ()
    least: float | None = None
    above: float | None = None
    most: float | None = None
    parse: Callable[[Any], Any] | None = None
    metavar: str | None = None
    shown: str | None = None
    group: str = ""
    added: bool = False
    older: Any = None

    def check(self, name: str, value: Any) -> None:
        """Raise ParameterError if a value is out of bounds."""
        if self.most is not None and self.least is not None:
            check_between(name, value, self.least, self.most)
            return
        if self.least is not None:
            check_at_least(name, value, self.least)
        if self.above is not None:
            check_above(name, value, self.above)
        if self.most is not None:
            check_at_most(name, value, self.most)


T = TypeVar("T")
AnyOptions = TypeVar("AnyOptions", bound="Options")


def option(default: T, help: str, **declared: Any) -> T:
    """A field of an `Options` class.

    Parameters
    ----------
    default : object
        The default; a mapping is copied for each object.
    help : str
        One line for ``--help``.
    **declared
        Any other attribute of `Declaration`.
    """
    field: Any = _field(default, Declaration(help=help, **declared))
    return field  # type: ignore[no-any-return]  # dataclass makes it the default


def changed(kind: type[Options], name: str, **changes: Any) -> Any:
    """An option of another class with another default, help or bounds."""
    field = next(each for each in dataclasses.fields(kind) if each.name == name)
    default = changes.pop("default", _default(field))
    return _field(default, dataclasses.replace(declaration(field), **changes))


def _field(default: Any, declared: Declaration) -> Any:
    """A field of a dataclass, with its declaration."""
    metadata = {"option": declared}
    if isinstance(default, dict):
        return dataclasses.field(default_factory=default.copy, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def _default(field: dataclasses.Field[Any]) -> Any:
    """The default of a field."""
    make: Any = field.default_factory
    return field.default if make is dataclasses.MISSING else make()


def declaration(field: dataclasses.Field[Any]) -> Declaration:
    """The declaration of a field."""
    declared: Declaration = field.metadata["option"]
    return declared


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Options:
    """The base of all classes of options: immutable, and checked when made.

    `dataclasses.fields`, ``replace`` and ``asdict`` take its subclasses for
    dataclasses. Their methods are written once here: if `dataclasses` generated them
    for each class, ``--help`` would take half as long again.

    Raises
    ------
    ParameterError
        If a value is not among its choices or out of its bounds.
    """

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def __init_subclass__(cls, *, group: str = WHAT) -> None:
        """Put the class's own options into a group, and describe all of them."""
        super().__init_subclass__()
        for field in vars(cls).values():
            if isinstance(field, dataclasses.Field) and not declaration(field).group:
                declared = dataclasses.replace(declaration(field), group=group)
                field.metadata = {"option": declared}  # type: ignore[assignment]
        _with_fields(cls)
        cls.__doc__ = _documented(cls)

    def __init__(self, **values: Any) -> None:
        for field in dataclasses.fields(self):
            value = values.pop(field.name, _default(field))
            value = tuple(value) if isinstance(value, list) else value  # as JSON has it
            object.__setattr__(self, field.name, value)
        for name in values:
            kind = type(self).__name__
            raise TypeError(f"{kind}() got an unexpected keyword argument {name!r}")
        self.__post_init__()

    def __post_init__(self) -> None:
        """Check the values; a subclass may check how they fit together."""
        hints = hints_of(type(self))
        for field in dataclasses.fields(self):
            value, hint = getattr(self, field.name), hints[field.name]
            if get_origin(hint) is Literal:
                check_choice(field.name, value, get_args(hint))
            elif not _is_word(value, hint):
                declaration(field).check(field.name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__qualname__}({values})"


#: Makes a dataclass of a class, without generated methods.
_with_fields = dataclass(init=False, repr=False, eq=False, match_args=False)
_with_fields(Options)


def _documented(cls: type[Options]) -> str:
    """The docstring of a class of options, with a section that describes them."""
    lines = [inspect.cleandoc(cls.__doc__ or ""), "", "Attributes", "-" * 10]
    for field in dataclasses.fields(cls):
        kind: Any = field.type
        spelled = kind if isinstance(kind, str) else inspect.formatannotation(kind)
        lines += [f"{field.name} : {spelled}", f"    {declaration(field).help}"]
    return "\n".join(lines)


def _is_word(value: object, hint: Any) -> bool:
    """Whether a value is None or a word such as auto, and the type allows that."""
    parts = get_args(hint)
    if value is None:
        return NoneType in parts
    words = (get_args(part) for part in parts if get_origin(part) is Literal)
    return isinstance(value, str) and any(value in own for own in words)


def hints_of(kind: type[Options]) -> dict[str, Any]:
    """The type of each option."""
    hints: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        hints |= _own_hints(base)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


@cache
def _own_hints(cls: type) -> dict[str, Any]:
    """The types that a class itself declares; cached, because reading them is slow."""
    return inspect.get_annotations(cls, eval_str=True)


def from_plain(kind: type[AnyOptions], content: Mapping[str, Any]) -> AnyOptions:
    """Options from plain values, as JSON holds them: inverts `dataclasses.asdict`.

    Parameters
    ----------
    kind : type
        The class of options.
    content : mapping
        A value for each of its options, and nothing else.

    Raises
    ------
    ParameterError
        If a name is unknown or missing, or a value has another type or is out of its
        bounds.
    """
    hints = hints_of(kind)
    for name in content:
        if name not in hints:
            near = difflib.get_close_matches(name[:40], hints, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ParameterError(f"there is no setting {name[:40]!r}{hint}")
    for name in hints:
        if name not in content and name not in added_options(kind):
            raise ParameterError(f"the setting {name!r} is missing")
    check_types(kind, content)
    return kind(**{**added_options(kind), **content})


def added_options(kind: type[Options]) -> dict[str, Any]:
    """The options that runs of older versions may lack, with what those did."""
    return {
        each.name: _default(each) if declared.older is None else declared.older
        for each in dataclasses.fields(kind)
        if (declared := declaration(each)).added
    }


def check_types(kind: type[Options], content: Mapping[str, Any]) -> None:
    """Raise ParameterError if a plain value does not have its option's type."""
    for name, hint in hints_of(kind).items():
        if name in content and not _fits(content[name], hint):
            raise ParameterError(
                f"{name} must be {_spell_type(hint)}, got {_spell(content[name])}"
            )


def _fits(value: object, expected: Any) -> bool:
    """Whether a plain value has the type of an option."""
    origin, parts = get_origin(expected), get_args(expected)
    if origin in (Union, UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is Literal:
        return isinstance(value, str) and value in parts
    if origin is Mapping:
        return isinstance(value, Mapping) and all(
            _fits(name, parts[0]) and _fits(each, parts[1])
            for name, each in value.items()
        )
    if origin is Sequence:
        return isinstance(value, list | tuple) and all(
            _fits(each, parts[0]) for each in value
        )
    if isinstance(value, bool):  # Python takes it for an int
        return expected is bool
    return isinstance(value, int | float if expected is float else expected)


def _spell_type(expected: Any) -> str:
    """The name of the values of a type, for messages."""
    origin, parts = get_origin(expected), get_args(expected)
    if origin in (Union, UnionType):
        return " or ".join(map(_spell_type, parts))
    if origin is Literal:
        return ("one of " if len(parts) > 1 else "") + ", ".join(parts)
    if origin is Sequence:
        return f"a list of {'text' if parts[0] is str else 'whole numbers'}"
    return WORDS[origin or expected]


def _spell(value: object) -> str:
    """A plain value as JSON, cut short because it may be anything."""
    if isinstance(value, list | tuple):
        return "a list"
    return "a table" if isinstance(value, Mapping) else json.dumps(value)[:40]
