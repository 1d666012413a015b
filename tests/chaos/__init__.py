"""Random schedules of pushes, faults and repairs against the real handlers, on a virtual clock (`make chaos`)."""
