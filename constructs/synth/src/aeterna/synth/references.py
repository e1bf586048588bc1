"""References to what a resource will know once it exists: typed attributes, and paths into nested ones."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Generic, NoReturn, Protocol, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from aeterna.synth._cdk import IResolvable

T_co = TypeVar("T_co", covariant=True)


class Referable(Protocol):
    """An element of a stack whose attributes can be referred to: a resource or a data source."""

    @property
    def terraform_resource_type(self) -> str:
        """Terraform's name of its type."""
        ...

    @property
    def friendly_unique_id(self) -> str:
        """The second half of its address."""
        ...

    def get_string_attribute(self, terraform_attribute: str, /) -> str:
        """Return a placeholder of a string."""
        ...

    def get_number_attribute(self, terraform_attribute: str, /) -> float:
        """Return a placeholder of a number."""
        ...

    def get_boolean_attribute(self, terraform_attribute: str, /) -> IResolvable:
        """Return a placeholder of a boolean."""
        ...

    def get_list_attribute(self, terraform_attribute: str, /) -> list[str]:
        """Return a placeholder of a list of strings."""
        ...

    def get_number_list_attribute(self, terraform_attribute: str, /) -> list[float]:
        """Return a placeholder of a list of numbers."""
        ...

    def get_string_map_attribute(self, terraform_attribute: str, /) -> Mapping[str, str]:
        """Return a placeholder of a map of strings."""
        ...

    def interpolation_for_attribute(self, terraform_attribute: str, /) -> IResolvable:
        """Return an expression of any type."""
        ...


class Lowers(ABC):
    """A value that knows its own form for the engine."""

    __slots__ = ()

    @abstractmethod
    def __lower__(self, path: str) -> object:
        """Return that form; ``path`` names the value in errors. Named so that no attribute of a provider hides it."""


class Ref(Lowers):
    """A path into a nested attribute, such as ``cluster.vpc_config[0].cluster_security_group_id``.

    Give it to an argument as it is, or take a string of it with ``str()``, a number, list or map with the functions of
    ``aeterna.synth.expressions``. Its length and its value are known only once the resource exists.
    """

    __slots__ = ("_element", "_path")

    def __init__(self, element: Referable, path: str) -> None:
        self._element = element
        self._path = path

    def __getattr__(self, name: str) -> Ref:
        # Python and jsii look for protocol members on every object: those are never Terraform's.
        if name.startswith("__"):
            raise AttributeError(name)
        return Ref(self._element, f"{self._path}.{name}")

    def __getitem__(self, key: int | str) -> Ref:
        step = str(key) if isinstance(key, int) else f'"{key}"'
        return Ref(self._element, f"{self._path}[{step}]")

    def __str__(self) -> str:
        return self._element.get_string_attribute(self._path)

    def __repr__(self) -> str:
        return f"<Ref {self._path}>"

    def __where__(self) -> tuple[Referable, str]:
        """Return the element and the path in it, named for the same reason as ``__lower__``."""
        return self._element, self._path

    def __lower__(self, path: str) -> IResolvable:
        """Return the expression itself."""
        return self._element.interpolation_for_attribute(self._path)

    def __iter__(self) -> NoReturn:
        raise TypeError(f"the length of {self._path} is known only at apply: index it, or use a TerraformIterator")

    def __len__(self) -> NoReturn:
        raise TypeError(f"the length of {self._path} is known only at apply: use Fn.length_of")

    def __bool__(self) -> NoReturn:
        raise TypeError(f"the value of {self._path} is known only at apply: use Terraform's conditional expression")


class Attribute(Generic[T_co]):
    """A descriptor: the placeholder of one attribute, made on first use and kept, named as the class names it."""

    __slots__ = ("_key", "_name")
    _method: ClassVar[str]

    def __init__(self, name: str | None = None) -> None:
        """Take Terraform's name where Python's has to differ."""
        self._name = name or ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._key = name
        self._name = self._name or name

    @overload
    def __get__(self, element: None, owner: type | None = None) -> Self: ...
    @overload
    def __get__(self, element: object, owner: type | None = None) -> T_co: ...
    def __get__(self, element: object | None, owner: type | None = None) -> Self | T_co:
        """Return the placeholder; keeping it in the instance under the same name shadows this descriptor."""
        if element is None:
            return self
        value: T_co = getattr(element, self._method)(self._name)
        element.__dict__[self._key] = value
        return value


class StringAttribute(Attribute[str]):
    """A string."""

    __slots__ = ()
    _method = "get_string_attribute"


class NumberAttribute(Attribute[float]):
    """A number. Its placeholder is a number that means nothing: never put it into an f-string."""

    __slots__ = ()
    _method = "get_number_attribute"


class BooleanAttribute(Attribute["IResolvable"]):
    """A boolean."""

    __slots__ = ()
    _method = "get_boolean_attribute"


class StringListAttribute(Attribute[list[str]]):
    """A list or set of strings."""

    __slots__ = ()
    _method = "get_list_attribute"


class NumberListAttribute(Attribute[list[float]]):
    """A list or set of numbers."""

    __slots__ = ()
    _method = "get_number_list_attribute"


class StringMapAttribute(Attribute["Mapping[str, str]"]):
    """A map of strings."""

    __slots__ = ()
    _method = "get_string_map_attribute"


class NestedAttribute(Attribute[Ref]):
    """Anything nested: a path to walk."""

    __slots__ = ()
    _method = "reference"
