//! Answers to "what would other limits have done?": replays beside the running Ward, one at a time.

use std::sync::Arc;

use tokio::sync::{Semaphore, oneshot};
use wardlight_station::{CommandFailure, WhatIf, WhatIfAnswer};

use crate::clock::Clock;
use crate::config::Config;
use crate::replay;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct WhatIfs {
    config: Arc<Config>,
    clock: Clock,
    running: Arc<Semaphore>,
}

impl WhatIfs {
    pub(crate) fn new(config: Config, clock: Clock) -> Self {
        Self {
            config: Arc::new(config),
            clock,
            running: Arc::new(Semaphore::new(1)),
        }
    }

    /// Starts a replay, or says that one is running.
    pub(crate) fn answer(&self, question: WhatIf, reply: oneshot::Sender<Result<WhatIfAnswer, CommandFailure>>) {
        let Ok(permit) = Arc::clone(&self.running).try_acquire_owned() else {
            // Who has gone needs no answer.
            reply
                .send(Err(CommandFailure::Failed(
                    "another replay is running: ask again later".to_owned(),
                )))
                .ok();
            return;
        };
        let (config, now) = (Arc::clone(&self.config), self.clock.now());
        tokio::task::spawn_blocking(move || {
            let answer = replay::cli::what_if(&config, &question, now);
            reply
                .send(answer.map_err(|error| CommandFailure::Failed(error.to_string())))
                .ok();
            drop(permit);
        });
    }
}
