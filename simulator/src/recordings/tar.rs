//! The files of a tar archive, one after another: POSIX ustar headers of 512 bytes, enough for data sets.

use std::io::{self, Read};

const BLOCK: usize = 512;
/// Files larger than this are refused.
const LARGEST: usize = 256 << 20;

/// Iterates over `(name, contents)` of the regular files.
pub(super) struct Entries<R>(pub(super) R);

impl<R: Read> Entries<R> {
    fn read_entry(&mut self) -> io::Result<Option<(String, Vec<u8>)>> {
        loop {
            let mut header = [0_u8; BLOCK];
            if !self.fill_or_end(&mut header)? || header.iter().all(|b| *b == 0) {
                return Ok(None);
            }
            let name = text(header.get(..100));
            let size = octal(header.get(124..136)).ok_or_else(|| invalid(&name))?;
            if size > LARGEST {
                return Err(invalid(&name));
            }
            let mut contents = vec![0; size.div_ceil(BLOCK) * BLOCK];
            self.0.read_exact(&mut contents)?;
            contents.truncate(size);
            if matches!(header.get(156), Some(b'0' | 0)) {
                return Ok(Some((name, contents)));
            }
        }
    }

    /// Fills the block; `false` when the archive has ended before it.
    fn fill_or_end(&mut self, block: &mut [u8; BLOCK]) -> io::Result<bool> {
        match self.0.read_exact(block) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(e) => Err(e),
        }
    }
}

impl<R: Read> Iterator for Entries<R> {
    type Item = io::Result<(String, Vec<u8>)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read_entry().transpose()
    }
}

fn invalid(name: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("tar entry {name:?}: no ustar header, or too large"),
    )
}

fn text(bytes: Option<&[u8]>) -> String {
    let bytes = bytes.unwrap_or_default();
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

fn octal(bytes: Option<&[u8]>) -> Option<usize> {
    usize::from_str_radix(text(bytes).trim(), 8).ok()
}
