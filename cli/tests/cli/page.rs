//! `memring plan --html`: a page of one file, in a real browser.
//!
//! Needs chromium in PATH.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, path::PathBuf, thread};

use serde_json::json;

use crate::{
    browser::Browser,
    memring::{file, memring, memring_with, scratch},
};

/// A server that joins those of a scheme's example.
const JOINS: &str = "10.0.9.1:11211";

/// The page is ready when a key can be typed.
const READY: &str = "!document.getElementById('keys').disabled";

fn page(args: &str) -> PathBuf {
    let path = scratch("page").with_extension("html");
    memring(&format!("plan {args} --html {}", path.display())).text();
    path
}

/// Puts keys into the page and gives the text that it makes of them.
fn look_up(browser: &mut Browser, keys: &str) -> String {
    let script = format!(
        "(async () => {{
            const field = document.getElementById('keys');
            delete field.dataset.answered;
            field.value = {};
            field.dispatchEvent(new Event('input'));
            for (let turn = 0; turn < 5000 && field.dataset.answered === undefined; turn++) {{
                await new Promise((resolve) => setTimeout(resolve, 2));
            }}
            return document.getElementById('text').value || document.getElementById('told').textContent;
        }})()",
        json!(keys)
    );
    browser.run(&script).as_str().unwrap().to_owned()
}

/// Ten thousand keys of many kinds, as keys files have them.
fn keys() -> String {
    let key = |number: u32| match number % 5 {
        0 => format!("user:{number}\n"),
        1 => format!("session:{:08x}\n", number.wrapping_mul(2_654_435_761)),
        2 => format!("{number}\n"),
        3 => format!("caf\\xc3\\xa9\\x20{number}\n"),
        _ => format!("{{tag{}}}:{number}:{}\n", number % 97, "x".repeat(number as usize % 60)),
    };
    (0..10_000).map(key).collect()
}

#[test]
fn every_scheme_places_in_a_browser_as_the_command_line_does() {
    let keys = keys();
    let listed = memring("schemes").text();
    let names: Vec<_> = listed.lines().filter_map(|line| line.split_ascii_whitespace().next()).collect();
    assert!(names.len() > 40, "{}", names.len());
    // A browser keeps one processor busy.
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut browser = Browser::start();
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    places_alike(&mut browser, name, &keys);
                }
                assert_eq!(browser.complaints(), Vec::<String>::new());
            });
        }
    });
}

/// A page of the example of the scheme says of each key what `where` says, before and after a server joins.
fn places_alike(browser: &mut Browser, name: &str, keys: &str) {
    let list = file(keys);
    let about = memring(&format!("schemes {name}")).text();
    let example = about.lines().find_map(|line| line.trim_start().strip_prefix("example")).unwrap();
    let words: Vec<_> = example.split_ascii_whitespace().skip(2).filter(|word| *word != "KEY").collect();
    let place = |more: &[&str]| {
        let mut args = [&["where"], &*words, more].concat();
        args.extend(["--keys", &list]);
        memring_with(args).text()
    };
    let (before, after) = (place(&[]), place(&["--server", JOINS]));
    let html = scratch("page").with_extension("html");
    let mut args = vec!["plan", "--add", JOINS, "--keys", &list, "--html", html.to_str().unwrap()];
    args.extend(words.iter().map(|word| if *word == "--server" { "--old-server" } else { word }));
    memring_with(args).text();

    browser.open(&html, READY);
    let answered = look_up(browser, keys);
    let expected: String = before
        .lines()
        .zip(after.lines())
        .map(|(before, after)| {
            let (key, before) = before.split_once("  ").unwrap();
            format!("{key}\t{before}\t{}\n", after.split_once("  ").unwrap().1)
        })
        .collect();
    let differs = answered.lines().zip(expected.lines()).find(|(is, ought)| is != ought);
    assert!(answered == expected, "{name}: {differs:?}, {} bytes", answered.len());
    fs::remove_file(html).unwrap();
}

#[test]
fn a_key_that_is_typed_is_followed_on_both_rings() {
    let mut browser = Browser::start();
    let html = page("--scheme libketama --old-server a:1,b:1,c:1 --add d:1");
    browser.open(&html, READY);
    browser.run("document.getElementById('keys').focus()");
    browser.type_text("user:7");
    let names = "['before', 'after'].map((side) => document.getElementById(`on-${side}`).textContent).join()";
    while browser.run(names) == "," {}
    let place = |servers: &str| {
        let text = memring(&format!("where --scheme libketama --server {servers} user:7")).text();
        text.trim_end().split_once("  ").unwrap().1.to_owned()
    };
    let (before, after) = (place("a:1,b:1,c:1"), place("a:1,b:1,c:1,d:1"));
    assert_eq!(browser.run(names), format!("{before},{after}"));
    let told = browser.run("document.getElementById('told').textContent");
    let expected = if before == after {
        format!("user:7 stays on {before}")
    } else {
        format!("user:7 moves from {before} to {after}")
    };
    assert_eq!(told, expected);
    assert_eq!(browser.run("document.querySelectorAll('.lit .on').length"), 2);

    assert_eq!(
        look_up(&mut browser, "fine\nnot\\fine\n").lines().nth(1).unwrap(),
        "not\\fine\t! bad escape at byte 3: a backslash begins \\xNN"
    );
    // It needs nothing from elsewhere, and its own policy lets all of it be.
    assert_eq!(browser.run("performance.getEntriesByType('resource').length"), 0);
    assert_eq!(browser.complaints(), Vec::<String>::new());
    assert_eq!(browser.run("fetch('data:,x').then(() => 'loaded', () => 'refused')"), "refused");
    assert!(browser.complaints().iter().any(|complaint| complaint.contains("Content Security Policy")));
}

#[test]
fn names_cannot_break_out_of_the_page() {
    let old = file("</script><script>document.title='owned'</script>\n<img/src=x>&\"'\n");
    let html =
        page(&format!("--scheme libketama --names-as-written --old {old} --new-scheme libmemcached-modula"));
    let mut browser = Browser::start();
    browser.open(&html, READY);
    assert_ne!(browser.run("document.title"), "owned");
    assert_eq!(browser.run("document.images.length"), 0);
    assert!(look_up(&mut browser, "user:7").contains("<"));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
