"""Reads a topic from its beginning to where it ends now."""

import json

from google.protobuf.json_format import MessageToDict
from any_broker import (
    Failure,
    admin,
    admin_service,
    log,
    log_service,
    on_any_broker,
    read_arguments,
    run,
)

arguments = read_arguments()

# How far each partition was read.
positions = {}


def partitions_of(channel, progress):
    request = admin.DescribeTopicRequest(name=arguments.topic)
    topic = admin_service.AdminStub(channel).DescribeTopic(request, timeout=5)
    return [each.partition for each in topic.partitions]


def read_to_end(channel, progress):
    """Goes on from `positions`, wherever an earlier attempt broke off."""
    request = log.ConsumeRequest(
        partitions=[
            log.ConsumePartition(topic=arguments.topic, partition=partition, start=start)
            for partition, start in positions.items()
        ],
        # Without it the stream goes on for ever, with what comes as it comes.
        stop_at_end=True,
    )
    for response in log_service.LogStub(channel).Consume(request):
        if response.HasField("error"):
            raise Failure.of_error(response.error)
        progress()
        for record in response.records:
            print(text_of(response.partition, record))
        positions[response.partition] = log.StartPosition(offset=response.next_offset)


def text_of(partition, record):
    return json_of(partition, record) if arguments.json else line_of(partition, record)


def line_of(partition, record):
    key = record.key.decode() if record.HasField("key") else "null"
    value = record.value.decode() if record.HasField("value") else "null"
    names = ",".join(header.key for header in record.headers)
    return f"{partition}/{record.offset} {key} = {value} [{names}]"


def json_of(partition, record):
    """The record in protobuf's JSON mapping, as tools such as grpcurl print it: bytes as base64."""
    return json.dumps({"partition": partition, **MessageToDict(record)})


def program():
    for partition in on_any_broker(arguments.brokers, partitions_of):
        positions[partition] = log.StartPosition(earliest=True)
    on_any_broker(arguments.brokers, read_to_end)


run(program)
