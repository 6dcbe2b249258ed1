//! `memring spread`.

use std::fs;

use crate::memring::{file, memring, scratch};

#[test]
fn modulo_with_weights_is_as_even_as_can_be() {
    let list = file("a:1 3\nb:1\n");
    let text = memring(&format!("spread --scheme python-memcached --servers {list}")).text();
    assert!(text.starts_with("python-memcached, 2 servers\n"), "{text}");
    assert!(text.contains("a:1          3  75.0"), "{text}");
}

#[test]
fn shares_add_up_to_all_keys() {
    let list = file("a:1 600\nb:1 300\nc:1 1\n");
    let spread =
        memring(&format!("spread --scheme libmemcached-ketama-weighted --servers {list} --json")).json();
    let servers = spread["servers"].as_array().unwrap();
    let total = |field: &str| -> f64 { servers.iter().map(|server| server[field].as_f64().unwrap()).sum() };
    assert!((total("share") - 1.0).abs() < 1e-9 && (total("fair_share") - 1.0).abs() < 1e-9, "{spread}");
    assert_eq!((&servers[0]["weight"], &spread["precision"]["kind"]), (&600.into(), &"exact".into()));
}

#[test]
fn a_scheme_that_ignores_weights_is_held_to_none() {
    let list = file("a:1 600\nb:1 300\n");
    let run = memring(&format!("spread --scheme libmemcached-modula --servers {list} --json"));
    let spread: serde_json::Value = serde_json::from_str(&run.text_of_odd_servers()).unwrap();
    assert_eq!(spread["servers"][0]["fair_share"], 0.5);
}

#[test]
fn the_picture_names_every_server() {
    let (list, svg) = (file("a:1 600\nb:1 300\n"), scratch("svg"));
    memring(&format!("spread --scheme libketama --servers {list} --svg {}", svg.display())).text();
    let picture = fs::read_to_string(svg).unwrap();
    assert!(picture.contains(">a:1</text>") && picture.contains(">b:1</text>"));
}

#[test]
fn the_picture_tells_servers_of_long_names_apart_wherever_it_names_them() {
    let name = |number| format!("cache-production-eu-west-{number}.internal.example.com:11211");
    let (list, svg) = (file(&format!("{}\n{}\n", name(1), name(2))), scratch("svg"));
    memring(&format!("spread --scheme libketama --servers {list} --svg {}", svg.display())).text();
    let picture = fs::read_to_string(svg).unwrap();
    let captions: Vec<_> = picture.lines().filter(|line| line.contains("for its weight: ")).collect();
    assert!(
        captions.len() == 2 && captions[0].contains("2.int") != captions[1].contains("2.int"),
        "{captions:?}"
    );
}

#[test]
fn servers_can_be_arguments() {
    let run =
        memring("spread --scheme libmemcached-modula --server a:1 --server b:1 --server c:1 --server d:1");
    assert_eq!(run.text().matches("25.00 %").count(), 4);
    let run = memring("spread --scheme libmemcached-modula --server a:1,b:1 --server c:1,d:1");
    assert_eq!(run.text().matches("25.00 %").count(), 4);
    memring("spread --scheme libmemcached-modula").fails(2, "no servers");
}

#[test]
fn shares_are_held_to_weights_only_where_they_count() {
    let list = file("a:1 3\nb:1\n");
    let run = memring(&format!("spread --scheme libmemcached-modula --servers {list}"));
    assert_eq!(run.stderr, "memring: libmemcached-modula ignores weights: all servers count the same\n");
    let text = String::from_utf8(run.stdout).unwrap();
    assert!(text.contains("to even  │ is an even share") && !text.contains("for its weight"), "{text}");
    let text = memring(&format!("spread --scheme python-memcached --servers {list}")).text();
    assert!(
        text.contains("to weight  │ is the share by weight") && text.contains("most for its weight"),
        "{text}"
    );
}
