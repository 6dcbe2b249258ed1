//! Variables in YAML: files of Docker Compose and of Kubernetes, in any of the notations that YAML has.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser};

use super::{super::ConfigError, Variable, is_name};

/// The variables of a text that is a map or a list of YAML; nothing where it is neither.
///
/// # Errors
/// The text has lines that only YAML has, and is none.
pub(super) fn variables(text: &str) -> Result<Vec<Variable>, ConfigError> {
    let roots = match documents(text) {
        Ok(roots) => roots,
        Err(error) if is_meant_for_yaml(text) => return Err(error),
        Err(_) => return Ok(Vec::new()),
    };
    let mut found = Vec::new();
    // Without recursion, however deep the file is: what is left to look at, with the names of what it belongs to.
    let mut left: Vec<(&Node, Place)> = roots.iter().rev().map(|root| (root, Place::default())).collect();
    while let Some((node, place)) = left.pop() {
        match &node.value {
            Content::Text(text) => found.extend(assigned(text, node.line, &place)),
            Content::List(items) => left.extend(items.iter().rev().map(|item| (item, place.clone()))),
            Content::Map(entries) => {
                let field = |name: &str| entries.iter().find(|(key, _)| key == name).map(|(_, value)| value);
                let name = field("name").and_then(Node::text);
                let value = field("value").or_else(|| field("valueFrom"));
                if let Some((name, value)) = name.zip(value).filter(|(name, _)| is_name(name)) {
                    found.push(value.variable(name, &place));
                    continue;
                }
                let place = place.within(name.unwrap_or_default());
                for (key, value) in entries.iter().rev() {
                    if is_name(key) && key.bytes().all(|byte| !byte.is_ascii_lowercase()) {
                        continue;
                    }
                    left.push((value, place.within(key)));
                }
                for (key, value) in entries {
                    if is_name(key) && key.bytes().all(|byte| !byte.is_ascii_lowercase()) {
                        found.push(value.variable(key, &place));
                    }
                }
            }
        }
    }
    // The order of the file.
    found.sort_by_key(|variable| variable.line);
    Ok(found)
}

/// `NAME=VALUE` as an item of a list has it.
fn assigned(text: &str, line: usize, place: &Place) -> Option<Variable> {
    let (name, value) = text.split_once('=')?;
    let name = Some(name).filter(|name| is_name(name))?;
    Some(Variable { name: name.to_owned(), value: Some(value.to_owned()), line, place: place.0.clone() })
}

/// Whether a line of the text ends with the colon of a map in block style.
fn is_meant_for_yaml(text: &str) -> bool {
    let words = ["services:", "environment:", "env:", "spec:", "data:"];
    text.lines().any(|line| words.contains(&line.trim_start_matches(['-', ' ']).trim_end()))
}

/// The name of the service or the container that has a variable, as far as the file says.
#[derive(Clone, Debug, Default)]
struct Place(String);

impl Place {
    /// Words that name what a file of this form has, and not whose it is.
    const FORM: [&str; 14] = [
        "services",
        "environment",
        "env",
        "metadata",
        "spec",
        "template",
        "jobTemplate",
        "containers",
        "initContainers",
        "data",
        "stringData",
        "build",
        "args",
        "",
    ];

    fn within(&self, name: &str) -> Self {
        if Self::FORM.contains(&name) { self.clone() } else { Self(name.to_owned()) }
    }
}

/// A value of the file, and the line where it begins.
#[derive(Clone, Debug)]
struct Node {
    value: Content,
    line: usize,
}

#[derive(Clone, Debug)]
enum Content {
    Text(String),
    List(Vec<Node>),
    /// Keys that are no texts are left out.
    Map(Vec<(String, Node)>),
}

impl Node {
    fn text(&self) -> Option<&str> {
        match &self.value {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    fn variable(&self, name: &str, place: &Place) -> Variable {
        // YAML's words for nothing.
        let value = self.text().filter(|text| !matches!(*text, "~" | "null" | ""));
        let value = value.map(str::to_owned);
        Variable { name: name.to_owned(), value, line: self.line, place: place.0.clone() }
    }
}

/// What is being read: a list, or a map with perhaps the key that waits for its value.
struct Open {
    node: Node,
    key: Option<Node>,
}

/// All documents of a text.
fn documents(text: &str) -> Result<Vec<Node>, ConfigError> {
    let mut roots = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    // Texts that have an anchor. A list or a map is read where it has its anchor, and is nothing where an alias names it.
    let mut anchored: HashMap<usize, Content> = HashMap::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event
            .map_err(|error| ConfigError::at(error.marker().line(), format!("no YAML: {}", error.info())))?;
        let line = span.start.line();
        let begun = |value| Open { node: Node { value, line }, key: None };
        let node = match event {
            Event::MappingStart(..) => {
                open.push(begun(Content::Map(Vec::new())));
                continue;
            }
            Event::SequenceStart(..) => {
                open.push(begun(Content::List(Vec::new())));
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd => match open.pop() {
                Some(Open { node, .. }) => node,
                None => continue,
            },
            Event::Scalar(text, _, anchor, _) => {
                let value = Content::Text(text.into_owned());
                if anchor > 0 {
                    anchored.insert(anchor, value.clone());
                }
                Node { value, line }
            }
            Event::Alias(anchor) => {
                Node { value: anchored.get(&anchor).cloned().unwrap_or(Content::List(Vec::new())), line }
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd => continue,
            Event::DocumentStart(_) | Event::DocumentEnd => continue,
        };
        match open.last_mut() {
            None => roots.push(node),
            Some(Open { node: Node { value: Content::List(items), .. }, .. }) => items.push(node),
            Some(Open { node: Node { value: Content::Map(entries), .. }, key, .. }) => match key.take() {
                None => *key = Some(node),
                Some(Node { value: Content::Text(name), .. }) => entries.push((name, node)),
                Some(_) => {}
            },
            Some(Open { node: Node { value: Content::Text(_), .. }, .. }) => {}
        }
    }
    // A text alone is none of YAML's more than of any other notation.
    roots.retain(|root| !matches!(root.value, Content::Text(_)));
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let told = variables(text).unwrap().into_iter().map(|variable| {
            let Variable { name, value, line, place } = variable;
            format!("{place}/{name}={} {line}", value.unwrap_or_else(|| "?".into()))
        });
        told.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn all_notations_of_yaml_are_read() {
        for (environment, expected) in [
            ("      - A=a:1,b:1\n      - \"B=c d\"", "web/A=a:1,b:1 4\nweb/B=c d 5"),
            ("      A: a:1,b:1 # r\n      B: 'e'", "web/A=a:1,b:1 4\nweb/B=e 5"),
            ("      A: >-\n        a:1,\n        b:1", "web/A=a:1, b:1 5"),
            ("      A: |-\n        a:1\n        b:1", "web/A=a:1\nb:1 5"),
            ("      A: a:1,\n        b:1", "web/A=a:1, b:1 4"),
            ("      A: \"a:1,\\\n        b:1\"", "web/A=a:1,b:1 4"),
            ("      A: &all a:1\n      B: *all", "web/A=a:1 4\nweb/B=a:1 5"),
            ("      {A: a:1, B: \"b:1\"}", "web/A=a:1 4\nweb/B=b:1 4"),
            ("      [A=a:1, 'B=b:1']", "web/A=a:1 4\nweb/B=b:1 4"),
            ("      ? A\n      : a:1", "web/A=a:1 5"),
            ("      A:\n      - B", "web/A=? 5"),
        ] {
            let text = format!("services:\n  web:\n    environment:\n{environment}\n");
            assert_eq!(told(&text), expected, "{text}");
        }
        let kubernetes = "kind: Pod\nspec:\n  containers:\n  - name: app\n    env:\n    - name: A\n      value: a:1\n    \
                          - {name: B, value: b:1}\n    - name: C\n      valueFrom: {x: y}\n---\nkind: ConfigMap\ndata:\n  A: c:1\n";
        assert_eq!(told(kubernetes), "app/A=a:1 7\napp/B=b:1 8\napp/C=? 10\n/A=c:1 14");
        let shared = "x-env: &env\n  A: a:1\nservices:\n  web: { environment: *env }\n  job:\n    environment:\n      <<: *env\n      A: b:1\n";
        assert_eq!(told(shared), "x-env/A=a:1 2\njob/A=b:1 8");
    }

    #[test]
    fn what_is_no_yaml_has_no_variables_or_is_an_error() {
        for text in ["A=b", "A=b\nC=d\n", "export A=\"b\"\n", "A=b: c\nD=e", "new X({ a: [1 })"] {
            assert_eq!(told(text), "", "{text}");
        }
        let error = variables("services:\n  web:\n    environment:\n      A: {{ .Values.x }\n").unwrap_err();
        assert!(error.line().is_some() && error.to_string().contains("no YAML: "), "{error}");
    }

    #[test]
    fn a_deep_file_is_no_trouble() {
        let deep = format!("{}A=b{}", "[".repeat(200), "]".repeat(200));
        assert_eq!(told(&deep), "/A=b 1");
        let lines: String = (0..2000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        assert_eq!(told(&lines), "");
    }
}
