//! The site key: 32 bytes in a file that only its owner may read.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::error::{JournalError, KeyFault};
use crate::seal::SiteKeys;

/// Bytes in a site key and in a data key.
pub(crate) const KEY_BYTES: usize = 32;
/// No form of the key is longer; a larger file is refused unread.
const MAX_FILE_BYTES: u64 = 256;

/// The key under which every stay's data key is wrapped. Erased from memory when dropped.
pub struct SiteKey(Zeroizing<[u8; KEY_BYTES]>);

impl std::fmt::Debug for SiteKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SiteKey(..)")
    }
}

impl SiteKey {
    /// A key from bytes that the caller already holds.
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        SiteKey(Zeroizing::new(bytes))
    }

    /// Reads the key: 32 raw bytes, or one line of 64 hex digits or of base64.
    ///
    /// # Errors
    /// [`JournalError::KeyFile`] if the file is missing, malformed, or (on Unix) open to group or others.
    pub fn load(path: &Path) -> Result<Self, JournalError> {
        read(path).map(SiteKey).map_err(|fault| JournalError::KeyFile {
            path: path.to_path_buf(),
            fault,
        })
    }

    /// Makes a new random key and stores it as one line of hex with mode 0600, synced to disk.
    ///
    /// # Errors
    /// [`JournalError::KeyFile`] if the file exists already (it is never overwritten) or cannot be written.
    pub fn create(path: &Path) -> Result<Self, JournalError> {
        write_new(path).map(SiteKey).map_err(|fault| JournalError::KeyFile {
            path: path.to_path_buf(),
            fault,
        })
    }

    /// By what people tell one site key from another: 16 hexadecimal digits that say nothing of the key.
    ///
    /// # Errors
    /// [`JournalError::Seal`] if no key can be derived from it.
    pub fn fingerprint(&self) -> Result<String, JournalError> {
        Ok(fingerprint(SiteKeys::new(self)?.check_value()))
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

/// The first digits of a key's check value.
pub(crate) fn fingerprint(check_value: &[u8]) -> String {
    check_value.iter().take(8).fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

fn read(path: &Path) -> Result<Zeroizing<[u8; KEY_BYTES]>, KeyFault> {
    let file = File::open(path).map_err(|error| fault(&error))?;
    refuse_open_mode(&file)?;
    let mut content = Zeroizing::new(Vec::with_capacity(KEY_BYTES * 3));
    file.take(MAX_FILE_BYTES)
        .read_to_end(&mut content)
        .map_err(|error| fault(&error))?;
    parse(&content).ok_or(KeyFault::Malformed)
}

#[cfg(unix)]
fn refuse_open_mode(file: &File) -> Result<(), KeyFault> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata().map_err(|error| fault(&error))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyFault::Mode(mode));
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_open_mode(_file: &File) -> Result<(), KeyFault> {
    Ok(())
}

fn write_new(path: &Path) -> Result<Zeroizing<[u8; KEY_BYTES]>, KeyFault> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    SystemRandom::new()
        .fill(key.as_mut())
        .map_err(|ring::error::Unspecified| KeyFault::Io(std::io::ErrorKind::Other))?;
    let mut line = Zeroizing::new(String::with_capacity(KEY_BYTES * 2 + 1));
    for byte in key.iter() {
        for nibble in [byte >> 4, byte & 15] {
            line.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    line.push('\n');
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path).map_err(|error| fault(&error))?;
    file.write_all(line.as_bytes()).map_err(|error| fault(&error))?;
    file.sync_all().map_err(|error| fault(&error))?;
    Ok(key)
}

fn fault(error: &std::io::Error) -> KeyFault {
    match error.kind() {
        std::io::ErrorKind::NotFound => KeyFault::Missing,
        std::io::ErrorKind::AlreadyExists => KeyFault::Exists,
        kind => KeyFault::Io(kind),
    }
}

fn parse(content: &[u8]) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    if let Ok(raw) = <[u8; KEY_BYTES]>::try_from(content) {
        return Some(Zeroizing::new(raw));
    }
    let line = content.trim_ascii();
    let (bits, text) = match line.len() {
        64 => (4, line),
        _ => (6, line.strip_suffix(b"=").unwrap_or(line)),
    };
    let expected = if bits == 4 { 64 } else { 43 };
    if text.len() != expected {
        return None;
    }
    from_digits(text, bits)
}

/// Decodes digits of `bits` bits each, most significant first; left-over bits must be zero.
fn from_digits(text: &[u8], bits: u32) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    let mut places = key.iter_mut();
    let mut held = 0_u32;
    let mut held_bits = 0;
    for &character in text {
        let value = if bits == 4 {
            char::from(character).to_digit(16)?
        } else {
            base64_value(character)?
        };
        held = (held << bits) | value;
        held_bits += bits;
        if held_bits >= 8 {
            held_bits -= 8;
            *places.next()? = (held >> held_bits) as u8;
            held &= (1 << held_bits) - 1;
        }
    }
    (held == 0 && places.next().is_none()).then_some(key)
}

/// RFC 4648 base64, both the standard and the URL-safe alphabet.
fn base64_value(character: u8) -> Option<u32> {
    let value = match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_with(content: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("site.key");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&path).unwrap().write_all(content).unwrap();
        (dir, path)
    }

    fn fault_of(result: Result<SiteKey, JournalError>) -> KeyFault {
        match result {
            Err(JournalError::KeyFile { fault, .. }) => fault,
            other => panic!("expected a key fault, got {other:?}"),
        }
    }

    #[test]
    fn all_three_forms_give_the_same_key() {
        let raw: [u8; 32] = std::array::from_fn(|i| (i * 7 + 3) as u8);
        let hex = b"030a11181f262d343b424950575e656c737a81888f969da4abb2b9c0c7ced5dc\n";
        let base64 = b"AwoRGB8mLTQ7QklQV15lbHN6gYiPlp2kq7K5wMfO1dw=\n";
        for content in [&raw[..], hex, base64] {
            let (_dir, path) = file_with(content);
            assert_eq!(SiteKey::load(&path).unwrap().bytes(), &raw);
        }
    }

    #[test]
    fn a_malformed_key_is_refused() {
        let short = [b'a'; 63];
        let not_hex = [b'x'; 64];
        for content in [&b""[..], &short, &not_hex, &[0; 33], &[b'A'; 400]] {
            let (_dir, path) = file_with(content);
            assert_eq!(fault_of(SiteKey::load(&path)), KeyFault::Malformed);
        }
    }

    #[test]
    fn a_missing_key_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("none");
        assert_eq!(fault_of(SiteKey::load(&missing)), KeyFault::Missing);
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        for (mode, ok) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            let (_dir, path) = file_with(&[9; 32]);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let loaded = SiteKey::load(&path);
            assert_eq!(loaded.is_ok(), ok, "mode {mode:o}");
            if !ok {
                assert_eq!(fault_of(loaded), KeyFault::Mode(mode));
            }
        }
    }

    #[test]
    fn create_makes_a_private_key_and_never_overwrites() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("site.key");
        let created = SiteKey::create(&path).unwrap();
        assert_eq!(SiteKey::load(&path).unwrap().bytes(), created.bytes());
        assert_eq!(fault_of(SiteKey::create(&path)), KeyFault::Exists);
        assert_eq!(SiteKey::load(&path).unwrap().bytes(), created.bytes());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", SiteKey::from_bytes([7; 32])), "SiteKey(..)");
    }
}
