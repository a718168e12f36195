//! The way of happenings to the agent, which puts them into the audit trail.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use super::Happening;
use crate::command::StationCommand;

/// Happenings that may wait for a full queue. Only what nobody can refuse waits here, such as logoffs, and of these there are
/// no more than sessions.
const MAX_WAITING: usize = 1024;

/// See the [module](self).
pub(crate) struct Trail {
    commands: mpsc::Sender<StationCommand>,
    waiting: Mutex<VecDeque<Happening>>,
}

impl Trail {
    pub(crate) fn new(commands: mpsc::Sender<StationCommand>) -> Self {
        Self {
            commands,
            waiting: Mutex::default(),
        }
    }

    /// Hands over what need not happen if it cannot be told; returns whether it was taken.
    pub(crate) fn tell(&self, happening: Happening) -> bool {
        let mut waiting = self.lock();
        self.pass_on(&mut waiting);
        waiting.is_empty() && self.commands.try_send(StationCommand::Happened(happening)).is_ok()
    }

    /// Hands over what has happened already; it waits while the queue is full. Returns how many had to be dropped.
    pub(crate) fn note(&self, happenings: Vec<Happening>) -> u64 {
        let mut waiting = self.lock();
        let mut dropped = 0;
        for happening in happenings {
            if waiting.len() < MAX_WAITING {
                waiting.push_back(happening);
            } else {
                dropped += 1;
            }
        }
        self.pass_on(&mut waiting);
        dropped
    }

    fn pass_on(&self, waiting: &mut VecDeque<Happening>) {
        while !waiting.is_empty() {
            let Ok(room) = self.commands.try_reserve() else { return };
            if let Some(happening) = waiting.pop_front() {
                room.send(StationCommand::Happened(happening));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Happening>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
