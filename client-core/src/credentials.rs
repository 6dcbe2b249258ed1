//! The name and the password of a client.

use core::fmt;
use std::sync::Arc;

use memring_text::request::{Credentials, CredentialsError};

/// [`Credentials`] that own their bytes. Clones share them.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnedCredentials {
    /// The name, then the password.
    bytes: Arc<[u8]>,
    user_len: usize,
}

impl OwnedCredentials {
    /// Checks and copies a name and a password.
    ///
    /// # Errors
    /// As [`Credentials::new`].
    pub fn new(user: &[u8], password: &[u8]) -> Result<Self, CredentialsError> {
        Credentials::new(user, password)?;
        Ok(Self { bytes: [user, password].concat().into(), user_len: user.len() })
    }

    /// The borrowed form, which the codec takes.
    #[must_use]
    pub fn credentials(&self) -> Credentials<'_> {
        let (user, password) = self.bytes.split_at(self.user_len);
        // `new` has checked the same bytes.
        Credentials::new(user, password).expect("checked when they were copied")
    }
}

impl fmt::Debug for OwnedCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.credentials().fmt(f)
    }
}
