"""A table of plugins that counts its loads without a lock."""


class PluginTable:
    def __init__(self):
        self.loads = 0

    def load(self):
        self.loads += 1
