"""Random schedules of pushes, faults and repairs against the real handlers, on a virtual clock (`make chaos`)."""

from feedlane.store import attempts

# The clock is virtual, and tasks interleave at every read and write anyway: a real wait would only cost time.
attempts.sleep = lambda seconds: None
