"""Streams records to a topic and prints where each was stored."""

import queue

from any_broker import Failure, log, log_service, on_any_broker, read_arguments, run

# One request is one batch per partition on disk: a few records or a few thousand, as you like.
RECORDS_PER_REQUEST = 20
REQUESTS_UNDER_WAY = 16

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
    whether they were stored, and sending them again may store them twice, behind younger ones. What
    is under way bounds how many. Whoever needs exactly once sends encoded batches with sequence
    numbers.
    """
    numbers = list(pending)
    chunks = [
        numbers[at : at + RECORDS_PER_REQUEST]
        for at in range(0, len(numbers), RECORDS_PER_REQUEST)
    ]
    outgoing = queue.SimpleQueue()

    def send(correlation_id):
        if correlation_id < len(chunks):
            outgoing.put(request_of(correlation_id, chunks[correlation_id]))

    for correlation_id in range(REQUESTS_UNDER_WAY):
        send(correlation_id)
    refusal = Failure("UNAVAILABLE", "the stream ended early", retriable=True)
    try:
        answers = log_service.LogStub(channel).ProduceStream(iter(outgoing.get, None))
        # Answers may come in another order than the requests; there is one for each.
        for answered, _ in enumerate(chunks):
            response = next(answers)
            refusal = settle(chunks[response.correlation_id], response, progress) or refusal
            send(answered + REQUESTS_UNDER_WAY)
    except StopIteration:
        pass
    finally:
        # The end of what is sent; it also lets go of the thread that sends.
        outgoing.put(None)
    if pending:
        raise refusal


def request_of(correlation_id, numbers):
    # No partition: the broker takes the one that each key chooses.
    return log.ProduceRequest(
        correlation_id=correlation_id,
        topic=arguments.topic,
        records=[pending[number] for number in numbers],
    )


def settle(numbers, response, progress):
    """Prints what was stored. Returns why the rest was not, which is yet to be sent again."""
    if response.HasField("error"):
        return retriable(response.error)
    refusal = None
    # The records of one request may go to several partitions, and some of those may fail.
    for number, position in zip(numbers, response.positions):
        if position.HasField("error"):
            refusal = retriable(position.error)
            continue
        del pending[number]
        progress()
        print(f"record {number} -> partition {position.partition} offset {position.offset}")
    return refusal


def retriable(error):
    failure = Failure.of_error(error)
    if not failure.retriable:
        raise failure
    return failure


run(lambda: on_any_broker(arguments.brokers, send_pending))
