"""Adds up orders by customer, tells the totals, and echoes what a watcher says."""

import base64
import json
import os
from decimal import Decimal

import boto3
from slugify import slugify

totals = boto3.resource("dynamodb").Table(os.environ["TABLE"])


def orders(event, context):
    """Takes a batch of Kafka records, of any number of partitions."""
    taken = 0
    for records in event["records"].values():
        for record in records:
            order = json.loads(base64.b64decode(record["value"]))
            totals.update_item(
                Key={"customer": slugify(order["customer"])},
                UpdateExpression="ADD cents :cents, orders :one",
                ExpressionAttributeValues={":cents": Decimal(order["cents"]), ":one": 1},
            )
            taken += 1
    print(f"{event['eventSource']}: took {taken} of {event['eventSourceArn']}")


def ask(event, context):
    """GET /totals/{customer}."""
    item = totals.get_item(Key={"customer": event["pathParameters"]["customer"]}).get("Item")
    if item is None:
        return {"statusCode": 404, "body": json.dumps({"message": "no such customer"})}
    return {"cents": int(item["cents"]), "orders": int(item["orders"]), "asked": context.aws_request_id}


def watch(event, context):
    """Lets in who knows the token, and says again what it is told."""
    if event["requestContext"]["routeKey"] == "$connect":
        token = (event.get("queryStringParameters") or {}).get("token")
        return {"statusCode": 200 if token == os.environ.get("TOKEN") else 401}
    return {"statusCode": 200, "body": json.dumps({"echo": event["body"]})}
