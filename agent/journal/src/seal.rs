//! Sealing: AES-256-GCM, with what stands in clear bound to it as associated data.
//!
//! Nonces never repeat under a key. A row's nonce is four bytes drawn anew at every open (and after every
//! failed transaction) followed by its sequence: within one open the sequence alone makes it unique, and
//! rows that were sealed but not committed before a crash, whose sequences are then used again, had other
//! four bytes. Rows and everything else use two different keys derived from the data key; everything else
//! (segments, checkpoints, quarantine, wrapped keys) is rare and uses twelve random bytes.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Prk, Salt};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::entry::StayToken;
use crate::error::JournalError;
use crate::key::{KEY_BYTES, SiteKey};
use crate::secret::SiteSecret;

const PREFIX_BYTES: usize = 4;
const ROW_DOMAIN: &[u8; 8] = b"wlj1 row";
const KEY_DOMAIN: &[u8; 8] = b"wlj1 key";

/// The four bytes that make nonces of this open differ from those of any other.
pub(crate) type NoncePrefix = [u8; PREFIX_BYTES];

/// What of a row stands in clear. All of it is bound to the seal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowHead {
    pub(crate) seq: u64,
    pub(crate) kind: u8,
    pub(crate) at_ms: i64,
}

impl RowHead {
    fn associated(self, stay: StayToken) -> [u8; 41] {
        let mut bytes = [0; 41];
        let fields = ROW_DOMAIN
            .iter()
            .copied()
            .chain(self.seq.to_le_bytes())
            .chain([self.kind])
            .chain(self.at_ms.to_le_bytes())
            .chain(stay.0);
        for (place, byte) in bytes.iter_mut().zip(fields) {
            *place = byte;
        }
        bytes
    }

    fn nonce(self, prefix: NoncePrefix) -> Nonce {
        let [a, b, c, d] = prefix;
        let [s0, s1, s2, s3, s4, s5, s6, s7] = self.seq.to_le_bytes();
        Nonce::assume_unique_for_key([a, b, c, d, s0, s1, s2, s3, s4, s5, s6, s7])
    }
}

/// The keys of one stay.
pub(crate) struct DataKey {
    /// Its row in the database.
    pub(crate) id: i64,
    pub(crate) stay: StayToken,
    rows: LessSafeKey,
    blobs: LessSafeKey,
}

impl DataKey {
    fn new(id: i64, stay: StayToken, secret: &[u8; KEY_BYTES]) -> Result<Self, JournalError> {
        let root = Salt::new(HKDF_SHA256, b"wardlight-journal data key").extract(secret);
        Ok(DataKey {
            id,
            stay,
            rows: derive(&root, b"rows")?,
            blobs: derive(&root, b"blobs")?,
        })
    }

    /// Seals a row into `out`, replacing its content.
    pub(crate) fn seal_row(
        &self,
        prefix: NoncePrefix,
        head: RowHead,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), JournalError> {
        out.clear();
        out.extend_from_slice(&prefix);
        out.extend_from_slice(body);
        let content = out.get_mut(PREFIX_BYTES..).unwrap_or_default();
        let tag = self
            .rows
            .seal_in_place_separate_tag(head.nonce(prefix), Aad::from(head.associated(self.stay)), content)
            .map_err(|ring::error::Unspecified| JournalError::Seal)?;
        out.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// Opens a row; `None` if it is not what was sealed with this head, stay and key.
    pub(crate) fn open_row(&self, head: RowHead, sealed: &[u8]) -> Option<Vec<u8>> {
        let (prefix, content) = sealed.split_first_chunk::<PREFIX_BYTES>()?;
        let mut content = content.to_vec();
        let opened = self
            .rows
            .open_in_place(head.nonce(*prefix), Aad::from(head.associated(self.stay)), &mut content)
            .ok()?
            .len();
        content.truncate(opened);
        Some(content)
    }

    /// Seals anything but a row. `associated` begins with a domain that no other use has.
    pub(crate) fn seal_blob(&self, random: &SystemRandom, associated: &[u8], body: &[u8]) -> Result<Vec<u8>, JournalError> {
        seal_with_random_nonce(&self.blobs, random, associated, body)
    }

    /// Opens what [`DataKey::seal_blob`] sealed.
    pub(crate) fn open_blob(&self, associated: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        open_with_nonce(&self.blobs, associated, sealed)
    }
}

/// The keys derived from the site key.
pub(crate) struct SiteKeys {
    wrap: LessSafeKey,
    secret: SiteSecret,
    check: Zeroizing<[u8; KEY_BYTES]>,
}

impl SiteKeys {
    pub(crate) fn new(site: &SiteKey) -> Result<Self, JournalError> {
        let root = Salt::new(HKDF_SHA256, b"wardlight-journal site key").extract(site.bytes());
        let mut check = Zeroizing::new([0; KEY_BYTES]);
        root.expand(&[b"key check"], HKDF_SHA256)
            .and_then(|okm| okm.fill(check.as_mut()))
            .map_err(|ring::error::Unspecified| JournalError::Seal)?;
        Ok(SiteKeys {
            wrap: derive(&root, b"wrap")?,
            secret: SiteSecret::of(site),
            check,
        })
    }

    /// The secret of a site that never had another key.
    pub(crate) fn secret(&self) -> &SiteSecret {
        &self.secret
    }

    /// A value by which a wrong site key is told from a damaged journal. It reveals nothing of the key.
    pub(crate) fn check_value(&self) -> &[u8] {
        self.check.as_ref()
    }

    /// Draws a new data key; returns it wrapped. Opening that gives the [`DataKey`].
    pub(crate) fn new_data_key(&self, random: &SystemRandom, stay: StayToken) -> Result<Vec<u8>, JournalError> {
        let mut secret = Zeroizing::new([0; KEY_BYTES]);
        random
            .fill(secret.as_mut())
            .map_err(|ring::error::Unspecified| JournalError::Seal)?;
        seal_with_random_nonce(&self.wrap, random, &key_associated(stay), secret.as_ref())
    }

    /// Opens a wrapped data key; `None` if it was not wrapped for this stay under this site key.
    pub(crate) fn unwrap(&self, id: i64, stay: StayToken, wrapped: &[u8]) -> Option<DataKey> {
        let opened = Zeroizing::new(open_with_nonce(&self.wrap, &key_associated(stay), wrapped)?);
        let secret = Zeroizing::new(<[u8; KEY_BYTES]>::try_from(opened.as_slice()).ok()?);
        DataKey::new(id, stay, &secret).ok()
    }

    /// Wraps the same data key under another site key; `None` if it does not open under this one.
    pub(crate) fn rewrap(
        &self,
        to: &SiteKeys,
        random: &SystemRandom,
        stay: StayToken,
        wrapped: &[u8],
    ) -> Option<Result<Vec<u8>, JournalError>> {
        let associated = key_associated(stay);
        let secret = Zeroizing::new(open_with_nonce(&self.wrap, &associated, wrapped)?);
        Some(seal_with_random_nonce(&to.wrap, random, &associated, &secret))
    }
}

pub(crate) fn new_prefix(random: &SystemRandom) -> Result<NoncePrefix, JournalError> {
    let mut prefix = [0; PREFIX_BYTES];
    random
        .fill(&mut prefix)
        .map_err(|ring::error::Unspecified| JournalError::Seal)?;
    Ok(prefix)
}

fn key_associated(stay: StayToken) -> [u8; 24] {
    let mut bytes = [0; 24];
    for (place, byte) in bytes.iter_mut().zip(KEY_DOMAIN.iter().chain(&stay.0)) {
        *place = *byte;
    }
    bytes
}

fn derive(root: &Prk, label: &[u8]) -> Result<LessSafeKey, JournalError> {
    let label = [label];
    let okm = root
        .expand(&label, &AES_256_GCM)
        .map_err(|ring::error::Unspecified| JournalError::Seal)?;
    Ok(LessSafeKey::new(UnboundKey::from(okm)))
}

fn seal_with_random_nonce(
    key: &LessSafeKey,
    random: &SystemRandom,
    associated: &[u8],
    body: &[u8],
) -> Result<Vec<u8>, JournalError> {
    let mut nonce = [0; NONCE_LEN];
    random
        .fill(&mut nonce)
        .map_err(|ring::error::Unspecified| JournalError::Seal)?;
    let mut out = Vec::with_capacity(NONCE_LEN + body.len() + AES_256_GCM.tag_len());
    out.extend_from_slice(&nonce);
    out.extend_from_slice(body);
    let content = out.get_mut(NONCE_LEN..).unwrap_or_default();
    let tag = key
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(associated), content)
        .map_err(|ring::error::Unspecified| JournalError::Seal)?;
    out.extend_from_slice(tag.as_ref());
    Ok(out)
}

fn open_with_nonce(key: &LessSafeKey, associated: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, content) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let mut content = content.to_vec();
    let opened = key
        .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(associated), &mut content)
        .ok()?
        .len();
    content.truncate(opened);
    Some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data_key() -> DataKey {
        DataKey::new(1, StayToken([3; 16]), &[5; 32]).unwrap()
    }

    #[test]
    fn a_row_opens_only_with_the_head_it_was_sealed_with() {
        let key = data_key();
        let head = RowHead {
            seq: 7,
            kind: 1,
            at_ms: 99,
        };
        let mut sealed = Vec::new();
        key.seal_row([1, 2, 3, 4], head, b"SpO2 91", &mut sealed).unwrap();
        assert_eq!(key.open_row(head, &sealed).unwrap(), b"SpO2 91");
        for other in [
            RowHead { seq: 8, ..head },
            RowHead { kind: 2, ..head },
            RowHead { at_ms: 98, ..head },
        ] {
            assert!(key.open_row(other, &sealed).is_none(), "{other:?}");
        }
        let other_stay = DataKey::new(1, StayToken([4; 16]), &[5; 32]).unwrap();
        assert!(other_stay.open_row(head, &sealed).is_none());
        for byte in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[byte] ^= 1;
            assert!(key.open_row(head, &bent).is_none(), "byte {byte}");
        }
        assert!(key.open_row(head, &sealed[..10]).is_none());
        assert!(key.open_row(head, &[]).is_none());
    }

    #[test]
    fn a_wrapped_key_opens_only_for_its_stay_and_site() {
        let random = SystemRandom::new();
        let site = SiteKeys::new(&SiteKey::from_bytes([1; 32])).unwrap();
        let other = SiteKeys::new(&SiteKey::from_bytes([2; 32])).unwrap();
        let stay = StayToken([8; 16]);
        let wrapped = site.new_data_key(&random, stay).unwrap();
        assert!(site.unwrap(1, stay, &wrapped).is_some());
        assert!(site.unwrap(1, StayToken([9; 16]), &wrapped).is_none());
        assert!(other.unwrap(1, stay, &wrapped).is_none());
        let moved = site.rewrap(&other, &random, stay, &wrapped).unwrap().unwrap();
        assert!(other.unwrap(1, stay, &moved).is_some());
        assert_ne!(site.check_value(), other.check_value());
    }
}
