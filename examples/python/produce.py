"""Streams records to a topic and prints where each was stored."""

from any_broker import Failure, log, log_service, on_any_broker, read_arguments, run

# One request is one batch per partition on disk: a few records or a few thousand, as you like.
RECORDS_PER_REQUEST = 20

arguments = read_arguments()


def record_of(number):
    """Every tenth without key; some values absent (deletes on a compacted topic), some empty."""
    record = log.Record(
        headers=[
            log.Header(key="source", value=b"python"),
            log.Header(key="number", value=number.to_bytes(4, "big")),
            log.Header(key="note"),
        ]
    )
    # Absent means null; an empty key or value is not null.
    if number % 10 != 9:
        record.key = f"user-{number % 10}".encode()
    if number % 25 != 24:
        record.value = b"" if number % 25 == 12 else f"record {number} ✓".encode()
    return record


# What is not acknowledged, by number.
pending = {number: record_of(number) for number in range(arguments.count)}


def send_pending(channel, progress):
    """
    One stream with everything pending; raises while some of it was not stored.

    Plain records are stored at least once: when a connection breaks before the answer, nobody knows
    whether they were stored, and sending them again may store them twice, behind younger ones.
    Whoever needs exactly once sends encoded batches with sequence numbers.
    """
    numbers = list(pending)
    chunks = [
        numbers[at : at + RECORDS_PER_REQUEST]
        for at in range(0, len(numbers), RECORDS_PER_REQUEST)
    ]
    # No partition: the broker takes the one that each key chooses.
    requests = (
        log.ProduceRequest(
            correlation_id=correlation_id,
            topic=arguments.topic,
            records=[pending[number] for number in chunk],
        )
        for correlation_id, chunk in enumerate(chunks)
    )
    refusal = None
    for response in log_service.LogStub(channel).ProduceStream(requests):
        # Answers may come in another order than the requests: the correlation id tells them apart.
        chunk = chunks[response.correlation_id]
        if response.HasField("error"):
            refusal = retriable(response.error)
            continue
        # The records of one request may go to several partitions, and some of those may fail.
        for number, position in zip(chunk, response.positions):
            if position.HasField("error"):
                refusal = retriable(position.error)
                continue
            del pending[number]
            progress()
            print(f"record {number} -> partition {position.partition} offset {position.offset}")
    if refusal:
        raise refusal


def retriable(error):
    """What was refused is sent again on the next stream, unless that cannot help."""
    if not error.retriable:
        raise Failure.of_error(error)
    return Failure.of_error(error)


run(lambda: on_any_broker(arguments.brokers, send_pending))
