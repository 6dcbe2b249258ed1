//! An item is handed out at the end of the reply only.

use memring_std::ErrorKind;
use memring_suite::Scripted;

use crate::support::builder;

#[test]
fn a_second_item_of_a_key_is_found_before_the_first_is_handed_out() {
    let server = Scripted::answering("VALUE k 0 2\r\nhi\r\nVALUE k 0 2\r\nhi\r\nEND\r\n");
    let client = builder(&[server.name()]).build().unwrap();
    let error = client.get("k").unwrap_err();
    assert!(error.kind() == ErrorKind::Protocol && !error.is_retryable(), "{error}");
    assert_eq!((client.servers()[0].idle, client.servers()[0].waiting), (0, 0));
}
