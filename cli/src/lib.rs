//! What `memring doctor` reads: the configurations of other clients, as they read them themselves.
//!
//! The program `memring` is the tool; this is its part that other programs may want.
//!
//! ```
//! let text = "--SERVER=10.0.0.1 --SERVER=10.0.0.2:11212 --HASH=CRC --DISTRIBUTION=consistent";
//! let readings = memring::configs::read(text, None)?;
//! assert_eq!(readings[0].scheme.as_deref(), Some("libmemcached-consistent"));
//! # Ok::<(), memring::configs::ConfigError>(())
//! ```

pub mod configs;
