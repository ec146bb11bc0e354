//! The account and the region that everything here is in, and how names of functions are written with them.

/// `AWS::AccountId` where nobody says another.
pub(crate) const ACCOUNT_ID: &str = "000000000000";
/// `AWS::Region` where nobody says another.
pub(crate) const REGION: &str = "us-east-1";

/// The ARN of a function by its physical name.
pub(crate) fn function_arn(region: &str, account_id: &str, name: &str) -> String {
    format!("arn:aws:lambda:{region}:{account_id}:function:{name}")
}
