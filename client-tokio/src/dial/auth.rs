//! The first requests on a connection: name and password, and a request that shows whether the server takes the
//! connection.

use memring_client::{failure::Cause, hang_up::PROBE};
use memring_text::{
    Exchange, Limits, Operation as _, Reply, Request,
    buffer::ArrayBuffer,
    exchange::{Progress, ProtocolError},
    request::Credentials,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Sends `credentials` and reads the server's answer.
///
/// # Errors
/// Any error ends the connection.
pub(crate) async fn authenticate(
    io: &mut (impl AsyncRead + AsyncWrite + Unpin),
    credentials: Credentials<'_>,
) -> Result<(), Cause> {
    let (reply, rest) = ask(io, &Request::Auth(credentials)).await?;
    credentials.output(reply)?;
    rest
}

/// Sends a request that any server answers. Any answer will do, except that there are too many connections.
///
/// # Errors
/// Any error ends the connection.
pub(crate) async fn try_out(io: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Result<(), Cause> {
    let (mut reply, rest) = ask(io, &Request::Get(PROBE)).await?;
    reply.turned_away().map_or(rest, |error| Err(Cause::Server(error)))
}

/// Sends a request and reads its reply, behind which no unrequested byte may come.
async fn ask(
    io: &mut (impl AsyncRead + AsyncWrite + Unpin),
    request: &Request<'_>,
) -> Result<(Reply<ArrayBuffer<0>>, Result<(), Cause>), Cause> {
    io.write_all(request.parts().head.as_bytes()).await?;
    io.flush().await?;
    let mut exchange = Exchange::new(LIMITS);
    exchange.sent();
    let mut reply = Reply::new(ArrayBuffer::<0>::new());
    let (mut inbox, mut filled, mut taken) = ([0; LIMITS.line], 0, 0);
    while exchange.owed() > 0 {
        match exchange.decode(inbox.get(taken..filled).unwrap_or(&[]), request)? {
            Progress::Event { consumed, event, .. } => {
                reply.take(&event);
                taken += consumed;
            }
            Progress::NeedMore => {
                inbox.copy_within(taken..filled, 0);
                (filled, taken) = (filled - taken, 0);
                match io.read(inbox.get_mut(filled..).unwrap_or(&mut [])).await? {
                    0 => return Err(Cause::Closed(None)),
                    len => filled += len,
                }
            }
        }
    }
    let rest = inbox.get(taken..filled).unwrap_or(&[]);
    let is_more = !rest.is_empty() && exchange.decode(rest, request).is_err();
    let rest = if is_more { Err(Cause::Protocol(ProtocolError::Unexpected)) } else { Ok(()) };
    Ok((reply, rest))
}

/// The answers are one short line.
const LIMITS: Limits = Limits { line: 512, ..Limits::DEFAULT };

#[cfg(test)]
mod tests {
    use memring_client::failure::{Error, ErrorKind};
    use tokio::io::duplex;

    use super::*;

    const SAID: &[u8; 29] = b"set x 0 -1 12\r\nalice s3cret\r\n";

    /// The error of a server's `answer` that arrives in pieces of `step` bytes.
    async fn kind(answer: &[u8], step: usize) -> Option<ErrorKind> {
        let (mut near, mut far) = duplex(1024);
        let said = async {
            let mut heard = [0; SAID.len()];
            far.read_exact(&mut heard).await.unwrap();
            assert_eq!(heard, *SAID);
            for piece in answer.chunks(step) {
                far.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
            drop(far);
        };
        let credentials = Credentials::new(b"alice", b"s3cret").unwrap();
        let (result, ()) = tokio::join!(authenticate(&mut near, credentials), said);
        let error = Error::new("get", result.err()?);
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
        Some(error.kind())
    }

    #[tokio::test]
    async fn what_a_server_says_to_a_password() {
        for (answer, expected) in [
            ("STORED\r\n", None),
            ("CLIENT_ERROR authentication failure\r\n", Some(ErrorKind::Auth)),
            ("CLIENT_ERROR unauthenticated\r\n", Some(ErrorKind::Auth)),
            ("ERROR Too many open connections\r\n", Some(ErrorKind::TooManyConnections)),
            ("SERVER_ERROR I do not know alice s3cret\r\n", Some(ErrorKind::Server)),
            ("NOT_STORED\r\n", Some(ErrorKind::Protocol)),
            ("STOR", Some(ErrorKind::Closed)),
            ("", Some(ErrorKind::Closed)),
        ] {
            for step in [1, 100] {
                assert_eq!(kind(answer.as_bytes(), step).await, expected, "{answer}");
            }
        }
        assert_eq!(kind(b"STORED\r\nEND\r\n", 100).await, Some(ErrorKind::Protocol));
        assert_eq!(kind(&[b'x'; 600], 1000).await, Some(ErrorKind::Protocol));
    }
}
