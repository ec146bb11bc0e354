"""What LocalStack's CloudFormation accepts of a SAM template: localstack-cloudformation.py ENDPOINT TEMPLATE [NAME=VALUE …].

Run by the Python of scripts/localstack. Makes a change set, as a deployment would, and prints a line for each resource:
"read" is in the change set, "made" says whether this edition can create a resource of its type, as far as that is known. Nothing is created.
"""

import re
import sys
import time

import boto3
from localstack.services.cloudformation.resource_provider import plugin_manager

# Types that LocalStack knows and yet can't do here.
ELSEWHERE = {
    "AWS::DynamoDB::Table": "no: wants AWS's DynamoDB Local; here it is in dynoxide",
    "AWS::Lambda::Function": "no: wants Docker; here it is run by freshet",
    "AWS::Lambda::EventSourceMapping": "no: this edition polls no Kafka; here it is run by freshet",
}


def change_set(client, template: str, parameters: list[dict]) -> list[dict]:
    """The changes that the template would make."""
    stack, name = f"check-{int(time.time())}", "check"
    client.create_change_set(
        StackName=stack, ChangeSetName=name, ChangeSetType="CREATE", TemplateBody=template, Parameters=parameters,
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    while True:
        answer = client.describe_change_set(StackName=stack, ChangeSetName=name)
        if answer["Status"] not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
            break
        time.sleep(0.2)
    if answer["Status"] != "CREATE_COMPLETE":
        sys.exit(f"refused as a whole: {answer.get('StatusReason')}")
    return [change["ResourceChange"] for change in answer["Changes"]]


def main() -> None:
    if len(sys.argv) < 3:
        sys.exit("localstack-cloudformation.py: ENDPOINT TEMPLATE [NAME=VALUE …] was expected")
    with open(sys.argv[2], encoding="utf-8") as file:
        # As `sam package` does: a deployment's code lies in a bucket.
        template = re.sub(r"CodeUri: .*", "CodeUri: s3://code/function.zip", file.read())
    pairs = (argument.split("=", 1) for argument in sys.argv[3:])
    parameters = [{"ParameterKey": name, "ParameterValue": value} for name, value in pairs]
    client = boto3.client(
        "cloudformation", endpoint_url=sys.argv[1], region_name="us-east-1",
        aws_access_key_id="local", aws_secret_access_key="local",
    )
    known = set(plugin_manager.list_names())
    print(f"{'resource':32} {'type':36} read  made")
    for change in change_set(client, template, parameters):
        kind = change["ResourceType"]
        made = ELSEWHERE.get(kind, "yes" if kind in known else "no: not in this edition")
        print(f"{change['LogicalResourceId']:32} {kind:36} yes   {made}")


main()
