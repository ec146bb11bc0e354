//! Ports for what is bound later, by another process.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::TcpListener;
use std::ops::Range;

/// Below the ephemeral range of Linux and macOS: no client's socket is given one of these by chance before it is bound, nor meets
/// itself on one that it tries again and again.
const RANGE: Range<u16> = 20_000..32_000;
/// Taken ones in a row before the system is asked for any.
const TRIES: usize = 100;

/// A port of 127.0.0.1 that nobody has at present.
///
/// # Errors
/// Of the system: it has none.
pub fn free() -> std::io::Result<u16> {
    let random = || RandomState::new().build_hasher().finish();
    let width = u64::from(RANGE.end - RANGE.start);
    let tried = std::iter::repeat_with(|| RANGE.start + u16::try_from(random() % width).unwrap_or_default());
    match tried.take(TRIES).find(|&port| is_free(port).is_ok()) {
        Some(port) => Ok(port),
        None => is_free(0),
    }
}

/// `port`, or for 0 any that the system has.
///
/// # Errors
/// It is taken.
pub fn is_free(port: u16) -> std::io::Result<u16> {
    TcpListener::bind(("127.0.0.1", port)).and_then(|listener| listener.local_addr()).map(|address| address.port())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_free_port_can_be_had_and_is_not_free_meanwhile() {
        let port = super::free().unwrap();
        let listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
        assert!(super::is_free(port).is_err());
        drop(listener);
        assert_eq!(super::is_free(port).unwrap(), port);
    }
}
