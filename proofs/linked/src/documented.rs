//! The public functions and methods of a crate, as rustdoc knows them (`--output-format json`).

use std::{collections::HashMap, error::Error, fs, path::Path};

use serde_json::Value;

use crate::Place;

/// A function that a user of the crate can call.
pub struct Function {
    /// As a report calls it: `Owner::name`.
    pub name: String,
    pub place: Place,
    /// Whether a macro has written it.
    pub is_in_macro: bool,
}

impl Function {
    /// What its symbol contains: the owner and the name, each behind its length.
    pub fn symbol(&self) -> String {
        let parts = self.name.rsplit("::").take(2).collect::<Vec<_>>();
        parts.iter().rev().map(|part| format!("{}{part}", part.len())).collect()
    }
}

/// The functions of the crate in `json`, whose paths begin at `root`.
///
/// What `derive` has written is not among them: it has no line of its own.
pub fn functions(json: &Path, root: &Path) -> Result<Vec<Function>, Box<dyn Error>> {
    let json: Value = serde_json::from_slice(&fs::read(json)?)?;
    let items = json["index"].as_object().ok_or("rustdoc's output has no index")?;
    let mut owners = HashMap::new();
    for owner in items.values().filter(|item| !is_derived(item)) {
        let (name, members) = owner_of(owner);
        for member in members.into_iter().flatten() {
            owners.insert(member.to_string(), name.clone());
        }
    }
    let mut functions = Vec::new();
    for (id, item) in items {
        let (Some(owner), Some(inner)) = (owners.get(id), item["inner"].get("function")) else { continue };
        let (Some(file), Some(line)) = (item["span"]["filename"].as_str(), item["span"]["begin"][0].as_u64())
        else {
            continue;
        };
        // What a trait only asks for is no code.
        if inner["has_body"] == false || item["crate_id"] != 0 {
            continue;
        }
        let name = item["name"].as_str().unwrap_or_default();
        let place = Place { file: fs::canonicalize(root.join(file))?, line };
        let source = fs::read_to_string(&place.file)?;
        let begins = source.lines().nth(place.line.saturating_sub(1) as usize).unwrap_or_default();
        let is_in_macro = !begins.contains(&format!("fn {name}"));
        functions.push(Function { name: format!("{owner}::{name}"), place, is_in_macro });
    }
    if functions.is_empty() {
        return Err("rustdoc's output has no functions: has its format changed?".into());
    }
    Ok(functions)
}

/// What a module, a trait or an implementation is called, and the identifiers of what is in it.
fn owner_of(item: &Value) -> (String, Option<&Vec<Value>>) {
    let inner = &item["inner"];
    if let Some(implementation) = inner.get("impl") {
        let of = type_name(&implementation["for"]);
        let name = match implementation["trait"]["path"].as_str() {
            Some(path) => format!("<{of} as {path}>"),
            None => of,
        };
        return (name, implementation["items"].as_array());
    }
    let name = item["name"].as_str().unwrap_or_default().to_owned();
    (name, inner.get("trait").or_else(|| inner.get("module")).and_then(|inner| inner["items"].as_array()))
}

fn type_name(of: &Value) -> String {
    let path = of["resolved_path"]["path"].as_str().or_else(|| of["primitive"].as_str());
    let lent = || of.get("borrowed_ref").map(|lent| format!("&{}", type_name(&lent["type"])));
    path.map(str::to_owned).or_else(lent).unwrap_or_else(|| "_".into())
}

fn is_derived(item: &Value) -> bool {
    item["attrs"].to_string().contains("automatically_derived")
}
