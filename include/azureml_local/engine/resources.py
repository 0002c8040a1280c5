"""Resources that change slowly: accepted at once, settled in the background, ended with their parents.

A noun is a subclass of :class:`Resources`; :func:`azureml_local.long_running.serve` gives it its routes. To
add a noun, say which resources are its parent: a deletion takes the children, and all that belongs to them,
along.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from azureml_local.arm import grammar, schemas
from azureml_local.arm.grammar import ArmError, Json, Scope
from azureml_local.engine.lifecycle import Part
from azureml_local.engine.operations import Family, Operations
from azureml_local.engine.store import Document, Store

Body = TypeVar("Body", bound=schemas.Resource)
Changes = TypeVar("Changes", bound=schemas.Resource)
_TOP = ("location", "tags", "kind", "identity", "sku")


class Begun(NamedTuple):
    """An accepted request: the document as stored, the id of the operation, whether the resource is new."""

    document: Document
    operation: str
    new: bool


class Resources(Part, Generic[Body, Changes]):
    """All resources of one kind.

    Attributes:
        kind: kind of their documents, path segment, and noun of their operations.
        what: their name in messages.
        where: what holds them, in messages.
        path: path parameters that make the key.
        body: model of a PUT's body.
        changes: model of a PATCH's body.
        family: dialect of the answers: ``mfe`` answers PATCH with 202 and a deletion of nothing with 204.
        summaries: what each route does, for the fidelity document: list, get, put, patch, delete.
        private: kinds of further documents of a resource under its key, which no answer shows.
        lists_by_name: whether a list takes ``name``.
    """

    kind: ClassVar[str]
    what: ClassVar[str]
    where: ClassVar[str] = "the workspace"
    path: ClassVar[tuple[str, ...]] = ("name",)
    body: ClassVar[type[schemas.Resource]]
    changes: ClassVar[type[schemas.Resource]]
    family: ClassVar[Family] = "mfe"
    summaries: ClassVar[tuple[str, str, str, str, str]]
    private: ClassVar[tuple[str, ...]] = ()
    lists_by_name: ClassVar[bool] = False

    def __init__(
        self, store: Store, operations: Operations, parent: Resources[Any, Any] | None = None
    ) -> None:
        self._store, self._operations, self._parent = store, operations, parent
        self._children: list[Resources[Any, Any]] = []
        if parent is not None:
            parent._children.append(self)
        for verb, handler in self.handlers().items():
            operations.register(f"{self.kind}.{verb}", handler)

    # What a noun says of itself.

    def handlers(self) -> dict[str, Callable[[str], Awaitable[None]]]:
        """The work of each verb."""
        return {"create": self.settle, "update": self.settle, "delete": self.remove}

    def check_name(self, name: str) -> None:
        """Refuse, by 400, a name that Azure does not take."""
        raise NotImplementedError

    def accept(self, key: str, body: Body, before: Document | None) -> Json:
        """The document that a PUT asks for, without its provisioningState.

        Raises:
            ArmError: 400 for what Azure refuses.
        """
        raise NotImplementedError

    def change(self, document: Document, body: Changes) -> None:
        """Make the changes of a PATCH in the document, or refuse them by 400."""
        raise NotImplementedError

    def verb(self, before: Document | None, document: Json) -> str:
        """The verb that leads from a document, None for a new resource, to another."""
        return "update" if before else "create"

    async def settle(self, key: str) -> None:
        """Bring about what the document says, and set its provisioningState to Succeeded."""
        raise NotImplementedError

    def check_deletion(self, key: str) -> None:
        """Refuse, by 400, a deletion that Azure refuses."""

    async def end(self, key: str) -> None:
        """End what runs for a resource that is being deleted, and delete its files."""

    def busy(self, operation: Document) -> ArmError:
        """The refusal of a change while an operation is under way."""
        return ArmError(
            409,
            "Conflict",
            f"{operation['key']!r} cannot be changed now: its {operation['name'].partition('.')[2]} is going on. "
            "Wait until it has ended.",
            target=operation["key"],
        )

    def render(self, scope: Scope, document: Document) -> Json:
        """A resource as ARM sends it."""
        return grammar.envelope(
            self.arm_id(scope, document.key),
            document["properties"],
            created=document.created,
            modified=document.modified,
            **{field: document.get(field) for field in _TOP},
        )

    def arm_id(self, scope: Scope, key: str) -> str:
        """ARM id of a resource."""
        return scope.child(self.kind, key)

    # What is the same for every noun.

    def find(self, key: str) -> Document:
        """One resource; raises ArmError 404 if there is none, or its parent does not exist."""
        owner, name = self._split(key)
        document = self._store.get(self.kind, key)
        if document is None:
            raise grammar.not_found(self.what, name, self.where.format(owner=owner))
        return document

    def _split(self, key: str) -> tuple[str, str]:
        """Key of the parent, which must exist, and the name below it."""
        owner, _, name = key.rpartition("/")
        if self._parent is not None:
            self._parent.find(owner)
        return owner, name

    def exists(self, key: str) -> bool:
        """Whether there is such a resource."""
        return self._store.get(self.kind, key) is not None

    def below(self, owner: str = "") -> list[Document]:
        """All resources, or those of a parent, oldest first; raises ArmError 404 if there is no such parent."""
        if self._parent is not None:
            self._parent.find(owner)
        return self._all(owner)

    def _all(self, owner: str) -> list[Document]:
        return self._store.list(self.kind, f"{owner}/" if owner else "")

    def children_of(self, key: str) -> list[Document]:
        """All resources that have this one for a parent."""
        return [document for child in self._children for document in child._all(key)]

    def refuse_if_busy(self, key: str) -> None:
        """Refuse, by 409, a change while an operation on the resource or its parent is under way."""
        if self._parent is not None:
            self._parent.refuse_if_busy(key.rpartition("/")[0])
        operation = self._operations.active(self.kind, key)
        if operation is not None:
            raise self.busy(operation)

    def put(self, key: str, body: Body) -> Begun:
        """Begin to create a resource, or to change the one of that name."""
        self.check_name(self._split(key)[1])
        self.refuse_if_busy(key)
        before = self._store.get(self.kind, key)
        document = self.accept(key, body, before)
        document["properties"]["provisioningState"] = "Updating" if before else "Creating"
        if before is None:
            # Whatever an earlier resource of this name may have left must not come back with the new one.
            self._forget(key)
        return self._begin(self.verb(before, document), key, document, new=before is None)

    def patch(self, key: str, body: Changes) -> Begun:
        """Begin to change some fields of a resource."""
        document = self.find(key)
        self.refuse_if_busy(key)
        # Read again: the change is made in place, and the verb follows from both.
        before = self._store.get(self.kind, key)
        self.change(document, body)
        document["properties"]["provisioningState"] = "Updating"
        return self._begin(self.verb(before, document), key, document)

    def delete(self, key: str) -> Begun:
        """Begin to delete a resource."""
        document = self.find(key)
        self.refuse_if_busy(key)
        self.check_deletion(key)
        document["properties"]["provisioningState"] = "Deleting"
        return self._begin("delete", key, document)

    def _begin(self, verb: str, key: str, document: Json, *, new: bool = False) -> Begun:
        stored = self._store.put(self.kind, key, document)
        return Begun(stored, self._operations.begin(f"{self.kind}.{verb}", key), new)

    async def remove(self, key: str) -> None:
        """Delete a resource: first its children, then all that belongs to it, last its own document."""
        for child in self._children:
            for document in child._all(key):
                # Nobody can wait for its end any more, and it may hang for ever.
                await self._operations.abandon(child.kind, document.key)
                await child.remove(document.key)
        await self.end(key)
        self._forget(key)
        # Last: a deletion that is cut short finds it, and begins again.
        self._store.delete(self.kind, key)

    def _forget(self, key: str) -> None:
        for kind in self.private:
            self._store.delete(kind, key)

    def headers(self, scope: Scope, operation: str, *, final: bool = True) -> dict[str, str]:
        """The polling headers; without ``final`` the client polls at ``Location`` alone."""
        return self._operations.headers(scope, operation, self.family, delete=not final)
