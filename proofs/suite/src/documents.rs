//! The programs in the project's front page and in the guides, which need more crates than those that show them: they are
//! compiled and run as tests of this one.

/// The front page.
#[doc = include_str!("../../../README.md")]
struct FrontPage;

#[doc = include_str!("../../../client-core/doc/guide/joining.md")]
struct Joining;

#[doc = include_str!("../../../client-core/doc/guide/resizing.md")]
struct Resizing;

#[doc = include_str!("../../../client-core/doc/guide/discovery.md")]
struct Discovery;

#[doc = include_str!("../../../client-core/doc/guide/failures.md")]
struct Failures;

#[doc = include_str!("../../../client-core/doc/guide/stampedes.md")]
struct Stampedes;

#[doc = include_str!("../../../client-core/doc/guide/testing.md")]
struct Testing;

#[doc = include_str!("../../../client-core/doc/guide/security.md")]
struct Security;

#[doc = include_str!("../../../client-core/doc/guide/embedded.md")]
struct Embedded;

#[doc = include_str!("../../../client-core/doc/guide/other_clients.md")]
struct OtherClients;
