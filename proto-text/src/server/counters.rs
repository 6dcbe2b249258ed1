//! What an engine counts, under the names that memcached gives it.

/// Declares the counters with their names in one place.
macro_rules! counters {
    ($($name:ident),* $(,)?) => {
        /// How often what has happened since the start, or the last `stats reset`.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub(super) struct Counters {
            $(pub(super) $name: u64,)*
        }

        impl Counters {
            /// Every counter with its name.
            pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name)),*].into_iter()
            }
        }
    };
}

counters! {
    cmd_get, cmd_set, cmd_flush, cmd_touch,
    get_hits, get_misses, get_expired,
    delete_misses, delete_hits,
    incr_misses, incr_hits, decr_misses, decr_hits,
    cas_misses, cas_hits, cas_badval,
    touch_hits, touch_misses,
    store_too_large, store_no_memory,
    total_items,
}
