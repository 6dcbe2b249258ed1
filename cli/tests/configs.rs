//! Real configurations, each with the placement that its client made of it.
//!
//! A folder `configs/KIND--CASE` has the text (`config`), what reading it gives (`expect.tsv`), where the client put keys
//! (`truth.tsv`), and how it was run (`about.md`).

use core::fmt;
use std::{fs, path::PathBuf};

use memring::configs::{self, Kind, ReadServer, Reading};
use memring_client::OwnedScheme;
use memring_core::{AsServer, Placement, Server, Weight, vector};

/// A folder of a configuration.
struct Sample {
    folder: PathBuf,
    kind: String,
}

impl Sample {
    fn all() -> Vec<Self> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/configs");
        let mut samples: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| Self::of(entry.unwrap().path())).collect();
        samples.sort_by(|left, right| left.folder.cmp(&right.folder));
        samples
    }

    fn of(folder: PathBuf) -> Self {
        let name = folder.file_name().unwrap().to_str().unwrap();
        Self { kind: name.split("--").next().unwrap().to_owned(), folder }
    }

    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.folder.join(file)).unwrap()
    }

    fn rows(&self, file: &str) -> Vec<Vec<String>> {
        let text = self.text(file);
        text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
    }

    /// What the text says, when its kind is not told. Servers that it cannot have are given beside it.
    fn reading(&self) -> Reading {
        let readings =
            configs::read(&self.text("config"), None).unwrap_or_else(|error| panic!("{self}: {error}"));
        let [mut reading] =
            <[_; 1]>::try_from(readings).unwrap_or_else(|readings| panic!("{self}: {readings:?}"));
        if reading.warnings.iter().any(|warning| warning.trap == "servers-elsewhere") {
            let rows = self.rows("expect.tsv").into_iter().filter(|row| row[0] == "server");
            reading.servers = rows
                .map(|row| ReadServer {
                    name: row[1].clone(),
                    weight: Weight::Whole(row[2].parse().unwrap()),
                    address: row[1].parse().unwrap(),
                })
                .collect();
        }
        reading
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.folder.file_name().unwrap().to_str().unwrap())
    }
}

#[test]
fn configurations_say_what_is_expected() {
    let samples = Sample::all();
    assert_eq!(samples.len(), 45);
    for sample in samples.iter().filter(|sample| Kind::named(&sample.kind).is_some()) {
        let reading = sample.reading();
        assert_eq!(reading.kind, sample.kind, "{sample}");
        let mut expected = sample.rows("expect.tsv");
        let mut said = vec![vec!["scheme".to_owned(), reading.scheme.clone().unwrap_or_else(|| "-".into())]];
        said.extend(
            reading.options.iter().map(|(name, value)| vec!["option".to_owned(), format!("{name}={value}")]),
        );
        let around = [("prepend", &reading.prepend), ("append", &reading.append)];
        said.extend(
            around
                .iter()
                .filter(|(_, text)| !text.is_empty())
                .map(|(name, text)| vec![(*name).into(), (*text).clone()]),
        );
        said.extend(reading.servers.iter().map(|server| {
            let weight = match server.weight {
                Weight::Whole(weight) => weight.to_string(),
                Weight::Real(weight) => weight.to_string(),
            };
            vec!["server".to_owned(), server.name.clone(), weight]
        }));
        // What the client calls a server in `truth.tsv` is no part of the text.
        expected.iter_mut().for_each(|row| row.truncate(3));
        // A scheme that memring had no name of when the samples were made; the placement below shows that it is the one.
        if expected[0] == ["scheme", "-"] {
            assert_eq!(sample.kind, "memcached-proxy");
            expected[0][1] = "memcached-proxy".to_owned();
        }
        // Options have no order among themselves, and it is one to say what holds without it.
        for rows in [&mut expected, &mut said] {
            rows.retain(|row| row[0] != "option" || row[1] != "configured=behavior-then-servers");
            rows.sort_by_key(|row| (row[0] == "option").then(|| row[1].clone()));
        }
        assert_eq!(said, expected, "{sample}");
    }
}

#[test]
fn keys_are_placed_as_the_clients_placed_them() {
    let mut placed = 0;
    for sample in Sample::all().iter().filter(|sample| Kind::named(&sample.kind).is_some()) {
        let reading = sample.reading();
        let expected = sample.rows("expect.tsv");
        let servers: Vec<_> = expected.iter().filter(|row| row[0] == "server").collect();
        let options = reading.options.iter().map(|(name, value)| (&**name, &**value));
        let scheme = OwnedScheme::named(reading.scheme.as_deref().unwrap(), options).unwrap();
        let named: Vec<_> = reading.servers.iter().map(|server| Named(&server.name, server.weight)).collect();
        let placement =
            Placement::owned(scheme.scheme(), named).unwrap_or_else(|error| panic!("{sample}: {error}"));
        for row in sample.rows("truth.tsv") {
            let key = vector::unescape(row[0].as_bytes()).collect::<Result<Vec<_>, _>>().unwrap();
            let key = [reading.prepend.as_bytes(), &key, reading.append.as_bytes()].concat();
            assert_eq!(servers[placement.primary(&key).get()][3], row[1], "{sample}: {}", row[0]);
            placed += 1;
        }
    }
    assert!(placed > 1000);
}

struct Named<'n>(&'n str, Weight);

impl AsServer for Named<'_> {
    fn as_server(&self) -> Server<'_> {
        Server { name: self.0, weight: self.1 }
    }
}
