//! Servers that answer as memcached does not, or no longer does, and with which a client has to live.

use super::Scripted;

/// A proxy with one backend that is gone: that of the keys that begin with `bad`. What it says of it is in no list.
pub(crate) fn with_a_bad_backend() -> Scripted {
    Scripted::new(|mut peer| {
        while let Some(line) = peer.line() {
            let mut words = line.split(' ');
            let (verb, key) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            if verb == "set" {
                peer.line();
            }
            peer.write(match verb {
                _ if key.starts_with("bad") => "SERVER_ERROR the backend of this key is gone\r\n",
                "set" => "STORED\r\n",
                "delete" => "DELETED\r\n",
                _ => "END\r\n",
            });
        }
    })
}

/// Answers meta commands as memcached 1.6.10 to 1.6.17 does, all of which miss but `md`.
pub(crate) fn with_bare_misses() -> Scripted {
    Scripted::new(|mut peer| {
        while let Some(line) = peer.line() {
            let opaque = line.split(' ').skip(2).find(|word| word.starts_with('O')).unwrap_or_default();
            match line.split(' ').next().unwrap_or_default() {
                "version" => peer.write("VERSION 1.6.12\r\n"),
                "mn" => peer.write("MN\r\n"),
                "mg" => peer.write("EN\r\n"),
                "md" => peer.write(format!("HD  {opaque}\r\n")),
                "ma" => peer.write(format!("NF  {opaque}\r\n")),
                _ => peer.write("END\r\n"),
            }
        }
    })
}
