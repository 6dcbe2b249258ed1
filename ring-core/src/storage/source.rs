//! Rings as Rust source: built on one machine, kept in the flash of another.

use core::fmt;

use super::Entries;

/// Shows entries as a Rust expression of the type [`Static`](super::Static).
///
/// A build script writes the expression to a file, and the firmware includes that. Its placement is best a `static`: then
/// only what finds a key is linked, and nothing of what builds a ring (the programs in `proofs/firmware` are weighed).
///
/// ```
/// use memring_core::{peers::libketama::LIBKETAMA, storage::{Source, Storage}, Placement, Server};
///
/// // build.rs
/// let servers = ["10.0.1.1:11211", "10.0.1.2:11211"].map(Server::new);
/// let placement = Placement::owned(LIBKETAMA, servers)?;
/// let ring = Source(placement.storage().entries()).to_string();
/// // std::fs::write(Path::new(&env::var("OUT_DIR")?).join("ring.rs"), ring)?;
/// assert!(ring.starts_with("::memring_core::storage::Entries { points: &["));
///
/// // main.rs
/// // const RING: Static = include!(concat!(env!("OUT_DIR"), "/ring.rs"));
/// // static PLACEMENT: Placement<&[Server; 2], Static> = Placement::prebuilt(LIBKETAMA, &SERVERS, RING);
/// # Ok::<(), memring_core::BuildError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Source<'e>(pub Entries<'e>);

impl fmt::Display for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entries { points, wide, owners, index } = self.0;
        write!(
            f,
            "::memring_core::storage::Entries {{ points: &{points:?}, wide: &{wide:?}, owners: &{owners:?}, index: &{index:?} }}"
        )
    }
}
