//! Who may write: bearers of the administrators' token, of which only the SHA-256 is known here.

use axum::http::{HeaderMap, StatusCode, header};
use sha2::{Digest as _, Sha256};

use crate::context::Context;
use crate::error::ApiError;

/// Lets administrators pass.
pub(crate) fn check(context: &Context, headers: &HeaderMap) -> Result<(), ApiError> {
    if context.admin_token_sha256.is_empty() {
        return Err(ApiError::Forbidden(
            StatusCode::FORBIDDEN,
            "writes are switched off: no administrators' token is set",
        ));
    }
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let token = token.ok_or(ApiError::Forbidden(
        StatusCode::UNAUTHORIZED,
        "authorization: expected `Bearer` and the administrators' token",
    ))?;
    let hex = format!("{:x}", Sha256::digest(token.trim().as_bytes()));
    if same(hex.as_bytes(), context.admin_token_sha256.as_bytes()) {
        Ok(())
    } else {
        Err(ApiError::Forbidden(StatusCode::FORBIDDEN, "authorization: this is not the administrators' token"))
    }
}

/// Equal, in a time that tells nothing of where they differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (x, y)| differ | (x ^ y)) == 0
}
