//! The receipt of an erasure: what was erased, signed by the site. It names nobody.

use std::collections::BTreeMap;

use anyhow::{Context, anyhow, bail};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use wardlight_core::hex;
use wardlight_core::time::Timestamp;
use wardlight_journal::{Erased, Head};

use crate::audit_cli::utc;

/// What is signed begins so: a signature is good for nothing else.
const DOMAIN: &[u8] = b"wardlight erasure receipt 1\n";

/// What was erased of a stay. The fields are signed in this order, as JSON without white space.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Receipt {
    v: u8,
    site: String,
    /// The random token of the stay.
    pub(crate) stay: String,
    erased_at: String,
    /// Time of the first entry, to the hour, and of the last.
    from: Option<String>,
    until: Option<String>,
    /// Entries by kind, and `quarantine`.
    counts: BTreeMap<String, u64>,
    /// SHA-256 of each data key that was destroyed, as it was wrapped.
    keys: Vec<String>,
    /// The record of the audit trail that tells of it, as `wardlight audit verify --head` takes it.
    audit_head: String,
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    receipt: Receipt,
    /// Ed25519 public key of the site; whoever verifies must know it from elsewhere.
    public_key: String,
    signature: String,
}

impl Receipt {
    pub(crate) fn new(site: &str, erased: &Erased, at: Timestamp, head: Head) -> Self {
        let mut counts: BTreeMap<String, u64> = erased
            .counts
            .iter()
            .map(|(kind, count)| (format!("{kind:?}").to_lowercase(), *count))
            .collect();
        counts.insert("quarantine".to_owned(), erased.quarantined);
        Self {
            v: 1,
            site: site.to_owned(),
            stay: hex::encode(&erased.stay.0),
            erased_at: utc(at.as_millis()),
            from: erased.span_ms.map(|(first, _)| utc(first)),
            until: erased.span_ms.map(|(_, last)| utc(last)),
            counts,
            keys: erased.keys.iter().map(|hash| hex::encode(hash)).collect(),
            audit_head: head.to_string(),
        }
    }

    /// As it is signed and kept in the tombstone. Strings and numbers can always be written.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// From a tombstone.
    /// # Errors
    /// If it is not one of this version.
    pub(crate) fn read(body: &[u8]) -> anyhow::Result<Self> {
        serde_json::from_slice(body).context("the tombstone cannot be read")
    }

    /// The file, signed.
    /// # Errors
    /// Never with strings and numbers.
    pub(crate) fn sign(self, pair: &Ed25519KeyPair) -> anyhow::Result<String> {
        let signature = pair.sign(&self.signed());
        let signed = Signed {
            receipt: self,
            public_key: hex::encode(pair.public_key().as_ref()),
            signature: hex::encode(signature.as_ref()),
        };
        Ok(serde_json::to_string_pretty(&signed)? + "\n")
    }

    /// The receipt in a file that this key signed.
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn verify(text: &str, public_key: &[u8]) -> anyhow::Result<Self> {
        let signed: Signed = serde_json::from_str(text).context("this is no receipt of an erasure")?;
        if hex::decode(&signed.public_key).as_deref() != Some(public_key) {
            bail!("signed by another key: {}", signed.public_key);
        }
        let signature = hex::decode(&signed.signature).context("its signature is not hexadecimal")?;
        UnparsedPublicKey::new(&ED25519, public_key)
            .verify(&signed.receipt.signed(), &signature)
            .map_err(|_forged| anyhow!("the signature does not fit: the receipt was altered, or never signed by this key"))?;
        Ok(signed.receipt)
    }

    /// For people.
    pub(crate) fn summary(&self) -> String {
        let counts = self.counts.iter().filter(|(_, count)| **count > 0);
        let counts: Vec<String> = counts.map(|(kind, count)| format!("{count} {kind}")).collect();
        let span = match (&self.from, &self.until) {
            (Some(from), Some(until)) => format!("from {from} to {until}"),
            _ => "without any entry".to_owned(),
        };
        format!(
            "stay {} of the site {}: erased at {}, {span}; {}; {} data keys destroyed; audit record {}",
            self.stay,
            self.site,
            self.erased_at,
            if counts.is_empty() {
                "nothing".to_owned()
            } else {
                counts.join(", ")
            },
            self.keys.len(),
            self.audit_head
        )
    }

    fn signed(&self) -> Vec<u8> {
        [DOMAIN, &self.to_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use wardlight_journal::{Kind, StayToken};

    use super::*;

    #[test]
    fn a_receipt_verifies_with_the_public_key_alone_and_not_when_anything_of_it_changed() {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let erased = Erased {
            stay: StayToken([0xAB; 16]),
            counts: BTreeMap::from([(Kind::Message, 12), (Kind::Alarm, 3)]),
            quarantined: 1,
            span_ms: Some((0, 3_600_000)),
            keys: vec![[1; 32]],
        };
        let head: Head = format!("7:{}", "5a".repeat(32)).parse().unwrap();
        let receipt = || Receipt::new("st-mary", &erased, Timestamp::from_millis(7_200_000), head);
        assert_eq!(Receipt::read(&receipt().to_bytes()).unwrap(), receipt());
        let text = receipt().sign(&pair).unwrap();
        let public = pair.public_key().as_ref();
        let read = Receipt::verify(&text, public).unwrap();
        assert!(
            read.summary().contains("12 message") && read.summary().contains("3 alarm"),
            "{}",
            read.summary()
        );
        for (from, to) in [
            ("\"message\": 12", "\"message\": 13"),
            ("st-mary", "st-marx"),
            ("1970-01-01T02", "1970-01-01T03"),
            ("abab", "abac"),
            ("0101", "0102"),
        ] {
            assert!(text.contains(from), "{from}");
            let altered = text.replacen(from, to, 1);
            assert!(Receipt::verify(&altered, public).is_err(), "{from}");
        }
        let other = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
        let error = Receipt::verify(&text, other.public_key().as_ref()).unwrap_err();
        assert!(error.to_string().contains("another key"), "{error}");
        let resigned = receipt()
            .sign(&other)
            .unwrap()
            .replace(&hex::encode(other.public_key().as_ref()), &hex::encode(public));
        assert!(Receipt::verify(&resigned, public).is_err());
    }
}
