"""Calls as lines of JSON: what the driver of a Python client has in common with the other."""

import base64
import json
import sys
import threading


class Lacks(Exception):
    """The client cannot do it, whatever the cluster."""


_printing = threading.Lock()


def tell(message):
    with _printing:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


def to_text(data):
    return None if data is None else base64.b64encode(data).decode()


def to_bytes(text):
    return None if text is None else base64.b64decode(text)


def serve(driver):
    """Answers calls until standard input ends. Each call that the driver has is one of its methods."""
    names = [name for name in dir(driver) if not name.startswith("_")]
    for line in sys.stdin:
        call = json.loads(line)
        answer = {"id": call["id"]}
        try:
            if call["method"] == "calls":
                answer["result"] = names
            else:
                method = getattr(driver, call["method"], None)
                if method is None:
                    raise Lacks(f"the client has no call for it: {call['method']}")
                answer["result"] = method(*call["args"])
        except Lacks as error:
            answer["lacks"] = str(error)
        except Exception as error:  # whatever it is, the test is told
            answer["error"] = f"{type(error).__name__}: {error}"
        tell(answer)
    driver._close()


class MemberThread:
    """A member of a group that reads until it is closed, and commits as it leaves."""

    def __init__(self, consumer, records, leave, member):
        self._consumer = consumer
        self._records = records
        self._leave = leave
        self._member = member
        self._is_stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self):
        self._is_stopped.set()
        self._thread.join(30)

    def _run(self):
        try:
            while not self._is_stopped.is_set():
                for record in self._records(self._consumer):
                    tell({"member": self._member, "record": record})
        except Exception as error:  # whatever it is, the test is told
            tell({"member": self._member, "error": f"{type(error).__name__}: {error}"})
        self._leave(self._consumer)
