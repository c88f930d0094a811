"""Driver of confluent-kafka-python. Its argument: the brokers to begin with."""

import sys
import time

import confluent_kafka
from calls import MemberThread, serve, to_bytes, to_text
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

WAIT_S = 30


class Driver:
    def __init__(self, bootstrap):
        self._base = {"bootstrap.servers": bootstrap, "client.id": "conformance"}
        self._admin = AdminClient(self._base)
        self._producers = {}
        self._members = {}

    def _close(self):
        for member in self._members.values():
            member.close()

    def createTopic(self, topic, options):
        new = NewTopic(
            topic,
            num_partitions=options["partitions"],
            replication_factor=options.get("replicas", -1),
            config=options.get("configs", {}),
        )
        self._admin.create_topics([new])[topic].result(WAIT_S)

    def deleteTopic(self, topic):
        self._admin.delete_topics([topic])[topic].result(WAIT_S)

    def topics(self):
        return list(self._admin.list_topics(timeout=WAIT_S).topics)

    def partitionCount(self, topic):
        return len(self._admin.list_topics(topic, timeout=WAIT_S).topics[topic].partitions)

    def addPartitions(self, topic, count):
        self._admin.create_partitions([NewPartitions(topic, count)])[topic].result(WAIT_S)

    def configOf(self, topic, name):
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
        return self._admin.describe_configs([resource])[resource].result(WAIT_S)[name].value

    def setConfig(self, topic, name, value):
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic, set_config={name: value})
        self._admin.alter_configs([resource])[resource].result(WAIT_S)

    def groups(self):
        return [group.id for group in self._admin.list_groups(timeout=WAIT_S)]

    def describeGroup(self, group):
        found = self._admin.list_groups(group, timeout=WAIT_S)[0]
        return {"state": found.state, "members": len(found.members)}

    def offsets(self, topic, partition):
        consumer = self._reader("offsets")
        first, end = watermarks(consumer, TopicPartition(topic, partition))
        consumer.close()
        return {"first": first, "end": end}

    def offsetAt(self, topic, partition, timestamp_ms):
        consumer = self._reader("offset-at")
        wanted = TopicPartition(topic, partition, timestamp_ms)
        found = consumer.offsets_for_times([wanted], WAIT_S)[0].offset
        consumer.close()
        return found

    def committed(self, group, topic, partitions):
        consumer = self._reader(group)
        found = consumer.committed([TopicPartition(topic, each) for each in partitions], WAIT_S)
        consumer.close()
        return [each.offset for each in found]

    def produce(self, topic, partition, records, options):
        more = {"compression.type": options.get("codec", "none"), "acks": options.get("acks", "all")}
        self._send(Producer({**self._base, **more}), topic, partition, records)

    def open_producer(self, options):
        idempotence = {"enable.idempotence": options["isIdempotent"]}
        self._producers[len(self._producers)] = Producer({**self._base, **idempotence})
        return len(self._producers) - 1

    def send(self, producer, topic, partition, records):
        self._send(self._producers[producer], topic, partition, records)

    def close_producer(self, producer):
        self._producers[producer].flush(WAIT_S)

    def read(self, topic, partition, options):
        consumer = self._reader("read")
        consumer.assign([TopicPartition(topic, partition, options["from"])])
        records = []
        deadline = time.monotonic() + 60
        while len(records) < options["count"]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(records)} records came in time")
            records += [record_of(each) for each in consumer.consume(options["count"], 0.2)]
        consumer.close()
        return records[: options["count"]]

    def open_member(self, group, topic, member):
        consumer = Consumer({**self._base, "group.id": group, "auto.offset.reset": "earliest"})
        consumer.subscribe([topic])

        # One by one: `consume` of this version may lose what it has gathered when a rebalance comes.
        def records(each):
            message = each.poll(0.1)
            return [] if message is None else [record_of(message)]

        self._members[member] = MemberThread(consumer, records, Consumer.close, member)

    def close_member(self, member):
        self._members[member].close()

    def _reader(self, group):
        more = {"group.id": group, "enable.auto.commit": False, "auto.offset.reset": "error"}
        return Consumer({**self._base, **more})

    def _send(self, producer, topic, partition, records):
        failures = []

        def delivered(error, _message):
            if error is not None:
                failures.append(str(error))

        for record in records:
            timestamp = record.get("timestampMs")
            producer.produce(
                topic,
                partition=partition,
                key=to_bytes(record["key"]),
                value=to_bytes(record["value"]),
                headers=[(name, to_bytes(value)) for name, value in record["headers"]],
                on_delivery=delivered,
                **({} if timestamp is None else {"timestamp": timestamp}),
            )
        if producer.flush(WAIT_S) > 0:
            raise TimeoutError("records were not delivered in time")
        if failures:
            raise RuntimeError(failures[0])


def watermarks(consumer, partition):
    """The broker that is asked may hear of a new topic a moment after another has made it."""
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            return consumer.get_watermark_offsets(partition, WAIT_S)
        except confluent_kafka.KafkaException as error:
            is_new = error.args[0].code() == confluent_kafka.KafkaError._UNKNOWN_PARTITION
            if not is_new or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def record_of(message):
    if message.error():
        raise confluent_kafka.KafkaException(message.error())
    return {
        "offset": message.offset(),
        "key": to_text(message.key()),
        "value": to_text(message.value()),
        "headers": [[name, to_text(value)] for name, value in message.headers() or []],
        "timestampMs": message.timestamp()[1],
    }


# Later versions than Debian's have them: then the tests do not skip them.
if hasattr(AdminClient, "delete_consumer_groups"):

    def deleteGroup(self, group):
        self._admin.delete_consumer_groups([group])[group].result(WAIT_S)

    Driver.deleteGroup = deleteGroup

if hasattr(AdminClient, "delete_records"):

    def deleteRecords(self, topic, partition, before):
        wanted = TopicPartition(topic, partition, before)
        self._admin.delete_records([wanted])[wanted].result(WAIT_S)

    Driver.deleteRecords = deleteRecords

if __name__ == "__main__":
    if sys.argv[1] == "--version":
        libraries = f"{confluent_kafka.version()[0]} (librdkafka {confluent_kafka.libversion()[0]})"
        print(libraries)
    else:
        serve(Driver(sys.argv[1]))
