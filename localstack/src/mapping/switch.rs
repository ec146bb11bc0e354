//! A mapping is enabled or disabled: a poller runs while it is enabled.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::MappingOptions;
use super::on_failure::Destination;
use super::poller::Poller;
use super::source::Source;
use super::status::{MappingState, Shared};
use crate::functions::Invoke;
use crate::template::model::KafkaMapping;

/// What a poller is made of, each time the mapping is enabled.
pub(super) struct Switch {
    pub(super) mapping: KafkaMapping,
    pub(super) options: MappingOptions,
    pub(super) destination: Option<Destination>,
    pub(super) invoke: Arc<dyn Invoke>,
    pub(super) status: Shared,
    pub(super) closing: CancellationToken,
    pub(super) enabled: watch::Receiver<bool>,
}

impl Switch {
    /// Runs until it is closed; the first poller goes on with `source`.
    pub(super) async fn run(mut self, mut source: Option<Source>) {
        while !self.closing.is_cancelled() {
            if *self.enabled.borrow_and_update() {
                self.poll(source.take()).await;
            } else {
                self.is(MappingState::Disabled);
                let closing = self.closing.clone();
                tokio::select! {
                    changed = self.enabled.wait_for(|enabled| *enabled) => if changed.is_err() { return },
                    () = closing.cancelled() => return,
                }
                self.is(MappingState::Enabling);
            }
        }
    }

    /// Polls until it is disabled or closed.
    async fn poll(&mut self, source: Option<Source>) {
        let stop = self.closing.child_token();
        let running = Poller::new(self, stop.clone(), source).run();
        tokio::pin!(running);
        tokio::select! {
            () = &mut running => return,
            _ = self.enabled.wait_for(|enabled| !*enabled) => {}
        }
        self.is(MappingState::Disabling);
        stop.cancel();
        running.await;
    }

    fn is(&self, state: MappingState) {
        self.status.update(|status| status.state = state);
    }
}
