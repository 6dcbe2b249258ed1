//! A file for another program to read.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, path::PathBuf};

/// A file that others may read, until this is dropped.
pub struct File(PathBuf);

impl File {
    /// A file with this content, somewhere.
    pub fn new(content: impl AsRef<[u8]>) -> Self {
        static WRITTEN: AtomicUsize = AtomicUsize::new(0);
        let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("memring-{}-file-{number}", std::process::id()));
        fs::write(&path, content).unwrap();
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
