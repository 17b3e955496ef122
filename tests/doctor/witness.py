"""Another client that goes on reading while something hostile happens, and notes how long it waits."""

import statistics
import threading
import time


class Witness(threading.Thread):
    """Every 10 ms a GET is due; what counts is the time from when it was due to its answer."""

    def __init__(self, server, target):
        super().__init__(daemon=True)
        self.http = server.http(timeout=60).connect()
        self.target = target
        self.waits, self.wrong = [], None
        self.stopping = threading.Event()

    def run(self):
        due = time.monotonic()
        while not self.stopping.is_set():
            try:
                answer = self.http.get(self.target)
                if answer.status != 200:
                    self.wrong = answer
                    return
            except OSError as error:
                self.wrong = error
                return
            now = time.monotonic()
            while due <= now:
                self.waits.append(now - due)
                due += 0.01
            time.sleep(max(0, due - time.monotonic()))

    def median(self):
        """Seconds, once it has stopped."""
        self.stopping.set()
        self.join()
        self.http.close()
        assert not self.wrong, f"the witness got {self.wrong}"
        return statistics.median(self.waits)
