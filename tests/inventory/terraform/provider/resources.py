"""Databases and customer keys, as Astra's provider describes them to Terraform."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from tf.schema import Attribute, Block, NestedBlock, NestMode, Schema
from tf.types import Bool, List, Map, Number, String

from tests.inventory.terraform.provider.cloud import RefusedError

if TYPE_CHECKING:
    from tests.inventory.terraform.provider.cloud import Cloud

State = dict[str, Any]
"""The attributes of one resource, by name."""

_KEY_ID = re.compile(r"(.*)/cloudProvider/(.*)/region/(.*)/keyId/(.*)")
_CASELESS = "cloud_provider"
_TEXTS = ("id", "owner_id", "organization_id", "status")
_URLS = ("cqlsh_url", "grafana_url", "data_endpoint_url", "graphql_url")
_NUMBERS = {"node_count": 0, "replication_factor": 1, "total_storage": 5}


class _Caseless(String):  # type: ignore[misc]
    """Text whose case does not matter."""

    def semantically_equal(self, a_decoded: object, b_decoded: object) -> bool:
        return str(a_decoded).casefold() == str(b_decoded).casefold()


_Caseless.__name__ = "String"  # the library asks for this name, and else keeps the other spelling


class _Timeouts(NestedBlock):  # type: ignore[misc]
    """The block in which a configuration may set how long to wait."""

    def __init__(self) -> None:
        words = ("create", "read", "update", "delete")
        block = Block([Attribute(word, String(), optional=True) for word in words])
        super().__init__("timeouts", NestMode.Single, block)

    def encode(self, value: object) -> object:
        return value

    def decode(self, value: object) -> object:
        return value

    def semantically_equal(self, a_decoded: object, b_decoded: object) -> bool:
        return a_decoded == b_decoded


def _required(name: str, kind: object, *, forces: bool = True) -> Attribute:
    return Attribute(name, kind, required=True, requires_replace=forces)


def _forcing(name: str) -> Attribute:
    return Attribute(name, String(), optional=True, requires_replace=True)


def _computed(name: str, kind: object) -> Attribute:
    return Attribute(name, kind, computed=True)


class _Resource:
    """What both kinds of resource share."""

    def __init__(self, provider: Any) -> None:  # noqa: ANN401 (it has no type of its own)
        self._provider = provider

    @property
    def cloud(self) -> Cloud:
        cloud: Cloud = self._provider.cloud
        return cloud

    def validate(self, diagnostics: object, type_name: str, config: State) -> None:
        """Accept whatever the schema accepts."""

    def plan(self, context: object, current: State, planned: State) -> State:
        """Keep the provider as Astra spells it, as only its case has changed."""
        same = str(current[_CASELESS]).casefold() == str(planned[_CASELESS]).casefold()
        return planned | ({_CASELESS: current[_CASELESS]} if same else {})


class Database(_Resource):
    """A serverless database, since version 2 of the provider."""

    regions: ClassVar = _required("regions", List(String()), forces=False)

    @classmethod
    def get_name(cls) -> str:
        return "database"

    @classmethod
    def get_schema(cls) -> Schema:
        protection = Attribute(
            "deletion_protection", Bool(), optional=True, computed=True, default=True
        )
        attributes = [_required("name", String()), _required("cloud_provider", _Caseless())]
        attributes += [cls.regions, _forcing("keyspace"), _forcing("db_type"), protection]
        attributes += [_computed(name, String()) for name in (*_TEXTS, *_URLS)]
        attributes += [_computed(name, Number()) for name in _NUMBERS]
        attributes += [_computed("additional_keyspaces", List(String()))]
        attributes += [_computed("datacenters", Map(String()))]
        return Schema(attributes, version=0, block_types=[_Timeouts()])

    def plan(self, context: object, current: State, planned: State) -> State:
        protected = planned["deletion_protection"] is not False  # missing in what was imported
        return super().plan(context, current, planned) | {"deletion_protection": protected}

    def create(self, context: Any, planned: State) -> State | None:  # noqa: ANN401
        wanted = {name: planned[name] for name in ("name", "cloud_provider")}
        try:
            own = self.cloud.create_database(wanted | {"regions": self._regions(planned)})
        except RefusedError as refused:
            context.diagnostics.add_error(f"unexpected create database response: {refused}")
            return None
        return self._state(planned, own)

    def read(self, context: object, current: State) -> State | None:
        own = self.cloud.database(current["id"])
        return None if own is None else self._state(current, own)

    def update(self, context: object, current: State, planned: State) -> State:
        own = self.cloud.move_database(current["id"], self._regions(planned))
        return self._state(planned, own)

    def delete(self, context: Any, current: State) -> State | None:  # noqa: ANN401
        if current["deletion_protection"] is not False:
            context.diagnostics.add_error('"deletion_protection" must be "false"')
            return current
        self.cloud.delete_database(current["id"])
        return None

    def import_(self, context: object, identity: str) -> State:
        names = [one.name for one in self.get_schema().attributes]
        return dict.fromkeys([*names, "timeouts"]) | {"id": identity}

    def _regions(self, planned: State) -> list[str]:
        return list(planned["regions"])

    def _state(self, state: State, own: dict[str, Any]) -> State:
        """Return the attributes as the provider takes them from what Astra lists."""
        identity, provider = own["id"], own["cloud_provider"].upper()
        numbered = enumerate(own["regions"], 1)
        places = {f"{provider}.{region}": f"{identity}-{number}" for number, region in numbered}
        urls = {name: f"https://{identity}.example/{name}" for name in _URLS}
        owner = {"organization_id": own["organization"], "owner_id": own["organization"]}
        names = {"id": identity, "name": own["name"], "cloud_provider": provider}
        rest = {"status": "ACTIVE", "datacenters": places, "additional_keyspaces": []}
        return state | urls | owner | names | rest | _NUMBERS | self._places(own)

    def _places(self, own: dict[str, Any]) -> State:
        return {"regions": own["regions"]}


class FirstDatabase(Database):
    """A serverless database, before version 2 of the provider."""

    regions: ClassVar = _required("region", String())

    def _regions(self, planned: State) -> list[str]:
        return [planned["region"]]

    def _places(self, own: dict[str, Any]) -> State:
        return {"region": own["regions"][0]}


class CustomerKey(_Resource):
    """A customer key, which is never asked for again, and never deleted."""

    @classmethod
    def get_name(cls) -> str:
        return "customer_key"

    @classmethod
    def get_schema(cls) -> Schema:
        attributes = [_required("cloud_provider", _Caseless())]
        attributes += [_required(name, String()) for name in ("region", "key_id")]
        attributes += [_computed(name, String()) for name in ("id", "organization_id")]
        return Schema(attributes, version=0)

    def create(self, context: Any, planned: State) -> State | None:  # noqa: ANN401
        key = {name: planned[name] for name in ("cloud_provider", "region", "key_id")}
        try:
            self.cloud.create_key(key)
        except RefusedError as refused:
            context.diagnostics.add_error(f"Unexpected error creating Customer Key: {refused}")
            return None
        place = f"cloudProvider/{key['cloud_provider']}/region/{key['region']}"
        identity = f"{self.cloud.organization}/{place}/keyId/{key['key_id']}"
        return key | {"id": identity, "organization_id": self.cloud.organization}

    def read(self, context: object, current: State) -> State:
        """Return what its id says; the vendor's provider does not ask Astra, either."""
        return self.import_(context, current["id"])

    def update(self, context: object, current: State, planned: State) -> State:
        return planned

    def delete(self, context: Any, current: State) -> None:  # noqa: ANN401
        detail = "Please open a Support ticket to delete Customer Keys in Astra."
        context.diagnostics.add_warning("Delete of Customer Key resource not supported", detail)

    def import_(self, context: object, identity: str) -> State:
        if (found := _KEY_ID.fullmatch(identity)) is None:
            raise ValueError(identity)
        names = ("organization_id", "cloud_provider", "region", "key_id")
        return {"id": identity, **dict(zip(names, found.groups(), strict=True))}
