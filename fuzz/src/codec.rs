//! Laws of the codec, both sides of the wire.

mod exchanges;
mod replies;
mod requests;
mod round_trips;
mod sessions;
mod stream;
mod typed;

pub use exchanges::exchange_cuts_agree;
pub use replies::reply_cuts_agree;
pub use requests::request_cuts_agree;
pub use round_trips::{
    Smuggled, accepted_keys_make_one_request, client_and_server_agree, requests_round_trip,
};
pub use sessions::sessions_answer;
pub(crate) use sessions::{NOW, engine};
pub use stream::Stream;
pub(crate) use stream::{feed, item_keys};
pub use typed::{AnyGetVerb, AnyKey, AnyRequest, AnyStoreVerb};

#[cfg(test)]
mod tests {
    use arbitrary::{Arbitrary as _, Unstructured};

    use super::*;
    use crate::{
        connection::calls_agree,
        guard::guards_agree,
        meta::{AnyMeta, meta_is_answered, meta_round_trips},
        small::small_ways_agree,
        transcripts::{self, Way},
    };

    /// Calls `law` with `bytes` under every setting.
    fn try_all(bytes: &[u8], law: fn(&Stream<'_>)) {
        for number in 0..12 {
            let cuts = [1, 2, 3].map(|cut| cut * (number + 2));
            law(&Stream { cuts, asked: [number as u8, 11 - number as u8], bytes });
        }
    }

    #[test]
    fn the_replies_of_real_servers_obey() {
        for bytes in transcripts::all(Way::Replies).iter().filter(|bytes| bytes.len() < 5000) {
            try_all(bytes, reply_cuts_agree);
            try_all(bytes, exchange_cuts_agree);
            try_all(bytes, calls_agree);
            try_all(bytes, small_ways_agree);
        }
    }

    #[test]
    fn replies_that_once_broke_a_law_obey() {
        for bytes in [&b"key=a\r\r\n"[..], b"key=a b\r\r\n", b"key=a b\r\nEND\r\n"] {
            try_all(bytes, reply_cuts_agree);
            try_all(bytes, exchange_cuts_agree);
            try_all(bytes, calls_agree);
            try_all(bytes, small_ways_agree);
        }
    }

    #[test]
    fn the_requests_of_real_clients_obey() {
        for bytes in transcripts::all(Way::Requests).iter().filter(|bytes| bytes.len() < 5000) {
            try_all(bytes, request_cuts_agree);
            try_all(bytes, sessions_answer);
            try_all(bytes, guards_agree);
        }
    }

    #[test]
    fn typed_requests_obey() {
        let mut noise: Vec<u8> = (0..2000_u32).map(|number| (number * number / 7 % 251) as u8).collect();
        for round in 0..500 {
            noise.rotate_left(3);
            let noise = &noise[..round * 3];
            let list = Vec::<AnyRequest>::arbitrary_take_rest(Unstructured::new(noise)).unwrap();
            requests_round_trip(&list);
            client_and_server_agree(&list);
            let list = Vec::<AnyMeta>::arbitrary_take_rest(Unstructured::new(noise)).unwrap();
            meta_round_trips(&list);
            meta_is_answered(&list);
            let smuggled = Smuggled::arbitrary_take_rest(Unstructured::new(noise)).unwrap();
            accepted_keys_make_one_request(&smuggled);
        }
    }
}
