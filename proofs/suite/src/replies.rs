//! What servers answer that is no reply to a `get` of `k`.

use memring_client::failure::ErrorKind;

/// What no server may answer.
pub const WRONG: [&[u8]; 21] = [
    b"garbage\r\n",
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b"-ERR unknown command\r\n",
    b"\x15\x03\x01\x00\x02\x02\x28",
    b"\r\n",
    b"END\n",
    b"END \r\n",
    b"E\0ND\r\n",
    b"VALUE k 0\r\n",
    b"VALUE k 0 -1\r\n",
    b"VALUE k 0 1073741825\r\n",
    b"VALUE k 0 4294967297\r\n",
    b"VALUE k 0 99999999999999999999999999999999999999999\r\n",
    b"VALUE k 4294967296 1\r\nv\r\nEND\r\n",
    b"VALUE k 0 5\r\nhi\r\nEND\r\n",
    b"VALUE k 0 1\r\nhi\r\nEND\r\n",
    b"VALUE other 0 2\r\nhi\r\nEND\r\n",
    b"VALUE K 0 2\r\nhi\r\nEND\r\n",
    b"VALUE k 0 2 7\r\nhi\r\nEND\r\n",
    b"STORED\r\n",
    b"1\r\n",
];

/// Refusals: what kind of error each is, and whether the connection is as good as before.
pub const REFUSALS: [(&str, ErrorKind, bool); 9] = [
    ("SERVER_ERROR object too large for cache", ErrorKind::TooLarge, true),
    ("SERVER_ERROR out of memory storing object", ErrorKind::OutOfMemory, true),
    ("CLIENT_ERROR cannot increment or decrement non-numeric value", ErrorKind::NonNumeric, true),
    ("SERVER_ERROR out of memory writing get response", ErrorKind::OutOfMemory, true),
    ("SERVER_ERROR: something else", ErrorKind::Server, true),
    ("CLIENT_ERROR bad data chunk", ErrorKind::Client, false),
    ("CLIENT_ERROR unauthenticated", ErrorKind::Auth, false),
    ("ERROR Too many open connections", ErrorKind::TooManyConnections, false),
    ("ERROR", ErrorKind::Unsupported, true),
];

/// What may follow the items of `a` and `b` in the reply to a get of `a`, `b` and `c`, before the connection ends; and how
/// many of the three have a result then. An item counts when what follows it is right, too.
pub const BREAKS: [(&str, usize); 9] = [
    ("", 1),
    ("EN", 1),
    ("VALUE c 0 5", 1),
    ("STORED\r\n", 1),
    ("VALUE x 0 1\r\n3\r\nEND\r\n", 1),
    ("VALUE c 0 5\r\n", 2),
    ("VALUE c 0 5\r\nhe", 2),
    ("SERVER_ERROR broken\r\n", 2),
    ("END\r\n", 3),
];
