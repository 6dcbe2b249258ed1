//! How servers are written: what each text says, and what is said of each that says nothing.

use core::net::SocketAddr;

use memring_client::{
    OwnedCredentials,
    spec::{Address, Entry, ServerList, ServerSpec, ServerSpecProblem, entries},
};
use memring_core::Weight;

/// What a text says of one server.
type Reading = (&'static str, &'static str, f64);

fn spec(text: &str) -> ServerSpec {
    text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

#[track_caller]
fn says(text: &str, readings: &[Reading]) {
    let list: ServerList = text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"));
    let list: Vec<_> = list.into_iter().collect();
    let said = list.iter().map(|spec| (spec.name(), spec.address().to_string(), spec.weight().real()));
    let readings = readings.iter().map(|&(name, address, weight)| (name, address.to_owned(), weight));
    assert_eq!(said.collect::<Vec<_>>(), readings.collect::<Vec<_>>(), "{text:?}");
    for spec in list {
        assert_eq!(spec.to_string().parse(), Ok(spec.clone()), "{text:?} is shown as {spec}");
        assert_eq!((spec.credentials(), spec.is_encrypted()), (None, false), "{text:?}");
    }
}

#[test]
fn every_form_has_its_name_and_address() {
    let rows: &[(&str, Reading)] = &[
        ("cache1", ("cache1", "cache1:11211", 1.0)),
        ("cache-1.example.", ("cache-1.example.", "cache-1.example.:11211", 1.0)),
        ("my_cache", ("my_cache", "my_cache:11211", 1.0)),
        ("käse.example:1", ("käse.example:1", "käse.example:1", 1.0)),
        ("10.0.0.1:11311", ("10.0.0.1:11311", "10.0.0.1:11311", 1.0)),
        ("a:011211", ("a:011211", "a:11211", 1.0)),
        ("10.0.0.1:11311 600", ("10.0.0.1:11311", "10.0.0.1:11311", 600.0)),
        ("10.0.0.1:11311:600", ("10.0.0.1:11311", "10.0.0.1:11311", 600.0)),
        ("\t10.0.0.1:11311\t600 ", ("10.0.0.1:11311", "10.0.0.1:11311", 600.0)),
        ("a 0", ("a", "a:11211", 0.0)),
        ("a 4294967295", ("a", "a:11211", 4_294_967_295.0)),
        ("a 2.5", ("a", "a:11211", 2.5)),
        ("a:1:0.5", ("a:1", "a:1", 0.5)),
        ("a 3.0", ("a", "a:11211", 3.0)),
        ("a 10000000000.0", ("a", "a:11211", 1e10)),
        ("[fd00::1]:11311", ("[fd00::1]:11311", "[fd00::1]:11311", 1.0)),
        ("[fd00::1]:11311:3", ("[fd00::1]:11311", "[fd00::1]:11311", 3.0)),
        ("[::1]", ("[::1]", "[::1]:11211", 1.0)),
        ("[::1] 3", ("[::1]", "[::1]:11211", 3.0)),
        ("[fe80::1%eth0]:1", ("[fe80::1%eth0]:1", "[fe80::1%eth0]:1", 1.0)),
        ("/run/m.sock", ("/run/m.sock", "/run/m.sock", 1.0)),
        ("/run/m.sock 7", ("/run/m.sock", "/run/m.sock", 7.0)),
        ("/run/m.sock:0", ("/run/m.sock:0", "/run/m.sock", 1.0)),
        ("/run/m.sock:0 7", ("/run/m.sock:0", "/run/m.sock", 7.0)),
        ("/run/memcached@1#2.sock", ("/run/memcached@1#2.sock", "/run/memcached@1#2.sock", 1.0)),
        ("unix:///run/m.sock", ("/run/m.sock", "/run/m.sock", 1.0)),
        ("unix:/run/m.sock 7", ("/run/m.sock", "/run/m.sock", 7.0)),
        ("unix:///run/m.sock:0", ("/run/m.sock:0", "/run/m.sock", 1.0)),
        ("unix:///run/m.sock?weight=7", ("/run/m.sock", "/run/m.sock", 7.0)),
        ("unix:///a%20b%2Cc%3A1", ("/a b,c:1", "unix:///a%20b%2Cc%3A1", 1.0)),
        ("unix:///a%3A0", ("/a:0", "unix:///a%3A0", 1.0)),
        ("unix:///a=b", ("/a=b", "unix:///a%3Db", 1.0)),
        ("unix:///a=b:0", ("/a=b:0", "unix:///a%3Db", 1.0)),
        ("tcp://a:1", ("a:1", "a:1", 1.0)),
        ("tcp://a:1?weight=2", ("a:1", "a:1", 2.0)),
        ("memcached://a:1", ("a:1", "a:1", 1.0)),
        ("MEMCACHED://A:1", ("A:1", "A:1", 1.0)),
        ("memcached://a", ("a", "a:11211", 1.0)),
        ("memcached://a/", ("a", "a:11211", 1.0)),
        ("memcached://a/?weight=2.5", ("a", "a:11211", 2.5)),
        ("memcached://a:1 2", ("a:1", "a:1", 2.0)),
        ("memcached://[::1]:1?weight=2", ("[::1]:1", "[::1]:1", 2.0)),
        ("memcached://[fe80::1%25eth0]:1", ("[fe80::1%25eth0]:1", "[fe80::1%eth0]:1", 1.0)),
        ("eu1=10.0.0.1", ("eu1", "10.0.0.1:11211", 1.0)),
        ("eu1=10.0.0.1:5:2", ("eu1", "10.0.0.1:5", 2.0)),
        ("eu1=/run/m.sock 2", ("eu1", "/run/m.sock", 2.0)),
        ("eu1=/run/m.sock:0 2", ("eu1", "/run/m.sock", 2.0)),
        ("eu1=[::1]:5:2", ("eu1", "[::1]:5", 2.0)),
        ("eu1=memcached://a:1?weight=2", ("eu1", "a:1", 2.0)),
        ("eu1=unix:///a%20b", ("eu1", "unix:///a%20b", 1.0)),
        ("::1:5=[::1]:5", ("::1:5", "[::1]:5", 1.0)),
        ("a:1:2=a:1", ("a:1:2", "a:1", 1.0)),
        ("/10.0.0.1:11211=10.0.0.1:11211", ("/10.0.0.1:11211", "10.0.0.1:11211", 1.0)),
        ("a.example/10.0.0.1:1=a.example:1 3", ("a.example/10.0.0.1:1", "a.example:1", 3.0)),
    ];
    for (text, reading) in rows {
        says(text, &[*reading]);
    }
}

#[test]
fn several_stand_with_commas_blanks_or_on_lines() {
    let (a, b, c) = (("a:1", "a:1", 1.0), ("b:1", "b:1", 2.0), ("/c", "/c", 1.0));
    let texts = [
        "a:1,b:1 2,/c",
        "a:1, b:1:2 , /c",
        "a:1,b:1 2,/c,",
        "a:1 b:1 2 /c",
        "  a:1 1\tb:1:2 /c ",
        "a:1\nb:1 2\n/c\n",
        "a:1\r\nb:1 2\r\n/c\r\n",
        "\u{feff}a:1\n\n  \nb:1 2,\n/c",
        "# the fleet, as it is\na:1 # one, left\nb:1 2, # two, right\n#d:1\n\t#e:1\n/c #",
        "a:1,b:1:2,/c,#d:1",
        "a:1, b:1:2, /c # d:1, e:1",
        "a:1,memcached://b:1?weight=2 unix:///c",
    ];
    for text in texts {
        says(text, &[a, b, c]);
    }
    says(
        "a:1 10.0.0.1 b.example",
        &[a, ("10.0.0.1", "10.0.0.1:11211", 1.0), ("b.example", "b.example:11211", 1.0)],
    );
    says("one=a:1,two=a:1", &[("one", "a:1", 1.0), ("two", "a:1", 1.0)]);
    says("# nobody", &[]);
    says("#10.0.0.2:11211", &[]);
    assert_eq!("# a".parse::<ServerSpec>().unwrap_err().problem(), ServerSpecProblem::Empty);
    assert_eq!("a b:1".parse::<ServerSpec>().unwrap_err().problem(), ServerSpecProblem::Several);
}

#[test]
fn a_url_may_have_credentials_and_ask_for_tls() {
    let login =
        |user: &str, password: &str| OwnedCredentials::new(user.as_bytes(), password.as_bytes()).unwrap();
    let plain = ServerSpec::new("a:1", Address::tcp("a", 1));
    let rows = [
        ("memcached://bob:s3cret@a:1", plain.clone().with_credentials(login("bob", "s3cret"))),
        (
            "memcached://bob:s3cret@a:1/?weight=2",
            plain.clone().with_credentials(login("bob", "s3cret")).weighing(2),
        ),
        ("memcached://b%6fb:%73%33%25%40%2C%3a@a:1", plain.clone().with_credentials(login("bob", "s3%@,:"))),
        ("memcached://bob:p@ss:word@a:1", plain.clone().with_credentials(login("bob", "p@ss:word"))),
        ("memcacheds://a:1", plain.clone().encrypted()),
        (
            "Memcacheds://bob:s3cret@a:1 3",
            plain.encrypted().with_credentials(login("bob", "s3cret")).weighing(3),
        ),
        (
            "eu1=memcacheds://bob:s3cret@[::1]",
            ServerSpec::new("eu1", Address::tcp("::1", 11211))
                .encrypted()
                .with_credentials(login("bob", "s3cret")),
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(spec(text), expected, "{text}");
        // What is shown is the same server, but for the credentials.
        let shown = spec(&expected.to_string());
        assert_eq!(shown.credentials(), None);
        let expected_shown =
            (expected.name(), expected.weight(), expected.address(), expected.is_encrypted());
        assert_eq!((shown.name(), shown.weight(), shown.address(), shown.is_encrypted()), expected_shown);
        for shown in [expected.to_string(), format!("{expected:?}")] {
            assert!(!["s3", "bob", "p@ss"].iter().any(|secret| shown.contains(secret)), "{shown}");
        }
    }
}

/// Texts that are no servers, what is wrong with them, and what is said.
const REFUSED: &str = include_str!("servers/refused.tsv");

#[test]
fn what_is_no_server_is_told_what_to_write() {
    for row in REFUSED.lines().filter(|row| !row.starts_with("# ")) {
        let columns: Vec<_> = row.split('\t').collect();
        let [text, problem, said] = columns[..] else { panic!("{row}") };
        let text = text.replace("\\n", "\n").replace("\\t", "\t").replace("\\e", "\u{1b}");
        let error = text.parse::<ServerList>().expect_err(&text);
        assert_eq!(
            (format!("{:?}", error.problem()), error.to_string()),
            (problem.to_owned(), said.to_owned()),
            "{text:?}"
        );
        assert!(!format!("{error:?} {error}").contains("s3c"), "{error:?}");
    }
}

#[test]
fn of_many_texts_the_wrong_one_is_numbered() {
    let number = |texts: &[&str]| ServerSpec::read_all(texts).unwrap_err().number();
    assert_eq!(number(&["a:x"]), Some(1));
    assert_eq!(number(&["a:1", "b:1,c:1", "", "d:1"]), Some(4));
    assert_eq!(number(&["a:1", "b:1,c:x"]), Some(3));
    let names = ServerSpec::read_all(["a:1 # x", "# y", "b:1 c:1"]).unwrap();
    assert_eq!(names.iter().map(ServerSpec::name).collect::<Vec<_>>(), ["a:1", "b:1", "c:1"]);
}

#[test]
fn long_texts_are_not_shown_whole() {
    for text in ["x".repeat(5_000_000), format!("a:{}", "é".repeat(5_000_000)), "a,".repeat(100_000) + "b:x"]
    {
        assert!(text.parse::<ServerList>().unwrap_err().to_string().len() < 400);
    }
}

#[test]
fn more_servers_than_can_be_placed_are_not_read() {
    let problem = |text: String| text.parse::<ServerList>().map_err(|error| error.problem()).map(|_| ());
    assert_eq!(problem("a\n".repeat(65_535)), Ok(()));
    assert_eq!(problem("a\n".repeat(65_536)), Err(ServerSpecProblem::TooMany));
    assert_eq!(problem("a,".repeat(65_536)), Err(ServerSpecProblem::TooMany));
}

#[test]
fn a_socket_address_is_a_server() {
    let addr: SocketAddr = "[::1]:11311".parse().unwrap();
    assert_eq!(ServerSpec::try_from(addr), "[::1]:11311".parse());
    assert_eq!(ServerSpec::read_all([addr]), Ok(vec![spec("[::1]:11311")]));
}

#[test]
fn an_address_is_read_as_it_is_shown() {
    for text in ["a:1", "[::1]:2", "[fe80::1%eth0]:1", "/a", "unix:///a%20b", "unix:///a%3A5"] {
        assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
    }
    assert_eq!("memcached://a".parse::<Address>(), Ok(Address::tcp("a", 11211)));
    for text in
        ["", "a:1 2", "a:1:2", "eu1=a", "memcacheds://a", "memcached://u:p@a", "tcp://a?weight=1", "a,b"]
    {
        assert!(text.parse::<Address>().is_err(), "{text}");
    }
}

#[test]
fn names_may_be_taken_as_they_are_written() {
    let text = "host/10.0.0.1:11211 2.5\n/10.0.0.2:11211,a:1:2 # c\n::1 3 eu1=b:1";
    let entries = entries(text).unwrap();
    let servers: Vec<_> = entries.iter().map(|entry| entry.as_written().unwrap()).collect();
    let said: Vec<_> = servers.iter().map(|server| (server.name, server.weight)).collect();
    let whole = Weight::Whole;
    assert_eq!(
        said,
        [
            ("host/10.0.0.1:11211", Weight::Real(2.5)),
            ("/10.0.0.2:11211", whole(1)),
            ("a:1:2", whole(1)),
            ("::1", whole(3)),
            ("eu1=b:1", whole(1)),
        ]
    );
    assert_eq!(entries.iter().map(Entry::line).collect::<Vec<_>>(), [1, 2, 2, 3, 3]);
    for (text, problem) in [
        ("a -1", ServerSpecProblem::Weight),
        ("memcached://bob:s3cret@a:1", ServerSpecProblem::UrlName),
        ("bob:s3cret@a:1", ServerSpecProblem::Login),
    ] {
        let error = memring_client::spec::entries(text).unwrap()[0].as_written().unwrap_err();
        assert_eq!(error.problem(), problem);
        assert!(!format!("{error} {error:?}").contains("s3cret"));
    }
    assert!(
        !format!("{:?}", memring_client::spec::entries("memcached://bob:s3cret@a").unwrap())
            .contains("s3cret")
    );
}
