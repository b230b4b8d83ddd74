"""A program whose shared state lives in a module that it imports only when it runs."""

import threading


def two_loads():
    from plugins import PluginTable

    table = PluginTable()
    threads = [threading.Thread(target=table.load) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert table.loads == 2
