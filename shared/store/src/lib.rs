//! Freshet's state in DynamoDB: one file a table.
