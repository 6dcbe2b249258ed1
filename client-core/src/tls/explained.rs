//! Errors of rustls, with advice on what to do.

use core::{error, fmt};

use rustls::{AlertDescription as Alert, CertificateError, Error};

/// The error of rustls, with advice where there is some.
#[derive(Debug)]
pub(super) struct Explained(pub(super) Error);

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(error) = self;
        match advice(error) {
            // It is shown with its parts as code has them otherwise.
            Some(advice) if is_ca(error) => write!(f, "invalid peer certificate: {advice}"),
            Some(advice) => write!(f, "{error}: {advice}"),
            None => error.fmt(f),
        }
    }
}

impl error::Error for Explained {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.source()
    }
}

fn advice(error: &Error) -> Option<&'static str> {
    Some(match error {
        _ if is_ca(error) => {
            "the server shows a certificate that is for issuing others, as `openssl req -x509` makes them; give it one \
             with CA:FALSE"
        }
        Error::InvalidCertificate(error) => match error {
            // The signature is bad, too, where another authority of the same name is trusted, such as its last one.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "trust who issued it, or the certificate itself if nobody else did, by a file of roots"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "dial the server by a name that its certificate has, or set the server name to such a one"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "renew it, or set this computer's clock"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "set this computer's clock, or wait"
            }
            _ => return None,
        },
        Error::InvalidMessage(_) => {
            "what answers there does not speak TLS; dial the port that does, or do without encryption"
        }
        Error::PeerIncompatible(_)
        | Error::AlertReceived(
            Alert::ProtocolVersion | Alert::InsufficientSecurity | Alert::InappropriateFallback,
        ) => "TLS 1.2 and 1.3 are spoken here; allow the server one of them, and its common ciphers",
        Error::AlertReceived(Alert::CertificateRequired | Alert::NoCertificate) => {
            "the server wants a certificate of the client; give one, with its key"
        }
        Error::AlertReceived(Alert::HandshakeFailure) => {
            "the server may want a certificate of the client, or allow no cipher of TLS 1.2 and 1.3"
        }
        Error::AlertReceived(
            Alert::UnknownCA
            | Alert::BadCertificate
            | Alert::CertificateUnknown
            | Alert::CertificateExpired
            | Alert::CertificateRevoked
            | Alert::UnsupportedCertificate
            | Alert::AccessDenied
            | Alert::DecryptError,
        ) => "the server does not accept the certificate of the client; give one that it trusts",
        Error::AlertReceived(Alert::UnrecognisedName) => {
            "the server has another name; set the server name to that"
        }
        _ => return None,
    })
}

/// Whether the server's certificate is one for authorities.
fn is_ca(error: &Error) -> bool {
    let Error::InvalidCertificate(CertificateError::Other(other)) = error else { return false };
    // The error's type is of a library below rustls, which only its text tells.
    format!("{other:?}").contains("CaUsedAsEndEntity")
}

#[cfg(test)]
mod tests {
    use rustls::{InvalidMessage, PeerIncompatible};

    use super::*;

    #[test]
    fn each_says_what_happened_and_what_to_do() {
        for (error, happened, advice) in [
            (Error::InvalidCertificate(CertificateError::UnknownIssuer), "UnknownIssuer", "a file of roots"),
            (Error::InvalidCertificate(CertificateError::BadSignature), "BadSignature", "a file of roots"),
            (Error::InvalidCertificate(CertificateError::NotValidForName), "NotValidForName", "server name"),
            (Error::InvalidCertificate(CertificateError::Expired), "Expired", "renew"),
            (Error::InvalidMessage(InvalidMessage::InvalidContentType), "corrupt", "does not speak TLS"),
            (PeerIncompatible::NoCipherSuitesInCommon.into(), "incompatible", "TLS 1.2 and 1.3"),
            (Error::AlertReceived(Alert::ProtocolVersion), "ProtocolVersion", "TLS 1.2 and 1.3"),
            (Error::AlertReceived(Alert::CertificateRequired), "CertificateRequired", "with its key"),
            (Error::AlertReceived(Alert::UnknownCA), "UnknownCA", "that it trusts"),
        ] {
            let text = Explained(error).to_string();
            assert!(text.contains(happened) && text.contains(advice), "{text}");
        }
        assert_eq!(Explained(Error::DecryptError).to_string(), Error::DecryptError.to_string());
    }
}
