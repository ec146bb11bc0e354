//! Ctrl-C and SIGTERM: the first asks everything to end, the second ends it.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// As a shell reports a program that Ctrl-C ended.
pub(crate) const INTERRUPTED: u8 = 130;

/// A token that SIGINT or SIGTERM cancels.
///
/// # Errors
/// The system refuses to install the handlers.
pub(crate) fn on_signals() -> std::io::Result<CancellationToken> {
    let token = CancellationToken::new();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let stop = token.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if stop.is_cancelled() {
                std::process::exit(i32::from(INTERRUPTED));
            }
            stop.cancel();
        }
    });
    Ok(token)
}
