"""Two threads count, without a lock and with one."""

import threading


class Counter:
    def __init__(self):
        self.n = 0
        self.lock = threading.Lock()

    def increment(self):
        self.n += 1

    def increment_locked(self):
        with self.lock:
            self.n += 1


def count_twice(counter, increment):
    threads = [threading.Thread(target=increment) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"counted to {counter.n}")
    assert counter.n == 2, f"expected 2, counted {counter.n}"


def lost_update():
    counter = Counter()
    count_twice(counter, counter.increment)


def locked_update():
    counter = Counter()
    count_twice(counter, counter.increment_locked)
