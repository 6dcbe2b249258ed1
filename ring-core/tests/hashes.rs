//! Every hash function against what the peer itself returned: `tests/vectors/hash-*.tsv`.

use core::fmt::Debug;
use std::{collections::BTreeMap, fs, path::Path};

use memring_core::hash::{self, Concat, Hash, Hasher, Murmur64a, Text, Xxh3, Xxh3Seeded, Xxh64, names};
use proptest::{collection::vec, prelude::*};

#[test]
fn every_function_hashes_as_its_peer_does() {
    let files = vector_files();
    for (name, rows) in &files {
        println!("{name}: {} keys", rows.len());
        assert!(!rows.is_empty(), "{name} has no rows");
        match name.as_str() {
            "mcrouter-murmur64a" => check_hasher::<Murmur64a>(rows),
            "mcrouter-spooky32" => check_hash(hash::SPOOKY32, &narrowed(rows)),
            "xxh64" => check_hasher::<Xxh64>(rows),
            "xxh3" => check_hasher::<Xxh3>(rows),
            "xxh3-seeded" => check_hasher::<Xxh3Seeded>(rows),
            _ => {
                let hash = named(name).unwrap_or_else(|| panic!("no function is known for hash-{name}.tsv"));
                check_hash(hash, &narrowed(rows));
            }
        }
    }
    assert_eq!(files.len(), 24, "vector files: {:?}", files.keys());
}

#[test]
fn a_name_means_one_function_within_a_family() {
    for family in [
        names::LIBMEMCACHED,
        names::TWEMPROXY,
        names::SPYMEMCACHED,
        names::XMEMCACHED,
        names::PECL_MEMCACHE_CONSISTENT,
        names::PECL_MEMCACHE_STANDARD,
    ] {
        let mut known = family.iter().map(|(name, _)| name).collect::<Vec<_>>();
        let all = known.len();
        known.sort_unstable();
        known.dedup();
        assert_eq!(known.len(), all, "{family:?}");
    }
}

#[test]
fn functions_without_vectors_agree_with_those_that_have_them() {
    // Their own vectors are placements; here only what ties them to the functions above.
    for key in [&b"tokyo"[..], b"", b"user:123:profile"] {
        assert_eq!(hash::CRC31.of(key), hash::CRC32.of(key) & 0x7fff_ffff);
        assert_eq!(hash::MEMJS.of(key), (hash::JAVA.of(key) as i32).unsigned_abs());
        assert_eq!(hash::FNV1A_15_OR_1.of(key), ((hash::FNV1A_32.of(key) >> 16) & 0x7fff).max(1));
        assert_eq!(hash::ONE_AT_A_TIME_UNSIGNED.of(key), hash::ONE_AT_A_TIME.of(key));
        assert_eq!(hash::FNV1A_32_UNSIGNED.of(key), hash::FNV1A_32.of(key));
        assert_eq!(hash::MURMUR3_SIGNED.of(key), hash::MURMUR3_CHARS.of(key) ^ 1 << 31);
        assert_eq!(u64::from(hash::XXH3.of(key)), Xxh3::of(key) & 0xffff_ffff);
        assert_eq!(hash::SHA1_BIG_ENDIAN.of(key), hash::SHA1.of(key).swap_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn cutting_the_input_changes_nothing(bytes in any_bytes(), cuts in vec(0_usize..300, 0..6)) {
        for hash in EVERY_HASH {
            let whole = hash.of(&bytes);
            prop_assert_eq!(hash.of_text(&Cut::new(&bytes, &cuts)), whole, "{:?}", hash);
            prop_assert_eq!(hash.of_text(&Bytewise(&bytes)), whole, "{:?} of single bytes", hash);
            let mut many = [0; 3];
            hash.of_many(&[&bytes, b"another", &bytes], &mut many);
            prop_assert_eq!(many, [whole, hash.of(b"another"), whole], "{:?} of many", hash);
        }
        cut_in_wide::<Murmur64a>(&bytes, &cuts)?;
        cut_in_wide::<Xxh64>(&bytes, &cuts)?;
        cut_in_wide::<Xxh3>(&bytes, &cuts)?;
        cut_in_wide::<Xxh3Seeded>(&bytes, &cuts)?;
    }
}

const EVERY_HASH: [Hash; 34] = [
    hash::ONE_AT_A_TIME,
    hash::MD5,
    hash::MD5_SIX_DIGITS,
    hash::SHA1,
    hash::SHA1_BIG_ENDIAN,
    hash::CRC32,
    hash::CRC31,
    hash::CRC15,
    hash::CRC15_OR_1,
    hash::CRC16,
    hash::FNV1_32,
    hash::FNV1A_32,
    hash::FNV1_64,
    hash::FNV1A_64,
    hash::FNV1A_15_OR_1,
    hash::FNV1_32_UTF16,
    hash::FNV1A_32_UTF16,
    hash::FNV1_64_UTF16,
    hash::FNV1A_64_UTF16,
    hash::JAVA,
    hash::MEMJS,
    hash::HSIEH,
    hash::MURMUR,
    hash::MURMUR3,
    hash::MURMUR3_CHARS,
    hash::JENKINS,
    hash::EMCACHE,
    hash::SPOOKY32,
    hash::ONE_AT_A_TIME_UNSIGNED,
    hash::FNV1A_32_UNSIGNED,
    hash::FNV1A_32_FROM_ZERO,
    hash::MURMUR3_SIGNED,
    hash::XXH3,
    hash::XXH3_SEEDED,
];

/// Bytes of any kind, and texts in UTF-8.
fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..300),
        vec(any::<u8>(), 900..1200),
        any::<String>().prop_map(String::into_bytes)
    ]
}

fn cut_in_wide<H: Hasher<Output: Debug + PartialEq>>(
    bytes: &[u8],
    cuts: &[usize],
) -> Result<(), TestCaseError> {
    let whole = H::of(bytes);
    prop_assert_eq!(&H::of_text(&Cut::new(bytes, cuts)), &whole);
    prop_assert_eq!(&H::of_text(&Bytewise(bytes)), &whole);
    Ok(())
}

/// Bytes in pieces that end at the cuts.
struct Cut<'k> {
    bytes: &'k [u8],
    cuts: Vec<usize>,
}

impl<'k> Cut<'k> {
    fn new(bytes: &'k [u8], cuts: &[usize]) -> Self {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
        cuts.sort_unstable();
        Self { bytes, cuts }
    }
}

impl Text for Cut<'_> {
    fn feed(&self, sink: &mut dyn FnMut(&[u8])) {
        let mut from = 0;
        for &to in &self.cuts {
            sink(&self.bytes[from..to]);
            from = to;
        }
        sink(&self.bytes[from..]);
    }
}

/// The function whose vectors are called `name`, found as a user finds it: by the peer's own spelling.
fn named(name: &str) -> Option<Hash> {
    let (peer, name) = name.split_once('-')?;
    let name = name.replace('-', "_");
    match (peer, name.as_str()) {
        ("libhashkit", name) => names::LIBMEMCACHED.hash(name),
        ("twemproxy", name) => names::TWEMPROXY.hash(name),
        ("spymemcached", name) => names::SPYMEMCACHED.hash(&format!("{}_HASH", name.to_uppercase())),
        _ => None,
    }
}

fn check_hash(hash: Hash, rows: &Rows<u32>) {
    let keys: Vec<&[u8]> = rows.iter().map(|(key, _)| key.as_slice()).collect();
    let mut many = vec![0; keys.len()];
    hash.of_many(&keys, &mut many);
    for ((key, wanted), one_of_many) in rows.iter().zip(many) {
        assert_eq!((hash.of(key), one_of_many), (*wanted, *wanted), "{hash:?} of {key:02x?}");
        in_pieces(key, |text| assert_eq!(hash.of_text(text), *wanted, "{hash:?} of {key:02x?}, cut"));
    }
}

fn check_hasher<H: Hasher<Output: Copy + Debug + Default + PartialEq>>(rows: &Rows<H::Output>) {
    let keys: Vec<&[u8]> = rows.iter().map(|(key, _)| key.as_slice()).collect();
    let mut many = vec![H::Output::default(); keys.len()];
    H::of_many(&keys, &mut many);
    for ((key, wanted), one_of_many) in rows.iter().zip(many) {
        assert_eq!((H::of(key), one_of_many), (*wanted, *wanted), "{key:02x?}");
        in_pieces(key, |text| assert_eq!(H::of_text(text), *wanted, "{key:02x?}, cut"));
    }
}

/// Shows `key` whole, in single bytes, and cut in two at several places.
fn in_pieces(key: &[u8], check: impl Fn(&dyn Text)) {
    check(&key);
    check(&Bytewise(key));
    let middle = key.len() / 2;
    for cut in [1, 3, middle.saturating_sub(1), middle, middle + 1, key.len().saturating_sub(1)] {
        let (left, right) = key.split_at(cut.min(key.len()));
        check(&Concat([&left as &dyn Text, &"", &right]));
    }
}

struct Bytewise<'k>(&'k [u8]);

impl Text for Bytewise<'_> {
    fn feed(&self, sink: &mut dyn FnMut(&[u8])) {
        self.0.chunks(1).for_each(sink);
    }
}

type Rows<T> = Vec<(Vec<u8>, T)>;

fn narrowed(rows: &Rows<u64>) -> Rows<u32> {
    rows.iter().map(|(key, hash)| (key.clone(), u32::try_from(*hash).expect("a hash of 32 bits"))).collect()
}

/// The rows of every file that holds hashes, by the file's name without `hash-` and `.tsv`.
fn vector_files() -> BTreeMap<String, Rows<u64>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(&folder).expect("the folder of vectors") {
        let path = entry.expect("an entry of the folder").path();
        let file = path.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8");
        let Some(name) = file.strip_prefix("hash-").and_then(|name| name.strip_suffix(".tsv")) else {
            continue;
        };
        let content = fs::read_to_string(&path).expect("a readable file");
        // `hash-ring--….tsv` are placements of a peer of that name.
        if content.starts_with("# hash: ") {
            files.insert(name.to_owned(), rows(&content));
        }
    }
    files
}

fn rows(content: &str) -> Rows<u64> {
    content
        .lines()
        .filter(|line| !line.starts_with("# "))
        .map(|line| {
            let (key, hash) = line.split_once('\t').expect("a key, a tab, a hash");
            (unescaped(key), u64::from_str_radix(hash, 16).expect("a hash in hexadecimal"))
        })
        .collect()
}

/// The key of a row, in which `\xNN` stands for a byte.
fn unescaped(key: &str) -> Vec<u8> {
    let mut parts = key.split("\\x");
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(digits, 16).expect("two hexadecimal digits"));
        bytes.extend_from_slice(rest.as_bytes());
    }
    bytes
}
