//! A user's name and password, sent in a `set` of their own.

use core::fmt;

/// Longest name and password together, in bytes.
///
/// Source: memcached 1.6 `authfile.c`, `MAX_ENTRY_LEN`, less the separator and the end.
pub const MAX_CREDENTIALS_LEN: usize = 254;

/// A user's name and password, for servers that demand them (memcached's option `-Y`).
///
/// The first request on a connection is then [`Request::Auth`](crate::Request::Auth). `Debug` and errors show neither
/// of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Credentials<'a> {
    user: &'a [u8],
    password: &'a [u8],
}

impl<'a> Credentials<'a> {
    /// Checks a name and a password. Neither may be empty or have a line end, a NUL or a space, the name may have no
    /// colon, and together they have at most [`MAX_CREDENTIALS_LEN`] bytes.
    ///
    /// memcached 1.6 would read a password with a space only up to the space, and refuse the user.
    ///
    /// # Errors
    /// Says what is wrong, without showing name or password.
    pub fn new(user: &'a [u8], password: &'a [u8]) -> Result<Self, CredentialsError> {
        let bad_in_both = |byte: &u8| matches!(byte, 0 | b'\r' | b'\n' | b' ');
        if user.is_empty() || user.iter().any(|byte| bad_in_both(byte) || *byte == b':') {
            return Err(CredentialsError::User);
        }
        if password.is_empty() || password.iter().any(bad_in_both) {
            return Err(CredentialsError::Password);
        }
        if user.len().saturating_add(password.len()) > MAX_CREDENTIALS_LEN {
            return Err(CredentialsError::TooLong);
        }
        Ok(Self { user, password })
    }

    pub(crate) const fn user(&self) -> &'a [u8] {
        self.user
    }

    pub(crate) const fn password(&self) -> &'a [u8] {
        self.password
    }
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(***)")
    }
}

/// Why a name and a password are no [`Credentials`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialsError {
    /// The name is empty, or has a byte that it may not have.
    User,
    /// The password is empty, or has a byte that it may not have.
    Password,
    /// Both together are too long.
    TooLong,
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User => f.write_str("user name is empty or has a forbidden byte"),
            Self::Password => f.write_str("password is empty or has a forbidden byte"),
            Self::TooLong => {
                write!(f, "user name and password have more than {MAX_CREDENTIALS_LEN} bytes together")
            }
        }
    }
}

impl core::error::Error for CredentialsError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_stated_bytes_are_refused() {
        for byte in 0..=u8::MAX {
            let bytes = [b'a', byte, b'z'];
            let splits = matches!(byte, 0 | b'\n' | b'\r' | b' ');
            assert_eq!(Credentials::new(&bytes, b"p").is_ok(), !splits && byte != b':');
            assert_eq!(Credentials::new(b"u", &bytes).is_ok(), !splits);
        }
        assert_eq!(Credentials::new(b"", b"p"), Err(CredentialsError::User));
        assert_eq!(Credentials::new(b"u", b""), Err(CredentialsError::Password));
        assert!(Credentials::new(b"u", &[b'p'; 253]).is_ok());
        assert_eq!(Credentials::new(b"u", &[b'p'; 254]), Err(CredentialsError::TooLong));
    }

    #[test]
    fn nothing_of_a_secret_is_shown() {
        extern crate std;
        let secret = Credentials::new(b"alice", b"s3cret").unwrap();
        assert_eq!(std::format!("{secret:?}"), "Credentials(***)");
        let request = crate::Request::Auth(secret);
        let shown = std::format!("{request:?} {:?}", request.parts());
        assert!(!shown.contains("alice") && !shown.contains("s3cret"), "{shown}");
    }
}
