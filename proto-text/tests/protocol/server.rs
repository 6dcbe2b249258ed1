//! The server's half: requests read.

use memring_text::{
    reply::{DecodeError, Step},
    server::{Reading, RequestDecoder, RequestEvent},
};

use crate::{
    client::cuts,
    model::{Asked, AskedBuilder, is_typed},
    transcript::{Exchange, blocks},
};

fn decode(bytes: &[u8], cuts: &[usize]) -> Result<(Vec<Asked>, usize), DecodeError> {
    let mut decoder = RequestDecoder::new(Reading::Strict);
    let mut builder = AskedBuilder::default();
    let mut start = 0;
    for end in cuts.iter().copied().chain([bytes.len()]) {
        while let Step::Event { consumed, event } = decoder.decode(&bytes[start..end])? {
            assert!(consumed > 0 && consumed <= end - start);
            builder.take(&event);
            start += consumed;
            if event == RequestEvent::Quit {
                return Ok((builder.asked, bytes.len()));
            }
        }
    }
    Ok((builder.asked, start))
}

#[test]
fn requests_are_read_however_they_are_cut() {
    let mut count = 0;
    let mut cut_count = 0;
    for block in blocks() {
        for exchange in &block.exchanges {
            let Some(requests) = exchange.requests.as_ref().filter(|all| all.iter().all(is_typed)) else {
                continue;
            };
            let bytes = exchange.sent_whole();
            let mut expected: Vec<_> = requests.iter().map(Asked::of_json).collect();
            // Behind `quit` nothing is read.
            if let Some(quit) = requests.iter().position(|request| request["q"] == "quit") {
                expected.truncate(quit + 1);
            }
            if block.name == "04-delete-touch-flush/delete-key-named-noreply"
                && bytes == b"delete noreply\r\n"
            {
                assert!(
                    matches!(&expected[..], [Asked::Line(line, None)] if line == b"delete noreply 0\r\n")
                );
            }
            count += expected.len();
            let whole = decode(&bytes, &[]).unwrap();
            assert_eq!(whole, (expected, bytes.len()), "{}", block.name);
            let check = |cuts: &[usize]| assert_eq!(decode(&bytes, cuts).unwrap(), whole, "{}", block.name);
            if bytes.len() <= 1 << 17 {
                check(&(0..bytes.len()).collect::<Vec<_>>());
            }
            for cut in cuts(bytes.len()) {
                check(&[cut]);
                cut_count += 1;
            }
        }
    }
    println!("{count} requests read, {cut_count} cuts");
    assert_eq!(count, 695);
}

#[test]
fn what_is_not_well_formed_is_refused() {
    let mut count = 0;
    for block in blocks() {
        // The user and password travel in a well-formed `set`.
        if block.name.starts_with("11-auth") {
            continue;
        }
        let wrong = |exchange: &&Exchange| match &exchange.requests {
            // What our types cannot say is refused too.
            Some(requests) => !requests.iter().all(is_typed),
            None => true,
        };
        for exchange in block.exchanges.iter().filter(wrong) {
            count += 1;
            let bytes = exchange.sent_whole();
            let error = decode(&bytes, &[]).expect_err(&block.name);
            assert_eq!(decode(&bytes, &(0..bytes.len()).collect::<Vec<_>>()), Err(error), "{}", block.name);
        }
    }
    println!("{count} requests refused");
    assert_eq!(count, 94);
}
