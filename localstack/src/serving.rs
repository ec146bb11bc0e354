//! An HTTP server on loopback that ends gracefully, and in time.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio_util::sync::CancellationToken;

/// How long requests may take to be answered once the server is told to stop.
const GRACE: Duration = Duration::from_secs(1);

/// A running server. Dropping it leaves it running; [`stop`](Self::stop) ends it.
pub(crate) struct Serving {
    address: SocketAddr,
    closing: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Serving {
    /// Serves `router` on `listener`; handlers may ask who calls (`ConnectInfo<SocketAddr>`). `what` names it in the log.
    ///
    /// # Errors
    /// The listener has no address.
    pub(crate) fn start(
        what: &'static str,
        listener: tokio::net::TcpListener,
        router: Router,
    ) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let closing = CancellationToken::new();
        let stopping = closing.clone();
        let task = tokio::spawn(async move {
            let server = axum::serve(listener, service).with_graceful_shutdown(stopping.clone().cancelled_owned());
            let grace = async {
                stopping.cancelled().await;
                tokio::time::sleep(GRACE).await;
            };
            tokio::select! {
                ended = server => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "{what} has ended");
                    }
                }
                () = grace => {}
            }
        });
        Ok(Self { address, closing, task })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more requests and ends.
    pub(crate) async fn stop(self) {
        self.closing.cancel();
        let _ = self.task.await;
    }
}
