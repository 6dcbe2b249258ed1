//! The peers: a table each, and the one that finds them by name.
//!
//! Each was read off its clients' source, and held against what those clients stored and read back.
//!
//! | peer | clients | types | compressed | with |
//! |---|---|---|---|---|
//! | `raw` | pymemcache, memjs, aiomcache, emcache, gomemcache | none | never | |
//! | `pylibmc` | pylibmc from 1.6.0, Django over it | bits 0–2, 4 | bit 3 | zlib |
//! | `python-memcached` | python-memcached from 1.59 | bits 0–2, 4 | bit 3 | zlib |
//! | `python-memcached-1.58` | python-memcached to 1.58 | bits 0–2 | bit 3 | zlib |
//! | `pymemcache` | pymemcache's `PickleSerde`, Django over it | bits 0–2, 4 | never | |
//! | `pymemcache-compressed` | pymemcache's `CompressedSerde` | bits 0–2, 4 | bit 3 | zlib |
//! | `bmemcached` | python-binary-memcached | bits 0–2, 4 | bit 3 | zlib |
//! | `meta-memcache` | meta-memcache's `MixedSerializer` | bits 0–2, 4 | bit 3 | zlib |
//! | `libmc` | libmc | bits 0–3, 5 | bit 4 | zlib |
//! | `php-memcached` | PHP's Memcached class | bits 0–3 | bit 4 | bits 5–7: zlib, FastLZ, zstd |
//! | `php-memcache` | PHP's Memcache class | bit 0, bits 8–11 | bit 1 | zlib |
//! | `dalli` | Dalli | bits 0, 2 | bit 1 | zlib, gzip |
//! | `cache-memcached` | Cache::Memcached | bit 0 | bit 1 | gzip |
//! | `cache-memcached-fast` | Cache::Memcached::Fast | bits 0, 2 | bit 1 | gzip |
//! | `node-memcached` | npm's memcached | the whole number | never | |
//! | `spymemcached` | spymemcached | bit 0, bits 8–15 | bit 1 | gzip |
//! | `spymemcached-whalin` | spymemcached's `WhalinTranscoder`, Memcached-Java-Client 2.6 | the whole number but bit 1 | bit 1 | gzip |
//! | `xmemcached` | xmemcached | bit 0, bits 8–15 | bit 1 | gzip, zlib |
//!
//! The flags collide, so the peer must be named. The same item, as its own clients read it:
//!
//! | flags | bytes | readings |
//! |---|---|---|
//! | 0 | `hello` | bytes (`pylibmc`, PHP, Perl); text (`bmemcached`, `spymemcached`, `node-memcached`) |
//! | 2 | `3` | 3 (Python); 3.0 (`php-memcached`); JSON (`node-memcached`); damaged (`dalli`, `spymemcached`) |
//! | 8 | `1` | 1 (`node-memcached`); true (`libmc`); damaged (other Python); Java's (`spymemcached-whalin`) |
//! | 16 | `abc` | text (`pylibmc`, `python-memcached`); bytes (`bmemcached`, `meta-memcache`) |
//! | 0x300 | `42` | 42 (`php-memcache`); 13362 (`spymemcached`) |

use super::{
    Compression, Format,
    Type::{self, Bool, Bytes, Date, Float, Int, Null, Text},
    float::FloatText,
    form::Form,
    inflate::Way,
    java::{Number, Width},
    peer::{Packing, Peer, Row},
};

/// The peer of this name.
///
/// ```
/// use memring_client::values::peers;
///
/// assert_eq!(peers::named("dalli"), Some(&peers::DALLI));
/// assert_eq!(peers::named("nobody"), None);
/// ```
#[must_use]
pub fn named(name: &str) -> Option<&'static Peer> {
    ALL.iter().copied().find(|peer| peer.name == name)
}

/// Every peer.
pub const ALL: &[&Peer] = &[
    &RAW,
    &PYLIBMC,
    &PYTHON_MEMCACHED,
    &PYTHON_MEMCACHED_1_58,
    &PYMEMCACHE,
    &PYMEMCACHE_COMPRESSED,
    &BMEMCACHED,
    &META_MEMCACHE,
    &LIBMC,
    &PHP_MEMCACHED,
    &PHP_MEMCACHE,
    &DALLI,
    &CACHE_MEMCACHED,
    &CACHE_MEMCACHED_FAST,
    &NODE_MEMCACHED,
    &SPYMEMCACHED,
    &SPYMEMCACHED_WHALIN,
    &XMEMCACHED,
];

/// Bytes only; the flags are the caller's, and written as 0.
pub const RAW: Peer = Peer {
    name: "raw",
    clients: "pymemcache, memjs, aiomcache, emcache and gomemcache as they come",
    rows: &[row("bytes", 0, 0, Form::Bytes(&FloatText::PLAIN), &[Bytes, Text, Int, Float])],
    packing: Packing::NONE,
    typed: 0,
    callers: u32::MAX,
};

/// The type bits of most Python clients, and of those that know text by a flag.
const PYTHON_1_58: u32 = 1 | 2 | 4;
const PYTHON: u32 = PYTHON_1_58 | 16;

const BY_ZLIB: Packing = Packing::bit(8, &[(8, Way::Plain(Compression::Zlib))]);

const PICKLE: Row = row("pickle", 1, PYTHON, Form::Object(Format::PythonPickle, None), &[]);
const PYTHON_BYTES: Row = row("bytes", 0, PYTHON, AS_BYTES, &[Bytes]);
const PYTHON_TEXT: Row = row("str", 16, PYTHON, Form::Text, &[Text]);
const PYTHON_INT: Row = row("int", 2, PYTHON, Form::Decimal, &[Int]);
/// Read, and never written on Python 3.
const PYTHON_LONG: Row = row("long", 4, PYTHON, Form::Decimal, &[]);

/// pylibmc. True and false are read as 1 and 0.
///
/// Before 1.6.0, flags of 16 meant a truth value.
pub const PYLIBMC: Peer = Peer {
    name: "pylibmc",
    clients: "pylibmc from 1.6.0, Django's PyLibMCCache",
    rows: &[
        PYTHON_BYTES,
        PYTHON_TEXT,
        row("int", 4, PYTHON, Form::Decimal, &[Int]),
        row("bool", 2, PYTHON, Form::DecimalBool, &[Bool]),
        PICKLE,
    ],
    packing: BY_ZLIB,
    typed: PYTHON,
    callers: 0,
};

const PYTHON_ROWS: &[Row] = &[PYTHON_BYTES, PYTHON_TEXT, PYTHON_INT, PYTHON_LONG, PICKLE];

/// python-memcached.
pub const PYTHON_MEMCACHED: Peer = Peer {
    name: "python-memcached",
    clients: "python-memcached from 1.59",
    rows: PYTHON_ROWS,
    packing: BY_ZLIB,
    typed: PYTHON,
    callers: 0,
};

/// Older python-memcached, which takes bytes and text for one. It cannot read its own bytes where they are no text, so
/// those are not written.
pub const PYTHON_MEMCACHED_1_58: Peer = Peer {
    name: "python-memcached-1.58",
    clients: "python-memcached to 1.58",
    rows: &[
        row("str", 0, PYTHON_1_58, Form::TextOrBytes, &[Text, Bytes]),
        row("int", 2, PYTHON_1_58, Form::DecimalBool, &[Int, Bool]),
        row("long", 4, PYTHON_1_58, Form::Decimal, &[]),
        row("pickle", 1, PYTHON_1_58, Form::Object(Format::PythonPickle, None), &[]),
    ],
    packing: BY_ZLIB,
    typed: PYTHON_1_58,
    callers: 0,
};

/// pymemcache with its serialiser. Without it, it is [`RAW`].
pub const PYMEMCACHE: Peer = Peer {
    name: "pymemcache",
    clients: "pymemcache's PickleSerde and python_memcache_serializer, Django's PyMemcacheCache",
    rows: PYTHON_ROWS,
    packing: Packing::NONE,
    typed: PYTHON,
    callers: 0,
};

/// pymemcache with its serialiser that compresses.
pub const PYMEMCACHE_COMPRESSED: Peer = Peer {
    name: "pymemcache-compressed",
    clients: "pymemcache's CompressedSerde",
    rows: PYTHON_ROWS,
    packing: BY_ZLIB,
    typed: PYTHON,
    callers: 0,
};

// Of the clients for which flags of 0 are text, and 16 bytes.
const TEXT_BY_0: Row = row("str", 0, PYTHON, Form::Text, &[Text]);
const BYTES_BY_16: Row = row("bytes", 16, PYTHON, AS_BYTES, &[Bytes]);

/// python-binary-memcached.
pub const BMEMCACHED: Peer = Peer {
    name: "bmemcached",
    clients: "python-binary-memcached",
    rows: &[TEXT_BY_0, BYTES_BY_16, PYTHON_INT, PYTHON_LONG, PICKLE],
    packing: BY_ZLIB,
    typed: PYTHON,
    callers: 0,
};

/// meta-memcache.
pub const META_MEMCACHE: Peer = Peer {
    name: "meta-memcache",
    clients: "meta-memcache's MixedSerializer",
    rows: &[
        row("zstd", 32, 32, Form::Object(Format::MetaMemcacheZstd, None), &[]),
        TEXT_BY_0,
        BYTES_BY_16,
        PYTHON_INT,
        PYTHON_LONG,
        PICKLE,
    ],
    packing: BY_ZLIB,
    typed: PYTHON | 32,
    callers: 0,
};

const LIBMC_BITS: u32 = 1 | 2 | 4 | 8 | 32;

/// libmc, which stores text by Python's `marshal`.
pub const LIBMC: Peer = Peer {
    name: "libmc",
    clients: "libmc",
    rows: &[
        row("bytes", 0, LIBMC_BITS, AS_BYTES, &[Bytes]),
        row("int", 4, LIBMC_BITS, Form::Decimal, &[Int]),
        row("integer", 2, LIBMC_BITS, Form::Decimal, &[]),
        row("bool", 8, LIBMC_BITS, Form::AsciiBool, &[Bool]),
        row("marshal", 32, LIBMC_BITS, Form::Object(Format::PythonMarshal, None), &[]),
        row("pickle", 1, LIBMC_BITS, Form::Object(Format::PythonPickle, None), &[]),
    ],
    packing: Packing::bit(16, &[(16, Way::Plain(Compression::Zlib))]),
    typed: LIBMC_BITS,
    callers: 0,
};

/// PHP's Memcached class (ext-memcached). The upper 16 bits are the caller's.
///
/// Version 1 wrote a zlib stream without its length before it, and no bit that says zlib; that is read, too. The length
/// is in the byte order of the machine that wrote it; little-endian is read.
pub const PHP_MEMCACHED: Peer = Peer {
    name: "php-memcached",
    clients: "PHP's Memcached class (ext-memcached)",
    rows: &[
        row("string", 0, 15, AS_BYTES, &[Bytes, Text]),
        row("int", 1, 15, Form::Decimal64, &[Int]),
        row("float", 2, 15, Form::Float(&FloatText::PHP_MEMCACHED), &[Float]),
        row("bool", 3, 15, Form::PhpBool, &[Bool]),
        row("serialized", 4, 15, Form::Object(Format::Php, Some("N;")), &[Null]),
        row("igbinary", 5, 15, Form::Object(Format::Igbinary, None), &[]),
        row("json", 6, 15, Form::Object(Format::Json, Some("null")), &[]),
        row("msgpack", 7, 15, Form::Object(Format::Msgpack, None), &[]),
    ],
    packing: Packing {
        bit: 0x10,
        mask: 0xf0,
        ways: &[
            (0x10, Way::Plain(Compression::Zlib)),
            (0x30, Way::Sized(Compression::Zlib)),
            (0x50, Way::Sized(Compression::FastLz)),
            (0x90, Way::Sized(Compression::Zstd)),
        ],
    },
    typed: 15,
    callers: UPPER_HALF,
};

/// PHP's Memcache class (pecl memcache). The upper 16 bits are the caller's.
///
/// It writes floats with 14 digits; here all of them are written, and it reads them.
pub const PHP_MEMCACHE: Peer = Peer {
    name: "php-memcache",
    clients: "PHP's Memcache class (pecl memcache)",
    rows: &[
        row("serialized", 1, 1, Form::Object(Format::Php, Some("N;")), &[Null]),
        row("string", 0, 0xf00, AS_BYTES, &[Bytes, Text]),
        row("bool", 0x100, 0xf00, Form::AsciiBool, &[Bool]),
        row("int", 0x300, 0xf00, Form::Decimal64, &[Int]),
        row("float", 0x700, 0xf00, Form::Float(&FloatText::PHP_MEMCACHE), &[Float]),
        // All other types.
        row("other", 0, 1, AS_BYTES, &[]),
    ],
    packing: Packing::bit(2, &[(2, Way::Plain(Compression::Zlib))]),
    typed: 0xf01,
    callers: UPPER_HALF,
};

/// Dalli, which serialises every value, strings too, unless it is told not to: [`Object::plain`](super::Object::plain)
/// has what is in the simplest of them.
///
/// The bit of serialised values does not say by what; `Marshal` and JSON are told apart by their first bytes.
pub const DALLI: Peer = Peer {
    name: "dalli",
    clients: "Dalli, Rails' mem_cache_store below its own envelope",
    rows: &[
        row("raw", 0, 1 | 4, Form::Bytes(&FloatText::PLAIN), &[Bytes, Int, Float]),
        row("utf8", 4, 1 | 4, Form::Text, &[Text]),
        row("serialized", 1, 1 | 4, Form::ObjectOf(Format::of_ruby), &[]),
    ],
    packing: Packing::bit(2, &[(2, Way::ZlibOrGzip)]),
    typed: 1 | 4,
    callers: 0,
};

const BY_GZIP: Packing = Packing::bit(2, &[(2, Way::Plain(Compression::Gzip))]);

/// Perl's Cache::Memcached.
pub const CACHE_MEMCACHED: Peer = Peer {
    name: "cache-memcached",
    clients: "Perl's Cache::Memcached",
    rows: &[
        row("string", 0, 1, Form::Bytes(&FloatText::PERL), &[Bytes, Text, Int, Float]),
        row("reference", 1, 1, Form::ObjectOf(Format::of_perl), &[]),
    ],
    packing: BY_GZIP,
    typed: 1,
    callers: 0,
};

/// Perl's Cache::Memcached::Fast. Where it is not told to know text (`utf8`), it reads text as the bytes of it.
pub const CACHE_MEMCACHED_FAST: Peer = Peer {
    name: "cache-memcached-fast",
    clients: "Perl's Cache::Memcached::Fast",
    rows: &[
        row("string", 0, 1 | 4, Form::Bytes(&FloatText::PERL), &[Bytes, Int, Float]),
        row("utf8", 4, 1 | 4, Form::Text, &[Text]),
        row("reference", 1, 1 | 4, Form::ObjectOf(Format::of_perl), &[]),
    ],
    packing: BY_GZIP,
    typed: 1 | 4,
    callers: 0,
};

/// npm's memcached. It has one kind of number, so a float that is whole is read as an int.
pub const NODE_MEMCACHED: Peer = Peer {
    name: "node-memcached",
    clients: "npm's memcached",
    rows: &[
        row("string", 0, u32::MAX, Form::EscapedText, &[Text]),
        row("json", 2, u32::MAX, Form::EscapedJson, &[Bool, Null]),
        row("buffer", 4, u32::MAX, Form::EscapedBytes, &[Bytes]),
        row("number", 8, u32::MAX, Form::JavascriptNumber, &[Int, Float]),
    ],
    packing: Packing::NONE,
    typed: u32::MAX,
    callers: 0,
};

/// The types that Java's clients agree upon.
const SPY_BITS: u32 = 0xff01;
const SPY_ROWS: &[Row] = &[
    row("Object", 1, 1, Form::Object(Format::Java, None), &[]),
    row("String", 0, SPY_BITS, Form::Text, &[Text]),
    row("Boolean", 0x100, SPY_BITS, Form::AsciiBool, &[Bool]),
    row("Integer", 0x200, SPY_BITS, packed(Number::Integer), &[Int]),
    row("Long", 0x300, SPY_BITS, packed(Number::Long), &[Int]),
    row("Date", 0x400, SPY_BITS, packed(Number::Date), &[Date]),
    row("Byte", 0x500, SPY_BITS, packed(Number::Byte), &[]),
    row("Float", 0x600, SPY_BITS, packed(Number::Float), &[]),
    row("Double", 0x700, SPY_BITS, packed(Number::Double), &[Float]),
    row("byte[]", 0x800, SPY_BITS, AS_BYTES, &[Bytes]),
];

/// spymemcached. An int is an `Integer` if it fits, else a `Long`.
pub const SPYMEMCACHED: Peer = Peer {
    name: "spymemcached",
    clients: "spymemcached's SerializingTranscoder",
    rows: SPY_ROWS,
    packing: BY_GZIP,
    typed: SPY_BITS,
    callers: 0,
};

/// spymemcached with the types of Memcached-Java-Client.
pub const SPYMEMCACHED_WHALIN: Peer = Peer {
    name: "spymemcached-whalin",
    clients: "spymemcached's WhalinTranscoder, Memcached-Java-Client 2.6",
    rows: &[
        row("Object", 8, WHALIN, Form::Object(Format::Java, None), &[]),
        row("String", 32, WHALIN, Form::Text, &[Text]),
        row("StringBuffer", 64, WHALIN, Form::Text, &[]),
        row("StringBuilder", 2048, WHALIN, Form::Text, &[]),
        row("Boolean", 8192, WHALIN, Form::ByteBool, &[Bool]),
        row("Byte", 1, WHALIN, full(Number::Byte), &[]),
        row("Short", 256, WHALIN, full(Number::Short), &[]),
        row("Character", 16, WHALIN, full(Number::Character), &[]),
        row("Integer", 4, WHALIN, full(Number::Integer), &[Int]),
        row("Long", 16384, WHALIN, full(Number::Long), &[Int]),
        row("Date", 1024, WHALIN, full(Number::Date), &[Date]),
        row("Float", 128, WHALIN, full(Number::Float), &[]),
        row("Double", 512, WHALIN, full(Number::Double), &[Float]),
        row("byte[]", 4096, WHALIN, AS_BYTES, &[Bytes]),
    ],
    packing: BY_GZIP,
    typed: WHALIN,
    callers: 0,
};

/// All bits but that of compressed values.
const WHALIN: u32 = !2;

/// xmemcached, with the types of spymemcached; its source was read, it was not run.
pub const XMEMCACHED: Peer = Peer {
    name: "xmemcached",
    clients: "xmemcached",
    rows: SPY_ROWS,
    packing: Packing::bit(2, &[(2, Way::ZlibOrGzip)]),
    typed: SPY_BITS,
    callers: 0,
};

const UPPER_HALF: u32 = 0xffff_0000;

/// Bytes, where numbers have forms of their own.
const AS_BYTES: Form = Form::Bytes(&FloatText::PLAIN);

const fn row(name: &'static str, flags: u32, mask: u32, form: Form, takes: &'static [Type]) -> Row {
    Row { name, flags, mask, form, takes }
}

const fn packed(number: Number) -> Form {
    Form::Java(number, Width::Packed)
}

const fn full(number: Number) -> Form {
    Form::Java(number, Width::Full)
}
