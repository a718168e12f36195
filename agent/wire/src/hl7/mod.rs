//! HL7 v2: what leaves for an alarm manager, and how messages travel over TCP.

mod ack;
pub mod mllp;
mod pcd04;

pub use ack::{Ack, AckError};
pub use pcd04::{Message, alarm};
