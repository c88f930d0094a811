"""The services of a Strandline cluster, straight from the .proto files, and what to do on errors."""

import argparse
import itertools
import os
import sys
import time
from pathlib import Path

import grpc
from grpc_status import rpc_status

# This file is not called strandline.py: that is the name of the package the .proto files declare.
# grpcio-tools compiles .proto files when they are imported; nothing is generated on disk.
sys.path.append(str(Path(__file__).resolve().parents[2] / "proto"))
log, log_service = grpc.protos_and_services("strandline/v1/log.proto")
admin, admin_service = grpc.protos_and_services("strandline/v1/admin.proto")
error_protos = grpc.protos("strandline/v1/error.proto")

# An election takes less than a second; nothing that retries can cure takes longer than this.
PATIENCE_S = 10
PAUSE_S = 0.25

OPTIONS = [
    # A broker that hangs keeps its connection: only a ping without answer tells.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    # The default of 4 MiB is less than an answer may hold: one batch, however large, comes whole.
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
]


class Failure(Exception):
    """Why a request failed. `code` is the error's name in the Kafka protocol, or gRPC's own."""

    def __init__(self, code, message, retriable):
        super().__init__(message)
        self.code, self.message, self.retriable = code, message, retriable

    @classmethod
    def of_error(cls, error):
        """Of a strandline.v1.Error, as it stands inside answers."""
        return cls(error.code, error.message, error.retriable)

    @classmethod
    def of_call(cls, call):
        """Of a failed call: a broker's refusal carries a strandline.v1.Error as its detail."""
        status = rpc_status.from_call(call)
        for detail in status.details if status else []:
            error = error_protos.Error()
            if detail.Unpack(error):
                return cls.of_error(error)
        # No broker's words: the connection broke, or was never made.
        retriable = call.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
        return cls(call.code().name, call.details(), retriable)


def on_any_broker(brokers, attempt):
    """
    Any broker serves any client: one that does not lead a partition forwards. So this calls
    `attempt(channel, progress)` with one broker after another until it succeeds, fails for good, or
    has got nowhere for too long. It calls `progress()` whenever it got somewhere.
    """
    last_progress = time.monotonic()

    def progress():
        nonlocal last_progress
        last_progress = time.monotonic()

    for broker in itertools.cycle(brokers):
        with grpc.insecure_channel(broker, options=OPTIONS) as channel:
            try:
                return attempt(channel, progress)
            except grpc.RpcError as call:
                failure = Failure.of_call(call)
            except Failure as refusal:
                failure = refusal
        if not failure.retriable or time.monotonic() - last_progress > PATIENCE_S:
            raise failure
        time.sleep(PAUSE_S)


def read_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--brokers", default="127.0.0.1:50051,127.0.0.1:50052,127.0.0.1:50053")
    parser.add_argument("--topic", default="hello")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    arguments.brokers = arguments.brokers.split(",")
    return arguments


def run(program):
    exit_code = 0
    try:
        program()
    except Failure as failure:
        hint = "retriable: try again later" if failure.retriable else "not retriable"
        print(f"{failure.code} ({hint}): {failure.message}", file=sys.stderr)
        exit_code = 1
    # A thread of grpcio that has just lost its stream may keep the interpreter from ending.
    sys.stdout.flush()
    os._exit(exit_code)
