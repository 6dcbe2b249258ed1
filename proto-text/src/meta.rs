//! The meta commands: `mg`, `ms`, `md`, `ma`, `me`, `mn`, with every flag a type.
//!
//! | | asks for | of the item | changes | the conversation |
//! |---|---|---|---|---|
//! | [`MetaGet`] | `v` `c` `f` `h` `k` `l` `s` `t` | `u` `C` `E` | `N` `R` `T` | `b` `O` `q` |
//! | [`MetaSet`] | `c` `k` `s` | `C` `E` `I` | `F` `T` `M` `N` | `b` `O` `q` |
//! | [`MetaDelete`] | `k` | `C` `E` `I` `x` | `T` | `b` `O` `q` |
//! | [`MetaArith`] | `v` `c` `k` `t` | `C` `E` | `D` `J` `M` `N` `T` | `b` `O` `q` |
//! | [`MetaDebug`] | | | | `b` |
//! | [`MetaNoop`] | | | | |
//!
//! [`MetaLease`] is one `mg`, in fewer steps.
//!
//! Callers of a client choose the flags with [`MetaGetOptions`] and its relatives.

mod command;
mod flag;
mod info;
mod key;
mod lease;
mod mode;
mod opaque;
mod reply;
mod request;
mod shape;
mod verb;

pub use command::{
    MetaArith, MetaArithOptions, MetaDebug, MetaDelete, MetaDeleteOptions, MetaGet, MetaGetOptions, MetaNoop,
    MetaSet, MetaSetOptions,
};
pub(crate) use flag::{Flag, Flags};
pub use info::MetaInfo;
pub use key::{BinaryKey, BinaryKeyError, MAX_BINARY_KEY_LEN, MetaKey, MetaKeyError};
pub use lease::MetaLease;
pub use mode::{ArithMode, SetMode};
pub use opaque::{MAX_OPAQUE_LEN, Opaque, OpaqueError};
pub use reply::{DebugLine, MetaCode, MetaHead, ReturnFlag};
pub(crate) use reply::{ReturnFlags, pairs, value_head};
pub use request::MetaRequest;
pub use shape::MetaShape;
pub(crate) use shape::bit;
pub use verb::MetaVerb;
