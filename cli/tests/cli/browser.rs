//! A real browser without a window, told what to do through a pair of pipes.

use core::time::Duration;
use std::{
    fs::{self, File, OpenOptions},
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Instant,
};

use serde_json::{Value, json};

use crate::memring::scratch;

/// A browser with one page.
pub(crate) struct Browser {
    process: Child,
    commands: File,
    answers: BufReader<File>,
    directory: PathBuf,
    number: u32,
    session: Option<String>,
    /// What pages complained about.
    complaints: Vec<String>,
}

impl Browser {
    /// Starts Chromium, which must be there.
    pub(crate) fn start() -> Self {
        let directory = scratch("browser");
        fs::create_dir(&directory).unwrap();
        for pipe in ["commands", "answers"] {
            assert!(Command::new("mkfifo").arg(directory.join(pipe)).status().unwrap().success());
        }
        let script = r#"exec chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
            --disable-background-networking --disable-component-update --disable-sync --disable-dev-shm-usage \
            --user-data-dir="$0/profile" --remote-debugging-pipe about:blank 3<"$0/commands" 4>"$0/answers""#;
        let process = Command::new("sh")
            .args(["-c", script])
            .arg(&directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let commands = OpenOptions::new().write(true).open(directory.join("commands")).unwrap();
        let answers = BufReader::new(File::open(directory.join("answers")).unwrap());
        let mut browser =
            Self { process, commands, answers, directory, number: 0, session: None, complaints: Vec::new() };
        let target = browser.ask("Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.ask("Target.attachToTarget", &attach)["sessionId"].as_str().unwrap().to_owned();
        browser.session = Some(session);
        for part in ["Page.enable", "Runtime.enable", "Log.enable"] {
            browser.ask(part, &json!({}));
        }
        browser
    }

    /// Opens a file, and waits until its page is ready, which `ready` says.
    pub(crate) fn open(&mut self, path: &Path, ready: &str) {
        self.ask("Page.navigate", &json!({ "url": format!("file://{}", path.display()) }));
        let begin = Instant::now();
        while self.run(&format!("document.readyState === 'complete' && ({ready})")) != true {
            assert!(begin.elapsed() < Duration::from_secs(60), "never ready: {:?}", self.complaints);
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Runs a script in the page and gives its value, waiting for it if it is a promise.
    pub(crate) fn run(&mut self, script: &str) -> Value {
        let evaluate = json!({ "expression": script, "awaitPromise": true, "returnByValue": true });
        let answer = self.ask("Runtime.evaluate", &evaluate);
        assert!(answer["exceptionDetails"].is_null(), "{answer}");
        answer["result"]["value"].clone()
    }

    /// Types a text where the focus is.
    pub(crate) fn type_text(&mut self, text: &str) {
        self.ask("Input.insertText", &json!({ "text": text }));
    }

    /// What pages complained about since they were asked last.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        core::mem::take(&mut self.complaints)
    }

    /// Sends a command and waits for its answer.
    pub(crate) fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.number += 1;
        let mut command = json!({ "id": self.number, "method": method, "params": params });
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        let sent = self.commands.write_all(format!("{command}\0").as_bytes());
        sent.expect("no chromium answers; .ci/test installs it");
        loop {
            let mut message = Vec::new();
            self.answers.read_until(0, &mut message).unwrap();
            assert_eq!(message.pop(), Some(0), "no chromium answers; .ci/test installs it");
            let message: Value = serde_json::from_slice(&message).unwrap();
            match message["method"].as_str() {
                Some("Log.entryAdded" | "Runtime.exceptionThrown") => {
                    self.complaints.push(message["params"].to_string());
                }
                _ if message["id"] == self.number => {
                    assert!(message["error"].is_null(), "{method}: {message}");
                    return message["result"].clone();
                }
                _ => {}
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}
