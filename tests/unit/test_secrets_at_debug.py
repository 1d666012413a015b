"""Lambda sets its log level on every logger: at DEBUG, the AWS client's would log requests and answers."""

from __future__ import annotations

import logging

import pytest
from botocore.stub import Stubber

from feedlane.aws import clients


def test_at_debug_no_request_and_no_answer_of_aws_is_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    with caplog.at_level(logging.DEBUG):
        client = clients.client.__wrapped__("secretsmanager")
        with Stubber(client) as stub:
            stub.add_response("put_secret_value", {"Name": "app-keys"})
            client.put_secret_value(SecretId="app-keys", SecretString="canary-secret")
        logging.getLogger("feedlane").debug("our own lines are there")
    assert "our own lines are there" in caplog.text
    assert "canary-secret" not in caplog.text
    assert not [record for record in caplog.records if record.name.startswith(("boto", "urllib3"))]
