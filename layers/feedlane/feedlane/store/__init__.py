"""What Feedlane keeps. `table` is the one place that talks to DynamoDB; the other modules know the items."""
