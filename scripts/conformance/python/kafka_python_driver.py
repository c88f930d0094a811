"""Driver of kafka-python. Its argument: the brokers to begin with."""

import sys
import time

import kafka
from calls import Lacks, MemberThread, serve, to_bytes, to_text
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic

WAIT_S = 30


class Driver:
    def __init__(self, bootstrap):
        self._bootstrap = bootstrap.split(",")
        self._base = {"bootstrap_servers": self._bootstrap, "client_id": "conformance"}
        self._admin = KafkaAdminClient(**self._base)
        self._producers = {}
        self._members = {}

    def _close(self):
        for member in self._members.values():
            member.close()
        self._admin.close()

    def createTopic(self, topic, options):
        new = NewTopic(
            topic,
            num_partitions=options["partitions"],
            replication_factor=options.get("replicas", 3),
            topic_configs=options.get("configs", {}),
        )
        self._admin.create_topics([new])

    def deleteTopic(self, topic):
        self._admin.delete_topics([topic])

    def topics(self):
        return self._admin.list_topics()

    def partitionCount(self, topic):
        return len(self._admin.describe_topics([topic])[0]["partitions"])

    def addPartitions(self, topic, count):
        self._admin.create_partitions({topic: NewPartitions(count)})

    def configOf(self, topic, name):
        resource = ConfigResource(ConfigResourceType.TOPIC, topic)
        (answer,) = self._admin.describe_configs([resource])
        for entry in answer.resources[0][4]:
            if entry[0] == name:
                return entry[1]
        raise KeyError(name)

    def setConfig(self, topic, name, value):
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, configs={name: value})
        self._admin.alter_configs([resource])

    def groups(self):
        return [group for group, _ in self._admin.list_consumer_groups()]

    def describeGroup(self, group):
        (found,) = self._admin.describe_consumer_groups([group])
        return {"state": found.state, "members": len(found.members)}

    def deleteGroup(self, group):
        ((_, error),) = self._admin.delete_consumer_groups([group])
        if error is not kafka.errors.NoError:
            raise error()

    def offsets(self, topic, partition):
        consumer = KafkaConsumer(**self._base)
        wanted = TopicPartition(topic, partition)
        first = consumer.beginning_offsets([wanted])[wanted]
        end = consumer.end_offsets([wanted])[wanted]
        consumer.close()
        return {"first": first, "end": end}

    def offsetAt(self, topic, partition, timestamp_ms):
        consumer = KafkaConsumer(**self._base)
        wanted = TopicPartition(topic, partition)
        found = consumer.offsets_for_times({wanted: timestamp_ms})[wanted].offset
        consumer.close()
        return found

    def committed(self, group, topic, partitions):
        found = self._admin.list_consumer_group_offsets(group)
        return [found[TopicPartition(topic, each)].offset for each in partitions]

    def produce(self, topic, partition, records, options):
        codec = options.get("codec", "none")
        more = {"compression_type": None if codec == "none" else codec}
        try:
            producer = KafkaProducer(**self._base, **more, acks=options.get("acks", "all"))
        except AssertionError as error:
            raise Lacks(str(error)) from error
        self._send(producer, topic, partition, records)
        producer.close(WAIT_S)

    def open_producer(self, options):
        if options["isIdempotent"]:
            raise Lacks(f"kafka-python {kafka.__version__} has no idempotent producer")
        self._producers[len(self._producers)] = KafkaProducer(**self._base, acks="all", retries=5)
        return len(self._producers) - 1

    def send(self, producer, topic, partition, records):
        self._send(self._producers[producer], topic, partition, records)

    def close_producer(self, producer):
        self._producers[producer].close(WAIT_S)

    def read(self, topic, partition, options):
        consumer = KafkaConsumer(**self._base)
        wanted = TopicPartition(topic, partition)
        consumer.assign([wanted])
        consumer.seek(wanted, options["from"])
        records = []
        deadline = time.monotonic() + 60
        while len(records) < options["count"]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(records)} records came in time")
            records += polled(consumer, 200)
        consumer.close()
        return records[: options["count"]]

    def open_member(self, group, topic, member):
        consumer = KafkaConsumer(
            topic, **self._base, group_id=group, auto_offset_reset="earliest"
        )

        def records(each):
            return polled(each, 100)

        self._members[member] = MemberThread(consumer, records, KafkaConsumer.close, member)

    def close_member(self, member):
        self._members[member].close()

    def _send(self, producer, topic, partition, records):
        sent = [
            producer.send(
                topic,
                partition=partition,
                key=to_bytes(record["key"]),
                value=to_bytes(record["value"]),
                headers=[(name, to_bytes(value)) for name, value in record["headers"]],
                timestamp_ms=record.get("timestampMs"),
            )
            for record in records
        ]
        producer.flush(WAIT_S)
        for each in sent:
            each.get(WAIT_S)


def polled(consumer, wait_ms):
    batches = consumer.poll(wait_ms).values()
    return [record_of(record) for batch in batches for record in batch]


def record_of(record):
    return {
        "offset": record.offset,
        "key": to_text(record.key),
        "value": to_text(record.value),
        "headers": [[name, to_text(value)] for name, value in record.headers],
        "timestampMs": record.timestamp,
    }


if __name__ == "__main__":
    if sys.argv[1] == "--version":
        print(kafka.__version__)
    else:
        serve(Driver(sys.argv[1]))
