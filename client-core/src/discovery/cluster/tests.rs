use super::*;

fn read(answer: &str) -> Result<Cluster, ClusterError> {
    Cluster::read(answer.as_bytes()).map(|cluster| cluster.expect("it is complete"))
}

fn servers(line: &str) -> Result<Vec<String>, ClusterError> {
    let cluster = read(&format!("CONFIG cluster 0 0\r\n1\n{line}\n\r\nEND\r\n"))?;
    Ok(cluster.servers.iter().map(ToString::to_string).collect())
}

/// As the user guide shows it, and as servers were seen to write it.
const ANSWERS: [&str; 6] = [
    "CONFIG cluster 0 38\r\n1\none.example|10.0.0.1|11211\n\r\nEND\r\n",
    "VALUE AmazonElastiCache:cluster 0 38\r\n1\none.example|10.0.0.1|11211\n\r\nEND\r\n",
    "CONFIG cluster 0 9999\r\n1\r\none.example|10.0.0.1|11211\r\n\r\nEND\r\n",
    "CONFIG cluster 0 1\r\n1\none.example|10.0.0.1|11211\r\nEND\r\n",
    "CONFIG cluster 0 38\n1\n ONE.example.|10.0.0.1|011211  \n\nEND\n",
    "CONFIG cluster 0 38\r\n1\none.example|::ffff:10.0.0.1|11211 \n\r\nEND\r\n",
];

#[test]
fn an_answer_is_read_whatever_its_length_says_and_its_lines_end_in() {
    for answer in ANSWERS {
        let cluster = read(answer).unwrap();
        assert_eq!((cluster.version, cluster.servers.len()), (1, 1), "{answer:?}");
        assert_eq!(cluster.servers[0].to_string(), "one.example|10.0.0.1|11211", "{answer:?}");
    }
}

#[test]
fn an_answer_that_is_cut_is_none_yet() {
    for answer in ANSWERS {
        for len in 0..answer.len() {
            assert_eq!(Cluster::read(&answer.as_bytes()[..len]), Ok(None), "{:?}", &answer[..len]);
        }
    }
}

#[test]
fn a_server_has_a_name_or_an_address() {
    assert_eq!(
        servers("a||1 |10.0.0.1|2  10.0.0.2|10.0.0.2|3").unwrap(),
        ["a||1", "|10.0.0.1|2", "|10.0.0.2|3"]
    );
    assert_eq!(servers("v6.example|fd00::1|11211 |fd00::2|11211").unwrap().len(), 2);
    assert_eq!(servers("").unwrap(), Vec::<String>::new());
    for wrong in
        ["a", "a|b", "a|10.0.0.1", "a|b|1", "||1", "a||0", "a||65536", "a||1|", "a b||1", "a:1||1", "a/b||1"]
    {
        assert!(matches!(servers(wrong), Err(ClusterError::Server(_))), "{wrong}");
    }
}

#[test]
fn what_a_server_is_called_survives_its_address() {
    let cluster =
        read("CONFIG cluster 0 0\r\n1\na.example|10.0.0.1|7 b.example||7 |10.0.0.2|7\n\r\nEND\r\n").unwrap();
    let told = |by_name| {
        let told = cluster.members(by_name).into_iter().map(|member| {
            (member.identity.unwrap_or_default(), member.addresses.first().unwrap().to_string())
        });
        told.collect::<Vec<_>>()
    };
    let pair = |identity: &str, address: &str| (identity.to_owned(), address.to_owned());
    assert_eq!(
        told(false),
        [pair("a.example:7", "10.0.0.1:7"), pair("b.example:7", "b.example:7"), pair("", "10.0.0.2:7")]
    );
    // A certificate has a name.
    assert_eq!(told(true)[0], pair("a.example:7", "a.example:7"));
}

#[test]
fn what_is_no_answer_is_an_error_that_says_what_came() {
    let error = |answer: &str| read(answer).unwrap_err();
    assert_eq!(error("ERROR\r\n"), ClusterError::UnknownCommand);
    assert_eq!(error("END\r\n"), ClusterError::NoConfiguration);
    assert_eq!(error("SERVER_ERROR busy\r\n").to_string(), "the server refuses: SERVER_ERROR busy");
    assert_eq!(error("HTTP/1.1 400\r\n").to_string(), "no answer to `config get cluster`: \"HTTP/1.1 400\"");
    assert_eq!(error("VALUE other 0 2\r\n1\n\r\nEND\r\n"), ClusterError::NoAnswer("VALUE other 0 2".into()));
    assert_eq!(error("CONFIG cluster 0 3\r\none\n\r\nEND\r\n"), ClusterError::Version);
    assert_eq!(error("CONFIG cluster 0 3\r\n+1\n\r\nEND\r\n"), ClusterError::Version);
    assert!(matches!(error("CONFIG cluster 0 3\r\n1\na||1\nb||1\nEND\r\n"), ClusterError::Line(_)));
    assert_eq!(read("CONFIG cluster 0 3\r\n\r\nEND\r\n"), Ok(Cluster::default()));
}

#[test]
fn an_answer_has_bounds() {
    let line = "a||1 ".repeat(MAX_SERVERS);
    assert_eq!(servers(&line).unwrap().len(), MAX_SERVERS);
    assert_eq!(servers(&format!("{line}a||1")), Err(ClusterError::TooManyServers));
    let long = vec![b'x'; MAX_ANSWER_LEN + 1];
    assert_eq!(Cluster::read(&long), Err(ClusterError::TooLong));
    assert_eq!(Cluster::read(&[b"CONFIG cluster 0 1\r\n", &long[..]].concat()), Err(ClusterError::TooLong));
    assert_eq!(servers(&" ".repeat(MAX_ANSWER_LEN)), Err(ClusterError::TooLong));
}

#[test]
fn a_server_that_does_not_know_the_command_is_asked_for_the_key() {
    let mut inquiry = Inquiry::default();
    assert_eq!(inquiry.request(), b"config get cluster\r\n");
    assert_eq!(inquiry.received(b"ERR"), Ok(Heard::Part));
    assert_eq!(inquiry.received(b"OR\r\n"), Ok(Heard::AskAgain));
    assert_eq!(inquiry.request(), b"get AmazonElastiCache:cluster\r\n");
    let Ok(Heard::All(cluster)) = inquiry.received(ANSWERS[1].as_bytes()) else { panic!("no answer") };
    assert_eq!(cluster.servers.len(), 1);
    let mut inquiry = Inquiry::default();
    inquiry.received(b"ERROR\r\n").unwrap();
    assert_eq!(inquiry.received(b"END\r\n"), Err(ClusterError::UnknownCommand));
}

#[test]
fn what_is_written_is_read() {
    let cluster = read("CONFIG cluster 0 0\r\n7\na.example|10.0.0.1|7 |fd00::1|7\n\r\nEND\r\n").unwrap();
    let text = cluster.to_string();
    assert_eq!(text, "7\na.example|10.0.0.1|7 |fd00::1|7\n");
    assert_eq!(read(&format!("CONFIG cluster 0 {}\r\n{text}\r\nEND\r\n", text.len())).unwrap(), cluster);
}
