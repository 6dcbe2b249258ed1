//! The law of what servers of managed caches tell of their cluster.

use core::time::Duration;
use std::time::Instant;

use memring_client::{
    discovery::{Cluster, ClusterError, Heard, Inquiry},
    roster::{Naming, Rules, assign},
    spec::Address,
};

/// An answer is the same however it is cut; what is read is read again as it is shown; and each of its servers can be
/// connected to, and has one slot.
pub fn are_read_alike(answer: &[u8]) {
    let whole = Cluster::read(answer);
    for len in (0..answer.len()).step_by(1 + answer.len() / 64) {
        match Cluster::read(&answer[..len]) {
            Ok(None) => {}
            cut => assert_eq!(cut, whole, "cut at {len}"),
        }
    }
    let mut inquiry = Inquiry::default();
    let heard = inquiry.received(answer);
    match (&heard, &whole) {
        (Ok(Heard::All(heard)), Ok(Some(whole))) => assert_eq!(heard, whole),
        (Ok(Heard::Part), Ok(None)) | (Ok(Heard::AskAgain), Err(ClusterError::UnknownCommand)) => {}
        (Err(heard), Err(whole)) => assert_eq!(heard, whole),
        _ => panic!("{heard:?} {whole:?}"),
    }
    let cluster = match whole {
        Ok(Some(cluster)) => cluster,
        Ok(None) => return,
        Err(error) => return assert!(error.to_string().len() < 512, "{error}"),
    };
    let text = cluster.to_string();
    let again = format!("CONFIG cluster 0 {}\r\n{text}\r\nEND\r\n", text.len());
    assert_eq!(Cluster::read(again.as_bytes()), Ok(Some(cluster.clone())), "{text:?}");
    for by_name in [false, true] {
        let members = cluster.members(by_name);
        assert_eq!(members.len(), cluster.servers.len());
        for member in &members {
            let address = member.addresses.first().expect("a way to it");
            assert_eq!(address.to_string().parse(), Ok(address.clone()));
            let identity = member.identity.as_deref().map(str::parse::<Address>);
            assert!(identity.is_none_or(|identity| identity.is_ok()), "{member:?}");
        }
        let rules = Rules { count: None, shrink_after: Duration::ZERO, naming: &Naming::FirstServer };
        let slots = assign(&[], &members, Instant::now(), rules);
        assert!(slots.len() <= members.len() && slots.is_empty() == members.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_answers_obey() {
        for answer in [
            "CONFIG cluster 0 60\r\n12\na.example|10.0.0.1|11211 |10.0.0.2|7\n\r\nEND\r\nrest",
            "VALUE AmazonElastiCache:cluster 0 1\r\n1\r\na.example.||011211 a.example||11211\r\nEND\r\n",
            "CONFIG cluster 0 1\n1\n|::ffff:10.0.0.1|1 v6|fd00::1|2\n\nEND\n",
            "CONFIG cluster 0 1\r\n\r\nEND\r\n",
            "CONFIG cluster 0 1\r\n1\na||1\nb||2\nEND\r\n",
            "CONFIG cluster 0 1\r\n99999999999999999999\na||1\nEND\r\n",
            "ERROR\r\n",
            "END\r\n",
            "SERVER_ERROR out of memory\r\n",
            "\u{0}",
        ] {
            are_read_alike(answer.as_bytes());
        }
        are_read_alike(&b"CONFIG cluster 0 1\r\n1\n".repeat(9_000));
        are_read_alike(&[b"CONFIG cluster 0 1\r\n1\n", &b"a||1 ".repeat(1_001)[..], b"\nEND\r\n"].concat());
    }
}
