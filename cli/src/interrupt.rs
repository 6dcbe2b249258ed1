//! SIGINT and SIGTERM (Ctrl-C elsewhere), taken so that what was started can be ended in order.

use std::sync::mpsc::{Receiver, channel};

use crate::failure::Failure;

/// Tells whether somebody wants the command to end.
#[derive(Debug)]
pub(crate) struct Interrupt(Receiver<()>);

impl Interrupt {
    /// From now on, signals come here instead of ending the process.
    pub(crate) fn take() -> Result<Self, Failure> {
        let (sender, receiver) = channel();
        ctrlc::set_handler(move || {
            // If nobody listens, the end was asked for already.
            let _ = sender.send(());
        })
        .map_err(Failure::failed)?;
        Ok(Self(receiver))
    }

    /// An error once a signal has come.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        match self.0.try_recv() {
            Ok(()) => Err(Failure::Interrupted),
            Err(_) => Ok(()),
        }
    }

    /// Returns when a signal comes.
    pub(crate) fn wait(&self) {
        // The handler keeps the other end for as long as the process lives.
        let _ = self.0.recv();
    }
}
