//! The meta commands.

use memring_client::{
    KeyScratch,
    failure::{Cause, Error, FromServer},
};
use memring_text::{
    Operation, Request, StoreOutcome,
    meta::{
        MetaArithOptions, MetaDebug, MetaDeleteOptions, MetaGet, MetaGetOptions, MetaNoop, MetaSetOptions,
    },
    operation::{MetaArithOutcome, MetaStoreOutcome, Version},
};

use super::Client;
use crate::{
    call::{Target, ask, call_where},
    hang_up,
    pool::Pool,
};

/// An item as `mg` returns it, with its value in a vector.
pub type MetaItem = memring_text::operation::MetaItem<Vec<u8>>;

/// The meta commands of a [`Client`]: see [`Client::meta`].
#[derive(Clone, Copy, Debug)]
pub struct Meta<'c> {
    client: &'c Client,
}

impl Client {
    /// The meta commands, which tell more about an item and can do more than the other verbs. Servers have them since
    /// memcached 1.6.10.
    ///
    /// A key may be any bytes, up to 186 of them: a key that the other verbs do not take is sent as base64. Each server
    /// is asked for its version once. A request that needs a newer server is not sent, and fails as
    /// [`Unsupported`](crate::ErrorKind::Unsupported). A version without a number, such as that of a build from a
    /// checkout, says nothing: then requests are sent, and the server refuses what it does not know; see also
    /// [`Config::corrections`](crate::Config::corrections).
    ///
    /// Here one reader of many recomputes a value before it expires, while the others go on with the old one:
    ///
    /// ```
    /// # use memring_std::{Client, testing::Server};
    /// # let server = Server::start()?;
    /// # let client = Client::connect([server.addr()])?;
    /// use memring_std::{MetaGetOptions, MetaSetOptions, Ttl};
    ///
    /// let options = MetaGetOptions::new().value().vivify(Ttl::seconds(30)).recache(Ttl::seconds(10));
    /// let item = client.meta().get("report", options)?.expect("vivify leaves no miss");
    /// if item.info.win {
    ///     let fresh = MetaSetOptions::new().ttl(Ttl::seconds(60));
    ///     client.meta().set("report", "made anew", fresh)?;
    /// }
    /// assert!(!client.meta().get("report", options)?.unwrap().info.win);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn meta(&self) -> Meta<'_> {
        Meta { client: self }
    }
}

impl Meta<'_> {
    /// `mg`: reads the parts of an item that `options` ask for; `None` is a miss. The item's
    /// [`info`](memring_text::meta::MetaInfo) says whether the caller has won and must recompute the value.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn get(&self, key: impl AsRef<[u8]>, options: MetaGetOptions) -> Result<Option<MetaItem>, Error> {
        let (common, mut scratch) = (&self.client.common, KeyScratch::default());
        let (key, routing_key) = common.meta_key("mg", key.as_ref(), &mut scratch)?;
        let get = options.request(key, common.unix_time()).map_err(|error| Error::new("mg", error))?;
        common.or_miss(self.call("mg", routing_key, &get.opaque(common.opaque())))
    }

    /// `ms`: stores a value as `options` say.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn set(
        &self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        options: MetaSetOptions,
    ) -> Result<MetaStoreOutcome, Error> {
        let (common, mut scratch) = (&self.client.common, KeyScratch::default());
        let (key, routing_key) = common.meta_key("ms", key.as_ref(), &mut scratch)?;
        let value = common.value("ms", value.as_ref())?;
        let set = options.request(key, value, common.unix_time()).map_err(|error| Error::new("ms", error))?;
        let _changing = common.changing(key.as_bytes(), routing_key);
        self.call("ms", routing_key, &set.opaque(common.opaque()))
    }

    /// `md`: deletes an item, or marks it stale. [`Stored`](StoreOutcome::Stored) means that it was done.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn delete(&self, key: impl AsRef<[u8]>, options: MetaDeleteOptions) -> Result<StoreOutcome, Error> {
        let (common, mut scratch) = (&self.client.common, KeyScratch::default());
        let (key, routing_key) = common.meta_key("md", key.as_ref(), &mut scratch)?;
        let delete = options.request(key, common.unix_time()).map_err(|error| Error::new("md", error))?;
        let _changing = common.changing(key.as_bytes(), routing_key);
        self.call("md", routing_key, &delete.opaque(common.opaque()))
    }

    /// `ma`: counts up or down. [`Stored`](StoreOutcome::Stored) means that it was done.
    ///
    /// # Errors
    /// [`ErrorKind::NonNumeric`](crate::ErrorKind::NonNumeric) when the value is not a number; else see [`Error`].
    pub fn arith(&self, key: impl AsRef<[u8]>, options: MetaArithOptions) -> Result<MetaArithOutcome, Error> {
        let (common, mut scratch) = (&self.client.common, KeyScratch::default());
        let (key, routing_key) = common.meta_key("ma", key.as_ref(), &mut scratch)?;
        let arith = options.request(key, common.unix_time()).map_err(|error| Error::new("ma", error))?;
        let _changing = common.changing(key.as_bytes(), routing_key);
        self.call("ma", routing_key, &arith.opaque(common.opaque()))
    }

    /// `me`: reads what the server knows about an item, as `name=value` with spaces between, for people to read; `None`
    /// is a miss.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if the server has the item but does not describe it:
    /// memcached 1.6.45 does so for keys that are sent as base64. Else see [`Error`].
    pub fn debug(&self, key: impl AsRef<[u8]>) -> Result<Option<String>, Error> {
        let (common, mut scratch) = (&self.client.common, KeyScratch::default());
        let (key, routing_key) = common.meta_key("me", key.as_ref(), &mut scratch)?;
        // Some servers answer that a key in base64 is missing, though it is there.
        if key.is_binary() {
            let get = MetaGet::new(key).no_bump().opaque(common.opaque());
            if self.call("me", routing_key, &get)?.is_none() {
                return Ok(None);
            }
        }
        let text: Option<Vec<u8>> = self.call("me", routing_key, &MetaDebug::new(key))?;
        Ok(text.map(|text| String::from_utf8_lossy(&text).into_owned()))
    }

    /// `mn`: sends a request that does nothing to every server, which answers it. It is not sent to servers that do not
    /// know it: these are [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported).
    pub fn noop(&self) -> Vec<FromServer<()>> {
        const NAME: &str = "mn";
        let fleet = self.client.common.fleet();
        let knows = |pool: &Pool| pool.watch().capabilities().allow(&Request::MetaNoop);
        if fleet.pools().iter().all(|pool| knows(pool)) {
            return self.client.each_server_that(NAME, MetaNoop, Ok, &fleet, |_, _| Ok(()));
        }
        let versions = self.client.each_server_that(NAME, Version, Ok, &fleet, |_, _| Ok(()));
        let mut versions = versions.into_iter();
        self.client.each_server_that(NAME, MetaNoop, Ok, &fleet, |_, pool| {
            // There is one version for each server.
            let Some(FromServer { result, .. }) = versions.next() else { return Ok(()) };
            let learnt = pool.watch().capabilities().learn(&result?, &Request::MetaNoop);
            learnt.map_err(|error| pool.watch().failed(NAME, Cause::Unsupported(error), false))
        })
    }

    /// Sends `operation` to the server for `routing_key`, if that has the features that the operation needs. Each
    /// server is asked for its version once.
    fn call<O: Operation>(
        &self,
        name: &'static str,
        routing_key: &[u8],
        operation: &O,
    ) -> Result<O::Output<Vec<u8>>, Error> {
        let fleet = self.client.common.fleet();
        let mut target = Target::new(fleet, routing_key, name, self.client.deadline())?;
        call_where(&mut target, operation, Vec::new(), |target| learn(target, operation))
    }
}

/// Checks that the server of `target` has the features that `operation` needs. If that is not known, the server is asked
/// for its version.
pub(super) fn learn<O: Operation>(target: &Target<'_>, operation: &O) -> Result<(), Cause> {
    let (capabilities, request) = (target.pool().watch().capabilities(), operation.request());
    if capabilities.allow(&request) {
        return Ok(());
    }
    if target.pool().watch().hangs_up(&Request::Version) {
        return Err(Cause::HangsUp);
    }
    let deadline = target.deadline();
    let version = ask(target.inquiry(), target.pool(), &Version, Vec::new(), deadline).map_err(|cause| {
        hang_up::explained(target.pool(), target.name(), cause, &Request::Version, deadline)
    })?;
    capabilities.learn(&version, &request).map_err(Cause::Unsupported)
}
