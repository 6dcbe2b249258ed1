//! Replies: a server's bytes as events, and the lines that they are made of.

mod admin;
mod decoder;
mod encode;
mod error_line;
mod event;
mod log;
mod status;

pub use admin::{CacheItem, DumpKey, DumpLine, Notice, NoticeWord};
pub use decoder::{DecodeError, Malformed, ReplyDecoder, Step};
pub(crate) use decoder::{RawHead, State};
pub(crate) use error_line::AfterLine;
pub use error_line::{ErrorLine, ErrorWord, ServerError, ServerErrorKind};
pub use event::{Event, ItemHead};
pub use log::LogLine;
pub use status::Status;
