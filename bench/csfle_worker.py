"""Runs inside the peer's own environment: field-level encryption, one Avro message a record.

Reads words from standard input: ``ready`` answers the number of records, ``publish`` does one round
and answers how many were acknowledged.
"""

import json
import sys
from pathlib import Path

from confluent_kafka import Producer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import (
    FieldEncryptionExecutor,
)
from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver
from confluent_kafka.serialization import MessageField, SerializationContext

PARTITIONS = 4


def _schema(names: list[str], encrypted: set[str]) -> Schema:
    fields = [
        {"name": name, "type": "string", "confluent:tags": ["PII"] if name in encrypted else []}
        for name in names
    ]
    key = {
        "encrypt.kek.name": "bench",
        "encrypt.kms.type": "local-kms",
        "encrypt.kms.key.id": "bench-key",
    }
    rule = {
        "name": "encrypt",
        "kind": "TRANSFORM",
        "mode": "WRITEREAD",
        "type": "ENCRYPT",
        "tags": ["PII"],
        "params": key,
        "onFailure": "ERROR,NONE",
    }
    return Schema.from_dict(
        {
            "schema": json.dumps({"type": "record", "name": "village", "fields": fields}),
            "schemaType": "AVRO",
            "ruleSet": {"domainRules": [rule]},
        }
    )


def main(bootstrap: str, topic: str, records: Path, fields: str) -> None:
    """Serve rounds until standard input ends."""
    rows = [json.loads(line) for line in records.read_text("utf-8").splitlines()]
    LocalKmsDriver.register()
    RuleRegistry.register_rule_executor(FieldEncryptionExecutor())
    registry = SchemaRegistryClient.new_client({"url": "mock://"})
    registry.register_schema(f"{topic}-value", _schema(list(rows[0]), set(fields.split(","))))
    serialise = AvroSerializer(
        registry,
        None,
        conf={"auto.register.schemas": False, "use.latest.version": True},
        rule_conf={"secret": "of the benchmark only"},
    )
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": 20,
            "batch.size": 1 << 20,
        }
    )
    context = SerializationContext(topic, MessageField.VALUE)
    for word in sys.stdin:
        if word.strip() == "publish":
            for number, row in enumerate(rows):
                producer.produce(topic, serialise(row, context), partition=number % PARTITIONS)
                producer.poll(0)
            if producer.flush(120):
                raise SystemExit("messages were not acknowledged")
        print(len(rows), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4])
