"""What every resource's body may have; a noun's own fields lie beside the noun.

Source: the published contract from 2022-02-01-preview on. Values that the service checks by rule, such as
enums, are left to the noun's rules, whose messages say more.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

Json = dict[str, Any]
Scalar = str | int | float | bool | None
# Tags and properties: text in the contract, but Azure takes any scalar and keeps its text.
Words = dict[str, Scalar] | None
Objects = dict[str, dict[str, Any] | None] | None
Object = dict[str, Any] | None


class Strict(BaseModel):
    """Fields have exactly the types declared, or are null or absent; what is not declared passes as it is."""

    model_config = ConfigDict(
        strict=True, extra="allow", alias_generator=to_camel, protected_namespaces=(), defer_build=True
    )

    @model_validator(mode="before")
    @classmethod
    def _check_object(cls, value: Any) -> Any:
        # FastAPI lets pydantic read attributes of any object, which is no JSON.
        if not isinstance(value, dict | cls):
            message = "Input should be a valid dictionary or instance of {name}"
            raise PydanticCustomError("model_type", message, {"name": cls.__name__})
        return value

    def sent(self) -> Json:
        """The JSON as the client sent it, undeclared fields included."""
        return self.model_dump(by_alias=True, exclude_unset=True)


def _present(value: Any) -> Any:
    if value is None:
        raise PydanticCustomError("missing", "Field required")
    return value


_Fields = TypeVar("_Fields")
# A field that a PUT needs: `properties: Required[JobProperties]`; null is refused as if it were absent.
Required = Annotated[_Fields, BeforeValidator(_present)]


class Sku(Strict):
    """``sku`` of a resource."""

    name: str | None = None
    capacity: int | None = None


class Resource(Strict):
    """What every body may have beside its properties."""

    location: str | None = None
    kind: str | None = None
    tags: Words = None
    identity: Object = None
    sku: Sku | None = None


class Common(Strict):
    """What most properties have."""

    description: str | None = None
    tags: Words = None
    properties: Words = None
    is_archived: bool | None = None
