//! The client's half: requests encoded, replies decoded and paired.

use memring_text::{
    DecodeError, Exchange, ExchangeState, Expected, Key, Keys, Limits, Progress, ReplyDecoder, ReplyShape,
    Step,
};

use crate::{
    model::{Data, Reply, ReplyBuilder, data_of_json, get_of_json, is_known, with_request},
    transcript::{self, blocks},
};

/// One block has a server with larger items.
const LIMITS: Limits = Limits { value: 4 << 20, ..Limits::DEFAULT };

/// The longest reply that is cut at every place; longer ones are cut near their ends.
const CUT_EVERYWHERE: usize = 4096;

#[test]
fn requests_are_encoded_byte_for_byte() {
    let mut count = 0;
    for block in blocks() {
        for exchange in &block.exchanges {
            let Some(requests) = exchange.requests.as_ref().filter(|all| all.iter().all(is_known)) else {
                continue;
            };
            let sent = exchange.sent_whole();
            let mut encoded = Vec::new();
            for request in requests {
                count += 1;
                if let Some((verb, keys)) = get_of_json(request) {
                    let keys: Vec<_> = keys.iter().map(|key| Key::new(key).unwrap()).collect();
                    let mut out = vec![0; sent.len()];
                    let line = verb.write_line(&keys, &mut out).unwrap();
                    assert_eq!(line.keys, keys.len(), "{}", block.name);
                    encoded.extend_from_slice(&out[..line.len]);
                    continue;
                }
                // A long value is not in the files: it is the bytes that follow its line.
                let len = request.get("len").map_or(0, |len| len.as_u64().unwrap() as usize);
                let line_end = sent[encoded.len()..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
                let data = &sent[encoded.len() + line_end..][..len];
                assert_eq!(data_of_json(request), request.get("len").map(|_| Data::Bytes(data.to_vec())));
                with_request(request, data, |request| request.encode(&mut encoded)).unwrap();
            }
            // The one request that is sent in another form than a person would, and why: see `Delete`.
            if block.name == "04-delete-touch-flush/delete-key-named-noreply" && sent == b"delete noreply\r\n"
            {
                assert_eq!(encoded, b"delete noreply 0\r\n");
                continue;
            }
            assert!(encoded == sent, "{}: {}", block.name, encoded.escape_ascii());
        }
    }
    println!("{count} requests encoded");
    assert_eq!(count, 520);
}

fn decode(bytes: &[u8], cuts: &[usize]) -> Result<Vec<Reply>, DecodeError> {
    let mut decoder = ReplyDecoder::new(LIMITS);
    let mut builder = ReplyBuilder::default();
    let mut start = 0;
    for end in cuts.iter().copied().chain([bytes.len()]) {
        while let Step::Event { consumed, event } = decoder.decode(&bytes[start..end])? {
            assert!(consumed > 0 && consumed <= end - start);
            builder.take(&event);
            start += consumed;
        }
    }
    assert!(start == bytes.len() && !builder.is_open(), "bytes left over");
    Ok(builder.replies)
}

/// Where a stream of `len` bytes is cut in two: everywhere, or where it is long, near its ends.
pub fn cuts(len: usize) -> impl Iterator<Item = usize> {
    (0..=len).filter(move |cut| len <= CUT_EVERYWHERE || *cut < 32 || len - cut < 32)
}

#[test]
fn replies_are_decoded_however_they_are_cut() {
    let mut count = 0;
    let mut cut_count = 0;
    for block in blocks() {
        for exchange in &block.exchanges {
            let Some(replies) = &exchange.replies else { continue };
            let Some(expected) = replies.iter().map(Reply::of_json).collect::<Option<Vec<_>>>() else {
                continue;
            };
            count += expected.len();
            let bytes = &exchange.received;
            let whole = decode(bytes, &[]).unwrap();
            assert_eq!(whole, expected, "{}", block.name);
            let check = |cuts: &[usize]| assert_eq!(decode(bytes, cuts).unwrap(), whole, "{}", block.name);
            if bytes.len() <= 1 << 17 {
                check(&(0..bytes.len()).collect::<Vec<_>>());
            }
            for cut in cuts(bytes.len()) {
                check(&[cut]);
                cut_count += 1;
            }
        }
    }
    println!("{count} replies decoded, {cut_count} cuts");
    assert_eq!(count, 513);
}

/// A request that waits, as a client's queue would hold it.
struct Waiting {
    shape: ReplyShape,
    keys: Vec<Vec<u8>>,
}

impl Expected for Waiting {
    fn shape(&self) -> ReplyShape {
        self.shape
    }

    fn key(&self, index: usize) -> Option<&[u8]> {
        self.keys.get(index).map(Vec::as_slice)
    }
}

#[test]
fn every_reply_answers_its_request() {
    let mut count = 0;
    for block in blocks() {
        let known =
            |e: &transcript::Exchange| e.requests.as_ref().is_some_and(|all| all.iter().all(is_known));
        for exchange in block.exchanges.iter().filter(|exchange| known(exchange)) {
            let requests = exchange.requests.as_ref().unwrap();
            // What a server says after `quit`, or that authentication is wanted, answers nothing that was asked.
            if block.end != "open" {
                continue;
            }
            let mut waiting = std::collections::VecDeque::new();
            let mut pairing = Exchange::new(LIMITS);
            for request in requests {
                let (shape, keys) = match get_of_json(request) {
                    Some((verb, keys)) => (verb.reply_shape(), keys),
                    None => {
                        let len = request.get("len").map_or(0, |len| len.as_u64().unwrap());
                        if len > 200 {
                            let noreply = request["noreply"] == true;
                            (if noreply { ReplyShape::Nothing } else { ReplyShape::Store }, Vec::new())
                        } else {
                            let data = request.get("data").map(crate::model::string).unwrap_or_default();
                            (with_request(request, &data, |request| request.reply_shape()), Vec::new())
                        }
                    }
                };
                if shape != ReplyShape::Nothing {
                    waiting.push_back(Waiting { shape, keys });
                    pairing.sent();
                }
            }
            let mut rest = &exchange.received[..];
            while let Some(oldest) = waiting.front() {
                match pairing.decode(rest, oldest).unwrap_or_else(|error| panic!("{}: {error}", block.name)) {
                    Progress::Event { consumed, complete, .. } => {
                        rest = &rest[consumed..];
                        if complete {
                            waiting.pop_front();
                            count += 1;
                        }
                    }
                    Progress::NeedMore => panic!("{}: a reply is missing", block.name),
                }
            }
            assert_eq!((pairing.owed(), rest), (0, &b""[..]), "{}", block.name);
        }
    }
    println!("{count} replies paired");
    assert_eq!(count, 379);
}

#[test]
fn an_abandoned_reply_is_thrown_away_by_count() {
    use memring_text::Abandoned;
    let bytes = b"VALUE a 0 1\r\n1\r\nEND\r\nSTORED\r\nSTAT a b\r\nEND\r\n5\r\nVALUE b 0 1\r\n2\r\nEND\r\n";
    let mut pairing = Exchange::default();
    (0..5).for_each(|_| pairing.sent());
    let keys = Keys { keys: &["b"], cas: false };
    let mut rest = &bytes[..];
    while pairing.owed() > 0 {
        let last = pairing.owed() == 1;
        let progress = if last { pairing.decode(rest, &keys) } else { pairing.decode(rest, &Abandoned) };
        let Ok(Progress::Event { consumed, .. }) = progress else { panic!("{progress:?}") };
        rest = &rest[consumed..];
    }
    assert_eq!((pairing.state(), rest), (ExchangeState::Idle, &b""[..]));
}
