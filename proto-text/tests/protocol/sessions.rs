//! Sessions as nobody would think of them: right requests, and such as are wrong in one place or another.

use std::fmt;

use proptest::{collection::vec, prelude::*, sample::select};

/// What a client writes, one entry a write; each is answered before the next.
#[derive(Clone)]
pub struct Session(pub Vec<Vec<u8>>);

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|write| write!(f, "\n  {}", shown(write)))
    }
}

/// Escaped, and each long run of a byte as its number.
pub fn shown(bytes: &[u8]) -> String {
    let show = |run: &[u8]| match run.len() {
        ..9 => run.escape_ascii().to_string(),
        len => format!("{}{{{len}}}", run[..1].escape_ascii()),
    };
    bytes.chunk_by(|a, b| a == b).map(show).collect()
}

type Bytes = BoxedStrategy<Vec<u8>>;

fn one_of(words: &'static [&'static str]) -> Bytes {
    select(words).prop_map(|word| word.as_bytes().to_vec()).boxed()
}

fn join(parts: Vec<Bytes>) -> Bytes {
    parts.prop_map(|parts| parts.concat()).boxed()
}

fn text(text: &'static str) -> Bytes {
    Just(text.as_bytes().to_vec()).boxed()
}

/// Mostly one space.
fn gap() -> Bytes {
    prop_oneof![60 => text(" "), 1 => text("  "), 1 => text("")].boxed()
}

fn line_end() -> Bytes {
    prop_oneof![40 => text("\r\n"), 1 => text("\n"), 1 => text(" \r\n"), 1 => text("\r\r\n"), 1 => text("  \n")]
        .boxed()
}

fn key() -> Bytes {
    let odd =
        one_of(&["noreply", "0", "END", "a\r", "\t", "a\tb", "\x7f", "\x01", "a\0b", "Zm9v", "YQ==", "YWI="]);
    let high = Just(b"\xff\x80".to_vec());
    let long = select(&[249_usize, 250, 251, 252, 300][..]).prop_map(|len| vec![b'k'; len]);
    prop_oneof![40 => one_of(&["a", "b", "n", "foo"]), 2 => odd, 1 => high, 1 => long].boxed()
}

fn wild_number() -> Bytes {
    let known = one_of(&[
        "",
        "-0",
        "+5",
        "007",
        "abc",
        "1a",
        "0x10",
        "1.5",
        "\t5",
        "5\t",
        "5\r",
        "--1",
        "-",
        "+",
        "1\0",
        "2592000",
        "2592001",
        "1700000000",
        "4000000000",
        "2147483646",
        "2147483647",
        "2147483648",
        "-2147483648",
        "-2147483649",
        "4294967295",
        "4294967296",
        "4294967297",
        "4294967301",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "-9223372036854775809",
        "-18446744073709551615",
        "18446744073709551614",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999999",
        "00000000000000000000000000000000005",
    ]);
    prop_oneof![known, any::<i64>().prop_map(|n| n.to_string().into_bytes())].boxed()
}

fn flags() -> Bytes {
    prop_oneof![8 => one_of(&["0", "5", "4294967295"]), 1 => wild_number()].boxed()
}

fn exptime() -> Bytes {
    prop_oneof![16 => text("0"), 6 => one_of(&["100", "30", "2592000"]), 3 => one_of(&["-1", "-100"]), 2 => wild_number()]
        .boxed()
}

fn delta() -> Bytes {
    prop_oneof![8 => one_of(&["1", "0", "9", "100", "18446744073709551615"]), 2 => wild_number()].boxed()
}

fn unique() -> Bytes {
    prop_oneof![8 => (0..12_u32).prop_map(|n| n.to_string().into_bytes()), 1 => wild_number()].boxed()
}

fn value() -> Bytes {
    let numbers = one_of(&[
        "5",
        "99",
        "100",
        "0",
        "18446744073709551615",
        "18446744073709551616",
        "5 ",
        " 7",
        "-1",
        "+3",
        "007",
        "12a",
        "1 2",
        "123456789012345678901234567890",
    ]);
    let texts = one_of(&["", "x", "hello", "mn\r\n", "a\nb\0c", "\r\nx"]);
    let long = (0..3000_usize).prop_map(|len| vec![b'v'; len]);
    prop_oneof![10 => numbers, 10 => texts, 1 => long].boxed()
}

fn noreply() -> Bytes {
    prop_oneof![20 => text(""), 4 => text(" noreply"), 1 => one_of(&[" NOREPLY", " noreply x", " x", " noreply noreply", " 0", " 0 noreply"])]
        .boxed()
}

/// A value with its announced length, mostly the right one, and what ends it.
fn block() -> BoxedStrategy<(Vec<u8>, Vec<u8>)> {
    let announced = prop_oneof![30 => Just(None), 2 => (-2..3_i64).prop_map(|by| Some(Ok(by))), 1 => wild_number().prop_map(|n| Some(Err(n)))];
    let end = prop_oneof![30 => text("\r\n"), 1 => one_of(&["\n", "", "XX", "\r", "\r\r\n", "\n\r\n"])];
    (value(), announced, end)
        .prop_map(|(value, announced, end)| {
            let len = match announced {
                None => value.len().to_string().into_bytes(),
                Some(Ok(by)) => (value.len() as i64 + by).to_string().into_bytes(),
                Some(Err(wild)) => wild,
            };
            (len, [value, end].concat())
        })
        .boxed()
}

fn store() -> Bytes {
    let verb = select(&["set", "set", "set", "add", "replace", "append", "prepend", "cas", "cas"][..]);
    let words = (verb, key(), flags(), exptime(), unique(), noreply());
    let gaps = vec(gap(), 5);
    (words, gaps, block(), line_end())
        .prop_map(|((verb, key, flags, exptime, unique, noreply), gaps, (len, block), end)| {
            let mut line = verb.as_bytes().to_vec();
            let words = [key, flags, exptime, len];
            for (gap, word) in gaps.iter().zip(&words) {
                line.extend_from_slice(gap);
                line.extend_from_slice(word);
            }
            if verb == "cas" {
                line.extend_from_slice(&gaps[4]);
                line.extend_from_slice(&unique);
            }
            [line, noreply, end, block].concat()
        })
        .boxed()
}

/// A value about as long as an item may be, under names of its own: memcached holds back the whole reply to a get, ours
/// does not when it is long.
fn large() -> Bytes {
    let line = select(
        &[
            "set big 0 0 # ",
            "set big 5 0 # noreply",
            "add huge 0 0 #",
            "append big 0 0 #",
            "replace big 0 0 #",
            "cas big 0 0 # 1",
            "ms big # k O1",
            "ms big # q k F1",
            "ms huge # MP c",
        ][..],
    );
    let len =
        select(&[1_048_400_usize, 1_048_507, 1_048_510, 1_048_511, 1_048_514, 1_048_515, 1_100_000][..]);
    (line, len)
        .prop_map(|(line, len)| {
            let line = line.replace('#', &len.to_string());
            [line.as_bytes(), b"\r\n", &vec![b'w'; len], b"\r\n"].concat()
        })
        .boxed()
}

fn keys() -> Bytes {
    let usual = vec(join(vec![gap(), key()]), 0..4).prop_map(|keys| keys.concat());
    let many = vec(join(vec![gap(), key()]), 18..50).prop_map(|keys| keys.concat());
    prop_oneof![20 => usual, 1 => many].boxed()
}

fn classic() -> Bytes {
    let get = join(vec![one_of(&["get", "gets", "get", "gets", "bget"]), keys(), line_end()]);
    let gat = join(vec![one_of(&["gat", "gats"]), gap(), exptime(), keys(), line_end()]);
    let touch = join(vec![text("touch"), gap(), key(), gap(), exptime(), noreply(), line_end()]);
    let delete = join(vec![text("delete"), gap(), key(), noreply(), line_end()]);
    let flush = join(vec![
        one_of(&["flush_all", "flush_all ", "flush_all 0", "flush_all -1", "flush_all x"]),
        noreply(),
        line_end(),
    ]);
    let word = join(vec![
        one_of(&[
            "verbosity 0",
            "verbosity 1",
            "verbosity x",
            "verbosity",
            "verbosity 1 2",
            "version",
            "version x",
            "VERSION",
            "mn",
            "mn x y",
            "MN",
        ]),
        noreply(),
        line_end(),
    ]);
    prop_oneof![8 => store(), 6 => get, 3 => gat, 3 => touch, 3 => delete, 1 => flush, 1 => word].boxed()
}

fn token(letter: u8) -> Bytes {
    let usual = match letter {
        b'T' | b'N' | b'R' => exptime(),
        b'C' | b'E' => unique(),
        b'F' => flags(),
        b'D' | b'J' => delta(),
        b'M' => one_of(&["E", "A", "P", "R", "S", "I", "D", "+", "-", "e", "a", "", "SS"]),
        b'O' | b'P' | b'L' => one_of(&[
            "",
            "1",
            "abc",
            "k c q",
            "0123456789012345678901234567890",
            "01234567890123456789012345678901",
        ]),
        _ => text(""),
    };
    prop_oneof![40 => usual, 1 => one_of(&["", "1", "x", "noreply"])].boxed()
}

fn flag() -> Bytes {
    let known = select(&b"bcfhklqstuvCDFIJMNORT"[..]);
    let other = select(&b"ELPSWXZxzAio\x7f\xff0-"[..]);
    prop_oneof![40 => known, 1 => other]
        .prop_flat_map(|letter| token(letter).prop_map(move |token| [&[letter][..], &token].concat()))
        .boxed()
}

fn meta_flags(usual: usize) -> Bytes {
    let some = vec(join(vec![gap(), flag()]), 0..usual).prop_map(|flags| flags.concat());
    // Each once, so that there are many without an error.
    let distinct = Just(b"bcfhklqstuvCDFIJMNORT".to_vec())
        .prop_shuffle()
        .prop_flat_map(|letters| {
            (0..22_usize).prop_flat_map(move |count| {
                letters[..count.min(21)]
                    .iter()
                    .map(|letter| {
                        let letter = *letter;
                        token(letter).prop_map(move |token| [&[b' ', letter][..], &token].concat())
                    })
                    .collect::<Vec<_>>()
            })
        })
        .prop_map(|flags| flags.concat());
    prop_oneof![20 => some, 2 => distinct].boxed()
}

fn meta_get() -> Bytes {
    join(vec![text("mg"), gap(), key(), meta_flags(7), line_end()])
}

fn meta() -> Bytes {
    let delete = join(vec![text("md"), gap(), key(), meta_flags(4), line_end()]);
    let debug =
        join(vec![text("me"), gap(), key(), one_of(&["", "", " b", " x", " b b", " k k"]), line_end()]);
    let set = (gap(), key(), gap(), block(), meta_flags(6), line_end()).prop_map(
        |(gap, key, gap2, (len, block), flags, end)| {
            [&b"ms"[..], &gap, &key, &gap2, &len, &flags, &end, &block].concat()
        },
    );
    prop_oneof![8 => set, 3 => delete, 1 => debug].boxed()
}

fn counter() -> Bytes {
    let classic = join(vec![one_of(&["incr", "decr"]), gap(), key(), gap(), delta(), noreply(), line_end()]);
    let meta = join(vec![text("ma"), gap(), key(), meta_flags(6), line_end()]);
    prop_oneof![classic, meta].boxed()
}

/// What is hardly a request.
fn noise() -> Bytes {
    let words = one_of(&[
        "\r\n",
        "\n",
        " \r\n",
        "get\r\n",
        "gets\r\n",
        "gat\r\n",
        "gat 1\r\n",
        "set\r\n",
        "set a\r\n",
        "set a 0 0\r\n",
        "m\r\n",
        "mx a\r\n",
        "mg\r\n",
        "ms\r\n",
        "ms a\r\n",
        "md\r\n",
        "ma\r\n",
        "me\r\n",
        "a\r\n",
        "x y HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\n",
        "POST / HTTP/1.0\r\n",
        " get a\r\n",
        "  set b 0 0 1\r\nx\r\n",
        " md a\r\n",
        " mn\r\n",
        "GET a\r\n",
        "get a\0b c\r\n",
        "\0\r\n",
        "get\ta\r\n",
        "quit\r\n",
        "quit x\r\n",
        "incr n\r\n",
        "incr n 1 2 3\r\n",
        "decr n\r\n",
        "touch a\r\n",
        "delete\r\n",
        "cas a 0 0 1\r\nx\r\n",
        "cas a 0 0 1 1 2 3\r\nx\r\n",
        "flush_all 1 2 3\r\n",
        "flush_all noreply 1\r\n",
        "version\0x\r\n",
        "mn\0\r\n",
        "hello world\r\n",
        "set a 0 0 1 noreply",
        "stats reset\r\n",
        "stats noreply\r\n",
        "stats x\r\n",
        "stats sizes\r\n",
        "mq\r\n",
        "mgg\r\n",
        "mg a\tv\r\n",
        "gett a\r\n",
        "slabs\r\n",
        "lru\r\n",
        "lru_crawler\r\n",
    ]);
    let long = (
        select(&["x", "set ", "get ", "gets ", "mg ", "gat 0 ", " get ", "    get "][..]),
        select(&[2000_usize, 2040, 2046, 2047, 2048, 2049, 2050, 2060, 3000][..]),
        one_of(&["", "\r\n", "\n", " a\r\n"]),
    )
        .prop_map(|(word, len, end)| {
            let mut line = word.as_bytes().to_vec();
            line.resize(len.saturating_sub(end.len()), b'y');
            line.extend_from_slice(&end);
            line
        });
    prop_oneof![10 => words, 1 => long].boxed()
}

/// Tells all that can be told of what the server holds.
pub const EPILOGUE: &[u8] = b"gets a b n foo noreply\r\n\
    mg a s v t f h l c k\r\nmg b s v t f h l c k\r\nmg n s v t f h l c k\r\nmg foo s v t f h l c k\r\n\
    mg Zm9v b s v t f h l c k\r\nmg noreply s v t f h l c k\r\nmg big s f c\r\nmg huge s f c\r\n\
    me a\r\nme b\r\nme foo\r\nme big\r\n";

pub fn session() -> impl Strategy<Value = Session> {
    let alone = prop_oneof![20 => classic(), 10 => counter(), 10 => meta_get(), 15 => meta(), 3 => noise()];
    // While the reply to an `mg` waits to be written, memcached does not change the item's number in its place.
    let gets = prop_oneof![20 => classic(), 10 => meta_get(), 15 => meta(), 3 => noise()];
    let counts = prop_oneof![20 => classic(), 10 => counter(), 15 => meta(), 3 => noise()];
    let together = prop_oneof![vec(gets, 2..6), vec(counts, 2..6)].prop_map(|requests| requests.concat());
    let write = prop_oneof![100 => alone, 16 => together, 1 => large()];
    vec(write, 1..30).prop_map(Session)
}
