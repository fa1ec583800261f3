"""The scrolling request window, one per API key."""

import time
from collections import defaultdict, deque


class Windows:
    """Counts requests per key over the last `window` seconds."""

    def __init__(self, settings):
        self.settings = settings
        self.seen = defaultdict(deque)

    def used(self, key):
        stamps = self.seen[key]
        oldest = time.monotonic() - self.settings.window
        while stamps and stamps[0] <= oldest:
            stamps.popleft()
        return len(stamps)

    def is_full(self, key):
        return self.used(key) >= self.settings.limit

    def count(self, key):
        self.seen[key].append(time.monotonic())

    def remaining(self, key):
        return max(0, self.settings.limit - self.used(key))

    def clear(self):
        self.seen.clear()
