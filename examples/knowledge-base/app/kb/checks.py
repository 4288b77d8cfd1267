"""Whether what the programs work with answers: told in time, whatever hangs."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from . import parts

# How long the parts may take, asked all at once. The answer is promised within 5 s: the rest is for a machine that is busy.
SECONDS = 3


def milliseconds(begun):
    return round((time.monotonic() - begun) * 1000)


class Check:
    """Asks one part, in a thread of its own: what hangs holds up neither another part nor a request.

    Who comes while it is being asked gets that answer, so that no more than one thread ever waits for a part.
    """

    def __init__(self, ask):
        self.ask = ask
        self.thread = ThreadPoolExecutor(1)
        self.asked = None

    def begin(self):
        if self.asked is None or self.asked.done():
            self.asked = self.thread.submit(self.told)
        return asyncio.wrap_future(self.asked)

    def told(self):
        begun = time.monotonic()
        try:
            self.ask()
        except Exception as error:  # whatever it is, this part does not answer
            return {"ok": False, "error": type(error).__name__, "milliseconds": milliseconds(begun)}
        return {"ok": True, "milliseconds": milliseconds(begun)}


CHECKS = {
    "database": Check(parts.ask_database),
    "redis": Check(parts.asked_redis.ping),
    "vector": Check(parts.ask_vectors),
}


async def all_told():
    """What each part answered and how long it took; those that did not answer in time say so."""
    begun = time.monotonic()
    asked = {name: check.begin() for name, check in CHECKS.items()}
    await asyncio.wait(asked.values(), timeout=SECONDS)
    late = {"ok": False, "error": f"no answer within {SECONDS} s", "milliseconds": milliseconds(begun)}
    told = {name: answer.result() if answer.done() else late for name, answer in asked.items()}
    return {"ready": all(part["ok"] for part in told.values()), **told, "milliseconds": milliseconds(begun)}
