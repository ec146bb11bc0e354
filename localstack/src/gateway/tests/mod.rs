//! The gateway on real sockets; the functions behind it stand in for themselves.

mod cors;
mod fuzz;
mod hostile;
mod jwt;
mod lambda_authorizer;
mod limits;
mod payloads;
mod responses;
pub(crate) mod support;
