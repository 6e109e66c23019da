//! File system operations of the store.
//!
//! Invariant: only their owner can read the files, symbolic links are not followed, and a file of `write_new` is on the
//! disk when that returns. A test can make reading and writing fail.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::SystemTime;

#[cfg(test)]
pub(crate) type Fault = std::sync::Arc<dyn Fn(&Path) -> io::Result<()> + Send + Sync>;

#[derive(Clone, Default)]
pub(crate) struct Disk {
    /// Asked before a file is written or read, and before a directory is made.
    #[cfg(test)]
    pub(crate) fault: Option<Fault>,
    #[cfg(test)]
    pub(crate) clock: Option<std::sync::Arc<dyn Fn() -> SystemTime + Send + Sync>>,
}

impl Disk {
    /// Writes a file that must not exist yet, and syncs its bytes to the disk. [`sync_directory`](Self::sync_directory)
    /// syncs its name.
    pub(crate) fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        #[cfg(test)]
        self.fail(path)?;
        let mut file = private(OpenOptions::new().write(true).create_new(true)).open(path)?;
        let written = file.write_all(bytes).and_then(|()| file.sync_data());
        if written.is_err() {
            // If it stays, the next process that locks the slot deletes it as unfinished.
            let _ = fs::remove_file(path);
        }
        written
    }

    /// Reads a regular file of at most `max` bytes.
    pub(crate) fn read(&self, path: &Path, max: u64) -> io::Result<Vec<u8>> {
        #[cfg(test)]
        self.fail(path)?;
        if !fs::symlink_metadata(path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
        }
        let mut bytes = Vec::new();
        let file = private(OpenOptions::new().read(true)).open(path)?;
        if file.take(max + 1).read_to_end(&mut bytes)? as u64 > max {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than any file of ours"));
        }
        Ok(bytes)
    }

    pub(crate) fn delete(&self, path: &Path) -> io::Result<()> {
        // Asked by another name, so that a file can be there and not be deleted.
        #[cfg(test)]
        self.fail(&path.with_extension("deleted"))?;
        fs::remove_file(path)
    }

    /// Returns the time of the wall clock.
    pub(crate) fn now(&self) -> SystemTime {
        #[cfg(test)]
        if let Some(clock) = &self.clock {
            return clock();
        }
        SystemTime::now()
    }

    /// Opens the file that a lock is put on, and makes it if need be.
    pub(crate) fn open_lock(&self, path: &Path) -> io::Result<File> {
        private(OpenOptions::new().read(true).write(true).create(true).truncate(false)).open(path)
    }

    /// Makes a directory that only its owner can enter, or makes sure that it is one.
    pub(crate) fn private_directory(&self, path: &Path) -> io::Result<()> {
        #[cfg(test)]
        self.fail(path)?;
        match make_directory(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made?,
        }
        if !fs::symlink_metadata(path)?.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is not a directory"));
        }
        restrict(path)
    }

    /// Brings the names in a directory to the disk.
    pub(crate) fn sync_directory(&self, path: &Path) -> io::Result<()> {
        // Elsewhere a directory cannot be opened, and a rename is durable as far as the file system makes it so.
        if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
    }

    #[cfg(test)]
    pub(crate) fn fail(&self, path: &Path) -> io::Result<()> {
        self.fault.as_ref().map_or(Ok(()), |fault| fault(path))
    }
}

/// Returns whether an open file is the one that has this name now. Returns `true` if that cannot be found out.
#[cfg(unix)]
pub(crate) fn has_name(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        (_, Err(error)) => error.kind() != io::ErrorKind::NotFound,
        (Err(_), _) => true,
    }
}

/// Elsewhere a file that is open keeps its name.
#[cfg(not(unix))]
pub(crate) fn has_name(_: &File, _: &Path) -> bool {
    true
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    // Non-blocking, so that a named pipe put in the place of a file cannot hang the reader.
    options.mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn make_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make_directory(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

#[cfg(unix)]
fn restrict(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::symlink_metadata(path)?.permissions().mode() & 0o777;
    if mode == 0o700 { Ok(()) } else { fs::set_permissions(path, fs::Permissions::from_mode(0o700)) }
}

#[cfg(not(unix))]
fn restrict(_: &Path) -> io::Result<()> {
    Ok(())
}
