"""What the system costs: in calls, in time, in CPU and in money, each beside its floor."""
