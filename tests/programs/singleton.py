"""A provider registry as many projects have one: a singleton on the class, filled on first use."""

import threading


class ProviderRegistry:
    _instance = None
    _initialised = False

    def __init__(self):
        self._providers = {}

    @classmethod
    def instance(cls):
        if cls._instance is None:
            cls._instance = cls()
        if not cls._initialised:
            cls._initialised = True
            cls._instance._fill()
        return cls._instance

    def _fill(self):
        for name in ("anthropic", "openai"):
            self._providers[name] = name.upper()

    def get(self, name):
        return self._providers.get(name)


def two_sessions():
    found = []

    def session():
        found.append(ProviderRegistry.instance().get("openai"))

    threads = [threading.Thread(target=session) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["OPENAI", "OPENAI"], found
