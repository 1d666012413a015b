"""The adapters to AWS: DynamoDB, SQS, EventBridge, the vault's Lambda, metrics, stream and batches."""
