"""The Invoke API as boto3 sees it: python with_boto3.py ENDPOINT; functions stack-F and stack-G run behind it."""

import base64
import json
import sys

import boto3
from botocore.config import Config

client = boto3.client(
    "lambda",
    endpoint_url=sys.argv[1],
    region_name="us-east-1",
    aws_access_key_id="local",
    aws_secret_access_key="local",
    config=Config(retries={"total_max_attempts": 1}),
)
checks = 0


def check(condition, told):
    global checks
    assert condition, told
    checks += 1


def raised(exception, **request):
    try:
        client.invoke(**request)
    except exception as error:
        return error.response
    raise AssertionError(f"{exception.__name__} was expected of {request['FunctionName']}")


answer = client.invoke(FunctionName="stack-F", Payload=json.dumps({"a": [1, "ö"]}), LogType="Tail")
check(json.load(answer["Payload"]) == {"a": [1, "ö"]}, answer)
check(answer["StatusCode"] == 200 and answer["ExecutedVersion"] == "$LATEST" and "FunctionError" not in answer, answer)
check(f"END RequestId: {answer['ResponseMetadata']['RequestId']}" in base64.b64decode(answer["LogResult"]).decode(), answer)

arn = "arn:aws:lambda:us-east-1:000000000000:function:stack-F"
context = base64.b64encode(b'{"custom": {"a": "b"}}').decode()
answer = client.invoke(FunctionName=arn, Qualifier="$LATEST", ClientContext=context, Payload=b'{"do": "env"}')
check('lambda-runtime-client-context: {"custom":{"a":"b"}}' in json.load(answer["Payload"])["headers"], answer)

answer = client.invoke(FunctionName="stack-F", Payload=b'{"do": "error"}')
check(answer["FunctionError"] == "Unhandled" and json.load(answer["Payload"])["errorType"] == "Refused", answer)

check(client.invoke(FunctionName="stack-F", InvocationType="Event", Payload=b"{}")["StatusCode"] == 202, "Event")
check(client.invoke(FunctionName="stack-F", InvocationType="DryRun")["StatusCode"] == 204, "DryRun")

exceptions = client.exceptions
error = raised(exceptions.ResourceNotFoundException, FunctionName="stack-H")
check(error["Error"]["Message"].endswith(":function:stack-H"), error)
error = raised(exceptions.TooManyRequestsException, FunctionName="stack-G", Payload=b"{}")
check(error["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded", error)
raised(exceptions.InvalidRequestContentException, FunctionName="stack-F", Payload=b"{")
raised(exceptions.RequestTooLargeException, FunctionName="stack-F", Payload=b"1" * (6 * 1024 * 1024 + 1))

names = [one["FunctionName"] for page in client.get_paginator("list_functions").paginate() for one in page["Functions"]]
check(names == ["stack-F", "stack-G"], names)
check(client.get_function(FunctionName="stack-F")["Concurrency"]["ReservedConcurrentExecutions"] == 5, "get_function")
check(client.get_function_configuration(FunctionName=arn)["Timeout"] == 1, "get_function_configuration")
print(checks, "checks")
