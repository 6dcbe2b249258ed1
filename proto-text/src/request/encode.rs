//! Encoding of requests: a composed head, the caller's value as it is, a line end.

use core::fmt;

use crate::{
    base64,
    buffer::{ArrayBuffer, Buffer, Full},
    key::Key,
    meta::{MetaKey, MetaRequest},
    number::Digits,
    request::{
        Admin, Encode, GetVerb, Request, SlabClasses, StatsKind, Store,
        line::{Compose, LINE_END, Line, Usual, compose_store, get_verb},
    },
    value::{MAX_VALUE_LEN, ValueTooLarge},
};

/// The size of the longest head: a verb, a key of 250 bytes and all that may follow it on the line.
pub const MAX_HEAD_LEN: usize = 512;

/// Longest line, without its end, that a server must take in one read: only `get` and `gets` may be longer.
///
/// Source: memcached 1.6.18 `memcached.c`, `try_read_command_ascii` (the number 2048).
pub const MAX_REQUEST_LINE: usize = 2048;

/// Most keys that [`GetVerb::write_line`] puts on one line.
pub const MAX_KEYS_PER_LINE: usize = 1024;

/// The first line of a request, composed and ready to be written.
pub struct Head(ArrayBuffer<MAX_HEAD_LEN>);

impl Head {
    pub(super) fn compose(compose: impl FnOnce(&mut Line<'_, ArrayBuffer<MAX_HEAD_LEN>>)) -> Self {
        let mut head = ArrayBuffer::new();
        compose(&mut Line::new(&mut head));
        Self(head)
    }

    /// The line with its end.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Head({} bytes)", self.as_bytes().len())
    }
}

/// A request as slices to be written one after the other; the value is the caller's own.
#[derive(Debug)]
pub struct Parts<'a> {
    /// The first line.
    pub head: Head,
    value: Option<crate::value::Value<'a>>,
}

impl Parts<'_> {
    /// Head, value and line end; the last two are empty when there is no value. Made for vectored writes.
    #[must_use]
    pub fn as_slices(&self) -> [&[u8]; 3] {
        match self.value {
            Some(value) => [self.head.as_bytes(), value.as_bytes(), LINE_END],
            None => [self.head.as_bytes(), &[], &[]],
        }
    }

    /// Length of all slices together, in bytes.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a request has at least a line")]
    pub fn len(&self) -> usize {
        self.as_slices().iter().fold(0, |sum, slice| sum.saturating_add(slice.len()))
    }
}

impl<'a> Request<'a> {
    /// Encodes the request. Every valid request has an encoding, and its value is not copied.
    ///
    /// ```
    /// use memring_text::{Key, Request, Store, Value};
    ///
    /// let request = Request::Store(Store::set(Key::new(b"greeting")?, Value::new(b"hello")?).exptime(60));
    /// assert_eq!(request.parts().as_slices(), [&b"set greeting 0 60 5\r\n"[..], b"hello", b"\r\n"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn parts(&self) -> Parts<'a> {
        Parts { head: self.head(), value: self.value() }
    }

    /// Puts the whole request behind the bytes of `out`, or nothing.
    ///
    /// # Errors
    /// [`Full`] when it does not fit; `needed` is the length of the request.
    pub fn encode(&self, out: &mut (impl Buffer + ?Sized)) -> Result<(), Full> {
        if out.free() < MAX_HEAD_LEN {
            return out.put_all(&self.parts().as_slices());
        }
        Encode::encode(self, out)
    }

    // The parts of a valid request always fit: see the test `the_longest_head_fits`.
    fn head(&self) -> Head {
        Head::compose(|head| {
            self.compose(head);
            debug_assert_eq!(head.missing(), 0, "head longer than MAX_HEAD_LEN");
        })
    }
}

impl Compose for Request<'_> {
    #[inline]
    fn compose<O: Buffer + ?Sized>(&self, head: &mut Line<'_, O>) {
        match self {
            Self::Get(get) => get.compose(head),
            Self::Store(store) => store.compose(head),
            Self::Lease(lease) => lease.compose(head),
            _ => self.compose_rare(head),
        }
    }

    #[inline(always)]
    fn usual(&self) -> Usual<'_> {
        match self {
            Self::Get(get) => get.usual(),
            Self::Store(store) => store.usual(),
            Self::Lease(lease) => lease.usual(),
            _ => Usual::Other,
        }
    }
}

impl Request<'_> {
    #[inline(never)]
    fn compose_rare(&self, head: &mut Line<'_, impl Buffer + ?Sized>) {
        match self {
            // These are not rare.
            Self::Get(_) | Self::Store(_) | Self::Lease(_) => {}
            Self::Delete(delete) => delete.compose(head),
            Self::Arith(arith) => arith.compose(head),
            Self::Touch(touch) => touch.compose(head),
            Self::FlushAll(flush) => {
                head.put(b"flush_all");
                if let Some(delay) = flush.delay {
                    head.number(u64::from(delay.get()));
                }
                head.end(flush.noreply);
            }
            Self::Verbosity(verbosity) => {
                head.put(b"verbosity");
                head.number(u64::from(verbosity.level));
                head.end(verbosity.noreply);
            }
            Self::Version => head.put(b"version\r\n"),
            Self::Stats(StatsKind::General) => head.put(b"stats\r\n"),
            Self::Stats(kind) => {
                head.put(b"stats");
                head.word(kind.word().as_bytes());
                if let StatsKind::Cachedump { class, count } = kind {
                    head.number(u64::from(*class));
                    head.number(u64::from(*count));
                }
                head.end(false);
            }
            Self::Quit => head.put(b"quit\r\n"),
            Self::Meta(meta) => compose_meta(meta, meta.value().map(|value| value.as_bytes().len()), head),
            Self::MetaNoop => head.put(b"mn\r\n"),
            Self::Auth(credentials) => {
                // A server that demands credentials ignores key and exptime. Another server would store an item that
                // anybody can read, so the item is made to expire at once.
                let (user, password) = (credentials.user(), credentials.password());
                head.put(b"set x 0 -1");
                head.number(user.len().saturating_add(password.len()).saturating_add(1) as u64);
                for part in [&LINE_END[..], user, b" ", password, LINE_END] {
                    head.put(part);
                }
            }
            Self::Admin(admin) => compose_admin(admin, head),
        }
    }
}

/// The line of a meta request, for a value of `len` bytes.
pub(crate) fn meta_line(meta: &MetaRequest<'_>, len: Option<usize>) -> Head {
    Head::compose(|head| compose_meta(meta, len, head))
}

fn compose_meta(meta: &MetaRequest<'_>, len: Option<usize>, head: &mut Line<'_, impl Buffer + ?Sized>) {
    head.put(meta.verb().word().as_bytes());
    match meta.key() {
        MetaKey::Text(key) => head.word(key.as_bytes()),
        MetaKey::Binary(key) => {
            head.put(b" ");
            key.as_bytes().chunks(3).for_each(|chunk| head.put(&base64::encode_chunk(chunk)));
        }
    }
    if let Some(len) = len {
        head.number(len as u64);
    }
    head.put(meta.flags().as_bytes());
    head.end(false);
}

fn compose_admin(admin: &Admin, head: &mut Line<'_, impl Buffer + ?Sized>) {
    let mut words = |words: &str| head.put(words.as_bytes());
    match *admin {
        Admin::CacheMemlimit { megabytes } => {
            words("cache_memlimit");
            head.number(u64::from(megabytes));
        }
        Admin::Shutdown { graceful } => words(if graceful { "shutdown graceful" } else { "shutdown" }),
        Admin::Watch(kinds) => {
            words("watch");
            kinds.words().for_each(|word| head.word(word.as_bytes()));
        }
        Admin::SlabsReassign { from, to } => {
            words("slabs reassign");
            head.signed(from.map_or(-1, i32::from));
            head.number(u64::from(to));
        }
        Admin::SlabsAutomove(mode) => {
            words("slabs automove");
            head.number(mode as u64);
        }
        Admin::LruTune { hot_percent, warm_percent, hot_hundredths, warm_hundredths } => {
            words("lru tune");
            head.number(u64::from(hot_percent));
            head.number(u64::from(warm_percent));
            head.hundredths(hot_hundredths);
            head.hundredths(warm_hundredths);
        }
        Admin::LruMode { segmented } => words(if segmented { "lru mode segmented" } else { "lru mode flat" }),
        Admin::LruTempTtl(None) => words("lru temp_ttl -1"),
        Admin::LruTempTtl(Some(seconds)) => {
            words("lru temp_ttl");
            head.number(u64::from(seconds));
        }
        Admin::CrawlerEnable(on) => words(if on { "lru_crawler enable" } else { "lru_crawler disable" }),
        Admin::CrawlerSleep(microseconds) => {
            words("lru_crawler sleep");
            head.number(u64::from(microseconds));
        }
        Admin::CrawlerTocrawl(items) => {
            words("lru_crawler tocrawl");
            head.number(u64::from(items));
        }
        Admin::CrawlerCrawl(classes) => {
            words("lru_crawler crawl ");
            slab_classes(classes, head);
        }
        Admin::Metadump(classes) => {
            words("lru_crawler metadump ");
            slab_classes(classes, head);
        }
        Admin::Mgdump(classes) => {
            words("lru_crawler mgdump ");
            slab_classes(classes, head);
        }
        Admin::MetadumpHash => words("lru_crawler metadump hash"),
        Admin::MgdumpHash => words("lru_crawler mgdump hash"),
    }
    head.end(false);
}

fn slab_classes(classes: SlabClasses, head: &mut Line<'_, impl Buffer + ?Sized>) {
    let Some(numbers) = classes.numbers() else { return head.put(b"all") };
    numbers.enumerate().for_each(|(index, class)| {
        head.put(if index == 0 { b"" } else { b"," });
        head.put(Digits::of(class).as_bytes());
    });
}

/// The line of a `set` and its relatives, for a value of `len` bytes.
pub(crate) fn store_line(store: &Store<'_>, len: usize) -> Head {
    Head::compose(|head| compose_store(store, len, head))
}

impl Store<'_> {
    /// The first line of the request for a value of `len` bytes in place of its own. Write the value behind it, and a
    /// line end behind the value.
    ///
    /// ```
    /// use memring_text::{Key, Store, Value};
    ///
    /// let (key, value) = (Key::new(b"film")?, Value::EMPTY);
    /// let store = Store::set(key, value).exptime(60);
    /// assert_eq!(store.line_for(700_000)?.as_bytes(), b"set film 0 60 700000\r\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `len` is more than a value may have.
    pub fn line_for(&self, len: usize) -> Result<Head, ValueTooLarge> {
        if len > MAX_VALUE_LEN {
            return Err(ValueTooLarge { len, limit: MAX_VALUE_LEN });
        }
        Ok(store_line(self, len))
    }
}

impl GetVerb {
    /// Writes one whole request line with as many of `keys` as fit into `out`, in their order.
    ///
    /// For further keys, call this again with the rest: each line is a request of its own, with a reply of its own. A
    /// line has at most [`MAX_KEYS_PER_LINE`] keys, and a `gat` or `gats` line also at most [`MAX_REQUEST_LINE`] bytes.
    ///
    /// ```
    /// use memring_text::{Key, key::KeyError, request::GetVerb};
    ///
    /// let keys = [Key::new(b"a")?, Key::new(b"b")?, Key::new(b"c")?];
    /// let mut out = [0; 10];
    /// let line = GetVerb::Get.write_line(&keys, &mut out).unwrap();
    /// assert_eq!((&out[..line.len], line.keys), (&b"get a b\r\n"[..], 2));
    /// # Ok::<(), KeyError>(())
    /// ```
    ///
    /// # Errors
    /// [`Full`] when not even the first key fits. Without keys, nothing is written: `len` and `keys` are 0.
    pub fn write_line<'k>(
        self,
        keys: impl IntoIterator<Item = &'k Key<'k>>,
        out: &mut [u8],
    ) -> Result<GetLine, Full> {
        let head = Head::compose(|head| get_verb(self, head));
        let limit = match self {
            Self::Get | Self::Gets => usize::MAX,
            Self::Gat(_) | Self::Gats(_) => MAX_REQUEST_LINE,
        };
        let given = out.len();
        let mut line = GetLine { len: 0, keys: 0 };
        let mut at = head.as_bytes().len();
        for key in keys {
            let key = key.as_bytes();
            // The key's place, with the space before it and the line end behind.
            let needed = at.saturating_add(key.len()).saturating_add(3);
            let place = out.get_mut(at..needed).and_then(|place| place.split_first_mut());
            let Some((space, place)) = place.filter(|_| needed <= limit && line.keys < MAX_KEYS_PER_LINE)
            else {
                if line.keys == 0 {
                    return Err(Full { needed, given });
                }
                break;
            };
            *space = b' ';
            if let Some((name, [cr, lf])) = place.split_at_mut_checked(key.len()) {
                name.copy_from_slice(key);
                (*cr, *lf) = (b'\r', b'\n');
            }
            at = needed.saturating_sub(LINE_END.len());
            line = GetLine { len: needed, keys: line.keys.saturating_add(1) };
        }
        if line.keys > 0 {
            if let Some(place) = out.get_mut(..head.as_bytes().len()) {
                place.copy_from_slice(head.as_bytes());
            }
        }
        Ok(line)
    }
}

/// What [`GetVerb::write_line`] wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetLine {
    /// Length of the line with its end, in bytes.
    pub len: usize,
    /// How many of the keys are on it.
    pub keys: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        request::{Arith, Delete, FlushAll, FlushDelay, Get, StoreVerb, Touch, Verbosity},
        ttl::{Ttl, UnixTime, ZeroTtl},
        value::Value,
    };

    #[test]
    fn the_longest_head_fits() {
        let bytes = [b'k'; 250];
        let key = Key::new(&bytes).unwrap();
        for verb in [StoreVerb::Cas(u64::MAX), StoreVerb::Prepend] {
            let value = Value::EMPTY;
            let store = Store::new(verb, key, value).flags(u32::MAX).exptime(i32::MIN).noreply();
            assert!(store_line(&store, usize::MAX).as_bytes().len() < MAX_HEAD_LEN);
        }
    }

    #[test]
    fn requests_built_by_name_are_what_they_say() {
        let (key, value, now) = (Key::new(b"k").unwrap(), Value::new(b"v").unwrap(), UnixTime::from_secs(9));
        let minute = Store::set(key, value).ttl(Ttl::seconds(60), now).unwrap();
        assert_eq!(minute.ttl(Ttl::seconds(0), now), Err(ZeroTtl));
        let delay = FlushDelay::new(5).unwrap();
        for (request, line) in [
            (Request::Get(Get::new(key)), "get k"),
            (Request::Get(Get::gets(key)), "gets k"),
            (Request::Get(Get::gat(key, -1)), "gat -1 k"),
            (Request::Get(Get::gats(key, 5)), "gats 5 k"),
            (Request::Store(minute), "set k 0 60 1"),
            (Request::Store(Store::add(key, value).flags(7)), "add k 7 0 1"),
            (Request::Store(Store::replace(key, value).exptime(-1)), "replace k 0 -1 1"),
            (Request::Store(Store::append(key, value).noreply()), "append k 0 0 1 noreply"),
            (Request::Store(Store::prepend(key, value)), "prepend k 0 0 1"),
            (Request::Store(Store::cas(key, value, 9)), "cas k 0 0 1 9"),
            (Request::Delete(Delete::new(key).noreply()), "delete k noreply"),
            (Request::Arith(Arith::incr(key, 2)), "incr k 2"),
            (Request::Arith(Arith::decr(key, 2).noreply()), "decr k 2 noreply"),
            (Request::Touch(Touch::new(key, 5)), "touch k 5"),
            (Request::Touch(Touch::new(key, 5).noreply()), "touch k 5 noreply"),
            (Request::FlushAll(FlushAll::now()), "flush_all"),
            (Request::FlushAll(FlushAll::after(delay).noreply()), "flush_all 5 noreply"),
            (Request::Verbosity(Verbosity::new(1)), "verbosity 1"),
            (Request::Verbosity(Verbosity::new(1).noreply()), "verbosity 1 noreply"),
        ] {
            let parts = request.parts();
            assert_eq!(parts.head.as_bytes().strip_suffix(b"\r\n"), Some(line.as_bytes()));
        }
    }

    #[test]
    fn a_short_buffer_is_told_the_need_and_left_alone() {
        let request = Request::Version;
        let mut bytes = [b'?'; 8];
        let mut out = crate::buffer::SliceBuffer::new(&mut bytes);
        assert_eq!(request.encode(&mut out), Err(Full { needed: 9, given: 8 }));
        assert_eq!(out.as_slice(), b"");
    }

    #[test]
    fn a_key_called_noreply_is_deleted_in_the_form_that_is_answered() {
        let key = Key::new(b"noreply").unwrap();
        let head = Request::Delete(Delete::new(key)).parts().head;
        assert_eq!(head.as_bytes(), b"delete noreply 0\r\n");
        let head = Request::Delete(Delete::new(key).noreply()).parts().head;
        assert_eq!(head.as_bytes(), b"delete noreply 0 noreply\r\n");
    }

    #[test]
    fn gat_lines_stay_within_2048_bytes() {
        let bytes = [b'k'; 200];
        let keys = [Key::new(&bytes).unwrap(); 20];
        let mut out = [0; 8192];
        let line = GetVerb::Gat(100).write_line(&keys, &mut out).unwrap();
        assert_eq!((line.keys, line.len), (10, 2019));
        let line = GetVerb::Get.write_line(&keys, &mut out).unwrap();
        assert_eq!(line.keys, 20);
    }

    #[test]
    fn no_room_for_the_first_key_is_an_error_and_no_keys_write_nothing() {
        let keys = [Key::new(b"key").unwrap()];
        let mut out = [b'?'; 8];
        assert_eq!(GetVerb::Get.write_line(&keys, &mut out), Err(Full { needed: 9, given: 8 }));
        assert_eq!(GetVerb::Get.write_line(&[], &mut out), Ok(GetLine { len: 0, keys: 0 }));
        assert_eq!(&out, b"????????");
    }
}
